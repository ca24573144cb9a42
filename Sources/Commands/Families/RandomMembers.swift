import Bytes
import RESP
import Store

extension Command {
    static let randomMembers: [Command] = [
        Command("hrandfield", .atLeast(2), keys: .first, [.readonly], randomField),
        Command("spop", .atLeast(2), keys: .first, [.write, .fast], pop),
        Command("srandmember", .atLeast(2), keys: .first, [.readonly], randomMember),
    ]
}

private func pop(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    guard request.count == 2 else { return try popMany(request, &engine, &reply) }
    guard let set = try engine.setForWrite(request.key)?.open() else { return reply.null() }
    engine.hasWrittenEffects = true
    let isRead = engine.effects.begin(3, database: engine.keyspace.number)
    if isRead {
        engine.effects.argument("SREM")
        engine.effects.argument(request.key)
    }
    set.removeRandom { member in
        reply.bulk(member)
        if isRead { engine.effects.argument(member) }
    }
    engine.membersRemoved(1, request.key, from: set, "spop")
}

private func popMany(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    guard request.count == 3 else { throw .syntax }
    guard let count = DecimalText.parseInteger(request[2]), count >= 0 else {
        throw .text("ERR value is out of range, must be positive")
    }
    guard let found = try engine.setForWrite(request.key), count > 0 else { return reply.set(0) }
    guard count < found.count else {
        reply.set(found.count)
        found.forEachMember { reply.bulk($0) }
        engine.changed(request.key, .set, "spop", count: found.count)
        engine.writeRemoval(request.key)
        return engine.removeEmptied(found.entry, request.key)
    }
    // The members lie in the set, so they are copied before they are removed from it.
    var removal = RequestBuffer()
    unsafe removal.append("SREM".utf8.span.bytes)
    removal.append(request.key)
    reply.set(Int(count))
    found.sample(Int(count)) { member in
        reply.bulk(member)
        removal.append(member)
    }
    let set = found.open()
    for index in 2..<removal.count { set.remove(removal.request[index]) }
    engine.hasWrittenEffects = true
    engine.effects.append(removal.request, database: engine.keyspace.number)
    engine.changed(request.key, .set, "spop", count: Int(count))
}

private func randomMember(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    guard request.count > 2 else {
        guard let set = try engine.set(request.key) else { return reply.null() }
        return set.random { reply.bulk($0) }
    }
    let count = try drawCount(request)
    guard request.count == 3 else { throw .syntax }
    guard let set = try engine.set(request.key), count != 0 else { return reply.array(0) }
    guard count > 0 else {
        reply.array(-count)
        for _ in 0..<(-count) { set.random { reply.bulk($0) } }
        return
    }
    reply.array(min(count, set.count))
    if count < set.count {
        set.sample(count) { reply.bulk($0) }
    } else {
        set.forEachMember { reply.bulk($0) }
    }
}

private func randomField(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    guard request.count > 2 else {
        guard let hash = try engine.hash(request.key) else { return reply.null() }
        return hash.random { field, _ in reply.bulk(field) }
    }
    let count = try drawCount(request)
    let withValues = request.count > 3
    if withValues {
        guard request.count == 4, request.is(3, "withvalues") else { throw .syntax }
        guard count.magnitude <= Int.max / 2 else { throw .text("ERR value is out of range") }
    }
    guard let hash = try engine.hash(request.key), count != 0 else { return reply.array(0) }
    let isFlat = reply.protocolVersion == .resp2
    let mark = reply.beginArray()
    var drawn = 0
    func add(
        _ field: borrowing PackedValue,
        _ value: borrowing PackedValue,
        to reply: inout ReplyWriter
    ) {
        drawn += 1
        if withValues, !isFlat { reply.array(2) }
        reply.bulk(field)
        if withValues { reply.bulk(value) }
    }
    if count < 0 {
        for _ in 0..<(-count) { hash.random { add($0, $1, to: &reply) } }
    } else if count < hash.count {
        hash.sample(count) { add($0, $1, to: &reply) }
    } else {
        hash.forEachField { add($0, $1, to: &reply) }
    }
    reply.endArray(mark, count: withValues && isFlat ? 2 * drawn : drawn)
}

/// How many members to draw: different ones, or if negative with repetition.
func drawCount(_ request: borrowing Request) throws(CommandError) -> Int {
    let count = try request.integer(2)
    guard count != .min else {
        throw .text(
            "ERR value is out of range, value must between \(-Int.max) and \(Int.max)"
        )
    }
    return Int(count)
}

extension Effects {
    fileprivate mutating func argument(_ value: borrowing PackedValue) {
        switch value {
        case .integer(let integer): argument(integer)
        case .bytes(let bytes): argument(bytes)
        }
    }
}

extension RequestBuffer {
    fileprivate mutating func append(_ value: borrowing PackedValue) {
        switch value {
        case .integer(let integer): append(decimal: integer)
        case .bytes(let bytes): append(bytes)
        }
    }
}
