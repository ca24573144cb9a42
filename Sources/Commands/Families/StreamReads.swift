import Bytes
import RESP
import Store

// Reading streams from an id on, for oneself or as a consumer of a group, and waiting for more.
extension Command {
    static let streamReads: [Command] = [
        Command("xread", .atLeast(4), [.readonly, .blocking, .movableKeys], read),
        Command("xreadgroup", .atLeast(7), [.write, .blocking, .movableKeys], readGroup),
    ]
}

private func read(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    let options = try StreamReadOptions(request, engine, readsGroup: false)
    var ids: [StreamEntryID] = []
    for key in options.keys {
        ids.append(try engine.startingID(request, key, options.idIndex(key)))
    }
    let mark = reply.beginArray()
    var count = 0
    for (offset, key) in options.keys.enumerated() {
        guard let entry = engine.lookup(request[key]), let last = entry.stream.lastEntryID,
            last > ids[offset], let first = ids[offset].next
        else { continue }
        reply.beginStream(request[key])
        reply.entries(of: entry.stream, from: first, limit: options.limit)
        count += 1
    }
    if count > 0 { return reply.endStreams(mark, count) }
    guard options.isBlocking, engine.mayBlock else { return reply.nullArray() }
    engine.block(
        request.resolved(ids, options),
        on: options.keys,
        until: options.deadline,
        wakesWhenGone: false,
        original: RequestBuffer(copying: request)
    )
}

extension Engine {
    /// The id behind which XREAD reads: as spelled, or `$` and `+` as they are now.
    fileprivate mutating func startingID(
        _ request: borrowing Request,
        _ key: Int,
        _ index: Int
    ) throws(CommandError) -> StreamEntryID {
        let stream = try lookup(request[key], .stream)?.stream
        let text = request[index]
        if text.isText("$") { return stream?.lastID ?? .zero }
        if text.isText("+") { return stream?.lastID.previous ?? .zero }
        if text.isText(">") {
            throw .text(
                "ERR The > ID can be specified only when calling XREADGROUP using the GROUP "
                    + "<group> <consumer> option."
            )
        }
        return try request.streamID(index)
    }

    /// Lets the session wait for one of the streams to get entries.
    fileprivate mutating func block(
        _ buffer: borrowing RequestBuffer,
        on keys: Range<Int>,
        until deadline: Int64?,
        wakesWhenGone: Bool,
        original: consuming RequestBuffer? = nil
    ) {
        block(
            buffer.request,
            on: keys,
            as: .stream,
            until: deadline,
            wakesWhenGone: wakesWhenGone,
            original: original
        )
    }
}

extension Request {
    /// The request with `$` replaced by what it was when the wait began.
    fileprivate func resolved(
        _ ids: [StreamEntryID],
        _ options: StreamReadOptions
    ) -> RequestBuffer {
        var buffer = RequestBuffer()
        let firstID = options.keys.upperBound
        for index in 0..<count {
            if index >= firstID, self[index].isText("$") {
                ids[index - firstID].withText { buffer.append($0) }
            } else {
                buffer.append(self[index])
            }
        }
        return buffer
    }
}

extension ReplyWriter {
    /// Begins what is replied for one stream; its entries follow.
    fileprivate mutating func beginStream(_ key: RawSpan) {
        if protocolVersion == .resp2 { array(2) }
        bulk(key)
    }

    fileprivate mutating func endStreams(_ mark: Mark, _ count: Int) {
        if protocolVersion == .resp2 {
            endArray(mark, count: count)
        } else {
            endMap(mark, count: count)
        }
    }

    /// The entries of a stream from an id on; `limit` 0 for all.
    mutating func entries(of stream: StreamValue, from first: StreamEntryID, limit: Int) {
        let mark = beginArray()
        var count = 0
        stream.forEachEntry(from: first) { entry in
            self.entry(entry)
            count += 1
            return count != limit
        }
        endArray(mark, count: count)
    }
}

private func readGroup(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    let options = try StreamReadOptions(request, engine, readsGroup: true)
    guard let group = options.group else { throw .syntax }
    var ids: [StreamEntryID] = []
    for key in options.keys {
        ids.append(try engine.groupID(request, key, group, options.idIndex(key)))
    }
    let mark = reply.beginArray()
    var count = 0
    engine.writeTogether { engine in
        for (offset, key) in options.keys.enumerated() {
            let served = engine.readGroup(request, key, ids[offset], group, options, &reply)
            if served { count += 1 }
        }
    }
    if count > 0 { return reply.endStreams(mark, count) }
    guard options.isBlocking, engine.mayBlock else { return reply.nullArray() }
    engine.block(
        RequestBuffer(copying: request),
        on: options.keys,
        until: options.deadline,
        wakesWhenGone: true
    )
}

