import Structures

extension Keyspace {
    /// Visits some keys by chance, `count` of them or a few more: of those with a deadline, if
    /// only these shall be looked at.
    ///
    /// Begins at a bucket by chance and goes on from there, since keys lie in their buckets by
    /// chance already. Buckets are visited whole: if each visit ended within one, the keys at
    /// the ends of buckets would be seen too seldom. Keys without a deadline are passed without
    /// being touched.
    package func sample(_ count: Int, havingDeadline: Bool, _ visit: (Entry) -> Void) {
        let available = havingDeadline ? deadlineCount : self.count
        guard available > 0 else { return }
        var left = min(count, available)
        let buckets = bucketCount
        var index = unsafe Int(environment.pointee.random.next() % UInt64(buckets))
        for _ in 0..<buckets where left > 0 {
            unsafe state.pointee.table.forEachSlot(inBucket: index) { slot in
                guard !havingDeadline || slot.isMarked else { return }
                visit(Entry(slot: slot, keyspace: self))
                left -= 1
            }
            index = index + 1 == buckets ? 0 : index + 1
        }
    }

    /// An entry by chance, of those with a deadline if only these may be; nil if there is none.
    package func randomEntry(havingDeadline: Bool) -> Entry? {
        guard havingDeadline else { return randomEntry() }
        guard deadlineCount > 0 else { return nil }
        if deadlineCount * 8 >= count {
            while true {
                if let entry = randomEntry(), entry.slot.isMarked { return entry }
            }
        }
        // Most draws would be in vain, and what lies behind a place by chance is nearly as fair.
        var found: Entry?
        var seen: UInt64 = 0
        sample(1, havingDeadline: true) { entry in
            seen += 1
            if unsafe environment.pointee.random.next() % seen == 0 { found = entry }
        }
        return found
    }

    /// The entry whose key has this hash in its table.
    package func find(keyHash: UInt64) -> Entry? {
        var found: Entry?
        let index = unsafe state.pointee.table.bucketIndex(of: keyHash)
        unsafe state.pointee.table.forEachSlot(inBucket: index) { slot in
            guard found == nil else { return }
            let entry = Entry(slot: slot, keyspace: self)
            if entry.keyHash == keyHash { found = entry }
        }
        return found
    }
}
