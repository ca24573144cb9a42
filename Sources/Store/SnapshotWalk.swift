import Structures

/// Who gets the entries of a snapshot.
///
/// An entry comes whole unless its value is large. The parts of a large value come at any time
/// between others: those that come while its record is being written belong there, the others
/// are put aside under a number, to be fetched into the record when they are asked for.
package protocol SnapshotSink: AnyObject {
    /// An entry of the database `number` as it was when the walk began.
    ///
    /// Valid during the call only; each entry comes once.
    func take(_ entry: Entry, database number: Int)

    /// The record of a large value begins; nothing else comes for the file until its end.
    func begin(_ value: LargeValue)
    /// A part of a large value begins: of the record that has begun, or to be put aside.
    func beginPart(of value: LargeValue, aside number: Int?)
    func member(_ member: RawSpan)
    func member(_ member: RawSpan, score: Double)
    func field(_ field: RawSpan, value: RawSpan, deadline: Int64?)
    /// A block of a list: entries of a listpack without its header and end, or one element.
    func block(_ bytes: RawSpan, count: Int, isPlain: Bool)
    /// The next bytes of a string.
    func bytes(_ bytes: RawSpan)
    /// The next node of a stream.
    func node(_ listpack: RawSpan, master: StreamEntryID, liveCount: Int)
    /// The stream has no more nodes.
    func state(_ state: LargeStream.State)
    /// A group of the stream begins; its pending entries follow.
    func group(_ group: LargeStream.Group)
    func pending(_ id: StreamEntryID, deliveryTime: Int64, deliveryCount: UInt64)
    /// The group has no more pending entries, and so many consumers.
    func consumers(_ count: Int)
    /// A consumer begins; the ids of what is pending for it follow.
    func consumer(_ consumer: LargeStream.Consumer)
    func pending(_ id: StreamEntryID)
    func endPart()
    /// What was put aside under this number, part after part, follows in the record, if there
    /// was any.
    func fetch(_ number: Int)
    /// The record has all its parts.
    func end(_ value: LargeValue)
}

/// A pass over all keyspaces that sees them as they were when it began, while they change.
///
/// There is one door: a hash table lets its witness see a node before the node changes, by
/// whatever means (`SlotWitness`). While a snapshot runs, the tables of keys have one, and so
/// every command, expiry and eviction hands over the old content first; the walk shows the
/// keys that nobody touches. Nothing is kept a second time for the walk's sake, and whoever
/// changes a key pays for that key only: clients cannot force more upon the disk than they
/// write themselves.
///
/// A value that is too large for a slice is not handed over with its key. When its key is shown,
/// it is as it was at the beginning; from then on it has a witness of its own and is read in
/// parts (`LargeValue`). Large values are written one after the other when all keys
/// are through, so that no other record comes in between; parts that change before that are put
/// aside by the sink, on disk, not in memory.
///
/// Whatever becomes of a large value meanwhile:
/// - renamed, moved to another database, given a deadline: what is read stays the same;
/// - changed: each part is shown before it changes, once;
/// - deleted, overwritten, converted, expired, evicted, flushed: nobody can change it any more.
///   The snapshot adopts it, puts it aside with priority and frees it then, so that memory does
///   not grow with the values that are replaced.
///
/// Not divided are a single element, however large, and the packed encodings, whose changes cost
/// as much as reading them: those are handed over whole.
///
/// A flushed keyspace is kept with its table until the pass over it is through, is walked first,
/// and is freed bucket by bucket behind the walk.
@safe
final class SnapshotWalk {
    /// Nil once the snapshot was cancelled; the walk still has to come to its end.
    var sink: (any SnapshotSink)?
    let environment: UnsafeMutablePointer<Environment>
    let keyCount: Int
    private(set) var takenCount = 0
    /// What was handed over so far, in parts and KiB.
    private var cost = 0
    /// Bytes that only the snapshot still needs, about.
    private(set) var heldByteCount = 0

    /// Tables of keys that are not through.
    private var passes: [KeyspacePass] = []
    /// Large values that are being read, by the address of their structure.
    private var reading: [UInt: LargeValue] = [:]
    /// Large values that wait for their record, from `nextWaiting` on.
    private var waiting: [LargeValue] = []
    private var nextWaiting = 0
    /// The value whose record is being written.
    private(set) var current: LargeValue?
    private var orphans: [LargeValue] = []
    private var numberCount = 0

    init(_ data: borrowing DataSet, into sink: any SnapshotSink) {
        self.sink = sink
        unsafe environment = data.environment
        var keyCount = 0
        for number in 0..<data.databaseCount { keyCount += data[number].count }
        self.keyCount = keyCount
        for number in 0..<data.databaseCount where data[number].count > 0 {
            passes.append(KeyspacePass(data[number], number: number, of: self))
        }
    }

    /// Walks on for about `limit` keys, parts of large values, or KiB of either; returns whether
    /// the walk has ended.
    func advance(_ limit: Int) -> Bool {
        let end = cost + min(limit, .max - cost)
        while cost < end {
            cost += 1
            if let orphan = orphans.last {
                orphan.readNext()
                if orphan.isThrough { orphans.removeLast() }
            } else if let pass = passes.first {
                if !pass.takeNext() { passes.removeFirst() }
            } else if let value = current ?? beginNext() {
                value.readNext()
                if value.isComplete { self.end(value) }
            } else {
                return true
            }
        }
        return false
    }

