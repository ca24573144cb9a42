import RESP
import Store

// XINFO: what there is to know of streams, groups and consumers.
extension Command {
    static let streamInformation: [Command] = [
        Command(
            container: "xinfo",
            [
                Command("xinfo|stream", .atLeast(3), keys: .second, [.readonly], stream),
                Command("xinfo|groups", .exactly(3), keys: .second, [.readonly], groups),
                Command("xinfo|consumers", .exactly(4), keys: .second, [.readonly], consumers),
                Command("xinfo|help", .exactly(2), [.loading, .stale], help),
            ]
        )
    ]
}

private func stream(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    guard let stream = try engine.lookup(request[2], .stream)?.stream else { throw .noSuchKey }
    guard request.count > 3 else { return describe(stream, &reply) }
    let hasCount = request.count == 6
    guard request.count == 4 || hasCount, request.is(3, "full"),
        !hasCount || request.is(4, "count")
    else { throw .unknownSubcommandOrArity(request) }
    var limit = 10
    if hasCount {
        let count = try request.integer(5)
        if count >= 0 { limit = Int(count) }
    }
    describeInFull(stream, limit, &reply)
}

private func describeCounters(_ stream: StreamValue, _ reply: inout ReplyWriter) {
    reply.bulk("length")
    reply.integer(stream.count)
    // There is no radix tree; the keys are the nodes there are, the nodes what it would have.
    reply.bulk("radix-tree-keys")
    reply.integer(stream.nodeCount)
    reply.bulk("radix-tree-nodes")
    reply.integer(stream.nodeCount + 1)
    reply.bulk("last-generated-id")
    reply.bulk(stream.lastID)
    reply.bulk("max-deleted-entry-id")
    reply.bulk(stream.maximumDeletedID)
    reply.bulk("entries-added")
    reply.integer(Int64(truncatingIfNeeded: stream.entriesAdded))
    reply.bulk("recorded-first-entry-id")
    reply.bulk(stream.firstID)
}

private func describe(_ stream: StreamValue, _ reply: inout ReplyWriter) {
    reply.map(10)
    describeCounters(stream, &reply)
    reply.bulk("groups")
    reply.integer(stream.groupCount)
    for (name, isReversed) in [("first-entry", false), ("last-entry", true)] {
        reply.bulk(name)
        guard stream.count > 0 else {
            reply.null()
            continue
        }
        stream.forEachEntry(isReversed: isReversed) { entry in
            reply.entry(entry)
            return false
        }
    }
}

/// XINFO STREAM FULL: up to `limit` entries and deliveries of each sort, 0 for all.
private func describeInFull(_ stream: StreamValue, _ limit: Int, _ reply: inout ReplyWriter) {
    reply.map(9)
    describeCounters(stream, &reply)
    reply.bulk("entries")
    reply.entries(of: stream, from: .zero, limit: limit)
    reply.bulk("groups")
    reply.array(stream.groupCount)
    for index in 0..<stream.groupCount {
        let group = stream.group(at: index)
        reply.map(7)
        reply.bulk("name")
        reply.bulk(group.name)
        reply.bulk("last-delivered-id")
        reply.bulk(group.lastDeliveredID)
        describeProgress(of: group, in: stream, &reply)
        reply.bulk("pel-count")
        reply.integer(group.pendingCount)
        reply.bulk("pending")
        listPending(limit, &reply, from: group.pending(atOrAfter:)) { pending, reply in
            reply.array(4)
            reply.bulk(pending.id)
            if let owner = pending.consumer { reply.bulk(owner.name) } else { reply.null() }
        }
        reply.bulk("consumers")
        reply.array(group.consumerCount)
        for index in 0..<group.consumerCount {
            describeInFull(group.consumer(at: index), limit, &reply)
        }
    }
}

private func describeInFull(_ consumer: Consumer, _ limit: Int, _ reply: inout ReplyWriter) {
    reply.map(5)
    reply.bulk("name")
    reply.bulk(consumer.name)
    reply.bulk("seen-time")
    reply.integer(consumer.seenTime)
    reply.bulk("active-time")
    reply.integer(consumer.activeTime ?? -1)
    reply.bulk("pel-count")
    reply.integer(consumer.pendingCount)
    reply.bulk("pending")
    listPending(limit, &reply, from: consumer.pending(atOrAfter:)) { pending, reply in
        reply.array(3)
        reply.bulk(pending.id)
    }
}

/// An array of deliveries, each of which `begin` begins and its time and count end.
private func listPending(
    _ limit: Int,
    _ reply: inout ReplyWriter,
    from find: (StreamEntryID) -> PendingDelivery?,
    _ begin: (PendingDelivery, inout ReplyWriter) -> Void
) {
    let mark = reply.beginArray()
    var count = 0
    var next = find(.zero)
    while let pending = next, limit == 0 || count < limit {
        begin(pending, &reply)
        reply.integer(pending.deliveryTime)
        reply.integer(Int64(truncatingIfNeeded: pending.deliveryCount))
        count += 1
        next = pending.id.next.flatMap { find($0) }
    }
    reply.endArray(mark, count: count)
}

private func describeProgress(
    of group: ConsumerGroup,
    in stream: StreamValue,
    _ reply: inout ReplyWriter
) {
    reply.bulk("entries-read")
    if let read = group.entriesRead { reply.integer(read) } else { reply.null() }
    reply.bulk("lag")
    if let lag = stream.lag(of: group) { reply.integer(lag) } else { reply.null() }
}

private func groups(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    guard let stream = try engine.lookup(request[2], .stream)?.stream else { throw .noSuchKey }
    reply.array(stream.groupCount)
    for index in 0..<stream.groupCount {
        let group = stream.group(at: index)
        reply.map(6)
        reply.bulk("name")
        reply.bulk(group.name)
        reply.bulk("consumers")
        reply.integer(group.consumerCount)
        reply.bulk("pending")
        reply.integer(group.pendingCount)
        reply.bulk("last-delivered-id")
        reply.bulk(group.lastDeliveredID)
        describeProgress(of: group, in: stream, &reply)
    }
}

private func consumers(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    guard let stream = try engine.lookup(request[2], .stream)?.stream else { throw .noSuchKey }
    guard let group = stream.group(named: request[3]) else {
        throw .noGroup(request[3], of: request[2])
    }
    let now = engine.dataSet.now
    reply.array(group.consumerCount)
    for index in 0..<group.consumerCount {
        let consumer = group.consumer(at: index)
        reply.map(4)
        reply.bulk("name")
        reply.bulk(consumer.name)
        reply.bulk("pending")
        reply.integer(consumer.pendingCount)
        reply.bulk("idle")
        reply.integer(max(now &- consumer.seenTime, 0))
        reply.bulk("inactive")
        reply.integer(consumer.activeTime.map { now &- $0 } ?? -1)
    }
}

private func help(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    reply.help(
        "XINFO",
        [
            "CONSUMERS <key> <groupname>",
            "    Show consumers of <groupname>.",
            "GROUPS <key>",
            "    Show the stream consumer groups.",
            "STREAM <key> [FULL [COUNT <count>]",
            "    Show information about the stream.",
        ]
    )
}
