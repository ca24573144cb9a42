import Bytes
import Commands
import Platform
import RESP
import Store
import Transport

/// From received bytes to replies: parses, executes, and notes whose replies are where.
///
/// Works on the parts of a client one by one (`clients[slot].parser`), since a command may
/// look at any client, its own included, while it is executed.
struct Execution: ~Copyable {
    var engine: Engine
    private let clients: ClientTable
    var limits = RequestLimits()
    /// Clients that have sent more are to be closed.
    var maximumInputByteCount = Int.max
    /// Requests and replies of more bytes are kept for COMMANDLOG.
    var largestRequest = Int.max
    var largestReply = Int.max
    /// The replies of this turn, and whose they are.
    var replies = ReplyWriter()
    var segments: [Segment] = []
    var traffic = Traffic()
    /// Clients that waited for a reply which has come.
    var resumed: [Int] = []

    /// What fits into one receive.
    ///
    /// A pipeline fits, and many clients still share the cache.
    private static let receiveByteCount = 64 << 10
    /// More is received at once when an argument is known to be long.
    private static let longReceiveByteCount = 1 << 20
    /// A client with so many replies waiting goes on in the next turn, when they were sent.
    private static let replyByteCount = 4 << 20

    init(_ engine: consuming Engine, _ clients: ClientTable) {
        self.engine = engine
        self.clients = clients
    }

    /// Receives what a client sent and executes the whole requests in it.
    ///
    /// `input` is empty before and after: a client keeps only what is not a whole request.
    mutating func receive(_ slot: Int, through input: inout ByteQueue) -> Connection.Transfer {
        let clients = clients
        guard clients[slot].connection.input.isEmpty else { return receiveMore(slot) }
        let transfer = clients[slot].connection.receive(upTo: Self.receiveByteCount, into: &input)
        count(transfer, slot)
        guard !input.isEmpty else { return transfer }
        execute(input.bytes, slot)
        let consumed = clients[slot].parser.takeConsumed()
        if consumed < input.count {
            input.removeFirst(consumed)
            clients[slot].connection.input.append(input.bytes)
        }
        input.removeAll(keepingCapacityUpTo: .max)
        return transfer
    }

    /// Receives behind what a client keeps.
    private mutating func receiveMore(_ slot: Int) -> Connection.Transfer {
        let clients = clients
        let missing = clients[slot].parser.missingByteCount(
            in: clients[slot].connection.input.bytes
        )
        let isTooLong = clients[slot].connection.input.count + missing > maximumInputByteCount
        // Only what is missing of a long argument, so that no room is left behind it.
        let isLong = clients[slot].parser.pendingArgumentByteCount >= Self.receiveByteCount
        let room = min(
            isLong ? missing : max(missing, Self.receiveByteCount),
            Self.longReceiveByteCount
        )
        // Doubling would take up to twice what the request needs.
        clients[slot].connection.input.reserve(room, ofExpected: missing)
        let transfer = clients[slot].connection.receive(upTo: room)
        count(transfer, slot)
        // Who sends too much may send it to its end, or would not see that it is refused.
        if isTooLong, clients[slot].connection.input.count > maximumInputByteCount {
            return transfer
        }
        executeWaiting(slot)
        return transfer
    }

    /// Executes the whole requests in what a client keeps.
    mutating func executeWaiting(_ slot: Int) {
        let clients = clients
        execute(clients[slot].connection.input.bytes, slot)
        clients[slot].connection.input.removeFirst(clients[slot].parser.takeConsumed())
        if clients[slot].connection.input.isEmpty {
            clients[slot].connection.input.removeAll(keepingCapacityUpTo: 0)
        }
    }

