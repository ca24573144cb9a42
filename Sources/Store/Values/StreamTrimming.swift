import Structures

/// How far a stream is to be trimmed.
package struct StreamTrimming: Sendable {
    package enum Goal: Sendable {
        /// So many entries stay.
        case length(Int)
        /// Entries before this id go.
        case firstID(StreamEntryID)
    }

    package var goal: Goal
    /// Only whole nodes go.
    package var isApproximate = false
    /// At most so many entries go; 0 for any number.
    package var limit = 0

    package init(_ goal: Goal) {
        self.goal = goal
    }
}

extension OpenStream {
    /// Takes entries away from the front; returns how many.
    package func trim(_ trimming: StreamTrimming) -> Int {
        var removed = 0
        while let first = unsafe stream.pointee.nodes.first {
            if case .length(let length) = trimming.goal, value.count <= length { break }
            let node = unsafe StreamNode(bits: first.word)
            let live = unsafe node.liveCount
            if trimming.limit > 0, removed + live > trimming.limit { break }
            guard unsafe goesWhole(node, StreamEntryID(bits: first.key), live, trimming.goal) else {
                if !trimming.isApproximate {
                    unsafe removed += trim(node, at: first, trimming.goal)
                }
                break
            }
            unsafe stream.pointee.removeNode(at: first.key)
            unsafe stream.pointee.count -= live
            removed += live
        }
        if removed > 0 { findFirst() }
        return removed
    }

    private func goesWhole(
        _ node: StreamNode,
        _ master: StreamEntryID,
        _ live: Int,
        _ goal: StreamTrimming.Goal
    ) -> Bool {
        switch goal {
        case .length(let length): return value.count - live >= length
        case .firstID(let id):
            var cursor = unsafe StreamNodeCursor(node, master, atEnd: true)
            guard let last = unsafe cursor.previous() else { return true }
            return last.id < id
        }
    }

    /// Deletes entries from the front of a node that has some to keep.
    private func trim(
        _ node: StreamNode,
        at place: OrderedMap.Entry,
        _ goal: StreamTrimming.Goal
    ) -> Int {
        unsafe stream.pointee.passDoor(node, at: place.key)
        var cursor = unsafe StreamNodeCursor(node, StreamEntryID(bits: place.key))
        var removed = 0
        let count = value.count
        while let entry = unsafe cursor.next() {
            switch goal {
            case .length(let length):
                if count - removed <= length { return unsafe finish(node, place, removed) }
            case .firstID(let id):
                if entry.id >= id { return unsafe finish(node, place, removed) }
            }
            guard !entry.isDeleted else { continue }
            unsafe entry.flags.setFlag(StreamNode.deletedFlag)
            removed += 1
        }
        return unsafe finish(node, place, removed)
    }

    private func finish(_ node: StreamNode, _ place: OrderedMap.Entry, _ removed: Int) -> Int {
        guard removed > 0 else { return 0 }
        let oldByteCount = unsafe node.byteCount
        unsafe stream.pointee.replace(
            place.word,
            oldByteCount: oldByteCount,
            with: node.counting(live: -removed, deleted: removed, in: open.arena),
            at: place.key
        )
        unsafe stream.pointee.count -= removed
        return removed
    }
}
