import Bytes
import Structures

/// A list to be read.
@safe
package struct ListValue {
    let entry: Entry

    fileprivate var blocks: UnsafeMutablePointer<BlockList>? {
        guard entry.encoding == .blockList else { return nil }
        return unsafe entry.valuePointer.assumingMemoryBound(to: BlockList.self)
    }

    /// How many elements.
    package var count: Int {
        guard let blocks = unsafe blocks else { return entry.packedCount }
        return unsafe blocks.pointee.count
    }

    /// The element at `index`, which must be below `count`; valid until the list changes.
    @_lifetime(borrow self)
    package func element(at index: Int) -> PackedValue {
        guard let blocks = unsafe blocks else {
            return unsafe _overrideLifetime(cursor(at: index).value(), borrowing: self)
        }
        return unsafe _overrideLifetime(blocks.pointee.value(at: index), borrowing: self)
    }

    /// Visits the elements of `range`, which must be inside, in order or from the last on.
    package func forEach(
        in range: Range<Int>,
        isReversed: Bool = false,
        _ visit: (PackedValue) -> Void
    ) {
        guard !range.isEmpty else { return }
        guard let blocks = unsafe blocks else { return forEachPacked(in: range, isReversed, visit) }
        if isReversed {
            var cursor = unsafe blocks.pointee.cursor(at: range.upperBound)
            for _ in range {
                guard let element = cursor.previous() else { return }
                visit(element)
            }
        } else {
            var cursor = unsafe blocks.pointee.cursor(at: range.lowerBound)
            for _ in range {
                guard let element = cursor.next() else { return }
                visit(element)
            }
        }
    }

    /// How many nodes `forEachNode` visits.
    package var nodeCount: Int {
        guard let blocks = unsafe blocks else { return 1 }
        return unsafe blocks.pointee.blockCount
    }

    /// Visits the elements in the pieces that they are kept in.
    ///
    /// Each is a listpack of so many elements, or one element that is too large for one.
    package func forEachNode(_ visit: (Node) -> Void) {
        guard let blocks = unsafe blocks else {
            return visit(.listpack(entry.bytes, count: entry.packedCount))
        }
        var packed = ListpackWriter()
        for number in unsafe blocks.pointee.blockNumbers {
            let shape = unsafe blocks.pointee.blockShape(number)
            let bytes = unsafe blocks.pointee.blockBytes(number)
            if shape.isPlain {
                visit(.element(bytes))
            } else {
                packed.append(entries: bytes, count: shape.count)
                packed.finish { visit(.listpack($0, count: shape.count)) }
            }
        }
    }

    /// A piece of a list.
    package enum Node: ~Escapable {
        case listpack(RawSpan, count: Int)
        case element(RawSpan)
    }

    private func forEachPacked(
        in range: Range<Int>,
        _ isReversed: Bool,
        _ visit: (PackedValue) -> Void
    ) {
        if isReversed {
            var cursor = unsafe cursor(at: range.upperBound)
            for _ in range {
                unsafe cursor.retreat()
                unsafe visit(cursor.value())
            }
        } else {
            var cursor = unsafe cursor(at: range.lowerBound)
            for _ in range {
                unsafe visit(cursor.value())
                unsafe cursor.advance()
            }
        }
    }

    /// Visits the positions at which `element` is, from the first or from the last on.
    ///
    /// Compares no more than `limit` elements, and goes on while `visit` says so.
    package func forEachIndex(
        of element: RawSpan,
        fromEnd: Bool,
        limit: Int,
        _ visit: (Int) -> Bool
    ) {
        let count = self.count
        guard count > 0 else { return }
        let needle = PackedNeedle(element)
        func index(_ step: Int) -> Int { fromEnd ? count - 1 - step : step }
        guard let blocks = unsafe blocks else {
            var cursor = unsafe cursor(at: fromEnd ? count - 1 : 0)
            for step in 0..<min(count, limit) {
                if step > 0 { unsafe fromEnd ? cursor.retreat() : cursor.advance() }
                if unsafe cursor.matches(needle), !visit(index(step)) { return }
            }
            return
        }
        var cursor = unsafe blocks.pointee.cursor(at: fromEnd ? count : 0)
        for step in 0..<min(count, limit) {
            guard let element = fromEnd ? cursor.previous() : cursor.next() else { return }
            if needle.matches(element), !visit(index(step)) { return }
        }
    }

    /// A cursor over a packed list at `index`, found from the nearer end.
    fileprivate func cursor(at index: Int) -> PackedCursor {
        let bytes = unsafe entry.valueBytes
        let count = entry.packedCount
        if index <= count / 2 {
            var cursor = unsafe PackedCursor(bytes)
            for _ in 0..<index { unsafe cursor.advance() }
            return unsafe cursor
        }
        var cursor = unsafe PackedCursor(bytes, at: bytes.count - 1)
        for _ in index..<count { unsafe cursor.retreat() }
        return unsafe cursor
    }
}

