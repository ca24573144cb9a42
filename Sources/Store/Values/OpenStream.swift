import Bytes
import Glibc
import Structures

/// A stream to be changed.
@safe
package struct OpenStream {
    package let open: OpenEntry

    /// The stream as it reads now.
    package var value: StreamValue { open.entry.stream }

    var stream: UnsafeMutablePointer<Stream> { unsafe value.stream }

    /// The most bytes that the texts of an entry may have, and that a node takes.
    package static let largestByteCount = 1 << 30

    /// Adds an entry behind all others; `id` is greater than the last one given out.
    package func append(_ id: StreamEntryID, _ draft: borrowing StreamDraft) {
        let limits = unsafe open.keyspace.environment.pointee.limits
        if let last = unsafe stream.pointee.nodes.last {
            let node = unsafe StreamNode(bits: last.word)
            if unsafe hasRoom(node, draft, limits) {
                unsafe append(id, draft, to: node, at: last.key)
            } else {
                let old = unsafe node.byteCount
                let shrunk = unsafe node.shrunk(in: open.arena)
                unsafe stream.pointee.replace(
                    last.word,
                    oldByteCount: old,
                    with: shrunk,
                    at: last.key
                )
                appendNode(id, draft)
            }
        } else {
            appendNode(id, draft)
        }
        unsafe stream.pointee.count += 1
        unsafe stream.pointee.entriesAdded &+= 1
        unsafe stream.pointee.lastID = id
        if value.count == 1 { unsafe stream.pointee.firstID = id }
    }

    private func hasRoom(
        _ node: StreamNode,
        _ draft: borrowing StreamDraft,
        _ limits: EncodingLimits
    ) -> Bool {
        let largest = OpenStream.largestByteCount
        let bytes = limits.streamBytes > 0 ? min(limits.streamBytes, largest) : largest
        guard unsafe node.listpack.count + draft.textByteCount < bytes else { return false }
        let entries = limits.streamEntries > 0 ? limits.streamEntries : .max
        return unsafe node.liveCount + node.deletedCount < entries
    }

    /// Begins a node whose fields are those of its first entry.
    private func appendNode(_ id: StreamEntryID, _ draft: borrowing StreamDraft) {
        let fieldCount = draft.fieldCount
        var node = unsafe StreamNode(room: draft.elements.count * 2 + 32, in: open.arena)
        let (fieldBytes, _) = draft.measure()
        let numbers = [1, 0, Int64(fieldCount)]
        let ends = numbers.reduce(0) { $0 + Listpack.entryByteCount(of: $1) } + 2
        unsafe node = node.appending(
            fieldCount + 4,
            byteCount: fieldBytes + ends,
            in: open.arena
        ) { place in
            var place = unsafe place
            for number in numbers { unsafe place += Listpack.writeEntry(number, to: place) }
            unsafe draft.write(.fields, to: &place)
            unsafe Listpack.writeEntry(0, to: place)
        }
        unsafe node = append(id, draft, to: node, master: id, sharesFields: true)
        unsafe stream.pointee.addNode(node, id)
    }

    private func append(
        _ id: StreamEntryID,
        _ draft: borrowing StreamDraft,
        to node: StreamNode,
        at key: UInt128
    ) {
        unsafe stream.pointee.passDoor(node, at: key)
        let (old, oldByteCount) = unsafe (node.bits, node.byteCount)
        let shares = unsafe draft.sharesFields(of: node)
        var grown = unsafe append(
            id,
            draft,
            to: node,
            master: StreamEntryID(bits: key),
            sharesFields: shares
        )
        unsafe grown = grown.counting(live: 1, deleted: 0, in: open.arena)
        unsafe stream.pointee.replace(old, oldByteCount: oldByteCount, with: grown, at: key)
    }

    /// Writes the elements of an entry.
    private func append(
        _ id: StreamEntryID,
        _ draft: borrowing StreamDraft,
        to node: StreamNode,
        master: StreamEntryID,
        sharesFields: Bool
    ) -> StreamNode {
        let milliseconds = Int64(bitPattern: id.milliseconds &- master.milliseconds)
        let sequence = Int64(bitPattern: id.sequence &- master.sequence)
        let fieldCount = Int64(draft.fieldCount)
        let flags = sharesFields ? unsafe StreamNode.sharedFieldsFlag : 0
        let elementCount = sharesFields ? fieldCount + 3 : fieldCount * 2 + 4
        var size = sharesFields ? draft.measure().values : draft.elements.count
        size += Listpack.entryByteCount(of: flags) + Listpack.entryByteCount(of: milliseconds)
        size += Listpack.entryByteCount(of: sequence) + Listpack.entryByteCount(of: elementCount)
        if !sharesFields { size += Listpack.entryByteCount(of: fieldCount) }
        return unsafe node.appending(
            Int(elementCount) + 1,
            byteCount: size,
            in: open.arena
        ) { place in
            var place = unsafe place
            unsafe place += Listpack.writeEntry(flags, to: place)
            unsafe place += Listpack.writeEntry(milliseconds, to: place)
            unsafe place += Listpack.writeEntry(sequence, to: place)
            if !sharesFields { unsafe place += Listpack.writeEntry(fieldCount, to: place) }
            unsafe draft.write(sharesFields ? .values : .everything, to: &place)
            unsafe Listpack.writeEntry(elementCount, to: place)
        }
    }

    /// Deletes an entry; false if it is not there.
    package func remove(_ id: StreamEntryID) -> Bool {
        guard let entry = value.entry(at: id),
            let place = unsafe stream.pointee.nodes.entry(atOrBefore: id.bits)
        else { return false }
        let node = unsafe StreamNode(bits: place.word)
        if unsafe node.liveCount == 1 {
            unsafe stream.pointee.removeNode(at: place.key)
        } else {
            unsafe stream.pointee.passDoor(node, at: place.key)
            let oldByteCount = unsafe node.byteCount
            unsafe entry.flags.setFlag(StreamNode.deletedFlag)
            unsafe stream.pointee.replace(
                place.word,
                oldByteCount: oldByteCount,
                with: node.counting(live: -1, deleted: 1, in: open.arena),
                at: place.key
            )
        }
        unsafe stream.pointee.count -= 1
        unsafe stream.pointee.maximumDeletedID = max(value.maximumDeletedID, id)
        if value.count == 0 || id == value.firstID { findFirst() }
        return true
    }

    func findFirst() {
        var first = StreamEntryID.zero
        if value.count > 0 {
            value.forEachEntry { entry in
                first = entry.id
                return false
            }
        }
        unsafe stream.pointee.firstID = first
    }

    /// Sets the counters of the stream, as XSETID and files have them.
    package func setCounters(
        lastID: StreamEntryID,
        entriesAdded: UInt64? = nil,
        maximumDeletedID: StreamEntryID? = nil
    ) {
        unsafe stream.pointee.lastID = lastID
        if let entriesAdded { unsafe stream.pointee.entriesAdded = entriesAdded }
        if let maximumDeletedID { unsafe stream.pointee.maximumDeletedID = maximumDeletedID }
    }

    /// Adds a node of a file behind all others; false if its id is not behind theirs.
    ///
    /// The listpack was checked to be the node of a stream.
    package func append(
        node listpack: RawSpan,
        master: StreamEntryID,
        liveCount: Int
    ) -> Bool {
        if let last = unsafe stream.pointee.nodes.last, last.key >= master.bits { return false }
        unsafe stream.pointee.addNode(StreamNode(copying: listpack, in: open.arena), master)
        unsafe stream.pointee.count += liveCount
        return true
    }

    /// Ends the load of nodes: finds the first entry and a last id that none is behind.
    package func finishLoading() {
        findFirst()
        if let last = value.lastEntryID, last > value.lastID {
            unsafe stream.pointee.lastID = last
        }
    }
}

