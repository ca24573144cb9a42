import Structures

extension Keyspace {
    /// What `visitDeadlines` found in a bucket.
    package struct DeadlineVisit {
        /// Keys that have a deadline.
        package var count = 0
        /// One whose deadline is past.
        package var expired: Entry?
    }

    /// Looks at the keys of a bucket that have a deadline; touches no others.
    package func visitDeadlines(inBucket index: Int) -> DeadlineVisit {
        var visit = DeadlineVisit()
        unsafe state.pointee.table.forEachSlot(inBucket: index) { slot in
            guard slot.isMarked else { return }
            visit.count += 1
            guard visit.expired == nil else { return }
            let form = unsafe EntryNode.form(slot.node)
            guard unsafe form & EntryNode.deadlineFlag != 0 else { return }
            let deadline = unsafe slot.node.loadUnaligned(
                fromByteOffset: EntryNode.deadlineOffset,
                as: Int64.self
            )
            if unsafe deadline <= environment.pointee.now {
                visit.expired = Entry(slot: slot, keyspace: self)
            }
        }
        return visit
    }
}
