import Bytes

/// The layout of streams, versions 1 to 5.
///
///     count of nodes; each: string of 16 bytes (master id, big-endian), string (listpack)
///     live entries, last id
///     from 2: first id, greatest deleted id, entries added
///     count of groups; each:
///         string (name), last delivered id; from 2: entries read (2^64-1 = not known)
///         count of pending entries; each: 16 bytes id, i64 LE delivery time, delivery count
///         count of consumers; each:
///             string (name), i64 LE seen time; from 3: i64 LE active time (-1 = never)
///             count of its pending entries; each: 16 bytes id
///         from 5: count of pending entries without a consumer; each: 16 bytes id
///     from 4: seconds and entries that ids of producers are kept
///         count of producers; each: string (name), count; each: string (id), entry id
///         ids added, duplicates found
///
/// Ids but those of 16 bytes are two length prefixes. That goes for the ids of producers too
/// by all accounts; no file with producers was at hand, so they are checked against the last id.
extension PayloadWalk {
    mutating func walkStream<Visitor: PayloadVisitor & ~Copyable>(
        version: Int,
        _ visitor: inout Visitor,
        _ reporting: Reporting
    ) throws(RDBError) {
        if reporting == .nothing { return try skipStream(version: version) }
        let nodeCount = try input.readCount()
        try visitor.announce(Extent(nodeCount: nodeCount))
        var summary = NodeSummary()
        for _ in 0..<nodeCount { try walkNode(&summary, &visitor, reporting) }
        let state = try readState(version, summary)
        try visitor.streamState(state)
        for _ in 0..<state.groupCount { try walkGroup(version, state, &visitor) }
        if version >= 4 { try walkProducers(state, &visitor) }
    }

    private mutating func readState(
        _ version: Int,
        _ summary: NodeSummary?
    ) throws(RDBError) -> StreamState {
        let offset = input.position
        let length = try input.readNumber()
        // Not a reason to stop otherwise: betas of Redis 5.0 counted wrong after trimming.
        if let summary, UInt64(summary.liveCount) != length, validation.contains(.containers) {
            throw RDBError(
                .invalidStream,
                at: offset,
                "the nodes have \(summary.liveCount) live entries, not \(length)"
            )
        }
        let lastID = try readID()
        if let last = summary?.lastID, last > lastID, validation.contains(.containers) {
            throw RDBError(.invalidStream, at: offset, "\(last) is after the last id, \(lastID)")
        }
        var state = StreamState(
            length: length,
            lastID: lastID,
            firstID: summary?.firstID ?? .zero,
            maximumDeletedID: .zero,
            entriesAdded: length,
            groupCount: 0
        )
        if version >= 2 {
            state.firstID = try readID()
            state.maximumDeletedID = try readID()
            state.entriesAdded = try input.readNumber()
        }
        state.groupCount = try input.readCount()
        return state
    }

    private mutating func walkGroup<Visitor: PayloadVisitor & ~Copyable>(
        _ version: Int,
        _ state: StreamState,
        _ visitor: inout Visitor
    ) throws(RDBError) {
        let name = try readName(.group, &visitor)
        let (group, ownership) = try readGroup(version, state)
        try visitor.streamGroup(.bytes(name.bytes), group)
        var owners = ownership
        for _ in 0..<group.pendingCount {
            let offset = input.position
            let id = try readRawID()
            let time = try input.readInteger(as: Int64.self)
            let count = try input.readNumber()
            try owners.add(id, at: offset)
            try visitor.pendingEntry(
                PendingEntry(id: id, deliveryTime: time, deliveryCount: count)
            )
        }
        let consumerCount = try input.readCount()
        try visitor.streamConsumers(count: consumerCount)
        for _ in 0..<consumerCount {
            let name = try readName(.consumer, &visitor)
            let consumer = try readConsumer(version)
            try visitor.streamConsumer(.bytes(name.bytes), consumer)
            for _ in 0..<consumer.pendingCount {
                let offset = input.position
                let id = try readRawID()
                try owners.assign(id, at: offset)
                try visitor.consumerPending(id)
            }
        }
        if version >= 5 {
            for _ in 0..<(try input.readCount()) {
                let offset = input.position
                let id = try readRawID()
                try owners.assign(id, at: offset)
                try visitor.unownedPending(id)
            }
        }
        try owners.checkComplete(at: input.position)
    }

    /// Reads a name, or reports one in parts that is too long for the visitor.
    private mutating func readName<Visitor: PayloadVisitor & ~Copyable>(
        _ role: StreamNameRole,
        _ visitor: inout Visitor
    ) throws(RDBError) -> ByteString {
        guard try input.isLong(at: 0, limit: visitor.largestWholeName) else {
            return try input.readByteString()
        }
        try input.readParts(try input.readStringForm()) { part, offset, count throws(RDBError) in
            try visitor.streamNamePart(part, at: offset, of: count, role)
        }
        return ByteString([])
    }

