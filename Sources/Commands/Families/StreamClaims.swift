import Bytes
import RESP
import Store

// What is pending for a group: looking at it, and giving it to other consumers.
extension Command {
    static let streamClaims: [Command] = [
        Command("xpending", .atLeast(3), keys: .first, [.readonly], pending),
        Command("xclaim", .atLeast(6), keys: .first, [.write, .fast], claim),
        Command("xautoclaim", .atLeast(6), keys: .first, [.write, .fast], claimAll),
    ]
}

private func pending(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    guard request.count == 3 || (6...9).contains(request.count) else { throw .syntax }
    let range = request.count == 3 ? nil : try PendingRange(request)
    guard let group = try engine.lookup(request.key, .stream)?.stream.group(named: request[2])
    else { throw .noGroup(request.key, request[2]) }
    guard let range else { return summarize(group, &reply) }
    var owner: Consumer?
    if let name = range.consumer {
        guard let consumer = group.consumer(named: request[name]) else { return reply.array(0) }
        owner = consumer
    }
    list(range, group, owner, now: engine.dataSet.now, &reply)
}

/// The arguments of XPENDING behind the group.
private struct PendingRange {
    let first: StreamEntryID
    let last: StreamEntryID
    let limit: Int64
    private(set) var leastIdle: Int64 = 0
    /// Where the name of a consumer is.
    private(set) var consumer: Int?

    init(_ request: borrowing Request) throws(CommandError) {
        var start = 3
        if request.is(3, "idle") {
            leastIdle = try request.integer(4)
            guard request.count >= 8 else { throw .syntax }
            start = 5
        }
        limit = try request.integer(start + 2)
        first = try request.firstID(start)
        last = try request.lastID(start + 1)
        if start + 3 < request.count { consumer = start + 3 }
    }
}

private func summarize(_ group: ConsumerGroup, _ reply: inout ReplyWriter) {
    reply.array(4)
    reply.integer(group.pendingCount)
    guard let first = group.pending(atOrAfter: .zero), let last = group.lastPending else {
        reply.null()
        reply.null()
        return reply.nullArray()
    }
    reply.bulk(first.id)
    reply.bulk(last.id)
    let mark = reply.beginArray()
    var count = 0
    for index in 0..<group.consumerCount {
        let consumer = group.consumer(at: index)
        guard consumer.pendingCount > 0 else { continue }
        reply.array(2)
        reply.bulk(consumer.name)
        reply.bulk(decimal: Int64(consumer.pendingCount))
        count += 1
    }
    reply.endArray(mark, count: count)
}

private func list(
    _ range: PendingRange,
    _ group: ConsumerGroup,
    _ owner: Consumer?,
    now: Int64,
    _ reply: inout ReplyWriter
) {
    func pending(from id: StreamEntryID) -> PendingDelivery? {
        owner.map { $0.pending(atOrAfter: id) } ?? group.pending(atOrAfter: id)
    }
    let mark = reply.beginArray()
    var count = 0
    var next = pending(from: range.first)
    while let found = next, found.id <= range.last, count < range.limit {
        next = found.id.next.flatMap { pending(from: $0) }
        let idle = now &- found.deliveryTime
        if range.leastIdle != 0, idle < range.leastIdle { continue }
        count += 1
        reply.array(4)
        reply.bulk(found.id)
        if let consumer = found.consumer { reply.bulk(consumer.name) } else { reply.null() }
        reply.integer(max(idle, 0))
        reply.integer(Int64(truncatingIfNeeded: found.deliveryCount))
    }
    reply.endArray(mark, count: count)
}

/// What XCLAIM and XAUTOCLAIM do to one pending entry after the other.
private struct Claiming {
    let stream: OpenStream
    let group: ConsumerGroup
    let consumer: Consumer
    let now: Int64
    var leastIdle: Int64 = 0
    /// The time to note as that of the delivery.
    var time: Int64
    /// The count to note; nil for one more.
    var count: UInt64?
    var repliesWithIDs = false
    /// FORCE.
    var makesPending = false
    /// What was claimed, for the log.
    var runs: [DeliveryRun] = []