/// A list to be changed.
@safe
package struct OpenList {
    package let open: OpenEntry

    /// The same list, to be read.
    package var value: ListValue { ListValue(entry: open.entry) }

    private var blocks: UnsafeMutablePointer<BlockList>? { unsafe value.blocks }

    private var limits: EncodingLimits { unsafe open.keyspace.environment.pointee.limits }

    /// Gets ready for `count` more elements of `byteCount` bytes in all.
    package func prepare(toAdd count: Int, byteCount: Int) {
        guard unsafe blocks == nil else { return }
        let newByteCount = open.entry.bytes.byteCount + byteCount
        guard
            newByteCount > limits.listBlockBytes
                || open.entry.packedCount + count > limits.listBlockElements
        else { return }
        convertToBlocks()
    }

    /// Goes back to one listpack, once enough was removed.
    package func settle() {
        guard let blocks = unsafe blocks, unsafe blocks.pointee.blockCount == 1 else { return }
        let number = unsafe blocks.pointee.blockNumbers.lowerBound
        let byteCount = unsafe blocks.pointee.blockBytes(number).byteCount
        let shape = unsafe blocks.pointee.blockShape(number)
        // Half the limit, so that a list that wavers does not change its form each time.
        guard !shape.isPlain, Listpack.emptyByteCount + byteCount <= limits.listBlockBytes / 2,
            shape.count <= limits.listBlockElements / 2
        else { return }
        var packed = ListpackWriter(reserving: byteCount + Listpack.emptyByteCount)
        unsafe packed.append(entries: blocks.pointee.blockBytes(number), count: shape.count)
        packed.finish { bytes in
            unsafe open.replaceValue(.packedList, byteCount: bytes.byteCount).store(bytes)
        }
    }

    private func convertToBlocks() {
        let blocks = UnsafeMutablePointer<BlockList>.allocate(capacity: 1)
        unsafe blocks.initialize(
            to: BlockList(
                arena: open.arena,
                byteLimit: limits.listBlockBytes - Listpack.emptyByteCount,
                countLimit: limits.listBlockElements
            )
        )
        let packed = open.entry.bytes
        unsafe blocks.pointee.appendBlock(
            entries: packed.part(
                from: Listpack.headerByteCount,
                count: packed.byteCount - Listpack.emptyByteCount
            ),
            count: open.entry.packedCount
        )
        unsafe open.replaceValue(.blockList, pointer: UnsafeMutableRawPointer(blocks))
    }

    /// Adds the elements of a listpack that was checked throughout behind the last.
    package func append(listpack: RawSpan, count: Int) {
        if unsafe blocks == nil, open.entry.packedCount == 0,
            listpack.byteCount <= limits.listBlockBytes, count <= limits.listBlockElements
        {
            let bytes = unsafe open.replaceValue(.packedList, byteCount: listpack.byteCount)
            return unsafe bytes.store(listpack)
        }
        if unsafe blocks == nil { convertToBlocks() }
        let entries = listpack.part(
            from: Listpack.headerByteCount,
            count: listpack.byteCount - Listpack.emptyByteCount
        )
        unsafe blocks?.pointee.appendBlock(entries: entries, count: count)
    }

    /// Adds an element before the first; `isPrepared` if `prepare` was told of it.
    package func prepend(_ element: RawSpan, isPrepared: Bool = false) {
        if !isPrepared { prepare(toAdd: 1, byteCount: element.byteCount) }
        if let blocks = unsafe blocks { return unsafe blocks.pointee.pushFront(element) }
        open.insertPacked(PackedValue(packing: element), at: Listpack.headerByteCount)
    }

    /// Adds an element behind the last; `isPrepared` if `prepare` was told of it.
    package func append(_ element: RawSpan, isPrepared: Bool = false) {
        if !isPrepared { prepare(toAdd: 1, byteCount: element.byteCount) }
        if let blocks = unsafe blocks { return unsafe blocks.pointee.pushBack(element) }
        open.appendPacked(PackedValue(packing: element))
    }

    /// Inserts an element so that it is at `index`, which is `count` or less.
    package func insert(_ element: RawSpan, at index: Int) {
        if let blocks = unsafe blocks {
            return unsafe blocks.pointee.insert(element, at: index)
        }
        open.insertPacked(PackedValue(packing: element), at: offset(of: index))
    }

    /// Replaces the element at `index`.
    package func set(_ element: RawSpan, at index: Int) {
        if let blocks = unsafe blocks {
            return unsafe blocks.pointee.set(element, at: index)
        }
        let cursor = unsafe value.cursor(at: index)
        open.replacePacked(
            at: unsafe cursor.offset(in: open.entry.valueBytes),
            removing: unsafe cursor.byteCount,
            1,
            with: PackedValue(packing: element)
        )
    }

    /// Removes the elements of `range`.
    ///
    /// A list without elements must not stay: the caller removes its key.
    package func remove(in range: Range<Int>) {
        guard !range.isEmpty else { return }
        if let blocks = unsafe blocks {
            return unsafe OpenList.remove(range, from: &blocks.pointee)
        }
        var cursor = unsafe value.cursor(at: range.lowerBound)
        let bytes = unsafe open.entry.valueBytes
        let offset = unsafe cursor.offset(in: bytes)
        var end = bytes.count - 1
        if range.upperBound < value.count {
            for _ in range { unsafe cursor.advance() }
            end = unsafe cursor.offset(in: bytes)
        }
        open.removePacked(at: offset, end - offset, elements: range.count)
    }

    private static func remove(_ range: Range<Int>, from blocks: inout BlockList) {
        guard range.count == 1 else { return blocks.removeRange(range) }
        if range.lowerBound == 0 {
            blocks.removeFirst()
        } else if range.upperBound == blocks.count {
            blocks.removeLast()
        } else {
            blocks.removeRange(range)
        }
    }

    /// Removes `element` where it is, up to `limit` times, from the first or the last on.
    ///
    /// Returns how often it was there. A list without elements must not stay: the caller
    /// removes its key.
    package func remove(_ element: RawSpan, limit: Int, fromEnd: Bool) -> Int {
        if let blocks = unsafe blocks {
            return unsafe blocks.pointee.removeMatching(element, limit: limit, fromBack: fromEnd)
        }
        let needle = PackedNeedle(element)
        var removed = 0
        var index = fromEnd ? value.count - 1 : 0
        var offset = offset(of: index)
        while index >= 0, index < value.count, removed < limit {
            let bytes = unsafe open.entry.valueBytes
            var cursor = unsafe PackedCursor(bytes, at: offset)
            let matches = unsafe cursor.matches(needle)
            let byteCount = unsafe cursor.byteCount
            let place = offset
            if fromEnd {
                if index > 0 {
                    unsafe cursor.retreat()
                    offset = unsafe cursor.offset(in: bytes)
                }
                index -= 1
            } else if !matches {
                offset += byteCount
                index += 1
            }
            if matches {
                open.removePacked(at: place, byteCount, elements: 1)
                removed += 1
            }
        }
        return removed
    }

    private func offset(of index: Int) -> Int {
        unsafe value.cursor(at: index).offset(in: open.entry.valueBytes)
    }
}

extension Entry {
    /// The value as a list, which it must be.
    package var list: ListValue {
        precondition(kind == .list, "not a list")
        return ListValue(entry: self)
    }
}

extension OpenEntry {
    /// The value as a list, which it must be.
    package var list: OpenList {
        precondition(entry.kind == .list, "not a list")
        return OpenList(open: self)
    }
}

extension Keyspace {
    /// Adds `key`, which must be absent, with a list without elements.
    package func insertList(_ key: RawSpan) -> OpenList {
        let open = insert(key, .packedList, byteCount: Listpack.emptyByteCount)
        open.clearPacked(.packedList)
        return OpenList(open: open)
    }
}
