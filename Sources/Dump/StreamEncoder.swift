import Bytes
import RDB
import Store

/// Reports a stream with all it has to a visitor.
func encodeStream(
    _ stream: StreamValue,
    into visitor: inout some PayloadVisitor & ~Copyable
) throws(RDBError) {
    _ = try visitor.begin(.stream3)
    try visitor.announce(Extent(nodeCount: stream.nodeCount))
    var failure: RDBError?
    stream.forEachNode { master, listpack, liveCount in
        attempt(&failure) { () throws(RDBError) in
            try visitor.streamNode(listpack, master: StreamID(master), liveCount: liveCount)
        }
    }
    if let failure { throw failure }
    try visitor.streamState(
        StreamState(
            length: UInt64(stream.count),
            lastID: StreamID(stream.lastID),
            firstID: StreamID(stream.firstID),
            maximumDeletedID: StreamID(stream.maximumDeletedID),
            entriesAdded: stream.entriesAdded,
            groupCount: stream.groupCount
        )
    )
    for index in 0..<stream.groupCount {
        try encodeGroup(stream.group(at: index), into: &visitor)
    }
}

private func encodeGroup(
    _ group: ConsumerGroup,
    into visitor: inout some PayloadVisitor & ~Copyable
) throws(RDBError) {
    try visitor.streamGroup(
        .bytes(group.name),
        StreamGroup(
            lastDeliveredID: StreamID(group.lastDeliveredID),
            entriesRead: group.entriesRead.map { UInt64(bitPattern: $0) },
            pendingCount: group.pendingCount
        )
    )
    var next = group.pending(atOrAfter: .zero)
    while let pending = next {
        try visitor.pendingEntry(
            PendingEntry(
                id: StreamID(pending.id),
                deliveryTime: pending.deliveryTime,
                deliveryCount: pending.deliveryCount
            )
        )
        next = pending.id.next.flatMap { group.pending(atOrAfter: $0) }
    }
    try visitor.streamConsumers(count: group.consumerCount)
    for index in 0..<group.consumerCount {
        let consumer = group.consumer(at: index)
        try visitor.streamConsumer(
            .bytes(consumer.name),
            StreamConsumer(
                seenTime: consumer.seenTime,
                activeTime: consumer.activeTime,
                pendingCount: consumer.pendingCount
            )
        )
        var next = consumer.pending(atOrAfter: .zero)
        while let pending = next {
            try visitor.consumerPending(StreamID(pending.id))
            next = pending.id.next.flatMap { consumer.pending(atOrAfter: $0) }
        }
    }
}

extension StreamID {
    package init(_ id: StreamEntryID) { self.init(id.milliseconds, id.sequence) }
}

extension StreamEntryID {
    init(_ id: StreamID) { self.init(id.milliseconds, id.sequence) }
}
