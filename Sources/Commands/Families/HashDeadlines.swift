import Bytes
import RESP
import Store

extension Command {
    static let hashDeadlines: [Command] = [
        Command("hexpire", .atLeast(6), keys: .first, [.write, .fast], expire),
        Command("hexpireat", .atLeast(6), keys: .first, [.write, .fast], expireAt),
        Command("hexpiretime", .atLeast(5), keys: .first, [.readonly, .fast], deadline),
        Command("hpersist", .atLeast(5), keys: .first, [.write, .fast], persist),
        Command("hpexpire", .atLeast(6), keys: .first, [.write, .fast], expireMilliseconds),
        Command("hpexpireat", .atLeast(6), keys: .first, [.write, .fast], expireAtMilliseconds),
        Command(
            "hpexpiretime",
            .atLeast(5),
            keys: .first,
            [.readonly, .fast],
            deadlineMilliseconds
        ),
        Command("hpttl", .atLeast(5), keys: .first, [.readonly, .fast], ttlMilliseconds),
        Command("httl", .atLeast(5), keys: .first, [.readonly, .fast], ttl),
    ]
}

private func expire(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    try setDeadlines(request, &engine, &reply, .seconds, "hexpire")
}

private func expireMilliseconds(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    try setDeadlines(request, &engine, &reply, .milliseconds, "hpexpire")
}

private func expireAt(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    try setDeadlines(request, &engine, &reply, .secondsSince1970, "hexpireat")
}

private func expireAtMilliseconds(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    try setDeadlines(request, &engine, &reply, .millisecondsSince1970, "hpexpireat")
}

/// What became of one field, as the replies of these commands tell it.
private enum Outcome {
    static let absent = -2
    static let noDeadline = -1
    static let unchanged = 0
    static let changed = 1
    static let removed = 2
}

private func setDeadlines(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter,
    _ form: DeadlineOption.Form,
    _ name: StaticString
) throws(CommandError) {
    let word = try FieldList.word(request, from: 3)
    let condition = try DeadlineCondition(request, 3..<word)
    let fields = try FieldList(request, after: word)
    let option = DeadlineOption(form, at: 2)
    let moment = try option.moment(
        request,
        now: engine.dataSet.now,
        command: name,
        least: 0
    )
    guard let moment, let hash = try engine.hashForWrite(request.key) else {
        return fields.reply(Outcome.absent, &reply)
    }
    let isPast = engine.isPast(moment)
    let open = hash.open()
    var effect = FieldEffect(request.key, isPast ? .removal : .deadline(moment))
    reply.array(fields.count)
    for index in fields.indices {
        let field = request[index]
        guard open.value.contains(field) else {
            reply.integer(Outcome.absent)
            continue
        }
        guard condition.allows(moment, insteadOf: open.value.deadline(of: field)) else {
            reply.integer(Outcome.unchanged)
            continue
        }
        effect.append(field)
        if isPast {
            _ = open.remove(field)
        } else {
            open.setDeadline(moment, of: field)
        }
        reply.integer(isPast ? Outcome.removed : Outcome.changed)
    }
    engine.write(effect, of: open, isPast ? "hexpired" : "hexpire")
}

private func persist(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    let fields = try FieldList(request)
    guard let hash = try engine.hashForWrite(request.key) else {
        return fields.reply(Outcome.absent, &reply)
    }
    let open = hash.open()
    var effect = FieldEffect(request.key, .deadline(nil))
    reply.array(fields.count)
    for index in fields.indices {
        let field = request[index]
        guard open.value.contains(field) else {
            reply.integer(Outcome.absent)
            continue
        }
        guard open.value.deadline(of: field) != nil else {
            reply.integer(Outcome.noDeadline)
            continue
        }
        open.setDeadline(nil, of: field)
        effect.append(field)
        reply.integer(Outcome.changed)
    }
    engine.write(effect, of: open, "hpersist")
}

private func ttl(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    let now = engine.dataSet.now
    try tell(request, &engine, &reply) { inSeconds($0 - now) }
}

private func ttlMilliseconds(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    let now = engine.dataSet.now
    try tell(request, &engine, &reply) { $0 - now }
}

private func deadline(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    try tell(request, &engine, &reply) { inSeconds($0) }
}

private func deadlineMilliseconds(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    try tell(request, &engine, &reply) { $0 }
}

/// Seconds, rounded; no deadline is so far away that this overflows in the other direction.
private func inSeconds(_ milliseconds: Int64) -> Int64 {
    milliseconds / 1000 + (milliseconds % 1000 >= 500 ? 1 : 0)
}

/// Replies with what `form` makes of each field's deadline.
private func tell(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter,
    _ form: (Int64) -> Int64
) throws(CommandError) {
    let fields = try FieldList(request, mismatch: .syntax)
    guard let hash = try engine.hash(request.key) else {
        return fields.reply(Outcome.absent, &reply)
    }
    reply.array(fields.count)
    for index in fields.indices {
        if let deadline = hash.deadline(of: request[index]) {
            reply.integer(form(deadline))
        } else {
            let isThere = hash.contains(request[index])
            reply.integer(isThere ? Outcome.noDeadline : Outcome.absent)
        }
    }
}
