import Bytes
import RESP
import Store

extension Command {
    static let durability: [Command] = [
        Command("wait", .exactly(3), [.blocking], awaitReplicas),
        Command("waitaof", .exactly(4), [.blocking], awaitLog),
    ]
}

private func awaitReplicas(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    let replicas = try request.integer(1)
    let deadline = try engine.deadline(after: request.wholeTimeout(2))
    var wait = DurabilityWait(offset: 0, kind: .replicas)
    wait.replicas = replicas
    try engine.settle(wait, request, until: deadline, &reply)
}

private func awaitLog(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    let local = try request.integer(1)
    guard 0...1 ~= local else {
        throw .text("ERR value is out of range, value must between 0 and 1")
    }
    let replicas = DecimalText.parseInteger(request[2])
    guard let replicas, replicas >= 0 else {
        throw .text("ERR value is out of range, must be positive")
    }
    let deadline = try engine.deadline(after: request.wholeTimeout(3))
    guard local == 0 || engine.host.durableOffset != nil else {
        throw .text(
            "ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled."
        )
    }
    var wait = DurabilityWait(offset: engine.streamOffset, kind: .log)
    wait.local = local
    wait.replicas = replicas
    try engine.settle(wait, request, until: deadline, &reply)
}

/// What a session waits for that wants to know how safe its writes are.
struct DurabilityWait {
    /// Where the stream ended when it asked; its own writes are before that.
    let offset: Int64
    let kind: Kind
    /// How many copies it wants: on this disk, and of replicas.
    var local: Int64 = 0
    var replicas: Int64 = 0

    enum Kind {
        /// WAIT
        case replicas
        /// WAITAOF
        case log
    }

    init(offset: Int64, kind: Kind) {
        self.offset = offset
        self.kind = kind
    }

    /// Whether there is what it waits for; there are no replicas.
    func isMet(_ durable: Int64?) -> Bool {
        (local == 0 || isLocal(durable)) && replicas <= 0
    }

    func writeReply(_ durable: Int64?, to reply: inout ReplyWriter) {
        switch kind {
        case .replicas: reply.integer(0)
        case .log:
            reply.array(2)
            reply.integer(isLocal(durable) ? 1 : 0)
            reply.integer(0)
        }
    }

    private func isLocal(_ durable: Int64?) -> Bool { durable.map { $0 >= offset } ?? false }
}

extension Engine {
    /// Where the stream ends, with what this turn has changed so far.
    var streamOffset: Int64 { host.replicationOffset + Int64(effects.output.count) }

    /// Replies at once, or lets the session wait.
    fileprivate mutating func settle(
        _ wait: DurabilityWait,
        _ request: borrowing Request,
        until deadline: Int64?,
        _ reply: inout ReplyWriter
    ) throws(CommandError) {
        guard !wait.isMet(host.durableOffset), mayBlock else {
            return wait.writeReply(host.durableOffset, to: &reply)
        }
        block(request, on: 0..<0, as: .string, until: deadline, durability: wait)
        if wait.kind == .log { wantsSync = true }
    }

    /// Replies to sessions whose writes are safe now; once a turn.
    package mutating func serveDurability() {
        let durable = host.durableOffset
        for (session, wait) in blocked.durabilityWaits where wait.isMet(durable) {
            var reply = ReplyWriter(sessions[session].protocolVersion)
            wait.writeReply(durable, to: &reply)
            endWait(of: session, &reply)
        }
    }

    /// Whether sessions wait for the log.
    package var awaitsDurability: Bool { blocked.hasDurabilityWaits }

    /// Whether one of them has come since this was asked.
    package mutating func takeSyncRequest() -> Bool {
        defer { wantsSync = false }
        return wantsSync
    }
}

extension Request {
    /// A timeout in whole milliseconds.
    fileprivate func wholeTimeout(_ index: Int) throws(CommandError) -> Int64 {
        guard let value = DecimalText.parseInteger(self[index]) else {
            throw .text("ERR timeout is not an integer or out of range")
        }
        return value
    }
}
