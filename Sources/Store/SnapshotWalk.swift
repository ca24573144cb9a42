import Structures

/// Who gets the entries of a snapshot.
package protocol SnapshotSink: AnyObject {
    /// An entry of the database `number` as it was when the walk began.
    ///
    /// Valid during the call only; each entry comes once.
    func take(_ entry: Entry, database number: Int)
}

/// A pass over all keyspaces that sees them as they were when it began, while they change.
///
/// Every bucket of a table of keys has a version. The walk goes from bucket to bucket, hands
/// over the entries, and stamps the bucket with its own version. Whoever is about to change an
/// entry passes the door (`Keyspace.passDoor`): a bucket that the walk has not stamped yet is
/// handed over and stamped first. So each entry is handed over once, as it was at the start,
/// and nothing is kept a second time for the walk's sake.
///
/// What holds between any two calls: no bucket has the version of a walk that has not begun;
/// while a walk runs, the buckets that have its version are those that were handed over, and
/// those that were made since, from handed-over ones.
@unsafe
struct SnapshotWalk: ~Copyable {
    /// The version of the running or last walk; never 0, which fresh buckets have.
    var version: UInt8 = 255
    var isActive = false
    /// Nil while a cancelled walk stamps what is left.
    var sink: (any SnapshotSink)?
    /// What is still to be walked, the current table first.
    var pending: [Stage] = []
    /// The next bucket of the current table.
    var nextBucket = 0
    var keyCount = 0
    var takenCount = 0

    /// A table to walk, and the number that its database had at the start.
    struct Stage {
        let keyspace: Keyspace
        let number: Int
        /// A table that was flushed meanwhile and is only kept for the walk.
        var isDetached = false
    }
}

extension Keyspace {
    /// Hands over what a running snapshot has not seen of the bucket that `hash` belongs to.
    @inline(__always)
    func passDoor(_ hash: UInt64) {
        guard unsafe environment.pointee.snapshot.isActive else { return }
        passDoor(bucket: unsafe state.pointee.table.bucketIndex(of: hash))
    }

    /// Hands over what a running snapshot has not seen of the bucket with this number.
    func passDoor(bucket index: Int) {
        guard unsafe environment.pointee.snapshot.isActive else { return }
        guard unsafe !state.pointee.isYoungerThanSnapshot else { return }
        let version = unsafe environment.pointee.snapshot.version
        let bucket = unsafe state.pointee.table.bucket(at: index)
        guard bucket.version != version else { return }
        bucket.version = version
        guard let sink = unsafe environment.pointee.snapshot.sink else { return }
        let number = unsafe state.pointee.snapshotNumber
        forEach(inBucket: index) { entry in
            unsafe environment.pointee.snapshot.takenCount += 1
            sink.take(entry, database: number)
        }
    }
}

extension Keyspace {
    /// Lets nobody have the rest of the snapshot, as `DataSet.cancelSnapshot` does.
    package func cancelSnapshot() {
        unsafe environment.pointee.snapshot.sink = nil
    }
}

extension DataSet {
    /// Begins a snapshot of the data as it is now; one at a time.
    package func beginSnapshot(into sink: any SnapshotSink) {
        precondition(!isSnapshotActive, "two snapshots at a time")
        let version = unsafe environment.pointee.snapshot.version
        unsafe environment.pointee.snapshot.version = version == 255 ? 1 : version + 1
        unsafe environment.pointee.snapshot.sink = sink
        unsafe environment.pointee.snapshot.nextBucket = 0
        unsafe environment.pointee.snapshot.takenCount = 0
        var keyCount = 0
        for number in 0..<databaseCount {
            let keyspace = self[number]
            unsafe keyspace.state.pointee.isYoungerThanSnapshot = false
            unsafe keyspace.state.pointee.snapshotNumber = number
            keyCount += keyspace.count
            unsafe environment.pointee.snapshot.pending.append(
                SnapshotWalk.Stage(keyspace: keyspace, number: number)
            )
        }
        unsafe environment.pointee.snapshot.keyCount = keyCount
        unsafe environment.pointee.snapshot.isActive = true
    }

    /// Whether a snapshot has begun and its walk has not ended.
    package var isSnapshotActive: Bool { unsafe environment.pointee.snapshot.isActive }

    /// Keys of the running or last snapshot: handed over, and in all.
    package var snapshotProgress: (taken: Int, total: Int) {
        unsafe (environment.pointee.snapshot.takenCount, environment.pointee.snapshot.keyCount)
    }

    /// Walks on over about `limit` buckets; returns whether the walk has ended.
    package func advanceSnapshot(_ limit: Int) -> Bool {
        var left = limit
        while left > 0, let stage = unsafe environment.pointee.snapshot.pending.first {
            let keyspace = stage.keyspace
            let index = unsafe environment.pointee.snapshot.nextBucket
            let isYounger = unsafe keyspace.state.pointee.isYoungerThanSnapshot
            guard index < keyspace.bucketCount, !isYounger else {
                unsafe environment.pointee.snapshot.nextBucket = 0
                unsafe environment.pointee.snapshot.pending.removeFirst()
                if stage.isDetached {
                    let buckets = keyspace.bucketCount
                    unsafe environment.pointee.graveyard.tables.append((keyspace, buckets))
                }
                continue
            }
            keyspace.passDoor(bucket: index)
            unsafe environment.pointee.snapshot.nextBucket = index + 1
            left -= 1
        }
        guard unsafe environment.pointee.snapshot.pending.isEmpty else { return false }
        unsafe environment.pointee.snapshot.isActive = false
        unsafe environment.pointee.snapshot.sink = nil
        return true
    }

    /// Lets nobody have the rest of the snapshot; the walk still has to be brought to its end.
    package func cancelSnapshot() {
        unsafe environment.pointee.snapshot.sink = nil
    }
}
