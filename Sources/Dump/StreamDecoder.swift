import Bytes
import RDB
import Store

/// Builds the stream of one key from what a walk over its payload reports.
struct StreamDecoder {
    let stream: OpenStream
    private var group: ConsumerGroup?
    private var consumer: Consumer?
    /// Pending entries of the group that no consumer has claimed yet.
    private var unownedCount = 0

    init(_ stream: OpenStream) {
        self.stream = stream
    }

    mutating func node(
        _ listpack: RawSpan,
        _ master: StreamID,
        liveCount: Int
    ) throws(RDBError) {
        guard
            stream.append(node: listpack, master: StreamEntryID(master), liveCount: liveCount)
        else { throw RDBError(.invalidStream, at: 0, "node \(master) is not behind the last one") }
    }

    /// Takes the counters; what can be told from the entries is told from them.
    mutating func state(_ state: StreamState) {
        stream.setCounters(
            lastID: StreamEntryID(state.lastID),
            entriesAdded: state.entriesAdded,
            maximumDeletedID: StreamEntryID(state.maximumDeletedID)
        )
        stream.finishLoading()
    }

    mutating func group(_ name: PackedValue, _ group: StreamGroup) throws(RDBError) {
        try finishGroup()
        consumer = nil
        self.group = name.withText { name in
            stream.addGroup(
                name,
                after: StreamEntryID(group.lastDeliveredID),
                entriesRead: group.entriesRead.map { Int64(truncatingIfNeeded: $0) }
            )
        }
        if self.group == nil {
            throw RDBError(.duplicate, at: 0, "group '\(name.byteString)' is there twice")
        }
    }

    mutating func pending(_ entry: PendingEntry) throws(RDBError) {
        guard let group else { return }
        let id = StreamEntryID(entry.id)
        guard group.pending(at: id) == nil else {
            throw RDBError(.duplicate, at: 0, "\(entry.id) is pending twice")
        }
        stream.assign(
            id,
            to: nil,
            of: group,
            deliveryTime: entry.deliveryTime,
            deliveryCount: entry.deliveryCount
        )
        unownedCount += 1
    }

    mutating func consumer(_ name: PackedValue, _ consumer: StreamConsumer) throws(RDBError) {
        guard let group else { return }
        self.consumer = name.withText { name in
            guard group.consumer(named: name) == nil else { return nil }
            return stream.addConsumer(
                name,
                to: group,
                seenTime: consumer.seenTime,
                activeTime: consumer.activeTime
            )
        }
        if self.consumer == nil {
            throw RDBError(.duplicate, at: 0, "consumer '\(name.byteString)' is there twice")
        }
    }

    mutating func consumerPending(_ id: StreamID) throws(RDBError) {
        guard let group, let consumer, let pending = group.pending(at: StreamEntryID(id)),
            pending.consumer == nil
        else { throw RDBError(.invalidStream, at: 0, "\(id) is not pending, or has an owner") }
        stream.assign(
            pending.id,
            to: consumer,
            of: group,
            deliveryTime: pending.deliveryTime,
            deliveryCount: pending.deliveryCount
        )
        unownedCount -= 1
    }

    /// Checks that every pending entry of the last group has a consumer.
    func finishGroup() throws(RDBError) {
        guard unownedCount > 0 else { return }
        throw RDBError(.invalidStream, at: 0, "\(unownedCount) pending entries have no consumer")
    }
}

/// What streams of Redis 8.6 and later have is refused where it is used; else it reads as it is.
extension ValueDecoder {
    package mutating func streamNode(
        _ listpack: RawSpan,
        master: StreamID,
        liveCount: Int
    ) throws(RDBError) {
        try stream?.node(listpack, master, liveCount: liveCount)
        countElement(liveCount)
    }

    package mutating func streamState(_ state: StreamState) throws(RDBError) {
        stream?.state(state)
    }

    package mutating func streamGroup(
        _ name: PackedValue,
        _ group: StreamGroup
    ) throws(RDBError) {
        try stream?.group(name, group)
    }

    package mutating func pendingEntry(_ entry: PendingEntry) throws(RDBError) {
        try stream?.pending(entry)
        countElement()
    }

    package mutating func streamConsumer(
        _ name: PackedValue,
        _ consumer: StreamConsumer
    ) throws(RDBError) {
        try stream?.consumer(name, consumer)
    }

    package mutating func consumerPending(_ id: StreamID) throws(RDBError) {
        try stream?.consumerPending(id)
        countElement()
    }

    package mutating func unownedPending(_ id: StreamID) throws(RDBError) {
        throw RDBError(
            .unsupportedByTarget,
            at: 0,
            "\(id) is pending for nobody, which cannot be kept"
        )
    }

    package mutating func streamProducers(_ limits: ProducerLimits) throws(RDBError) {
        guard limits.producerCount > 0 else { return }
        throw RDBError(.unsupportedByTarget, at: 0, "ids of stream producers cannot be kept")
    }
}
