import Structures

extension Keyspace {
    /// Notes when the next field of a hash becomes due, if the value is one.
    func noteDeadlines(of entry: Entry) {
        guard entry.encoding == .tableHash,
            let earliest = unsafe entry.hash.table?.pointee.due.earliest
        else { return }
        unsafe state.pointee.dueHashes.insert(earliest, hash: entry.keyHash)
    }

    /// A hash that has fields whose deadline is past, nil if there is none.
    ///
    /// It is not found again before `noteRemainingDeadlines` was told about it.
    package func nextHashWithExpiredFields() -> Entry? {
        let now = unsafe environment.pointee.now
        while let low = unsafe state.pointee.dueHashes.popDue(now) {
            var found: Entry?
            var others: [Entry] = []
            unsafe state.pointee.table.forEachBucket(ofLowHash: low) { index in
                forEach(inBucket: index) { entry in
                    guard entry.encoding == .tableHash, entry.keyHash & 0xFF_FFFF == low else {
                        return
                    }
                    if found == nil, entry.hash.mayHaveExpired {
                        found = entry
                    } else {
                        others.append(entry)
                    }
                }
            }
            for entry in others { noteDeadlines(of: entry) }
            if let found { return found }
        }
        return nil
    }

    /// Notes when the next field of a hash becomes due, after expired ones were removed.
    package func noteRemainingDeadlines(of hash: OpenHash) {
        noteDeadlines(of: hash.open.entry)
    }
}
