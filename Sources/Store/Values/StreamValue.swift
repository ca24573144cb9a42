import Bytes
import Structures

/// A stream to be read.
@safe
package struct StreamValue {
    let stream: UnsafeMutablePointer<Stream>

    /// How many entries.
    package var count: Int { unsafe stream.pointee.count }

    /// The last id given out.
    package var lastID: StreamEntryID { unsafe stream.pointee.lastID }

    /// The first entry; zero if there is none.
    package var firstID: StreamEntryID { unsafe stream.pointee.firstID }

    /// The greatest id that was deleted.
    package var maximumDeletedID: StreamEntryID { unsafe stream.pointee.maximumDeletedID }

    /// How many entries were ever added.
    package var entriesAdded: UInt64 { unsafe stream.pointee.entriesAdded }

    /// How many nodes `forEachNode` visits.
    package var nodeCount: Int { unsafe stream.pointee.nodes.count }

    /// Visits the nodes: the id that each begins with, its listpack, its live entries.
    package func forEachNode(_ visit: (StreamEntryID, RawSpan, Int) -> Void) {
        var next = unsafe stream.pointee.nodes.first
        while let current = next {
            let node = unsafe StreamNode(bits: current.word)
            let bytes = unsafe UnsafeRawBufferPointer(node.listpack)
            unsafe visit(StreamEntryID(bits: current.key), bytes.bytes, node.liveCount)
            next = unsafe stream.pointee.nodes.entry(after: current.key)
        }
    }

    /// Visits the entries from `first` through `last`, or from the last back.
    ///
    /// Ends when `visit` returns false.
    package func forEachEntry(
        from first: StreamEntryID = .zero,
        through last: StreamEntryID = .maximum,
        isReversed: Bool = false,
        _ visit: (StreamEntry) -> Bool
    ) {
        guard first <= last else { return }
        if isReversed { return visitBack(from: last, through: first, visit) }
        let nodes = unsafe stream
        var next = unsafe nodes.pointee.nodes.entry(atOrBefore: first.bits)
        if next == nil { unsafe next = nodes.pointee.nodes.first }
        while let current = next {
            let node = unsafe StreamNode(bits: current.word)
            var cursor = unsafe StreamNodeCursor(node, StreamEntryID(bits: current.key))
            while let entry = unsafe cursor.next() {
                if entry.isDeleted || entry.id < first { continue }
                guard entry.id <= last, visit(entry) else { return }
            }
            unsafe next = nodes.pointee.nodes.entry(after: current.key)
        }
    }

    private func visitBack(
        from last: StreamEntryID,
        through first: StreamEntryID,
        _ visit: (StreamEntry) -> Bool
    ) {
        var next = unsafe stream.pointee.nodes.entry(atOrBefore: last.bits)
        while let current = next {
            let node = unsafe StreamNode(bits: current.word)
            let master = StreamEntryID(bits: current.key)
            var cursor = unsafe StreamNodeCursor(node, master, atEnd: true)
            while let entry = unsafe cursor.previous() {
                if entry.isDeleted || entry.id > last { continue }
                guard entry.id >= first, visit(entry) else { return }
            }
            next = unsafe stream.pointee.nodes.entry(before: current.key)
        }
    }

    /// The entry with this id.
    package func entry(at id: StreamEntryID) -> StreamEntry? {
        var found: StreamEntry?
        forEachEntry(from: id, through: id) { entry in
            found = entry
            return false
        }
        return found
    }

    /// The id of the last entry there is, which need not be the last given out.
    package var lastEntryID: StreamEntryID? {
        guard count > 0 else { return nil }
        var last: StreamEntryID?
        forEachEntry(isReversed: true) { entry in
            last = entry.id
            return false
        }
        return last
    }

    /// Checks what must hold between any two calls.
    package func checkInvariants() { unsafe stream.pointee.checkInvariants() }
}

extension StreamValue {
    /// Whether an entry from `first` on may have been deleted, other than by trimming.
    func mayHaveGaps(from first: StreamEntryID) -> Bool {
        count > 0 && maximumDeletedID != .zero && first <= maximumDeletedID
    }

    /// How many entries were added up to and with `id`; nil if that cannot be told.
    package func entriesAdded(upTo id: StreamEntryID) -> Int64? {
        let added = Int64(truncatingIfNeeded: entriesAdded)
        if entriesAdded == 0 { return 0 }
        if count == 0, id <= lastID { return added }
        if id != .zero, id < maximumDeletedID { return nil }
        if id == lastID { return added }
        guard id < lastID, maximumDeletedID == .zero || maximumDeletedID < firstID else {
            return nil
        }
        if id < firstID { return added &- Int64(count) }
        return id == firstID ? added &- Int64(count) &+ 1 : nil
    }

    /// How many entries a group has still to be given; nil if that cannot be told.
    package func lag(of group: ConsumerGroup) -> Int64? {
        let added = Int64(truncatingIfNeeded: entriesAdded)
        if added == 0 { return 0 }
        if let read = group.entriesRead, !mayHaveGaps(from: group.lastDeliveredID) {
            return added &- read
        }
        return entriesAdded(upTo: group.lastDeliveredID).map { added &- $0 }
    }
}

extension Entry {
    /// The value as a stream, which it must be.
    package var stream: StreamValue {
        precondition(kind == .stream, "not a stream")
        return unsafe StreamValue(stream: valuePointer.assumingMemoryBound(to: Stream.self))
    }
}