    private mutating func execute(_ input: RawSpan, _ slot: Int) {
        let clients = clients
        let session = clients[slot].session
        var start = replies.byteCount
        var effectsBefore = engine.effects.output.count
        var limits = limits
        if !limits.isAuthenticated { limits.isAuthenticated = engine.isAuthenticated(session) }
        replies.protocolVersion = clients[slot].protocolVersion
        let mayBeLarge = input.byteCount > largestRequest
        var ticks = Ticks.now
        do throws(RESPError) {
            while try clients[slot].parser.parse(input, within: limits) {
                let replyStart = replies.byteCount
                if clients[slot].parser.batchCount > 1 {
                    engine.prefetchBatch(clients[slot].parser, in: input, session)
                }
                traffic.requestCount += 1
                let outcome = engine.execute(
                    clients[slot].parser.request(in: input),
                    session: session,
                    reply: &replies
                )
                let end = Ticks.now
                if engine.spend(ticks: end &- ticks) {
                    engine.noteSlow(clients[slot].parser.request(in: input), ticks: end &- ticks)
                    engine.readClock()
                }
                ticks = end
                let replyByteCount = replies.byteCount - replyStart
                if mayBeLarge || replyByteCount > largestReply {
                    noteLarge(slot, input, replyByteCount)
                }
                if !engine.deliveries.isEmpty {
                    // They go around the reply just written; what follows behind them.
                    let awaitsLog = engine.effects.output.count != effectsBefore
                    let hasFirst = engine.deliveries.countBeforeReply > 0
                    let split = hasFirst ? replyStart : start
                    note(slot, start..<split, awaitsLog: awaitsLog)
                    deliver(around: slot, split..<replies.byteCount, awaitsLog: awaitsLog)
                    start = replies.byteCount
                    effectsBefore = engine.effects.output.count
                }
                // Matched, not compared: `==` of another module's type is a call through a witness.
                guard case .done = outcome else {
                    suspend(slot, after: outcome)
                    break
                }
                clients[slot].traffic.requestCount += 1
                if !limits.isAuthenticated {
                    limits.isAuthenticated = engine.isAuthenticated(session)
                }
                if replies.byteCount - start > Self.replyByteCount {
                    resumed.append(slot)
                    break
                }
            }
        } catch {
            replies.error(error.text.bytes)
            clients[slot].phase = .leaving
        }
        clients[slot].protocolVersion = replies.protocolVersion
        let awaitsLog = engine.effects.output.count != effectsBefore
        note(slot, start..<replies.byteCount, awaitsLog: awaitsLog)
    }

    /// Keeps the request that was just executed, if it or its reply is remarkably long.
    private mutating func noteLarge(_ slot: Int, _ input: RawSpan, _ replyByteCount: Int) {
        let clients = clients
        engine.noteLarge(
            clients[slot].parser.request(in: input),
            replyByteCount: replyByteCount
        )
    }

    private mutating func suspend(_ slot: Int, after outcome: Engine.Outcome) {
        switch outcome {
        case .done: break
        case .blocked: clients[slot].phase = .blocked
        case .close: clients[slot].phase = .leaving
        case .postponed:
            clients[slot].parser.putBack()
            clients[slot].phase = .postponed
        }
    }

    private mutating func note(_ slot: Int, _ place: Range<Int>, awaitsLog: Bool) {
        guard !place.isEmpty else { return }
        segments.append(
            Segment(
                slot: slot,
                serial: clients[slot].serial,
                start: place.lowerBound,
                end: place.upperBound,
                awaitsLog: awaitsLog
            )
        )
    }

    /// Puts what commands had for other clients among the replies of the turn.
    ///
    /// They wait for the log like replies to writes: a client that waited for an element must
    /// not have it before it is certain that the element is gone from its list.
    mutating func deliver() {
        deliver(around: 0, 0..<0, awaitsLog: false)
    }

    /// The same, before and behind the reply to the client who brought it about.
    private mutating func deliver(around author: Int, _ reply: Range<Int>, awaitsLog: Bool) {
        // Taken out while they are read, because the replies are of the same owner.
        var deliveries = Deliveries()
        swap(&deliveries, &engine.deliveries)
        let countBefore = min(deliveries.countBeforeReply, deliveries.all.count)
        for delivery in deliveries.all.prefix(countBefore) {
            hand(delivery, deliveries.bytes.bytes)
        }
        note(author, reply, awaitsLog: awaitsLog)
        for delivery in deliveries.all.dropFirst(countBefore) {
            hand(delivery, deliveries.bytes.bytes)
        }
        deliveries.removeAll()
        swap(&deliveries, &engine.deliveries)
    }

    private mutating func hand(_ delivery: Deliveries.Delivery, _ bytes: RawSpan) {
        let slot = delivery.session.slot
        guard clients.hasClient(slot) else { return }
        let start = replies.byteCount
        let end = delivery.offset + delivery.byteCount
        replies.append(prepared: bytes.extracting(delivery.offset..<end))
        note(slot, start..<replies.byteCount, awaitsLog: true)
        if delivery.unblocks, clients[slot].phase == .blocked {
            clients[slot].phase = .serving
            clients[slot].traffic.requestCount += 1
            resumed.append(slot)
        }
    }

    private mutating func count(_ transfer: Connection.Transfer, _ slot: Int) {
        switch transfer {
        case .complete(let byteCount), .partial(let byteCount):
            clients[slot].traffic.receivedByteCount += Int64(byteCount)
            traffic.receivedByteCount += Int64(byteCount)
            traffic.receiveCount += 1
        case .ended: break
        }
    }
}