extension StreamDraft {
    enum Part {
        case fields
        case values
        case everything
    }

    /// Bytes of all packed fields, and of all packed values.
    fileprivate func measure() -> (fields: Int, values: Int) {
        var sizes = (fields: 0, values: 0)
        unsafe withElements { cursor in
            var cursor = unsafe cursor
            for _ in 0..<fieldCount {
                unsafe sizes.fields += cursor.byteCount
                unsafe cursor.advance()
                unsafe sizes.values += cursor.byteCount
                unsafe cursor.advance()
            }
        }
        return sizes
    }

    /// Copies packed elements to `place` and moves it behind them.
    fileprivate func write(_ part: Part, to place: inout UnsafeMutableRawPointer) {
        guard part != .everything else {
            unsafe place.store(elements.bytes)
            unsafe place += elements.count
            return
        }
        unsafe withElements { cursor in
            var cursor = unsafe cursor
            for _ in 0..<fieldCount {
                if part == .values { unsafe cursor.advance() }
                let size = unsafe cursor.byteCount
                unsafe place.copyMemory(from: cursor.place, byteCount: size)
                unsafe place += size
                unsafe cursor.advance()
                if part == .fields { unsafe cursor.advance() }
            }
        }
    }

    /// Whether the fields are those that a node has, packed alike.
    fileprivate func sharesFields(of node: StreamNode) -> Bool {
        var own = unsafe PackedCursor(node.listpack)
        unsafe own.advance(by: 2)
        guard unsafe own.integer == Int64(fieldCount) else { return false }
        unsafe own.advance()
        return unsafe withElements { cursor in
            var cursor = unsafe cursor
            for _ in 0..<fieldCount {
                let size = unsafe cursor.byteCount
                guard unsafe own.byteCount == size,
                    unsafe memcmp(own.place, cursor.place, size) == 0
                else { return false }
                unsafe own.advance()
                unsafe cursor.advance(by: 2)
            }
            return true
        }
    }
}

extension OpenEntry {
    /// The value as a stream, which it must be.
    package var stream: OpenStream {
        precondition(entry.kind == .stream, "not a stream")
        return OpenStream(open: self)
    }
}

extension Keyspace {
    /// Adds `key`, which must be absent, with a stream without entries, which may stay so.
    package func insertStream(_ key: RawSpan) -> OpenStream {
        let stream = unsafe Stream.allocate(in: arena)
        let open = unsafe insert(key, .stream, pointer: UnsafeMutableRawPointer(stream))
        return OpenStream(open: open)
    }
}