    enum Outcome {
        case claimed
        /// The entry is gone, and pending no longer.
        case gone
        case untouched
    }

    init(_ stream: OpenStream, _ group: ConsumerGroup, _ consumer: Consumer, now: Int64) {
        self.stream = stream
        self.group = group
        self.consumer = consumer
        self.now = now
        time = now
    }

    mutating func claim(_ id: StreamEntryID, _ reply: inout ReplyWriter) -> Outcome {
        let pending = group.pending(at: id)
        guard let entry = stream.value.entry(at: id) else {
            guard let pending else { return .untouched }
            note(id, pending.deliveryTime, pending.deliveryCount)
            _ = stream.acknowledge(id, in: group)
            return .gone
        }
        guard pending != nil || makesPending else { return .untouched }
        if let pending, leastIdle > 0, now &- pending.deliveryTime < leastIdle {
            return .untouched
        }
        // One that FORCE makes begins as delivered once.
        let before = pending?.deliveryCount ?? 1
        let count = self.count ?? (repliesWithIDs ? before : before &+ 1)
        stream.assign(id, to: consumer, of: group, deliveryTime: time, deliveryCount: count)
        if repliesWithIDs { reply.bulk(id) } else { reply.entry(entry) }
        stream.setActiveTime(of: consumer, now)
        note(id, time, count)
        return .claimed
    }

    private mutating func note(_ id: StreamEntryID, _ time: Int64, _ count: UInt64) {
        if runs.last?.takes(time, count) != true { runs.append(DeliveryRun()) }
        runs[runs.count - 1].append(id, time, count)
    }
}

extension Engine {
    fileprivate mutating func write(_ claiming: inout Claiming, _ key: RawSpan, _ group: RawSpan) {
        for index in claiming.runs.indices {
            statistics.changes += Int64(claiming.runs[index].ids.count)
            writeClaims(
                &claiming.runs[index],
                key,
                group,
                claiming.consumer.name,
                claiming.group
            )
        }
    }

    /// The stream and the group of a request that claims.
    fileprivate mutating func claimedGroup(
        _ request: borrowing Request
    ) throws(CommandError) -> (OpenStream, ConsumerGroup) {
        guard let stream = try lookupForWrite(request.key, .stream)?.open().stream,
            let group = stream.value.group(named: request[2])
        else { throw .noGroup(request.key, request[2]) }
        return (stream, group)
    }
}

/// The options of XCLAIM, and the ids before them.
private struct ClaimOptions {
    var ids: [StreamEntryID] = []
    var time: Int64?
    var count: UInt64?
    var isForced = false
    var repliesWithIDs = false
    var lastID = StreamEntryID.zero

    init(_ request: borrowing Request, now: Int64) throws(CommandError) {
        var index = 5
        while index < request.count, let text = StreamIDText(request[index]) {
            ids.append(text.id)
            index += 1
        }
        while index < request.count {
            let hasMore = index + 1 < request.count
            if request.is(index, "force") {
                isForced = true
            } else if request.is(index, "justid") {
                repliesWithIDs = true
            } else if request.is(index, "idle"), hasMore {
                index += 1
                time = now &- (try ClaimOptions.number(request, index, "IDLE option"))
            } else if request.is(index, "time"), hasMore {
                index += 1
                time = try ClaimOptions.number(request, index, "TIME option")
            } else if request.is(index, "retrycount"), hasMore {
                index += 1
                let number = try ClaimOptions.number(request, index, "RETRYCOUNT option")
                count = UInt64(exactly: number)
            } else if request.is(index, "lastid"), hasMore {
                index += 1
                lastID = try request.streamID(index)
            } else {
                throw .quoting("ERR Unrecognized XCLAIM option '", request[index], "'")
            }
            index += 1
        }
    }

    static func number(
        _ request: borrowing Request,
        _ index: Int,
        _ what: String,
        of command: String = "XCLAIM"
    ) throws(CommandError) -> Int64 {
        guard let number = DecimalText.parseInteger(request[index]) else {
            throw .text("ERR Invalid \(what) argument for \(command)")
        }
        return number
    }
}

