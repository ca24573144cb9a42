import Bytes
import RESP
import Store

extension Command {
    static let deadlines: [Command] = [
        Command("expire", .atLeast(3), keys: .first, [.write, .fast], expire),
        Command("pexpire", .atLeast(3), keys: .first, [.write, .fast], expireMilliseconds),
        Command("expireat", .atLeast(3), keys: .first, [.write, .fast], expireAt),
        Command("pexpireat", .atLeast(3), keys: .first, [.write, .fast], expireAtMilliseconds),
        Command("ttl", .exactly(2), keys: .first, [.readonly, .fast], ttl),
        Command("pttl", .exactly(2), keys: .first, [.readonly, .fast], ttlMilliseconds),
        Command("expiretime", .exactly(2), keys: .first, [.readonly, .fast], expireTime),
        Command(
            "pexpiretime",
            .exactly(2),
            keys: .first,
            [.readonly, .fast],
            expireTimeMilliseconds
        ),
        Command("persist", .exactly(2), keys: .first, [.write, .fast], persist),
    ]
}

private func expire(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    try setDeadline(request, &engine, &reply, .seconds, "expire")
}

private func expireMilliseconds(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    try setDeadline(request, &engine, &reply, .milliseconds, "pexpire")
}

private func expireAt(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    try setDeadline(request, &engine, &reply, .secondsSince1970, "expireat")
}

private func expireAtMilliseconds(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    try setDeadline(request, &engine, &reply, .millisecondsSince1970, "pexpireat")
}

private func setDeadline(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter,
    _ form: DeadlineOption.Form,
    _ name: StaticString
) throws(CommandError) {
    let condition = try DeadlineCondition(request, from: 3)
    let amount = try request.integer(2)
    guard let deadline = form.moment(amount, now: engine.dataSet.now) else {
        throw .invalidExpire(command: "\(name)")
    }
    guard let entry = engine.lookupForWrite(request.key),
        condition.allows(deadline, insteadOf: entry.deadline)
    else { return reply.integer(0) }
    if engine.isPast(deadline) {
        engine.removeAsExpired(entry, request.key)
    } else {
        entry.open().setDeadline(deadline)
        engine.writeDeadline(request.key, deadline)
        engine.changed(request.key, .generic, "expire")
    }
    reply.integer(1)
}

/// What the deadline so far must be for a new one to be set.
struct DeadlineCondition: OptionSet {
    let rawValue: UInt8

    static let ifNone = DeadlineCondition(rawValue: 1 << 0)
    static let ifAny = DeadlineCondition(rawValue: 1 << 1)
    static let ifLater = DeadlineCondition(rawValue: 1 << 2)
    static let ifEarlier = DeadlineCondition(rawValue: 1 << 3)

    /// Whether `new` may replace `old`; no deadline counts as the latest of all.
    @inline(__always)
    func allows(_ new: Int64, insteadOf old: Int64?) -> Bool {
        isEmpty || allowsChange(new, old)
    }

    private func allowsChange(_ new: Int64, _ old: Int64?) -> Bool {
        if contains(.ifNone) { return old == nil }
        guard let old else { return !contains(.ifAny) && !contains(.ifLater) }
        if contains(.ifLater) { return new > old }
        return contains(.ifEarlier) ? new < old : true
    }
}

extension DeadlineCondition {
    /// Reads NX, XX, GT and LT from the arguments at `start` and behind.
    init(_ request: borrowing Request, from start: Int) throws(CommandError) {
        try self.init(request, start..<max(request.count, start))
    }

    /// Reads NX, XX, GT and LT from a range of arguments.
    init(_ request: borrowing Request, _ range: Range<Int>) throws(CommandError) {
        self = []
        for index in range {
            if request.is(index, "nx") {
                insert(.ifNone)
            } else if request.is(index, "xx") {
                insert(.ifAny)
            } else if request.is(index, "gt") {
                insert(.ifLater)
            } else if request.is(index, "lt") {
                insert(.ifEarlier)
            } else {
                throw .quoting("ERR Unsupported option ", request[index])
            }
        }
        if contains(.ifNone), self != .ifNone {
            throw .text(
                "ERR NX and XX, GT or LT options at the same time are not compatible"
            )
        }
        if contains(.ifLater), contains(.ifEarlier) {
            throw .text("ERR GT and LT options at the same time are not compatible")
        }
    }
}

private func ttl(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    guard let deadline = engine.deadline(request.key, &reply) else { return }
    reply.integer(Int64((UInt64(max(deadline - engine.dataSet.now, 0)) + 500) / 1000))
}

private func ttlMilliseconds(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    guard let deadline = engine.deadline(request.key, &reply) else { return }
    reply.integer(max(deadline - engine.dataSet.now, 0))
}

private func expireTime(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    guard let deadline = engine.deadline(request.key, &reply) else { return }
    reply.integer(Int64((UInt64(max(deadline, 0)) + 500) / 1000))
}

private func expireTimeMilliseconds(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    guard let deadline = engine.deadline(request.key, &reply) else { return }
    reply.integer(deadline)
}

extension Engine {
    /// The deadline of `key`; without one, replies -1, without the key, -2.
    fileprivate mutating func deadline(_ key: RawSpan, _ reply: inout ReplyWriter) -> Int64? {
        guard let entry = peek(key) else {
            reply.integer(-2)
            return nil
        }
        guard let deadline = entry.deadline else {
            reply.integer(-1)
            return nil
        }
        return deadline
    }
}

private func persist(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    guard let entry = engine.lookupForWrite(request.key), entry.deadline != nil else {
        return reply.integer(0)
    }
    entry.open().setDeadline(nil)
    engine.changed(request.key, .generic, "persist")
    reply.integer(1)
}
