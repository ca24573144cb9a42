import Bytes
import RDB

/// Rewrites a stream for an older server, and sees what has no place there.
struct StreamRewriter: PayloadVisitor, ~Copyable {
    /// Where the stream is written; it has begun a key.
    var writer: PayloadWriter
    /// Ids of idempotent producers that are left out.
    private(set) var producedCount = 0
    /// Pending entries that were given to a consumer made for that.
    private(set) var unownedCount = 0
    /// Whether counters were left out that the server will not work out by itself.
    private(set) var losesCounters = false
    /// Consumers whose last success is not when they asked last.
    private(set) var activeTimeCount = 0

    private var state: StreamState?

    init(_ writer: consuming PayloadWriter) {
        self.writer = writer
        self.writer.permittedLosses = [.producers, .unownedPending]
    }

    mutating func begin(_ encoding: Encoding) throws(RDBError) -> Reporting {
        try writer.begin(encoding)
    }

    mutating func announce(_ extent: Extent) throws(RDBError) {
        try writer.announce(extent)
    }

    mutating func end() throws(RDBError) {
        try writer.end()
    }

    mutating func streamNode(
        _ listpack: RawSpan,
        master: StreamID,
        liveCount: Int
    ) throws(RDBError) {
        try writer.streamNode(listpack, master: master, liveCount: liveCount)
    }

    mutating func streamState(_ state: StreamState) throws(RDBError) {
        self.state = state
        if !writer.target.holdsStreamCounters {
            losesCounters = state.entriesAdded != state.length || state.maximumDeletedID != .zero
        }
        try writer.streamState(state)
    }

    mutating func streamGroup(_ name: PackedValue, _ group: StreamGroup) throws(RDBError) {
        if !writer.target.holdsStreamCounters, let state,
            group.entriesRead != state.entriesRead(upTo: group.lastDeliveredID)
        {
            losesCounters = true
        }
        try writer.streamGroup(name, group)
    }

    mutating func pendingEntry(_ entry: PendingEntry) throws(RDBError) {
        try writer.pendingEntry(entry)
    }

    mutating func streamConsumers(count: Int) throws(RDBError) {
        try writer.streamConsumers(count: count)
    }

    mutating func streamConsumer(
        _ name: PackedValue,
        _ consumer: StreamConsumer
    ) throws(RDBError) {
        if !writer.target.holdsActiveTimes, consumer.activeTime != consumer.seenTime {
            activeTimeCount += 1
        }
        try writer.streamConsumer(name, consumer)
    }

    mutating func consumerPending(_ id: StreamID) throws(RDBError) {
        try writer.consumerPending(id)
    }

    mutating func unownedPending(_ id: StreamID) throws(RDBError) {
        unownedCount += 1
        try writer.unownedPending(id)
    }

    mutating func producedEntry(
        producer: PackedValue,
        key: PackedValue,
        id: StreamID
    ) throws(RDBError) {
        producedCount += 1
    }
}