    private mutating func readGroup(
        _ version: Int,
        _ state: StreamState
    ) throws(RDBError) -> (StreamGroup, PendingCheck) {
        let id = try readID()
        var read = version >= 2 ? try input.readNumber() : state.entriesRead(upTo: id)
        if read == .max { read = nil }
        let count = try input.readCount()
        let group = StreamGroup(lastDeliveredID: id, entriesRead: read, pendingCount: count)
        return (group, PendingCheck(isOn: validation.contains(.containers)))
    }

    private mutating func readConsumer(_ version: Int) throws(RDBError) -> StreamConsumer {
        let seen = try input.readInteger(as: Int64.self)
        // Before version 3 servers take the one for the other.
        let active = version >= 3 ? try input.readInteger(as: Int64.self) : seen
        let count = try input.readCount()
        return StreamConsumer(
            seenTime: seen,
            activeTime: active == -1 ? nil : active,
            pendingCount: count
        )
    }

    private mutating func walkProducers<Visitor: PayloadVisitor & ~Copyable>(
        _ state: StreamState,
        _ visitor: inout Visitor
    ) throws(RDBError) {
        let duration = try input.readNumber()
        let maximum = try input.readNumber()
        let count = try input.readCount()
        try visitor.streamProducers(
            ProducerLimits(duration: duration, maximumCount: maximum, producerCount: count)
        )
        for _ in 0..<count {
            let producer = try input.readByteString()
            for _ in 0..<(try input.readCount()) {
                let offset = input.position
                let key = try input.readByteString()
                let id = try readID()
                guard id <= state.lastID else {
                    throw RDBError(.invalidStream, at: offset, "\(id) is after the last id")
                }
                try visitor.producedEntry(
                    producer: .bytes(producer.bytes),
                    key: .bytes(key.bytes),
                    id: id
                )
            }
        }
        _ = try input.readNumber()
        _ = try input.readNumber()
    }

    private mutating func skipStream(version: Int) throws(RDBError) {
        for _ in 0..<(try input.readCount()) { try skipStrings(2) }
        let state = try readState(version, nil)
        for _ in 0..<state.groupCount {
            try input.skipString()
            let (group, _) = try readGroup(version, state)
            for _ in 0..<group.pendingCount {
                try input.skip(24)
                _ = try input.readNumber()
            }
            for _ in 0..<(try input.readCount()) {
                try input.skipString()
                let consumer = try readConsumer(version)
                try skipIDs(consumer.pendingCount)
            }
            if version >= 5 { try skipIDs(try input.readCount()) }
        }
        if version >= 4 {
            var nobody = SkippingVisitor()
            try walkProducers(state, &nobody)
        }
    }

    private mutating func skipIDs(_ count: Int) throws(RDBError) {
        let (byteCount, overflow) = count.multipliedReportingOverflow(by: 16)
        guard !overflow else {
            throw RDBError(.invalidLength, at: input.position, "\(count) is no possible count")
        }
        try input.skip(byteCount)
    }

    mutating func readRawID() throws(RDBError) -> StreamID {
        try input.need(16)
        let milliseconds = try input.readInteger(as: UInt64.self).byteSwapped
        let sequence = try input.readInteger(as: UInt64.self).byteSwapped
        return StreamID(milliseconds, sequence)
    }

    private mutating func readID() throws(RDBError) -> StreamID {
        let milliseconds = try input.readNumber()
        let sequence = try input.readNumber()
        return StreamID(milliseconds, sequence)
    }
}

/// Sees to it that every pending entry of a group belongs to exactly one consumer.
private struct PendingCheck {
    private var unassigned: Set<StreamID>?

    init(isOn: Bool) {
        unassigned = isOn ? [] : nil
    }

    mutating func add(_ id: StreamID, at offset: Int) throws(RDBError) {
        guard unassigned?.insert(id).inserted ?? true else {
            throw RDBError(.duplicate, at: offset, "\(id) is pending twice")
        }
    }

    mutating func assign(_ id: StreamID, at offset: Int) throws(RDBError) {
        if unassigned != nil, unassigned?.remove(id) == nil {
            throw RDBError(.invalidStream, at: offset, "\(id) is not pending, or has an owner")
        }
    }

    func checkComplete(at offset: Int) throws(RDBError) {
        if let id = unassigned?.min() {
            throw RDBError(.invalidStream, at: offset, "pending entry \(id) has no consumer")
        }
    }
}