    /// Counts what was handed over, so that slices end.
    func note(_ byteCount: Int) {
        cost += byteCount >> 10
    }

    private func beginNext() -> LargeValue? {
        guard nextWaiting < waiting.count else { return nil }
        let value = waiting[nextWaiting]
        nextWaiting += 1
        if nextWaiting == waiting.count {
            waiting = []
            nextWaiting = 0
        }
        current = value
        sink?.begin(value)
        value.begin()
        return value
    }

    private func end(_ value: LargeValue) {
        sink?.end(value)
        current = nil
    }

    /// A number under which parts can be put aside.
    func nextNumber() -> Int {
        numberCount += 1
        return numberCount
    }

    // The keys.

    func take(_ entry: Entry, database number: Int) {
        takenCount += 1
        guard let sink else { return }
        guard let value = LargeValue.cut(entry, database: number, for: self) else {
            // A collection that is handed over whole is about as much work.
            note(entry.encoding.isBytes ? entry.bytes.byteCount : 16 << 10)
            return sink.take(entry, database: number)
        }
        unsafe reading[UInt(bitPattern: value.structure)] = value
        waiting.append(value)
    }

    /// Keeps a keyspace that was flushed until the pass over it is through.
    func keep(_ flushed: Keyspace, for pass: KeyspacePass) {
        pass.detach(flushed)
        heldByteCount += pass.heldByteCount
        guard let index = passes.firstIndex(where: { $0 === pass }) else { return }
        passes.remove(at: index)
        passes.insert(pass, at: 0)
    }

    func noteFreed(_ byteCount: Int) {
        heldByteCount -= byteCount
    }

    // Large values.

    func isReading(_ structure: UnsafeMutableRawPointer) -> Bool {
        guard !reading.isEmpty else { return false }
        return reading[UInt(bitPattern: structure)] != nil
    }

    /// Takes over a value that no key leads to any more, if it is still being read.
    func adopt(_ structure: UnsafeMutableRawPointer) -> Bool {
        guard !reading.isEmpty, let value = reading[UInt(bitPattern: structure)] else {
            return false
        }
        value.isOrphan = true
        heldByteCount += value.byteCount
        orphans.append(value)
        return true
    }

    /// Notes that a string moved in memory, if it is being read.
    func follow(_ old: UnsafeMutableRawPointer, to new: UnsafeMutableRawPointer) {
        guard !reading.isEmpty, unsafe old != new,
            let value = reading.removeValue(forKey: UInt(bitPattern: old))
        else { return }
        unsafe value.structure = unsafe new
        reading[UInt(bitPattern: new)] = value
    }

    func takeBytes(_ range: Range<Int>, of structure: UnsafeMutableRawPointer) {
        (reading[UInt(bitPattern: structure)] as? LargeString)?.takePages(of: range)
    }

    /// Lets a value go whose parts were all shown.
    func release(_ value: LargeValue) {
        unsafe reading[UInt(bitPattern: value.structure)] = nil
        guard value.isOrphan else { return }
        heldByteCount -= value.byteCount
        unsafe environment.bury(value.encoding, value.structure)
    }
}

extension DataSet {
    /// Begins a snapshot of the data as it is now; one at a time.
    package func beginSnapshot(into sink: any SnapshotSink) {
        precondition(!isSnapshotActive, "two snapshots at a time")
        unsafe environment.pointee.snapshot = SnapshotWalk(self, into: sink)
    }

    /// Whether a snapshot has begun and its walk has not ended.
    package var isSnapshotActive: Bool { unsafe environment.pointee.snapshot != nil }

    /// Keys of the running snapshot: handed over, and in all.
    package var snapshotProgress: (taken: Int, total: Int) {
        guard let snapshot = unsafe environment.pointee.snapshot else { return (0, 0) }
        return (snapshot.takenCount, snapshot.keyCount)
    }

    /// Bytes of `usedByteCount` that only the running snapshot still needs, about.
    package var snapshotByteCount: Int {
        unsafe environment.pointee.snapshot?.heldByteCount ?? 0
    }

    /// From where on values are handed to a snapshot in parts.
    package var largeValueLimits: LargeValueLimits {
        get { unsafe environment.pointee.largeValueLimits }
        nonmutating set { unsafe environment.pointee.largeValueLimits = newValue }
    }

    /// Walks on for about `limit` keys, parts of large values, or KiB of either; returns whether
    /// the walk has ended.
    package func advanceSnapshot(_ limit: Int) -> Bool {
        guard let snapshot = unsafe environment.pointee.snapshot else { return true }
        guard snapshot.advance(limit) else { return false }
        unsafe environment.pointee.snapshot = nil
        return true
    }

    /// Lets nobody have the rest of the snapshot; the walk still has to be brought to its end.
    package func cancelSnapshot() {
        unsafe environment.pointee.snapshot?.sink = nil
    }
}

extension Keyspace {
    /// Lets nobody have the rest of the snapshot, as `DataSet.cancelSnapshot` does.
    package func cancelSnapshot() {
        unsafe environment.pointee.snapshot?.sink = nil
    }
}
