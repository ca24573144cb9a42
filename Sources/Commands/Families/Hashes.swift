import Bytes
import RESP
import Store

extension Command {
    static let hashes: [Command] = [
        Command("hdel", .atLeast(3), keys: .first, [.write, .fast], remove),
        Command("hexists", .exactly(3), keys: .first, [.readonly, .fast], exists),
        Command("hget", .exactly(3), keys: .first, [.readonly, .fast], get),
        Command("hgetall", .exactly(2), keys: .first, [.readonly], getAll),
        Command("hkeys", .exactly(2), keys: .first, [.readonly], getFields),
        Command("hlen", .exactly(2), keys: .first, [.readonly, .fast], count),
        Command("hmget", .atLeast(3), keys: .first, [.readonly, .fast], getMany),
        Command("hmset", .atLeast(4), keys: .first, [.write, .denyOOM, .fast], setMany),
        Command("hscan", .atLeast(3), keys: .first, [.readonly], scan),
        Command("hset", .atLeast(4), keys: .first, [.write, .denyOOM, .fast], set),
        Command("hsetnx", .exactly(4), keys: .first, [.write, .denyOOM, .fast], setIfAbsent),
        Command("hstrlen", .exactly(3), keys: .first, [.readonly, .fast], length),
        Command("hvals", .exactly(2), keys: .first, [.readonly], getValues),
    ]
}

private func get(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    guard let hash = try engine.hash(request.key), let value = hash.get(request[2]) else {
        return reply.null()
    }
    reply.bulk(value)
}

private func getMany(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    let hash = try engine.hash(request.key)
    reply.array(request.count - 2)
    for index in 2..<request.count {
        if let value = hash?.get(request[index]) {
            reply.bulk(value)
        } else {
            reply.null()
        }
    }
}

private func exists(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    reply.integer(try engine.hash(request.key)?.contains(request[2]) ?? false ? 1 : 0)
}

private func length(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    reply.integer(try engine.hash(request.key)?.get(request[2])?.byteCount ?? 0)
}

private func count(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    reply.integer(try engine.hash(request.key)?.count ?? 0)
}

private func getAll(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    guard let hash = try engine.hash(request.key) else { return reply.map(0) }
    let mark = reply.beginMap()
    if !hash.hasDeadlines { reply.map(hash.count) }
    var count = 0
    hash.forEachField { field, value in
        reply.bulk(field)
        reply.bulk(value)
        count += 1
    }
    if hash.hasDeadlines { reply.endMap(mark, count: count) }
}

private func getFields(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    guard let hash = try engine.hash(request.key) else { return reply.array(0) }
    let mark = reply.beginArray()
    if !hash.hasDeadlines { reply.array(hash.count) }
    var count = 0
    hash.forEachField { field, _ in
        reply.bulk(field)
        count += 1
    }
    if hash.hasDeadlines { reply.endArray(mark, count: count) }
}

private func getValues(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    guard let hash = try engine.hash(request.key) else { return reply.array(0) }
    let mark = reply.beginArray()
    if !hash.hasDeadlines { reply.array(hash.count) }
    var count = 0
    hash.forEachField { _, value in
        reply.bulk(value)
        count += 1
    }
    if hash.hasDeadlines { reply.endArray(mark, count: count) }
}

private func set(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    guard request.count % 2 == 0 else { throw .wrongArity(command: "hset") }
    reply.integer(try engine.setFields(request))
}

private func setMany(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    guard request.count % 2 == 0 else { throw .wrongArity(command: "hmset") }
    _ = try engine.setFields(request)
    reply.ok()
}

private func setIfAbsent(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    let found = try engine.hashForWrite(request.key)
    if let found, found.contains(request[2]) { return reply.integer(0) }
    let hash = found?.open() ?? engine.keyspace.insertHash(request.key)
    hash.set(request[2], request[3])
    engine.changed(request.key, .hash, "hset")
    reply.integer(1)
}

private func remove(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    guard let hash = try engine.hashForWrite(request.key)?.open() else { return reply.integer(0) }
    var removed = 0
    for index in 2..<request.count where hash.remove(request[index]) {
        removed += 1
        if hash.value.isEmpty { break }
    }
    if removed > 0 { engine.fieldsRemoved(removed, request.key, from: hash) }
    reply.integer(removed)
}

private func scan(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    _ = try request.cursor(2)
    var found = ScanResults(reply.protocolVersion)
    guard let hash = try engine.hash(request.key) else { return found.finish(0, &reply) }
    let options = try ScanOptions(request, cursorAt: 2, .hash)
    let cursor = options.walk { cursor, visited in
        hash.scan(cursor) { field, value in
            visited += 1
            guard options.accepts(field) else { return }
            found.add(field)
            if !options.isWithoutValues { found.add(value) }
        }
    }
    found.finish(cursor, &reply)
}

extension Engine {
    /// The hash at `key` for a command that reads it.
    mutating func hash(_ key: RawSpan) throws(CommandError) -> HashValue? {
        guard let hash = try lookup(key, .hash)?.hash else { return nil }
        return hash.hasDeadlines ? withoutExpiredFields(hash, key) : hash
    }

    /// The hash at `key` for a command that may change it.
    mutating func hashForWrite(_ key: RawSpan) throws(CommandError) -> HashValue? {
        guard let hash = try lookupForWrite(key, .hash)?.hash else { return nil }
        return hash.hasDeadlines ? withoutExpiredFields(hash, key) : hash
    }

    /// Sets the fields that follow the key of `request`; returns how many are new.
    fileprivate mutating func setFields(
        _ request: borrowing Request
    ) throws(CommandError) -> Int {
        let found = try hashForWrite(request.key)
        let hash = found?.open() ?? keyspace.insertHash(request.key)
        hash.prepare(for: request.count / 2 - 1)
        var added = 0
        for index in stride(from: 2, to: request.count, by: 2)
        where hash.set(request[index], request[index + 1]) {
            added += 1
        }
        changed(request.key, .hash, "hset", count: request.count / 2 - 1)
        return added
    }

    /// Notes that fields were removed, and removes the key with the last of them.
    mutating func fieldsRemoved(_ count: Int, _ key: RawSpan, from hash: OpenHash) {
        changed(key, .hash, "hdel", count: count)
        if hash.value.isEmpty { removeEmptied(hash.open.entry, key) }
    }
}