extension Engine {
    /// The id behind which XREADGROUP reads; the last there can be stands for `>`.
    fileprivate mutating func groupID(
        _ request: borrowing Request,
        _ key: Int,
        _ group: Int,
        _ index: Int
    ) throws(CommandError) -> StreamEntryID {
        let stream = try lookup(request[key], .stream)?.stream
        guard stream?.group(named: request[group]) != nil else {
            throw .noGroup(request[key], request[group], " in XREADGROUP with GROUP option")
        }
        let text = request[index]
        if text.isText("$") { throw .meaningless("$") }
        if text.isText("+") { throw .meaningless("+") }
        return text.isText(">") ? .maximum : try request.streamID(index)
    }

    /// Replies with entries of one stream; false if there are no new ones.
    fileprivate mutating func readGroup(
        _ request: borrowing Request,
        _ key: Int,
        _ id: StreamEntryID,
        _ groupName: Int,
        _ options: StreamReadOptions,
        _ reply: inout ReplyWriter
    ) -> Bool {
        let name = request[groupName]
        guard let stream = lookupForWrite(request[key])?.open().stream,
            let group = stream.value.group(named: name)
        else { return false }
        let consumer = consumer(request[groupName + 1], of: group, name, stream, request[key])
        stream.setSeenTime(of: consumer, dataSet.now)
        var delivery = GroupDelivery(stream: stream, group: group, consumer: consumer)
        delivery.acknowledges = options.noAcknowledge
        if let first = id.next {
            statistics.changes += 1
            reply.beginStream(request[key])
            delivery.repeatHistory(from: first, options.limit, now: dataSet.now, &reply)
        } else {
            guard let last = stream.value.lastEntryID, last > group.lastDeliveredID,
                let first = group.lastDeliveredID.next
            else { return false }
            statistics.changes += 1
            reply.beginStream(request[key])
            delivery.deliver(from: first, options.limit, now: dataSet.now, &reply)
        }
        write(&delivery, request[key], name)
        return true
    }

    /// The consumer with a name, made if it is not there.
    mutating func consumer(
        _ name: RawSpan,
        of group: ConsumerGroup,
        _ groupName: RawSpan,
        _ stream: OpenStream,
        _ key: RawSpan
    ) -> Consumer {
        if let consumer = group.consumer(named: name) { return consumer }
        noted(key, "xgroup-createconsumer")
        writeConsumer(key, groupName, name)
        return stream.addConsumer(name, to: group, seenTime: dataSet.now)
    }

    private mutating func write(
        _ delivery: inout GroupDelivery,
        _ key: RawSpan,
        _ name: RawSpan
    ) {
        for index in delivery.runs.indices {
            writeClaims(&delivery.runs[index], key, name, delivery.consumer.name, delivery.group)
        }
        if delivery.hasAdvanced { writePosition(key, name, delivery.group) }
    }
}

/// What one consumer is given of one stream.
private struct GroupDelivery {
    let stream: OpenStream
    let group: ConsumerGroup
    let consumer: Consumer
    /// Nothing becomes pending.
    var acknowledges = false
    /// What became pending, for the log.
    var runs: [DeliveryRun] = []
    /// Whether the group has been given entries for the first time.
    private(set) var hasAdvanced = false

    init(stream: OpenStream, group: ConsumerGroup, consumer: Consumer) {
        self.stream = stream
        self.group = group
        self.consumer = consumer
    }

    /// Gives new entries to the consumer.
    mutating func deliver(
        from first: StreamEntryID,
        _ limit: Int,
        now: Int64,
        _ reply: inout ReplyWriter
    ) {
        let mark = reply.beginArray()
        var count = 0
        stream.value.forEachEntry(from: first) { entry in
            stream.advance(group, to: entry.id)
            hasAdvanced = true
            reply.entry(entry)
            if !acknowledges {
                stream.assign(
                    entry.id,
                    to: consumer,
                    of: group,
                    deliveryTime: now,
                    deliveryCount: 1
                )
                stream.setActiveTime(of: consumer, now)
                note(entry.id, now, 1)
            }
            count += 1
            return count != limit
        }
        reply.endArray(mark, count: count)
    }

    /// Gives the consumer once more what is pending for it.
    mutating func repeatHistory(
        from first: StreamEntryID,
        _ limit: Int,
        now: Int64,
        _ reply: inout ReplyWriter
    ) {
        let mark = reply.beginArray()
        var count = 0
        var next = consumer.pending(atOrAfter: first)
        while let pending = next, limit == 0 || count < limit {
            if let entry = stream.value.entry(at: pending.id) {
                reply.entry(entry)
                let deliveries = pending.deliveryCount &+ 1
                stream.assign(
                    pending.id,
                    to: consumer,
                    of: group,
                    deliveryTime: now,
                    deliveryCount: deliveries
                )
                note(pending.id, now, deliveries)
            } else {
                // Deleted since: whoever has it shall know, and acknowledge it.
                reply.array(2)
                reply.bulk(pending.id)
                reply.nullArray()
            }
            count += 1
            next = pending.id.next.flatMap { consumer.pending(atOrAfter: $0) }
        }
        reply.endArray(mark, count: count)
    }

    private mutating func note(_ id: StreamEntryID, _ time: Int64, _ count: UInt64) {
        if runs.last?.takes(time, count) != true { runs.append(DeliveryRun()) }
        runs[runs.count - 1].append(id, time, count)
    }
}
