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
    try setDeadline(request, &engine, &reply, DeadlineForm(.seconds, isRelative: true), "expire")
}

private func expireMilliseconds(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    let form = DeadlineForm(.milliseconds, isRelative: true)
    try setDeadline(request, &engine, &reply, form, "pexpire")
}

private func expireAt(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    try setDeadline(request, &engine, &reply, DeadlineForm(.seconds, isRelative: false), "expireat")
}

private func expireAtMilliseconds(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    let form = DeadlineForm(.milliseconds, isRelative: false)
    try setDeadline(request, &engine, &reply, form, "pexpireat")
}

private func setDeadline(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter,
    _ form: DeadlineForm,
    _ name: StaticString
) throws(CommandError) {
    let condition = try DeadlineCondition(request, from: 3)
    let amount = try request.integer(2)
    guard let deadline = form.deadline(amount, now: engine.dataSet.now) else {
        throw .invalidExpire(command: "\(name)")
    }
    guard let entry = engine.lookupForWrite(request.key),
        condition.allows(deadline, insteadOf: entry.deadline)
    else { return reply.integer(0) }
    if deadline <= engine.dataSet.now, !engine.isReplaying {
        engine.keyspace.remove(entry)
        engine.writeRemoval(of: request.key)
        engine.changed(request.key, .generic, "del")
    } else {
        entry.open().setDeadline(deadline)
        engine.writeDeadline(deadline, of: request.key)
        engine.changed(request.key, .generic, "expire")
    }
    reply.integer(1)
}

/// How a number tells a deadline.
struct DeadlineForm {
    enum Unit: Int64 {
        case seconds = 1000
        case milliseconds = 1
    }

    let unit: Unit
    let isRelative: Bool

    init(_ unit: Unit, isRelative: Bool) {
        self.unit = unit
        self.isRelative = isRelative
    }

    /// The deadline in milliseconds since 1970, unless it is out of range.
    func deadline(_ amount: Int64, now: Int64) -> Int64? {
        let (scaled, overflows) = amount.multipliedReportingOverflow(by: unit.rawValue)
        guard !overflows else { return nil }
        guard isRelative else { return scaled }
        let (sum, isTooLate) = scaled.addingReportingOverflow(now)
        return isTooLate ? nil : sum
    }
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
        self = []
        for index in start..<max(request.count, start) {
            if request.is(index, "nx") {
                insert(.ifNone)
            } else if request.is(index, "xx") {
                insert(.ifAny)
            } else if request.is(index, "gt") {
                insert(.ifLater)
            } else if request.is(index, "lt") {
                insert(.ifEarlier)
            } else {
                let option = request[index].messageText(limit: 1024)
                throw .text("ERR Unsupported option \(option)")
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

extension Engine {
    /// Writes the effect of a new deadline: the moment itself, since a replay comes later.
    mutating func writeDeadline(_ deadline: Int64, of key: RawSpan) {
        hasWrittenEffects = true
        guard effects.begin(3, database: keyspace.number) else { return }
        effects.argument("PEXPIREAT")
        effects.argument(key)
        effects.argument(deadline)
    }

    /// Writes the effect of a removal.
    mutating func writeRemoval(of key: RawSpan) {
        hasWrittenEffects = true
        guard effects.begin(2, database: keyspace.number) else { return }
        effects.argument("UNLINK")
        effects.argument(key)
    }
}

private func ttl(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    guard let deadline = engine.deadline(request.key, &reply) else { return }
    reply.integer((max(deadline - engine.dataSet.now, 0) + 500) / 1000)
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
    reply.integer((deadline + 500) / 1000)
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
