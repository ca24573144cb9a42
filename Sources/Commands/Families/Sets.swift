import Bytes
import RESP
import Store

extension Command {
    static let sets: [Command] = [
        Command("sadd", .atLeast(3), keys: .first, [.write, .denyOOM, .fast], add),
        Command("scard", .exactly(2), keys: .first, [.readonly, .fast], count),
        Command("sismember", .exactly(3), keys: .first, [.readonly, .fast], contains),
        Command("smembers", .exactly(2), keys: .first, [.readonly], getAll),
        Command("smismember", .atLeast(3), keys: .first, [.readonly, .fast], containsMany),
        Command("smove", .exactly(4), keys: .firstTwo, [.write, .fast], move),
        Command("srem", .atLeast(3), keys: .first, [.write, .fast], remove),
        Command("sscan", .atLeast(3), keys: .first, [.readonly], scan),
    ]
}

private func add(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    let found = try engine.setForWrite(request.key)
    let count = request.count - 2
    let set: OpenSet
    if let found {
        set = found.open()
        set.prepare(for: count)
    } else {
        set = engine.keyspace.insertSet(request.key, toHold: request[2], count: count)
    }
    var added = 0
    for index in 2..<request.count where set.add(request[index]) { added += 1 }
    if added > 0 { engine.changed(request.key, .set, "sadd", count: added) }
    reply.integer(added)
}

private func remove(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    guard let set = try engine.setForWrite(request.key)?.open() else { return reply.integer(0) }
    var removed = 0
    for index in 2..<request.count where set.remove(request[index]) {
        removed += 1
        if set.value.isEmpty { break }
    }
    if removed > 0 { engine.membersRemoved(removed, request.key, from: set, "srem") }
    reply.integer(removed)
}

private func move(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    let member = request[3]
    // The second lookup may remove an expired key, and with that move the first.
    _ = engine.lookupForWrite(request[2])
    guard let source = try engine.setForWrite(request[1]) else { return reply.integer(0) }
    let target = engine.keyspace.find(request[2])
    if let target, target.kind != .set { throw .wrongType }
    guard source.contains(member) else { return reply.integer(0) }
    if let target, target.key.equals(source.entry.key) { return reply.integer(1) }
    let opened = source.open()
    opened.remove(member)
    engine.membersRemoved(1, request[1], from: opened, "srem")
    let known = engine.keyspace.find(request[2])?.set.open()
    let set = known ?? engine.keyspace.insertSet(request[2], toHold: member)
    if set.add(member) { engine.changed(request[2], .set, "sadd") }
    reply.integer(1)
}

private func count(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    reply.integer(try engine.set(request.key)?.count ?? 0)
}

private func contains(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    let contains = try engine.set(request.key)?.contains(request[2]) ?? false
    reply.integer(contains ? 1 : 0)
}

private func containsMany(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    let set = try engine.set(request.key)
    reply.array(request.count - 2)
    for index in 2..<request.count {
        let contains = set?.contains(request[index]) ?? false
        reply.integer(contains ? 1 : 0)
    }
}

private func getAll(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    guard let set = try engine.set(request.key) else { return reply.set(0) }
    reply.set(set.count)
    set.forEachMember { reply.bulk($0) }
}

private func scan(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    _ = try request.cursor(2)
    var found = ScanResults(reply.protocolVersion)
    guard let set = try engine.set(request.key) else { return found.finish(0, &reply) }
    let options = try ScanOptions(request, cursorAt: 2, .set)
    let cursor = options.walk { cursor, visited in
        set.scan(cursor) { member in
            visited += 1
            if options.accepts(member) { found.add(member) }
        }
    }
    found.finish(cursor, &reply)
}

extension Engine {
    /// The set at `key` for a command that reads it.
    mutating func set(_ key: RawSpan) throws(CommandError) -> SetValue? {
        try lookup(key, .set)?.set
    }

    /// The set at `key` for a command that may change it.
    mutating func setForWrite(_ key: RawSpan) throws(CommandError) -> SetValue? {
        try lookupForWrite(key, .set)?.set
    }

    /// Notes that members were removed, and removes the key with the last of them.
    mutating func membersRemoved(
        _ count: Int,
        _ key: RawSpan,
        from set: OpenSet,
        _ event: StaticString
    ) {
        changed(key, .set, event, count: count)
        if set.value.isEmpty { removeEmptied(set.open.entry, key) }
    }
}
