import Bytes
import Structures

/// A list to be read.
@safe
package struct ListValue {
    let entry: Entry

    /// How many elements.
    package var count: Int { entry.packedCount }

    /// The element at `index`, which must be below `count`; valid until the list changes.
    @_lifetime(borrow self)
    package func element(at index: Int) -> PackedValue {
        unsafe _overrideLifetime(cursor(at: index).value(), borrowing: self)
    }

    /// Visits the elements of `range`, which must be inside, in order or from the last on.
    package func forEach(
        in range: Range<Int>,
        isReversed: Bool = false,
        _ visit: (PackedValue) -> Void
    ) {
        guard !range.isEmpty else { return }
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
        var cursor = unsafe cursor(at: fromEnd ? count - 1 : 0)
        for step in 0..<min(count, limit) {
            if step > 0 { unsafe fromEnd ? cursor.retreat() : cursor.advance() }
            if unsafe cursor.matches(needle), !visit(fromEnd ? count - 1 - step : step) { return }
        }
    }

    /// A cursor at `index`, found from the nearer end.
    fileprivate func cursor(at index: Int) -> PackedCursor {
        let bytes = unsafe entry.valueBytes
        let count = self.count
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

    /// Gets ready for `count` more elements of `byteCount` bytes in all.
    package func prepare(toAdd count: Int, byteCount: Int) {
    }

    /// Adds an element before the first.
    package func prepend(_ element: RawSpan) {
        open.insertPacked(PackedValue(packing: element), at: Listpack.headerByteCount)
    }

    /// Adds an element behind the last.
    package func append(_ element: RawSpan) {
        open.appendPacked(PackedValue(packing: element))
    }

    /// Inserts an element so that it is at `index`, which is `count` or less.
    package func insert(_ element: RawSpan, at index: Int) {
        open.insertPacked(PackedValue(packing: element), at: offset(of: index))
    }

    /// Replaces the element at `index`.
    package func set(_ element: RawSpan, at index: Int) {
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

    /// Removes `element` where it is, up to `limit` times, from the first or the last on.
    ///
    /// Returns how often it was there. A list without elements must not stay: the caller
    /// removes its key.
    package func remove(_ element: RawSpan, limit: Int, fromEnd: Bool) -> Int {
        let needle = PackedNeedle(element)
        let count = value.count
        guard count > 0 else { return 0 }
        var removed = 0
        var offset = offset(of: fromEnd ? count - 1 : 0)
        for step in 0..<count where removed < limit {
            let bytes = unsafe open.entry.valueBytes
            var cursor = unsafe PackedCursor(bytes, at: offset)
            let matches = unsafe cursor.matches(needle)
            let byteCount = unsafe cursor.byteCount
            if fromEnd {
                if step + 1 < count {
                    unsafe cursor.retreat()
                    if matches { open.removePacked(at: offset, byteCount, elements: 1) }
                    offset = unsafe cursor.offset(in: bytes)
                } else if matches {
                    open.removePacked(at: offset, byteCount, elements: 1)
                }
            } else if matches {
                open.removePacked(at: offset, byteCount, elements: 1)
            } else {
                offset += byteCount
            }
            if matches { removed += 1 }
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