private func claim(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    let (stream, group) = try engine.claimedGroup(request)
    let leastIdle = try ClaimOptions.number(request, 4, "min-idle-time")
    let now = engine.dataSet.now
    let options = try ClaimOptions(request, now: now)
    let hasAdvanced = options.lastID > group.lastDeliveredID
    if hasAdvanced {
        stream.setPosition(of: group, options.lastID, entriesRead: group.entriesRead)
    }
    engine.writeTogether { engine in
        let consumer = engine.consumer(request[3], of: group, request[2], stream, request.key)
        stream.setSeenTime(of: consumer, now)
        var claiming = Claiming(stream, group, consumer, now: now)
        claiming.leastIdle = max(leastIdle, 0)
        // A time to come is a client's mistake, but not where the log is replayed.
        if let time = options.time, time >= 0, time <= now || engine.isReplaying {
            claiming.time = time
        }
        claiming.count = options.count
        claiming.repliesWithIDs = options.repliesWithIDs
        claiming.makesPending = options.isForced
        let mark = reply.beginArray()
        var count = 0
        for id in options.ids where claiming.claim(id, &reply) == .claimed { count += 1 }
        reply.endArray(mark, count: count)
        if hasAdvanced, claiming.runs.isEmpty {
            engine.statistics.changes += 1
            engine.writePosition(request.key, request[2], group)
        }
        engine.write(&claiming, request.key, request[2])
    }
}

private func claimAll(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    let leastIdle = try ClaimOptions.number(request, 4, "min-idle-time", of: "XAUTOCLAIM")
    let first = try request.firstID(5)
    var limit = 100
    var repliesWithIDs = false
    var index = 6
    while index < request.count {
        if request.is(index, "count"), index + 1 < request.count {
            limit = try autoClaimCount(request, index + 1)
            index += 1
        } else if request.is(index, "justid") {
            repliesWithIDs = true
        } else {
            throw .syntax
        }
        index += 1
    }
    let (stream, group) = try engine.claimedGroup(request)
    engine.writeTogether { engine in
        let consumer = engine.consumer(request[3], of: group, request[2], stream, request.key)
        stream.setSeenTime(of: consumer, engine.dataSet.now)
        var claiming = Claiming(stream, group, consumer, now: engine.dataSet.now)
        claiming.leastIdle = max(leastIdle, 0)
        claiming.repliesWithIDs = repliesWithIDs
        claimAll(from: first, limit, &claiming, &reply)
        engine.write(&claiming, request.key, request[2])
    }
}

private func autoClaimCount(
    _ request: borrowing Request,
    _ index: Int
) throws(CommandError) -> Int {
    guard let count = DecimalText.parseInteger(request[index]), count >= 1,
        count <= Int64.max / 16
    else { throw .text("ERR COUNT must be > 0") }
    return Int(count)
}

/// Claims up to `limit` pending entries; replies with where to go on, those, and the ids of
/// those that are gone.
private func claimAll(
    from first: StreamEntryID,
    _ limit: Int,
    _ claiming: inout Claiming,
    _ reply: inout ReplyWriter
) {
    var claimed = ReplyWriter(reply.protocolVersion)
    let mark = claimed.beginArray()
    var gone: [StreamEntryID] = []
    var count = 0
    // So that one with many entries that are not idle is not walked to the end at once.
    var attempts = limit * 10
    var next = claiming.group.pending(atOrAfter: first)
    while let pending = next, attempts > 0, count + gone.count < limit {
        attempts -= 1
        let id = pending.id
        switch claiming.claim(id, &claimed) {
        case .claimed: count += 1
        case .gone: gone.append(id)
        case .untouched: break
        }
        next = id.next.flatMap { claiming.group.pending(atOrAfter: $0) }
    }
    claimed.endArray(mark, count: count)
    reply.array(3)
    reply.bulk(next.map(\.id) ?? .zero)
    reply.append(prepared: claimed.bytes)
    reply.array(gone.count)
    for id in gone { reply.bulk(id) }
}
