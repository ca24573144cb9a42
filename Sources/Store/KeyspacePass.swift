import Structures

/// The pass of a snapshot over one table of keys.
final class KeyspacePass: SlotWitness {
    private var keyspace: Keyspace
    /// The number that the database had when the snapshot began.
    private let number: Int
    private let walk: SnapshotWalk
    private var nextBucket = 0
    /// The keyspace was flushed and is only kept for this pass; its buckets from here on are
    /// freed as the pass goes on.
    private var freedFrom: Int?
    /// Bytes that are kept for this pass, about.
    private(set) var heldByteCount = 0

    init(_ keyspace: Keyspace, number: Int, of walk: SnapshotWalk) {
        self.keyspace = keyspace
        self.number = number
        self.walk = walk
        unsafe keyspace.state.pointee.pass = self
        unsafe keyspace.state.pointee.table.beginWalk(self)
    }

    func take(_ slot: HashTableSlot) {
        // The hash is for changes; nobody changes what a snapshot takes.
        walk.take(Entry(slot: slot, keyHash: 0, keyspace: keyspace), database: number)
    }

    /// Shows the next key, or steps to the next bucket; returns whether there is one.
    func takeNext() -> Bool {
        guard nextBucket < keyspace.bucketCount else {
            end()
            return false
        }
        if unsafe keyspace.state.pointee.table.walkNext(inBucket: nextBucket) { return true }
        if freedFrom != nil { freeBucket() }
        nextBucket += 1
        unsafe keyspace.state.pointee.table.prefetchNodes(inBucket: nextBucket + 1)
        return true
    }

    private func end() {
        unsafe keyspace.state.pointee.table.endWalk()
        unsafe keyspace.state.pointee.pass = nil
        guard let freedFrom else { return }
        walk.noteFreed(heldByteCount)
        unsafe keyspace.environment.pointee.graveyard.tables.append((keyspace, freedFrom))
    }

    /// Goes on with a keyspace that was flushed.
    func detach(_ flushed: Keyspace) {
        keyspace = flushed
        freedFrom = nextBucket
        let share = unsafe keyspace.state.pointee.table.byteCount / max(keyspace.bucketCount, 1)
        heldByteCount = (keyspace.bucketCount - nextBucket) * (share + sampledByteCount)
    }

    private func freeBucket() {
        keyspace.freeBucket(at: nextBucket)
        let freed = heldByteCount / max(keyspace.bucketCount - nextBucket, 1)
        heldByteCount -= freed
        walk.noteFreed(freed)
    }

    /// Bytes of the entries of a bucket, without structures, on average over a few.
    private var sampledByteCount: Int {
        var bytes = 0
        let count = min(keyspace.bucketCount - nextBucket, 16)
        guard count > 0 else { return 0 }
        for index in 0..<count {
            keyspace.forEach(inBucket: nextBucket + index) { entry in
                bytes += unsafe Arena.roundedByteCount(EntryNode.byteCount(entry.node))
            }
        }
        return bytes / count
    }
}
