import Bytes
import RESP
import Store

extension Command {
    static let keys: [Command] = [
        Command("del", .atLeast(2), keys: .all, [.write], del),
        Command("unlink", .atLeast(2), keys: .all, [.write, .fast], del),
        Command("exists", .atLeast(2), keys: .all, [.readonly, .fast], exists),
        Command("touch", .atLeast(2), keys: .all, [.readonly, .fast], touch),
        Command("type", .exactly(2), keys: .first, [.readonly, .fast], type),
        Command("rename", .exactly(3), keys: .firstTwo, [.write], rename),
        Command("renamenx", .exactly(3), keys: .firstTwo, [.write, .fast], renameIfAbsent),
        Command("copy", .atLeast(3), keys: .firstTwo, [.write, .denyOOM], copy),
        Command("move", .exactly(3), keys: .first, [.write, .fast], move),
        Command("randomkey", .exactly(1), [.readonly], randomKey),
        Command("keys", .exactly(2), [.readonly], keysMatching),
        Command("dbsize", .exactly(1), [.readonly, .fast], databaseSize),
        Command(
            container: "object",
            [
                Command("object|encoding", .exactly(3), keys: .second, [.readonly], encoding),
                Command("object|freq", .exactly(3), keys: .second, [.readonly], frequency),
                Command("object|idletime", .exactly(3), keys: .second, [.readonly], idleTime),
                Command("object|refcount", .exactly(3), keys: .second, [.readonly], references),
                Command("object|help", .exactly(2), [.loading, .stale], objectHelp),
            ]
        ),
    ]
}

private func del(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    var removed = 0
    for index in 1..<request.count {
        let key = request[index]
        guard let entry = engine.liveEntry(key) else { continue }
        engine.keyspace.remove(entry)
        engine.changed(key, .generic, "del")
        removed += 1
    }
    reply.integer(removed)
}

private func exists(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    var found = 0
    for index in 1..<request.count where engine.peek(request[index]) != nil { found += 1 }
    reply.integer(found)
}

private func touch(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    var touched = 0
    for index in 1..<request.count {
        guard let entry = engine.peek(request[index]) else { continue }
        // Counts as a use even for a client that asked for NO-TOUCH.
        entry.touch()
        touched += 1
    }
    reply.integer(touched)
}

private func type(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    guard let entry = engine.peek(request.key) else { return reply.status("none") }
    guard let name = engine.serializer.moduleName(of: entry) else {
        return reply.status(entry.kind.name)
    }
    reply.status(ByteString(name).bytes)
}

private func rename(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    if try engine.rename(request.key, to: request[2], replacing: true) { reply.ok() }
}

private func renameIfAbsent(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    reply.integer(try engine.rename(request.key, to: request[2], replacing: false) ? 1 : 0)
}

extension Engine {
    /// Gives a key another name; false if that is taken and shall not be replaced.
    fileprivate mutating func rename(
        _ old: RawSpan,
        to new: RawSpan,
        replacing: Bool
    ) throws(CommandError) -> Bool {
        guard lookupForWrite(old) != nil else { throw .noSuchKey }
        if old.equals(new) { return replacing }
        if let taken = liveEntry(new) {
            guard replacing else { return false }
            keyspace.remove(taken)
        }
        // Found again: removing what was there may have moved it.
        guard let entry = keyspace.find(old) else { throw .noSuchKey }
        keyspace.move(entry, to: new, in: keyspace)
        announceArrival(of: new, in: keyspace)
        changed(old, .generic, "rename_from", count: 0)
        changed(new, .generic, "rename_to")
        return true
    }
}

private func copy(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    let source = engine.keyspace
    var destination = source
    var replaces = false
    var index = 3
    while index < request.count {
        if request.is(index, "replace") {
            replaces = true
        } else if request.is(index, "db"), index + 1 < request.count {
            index += 1
            destination = try engine.database(request, index)
        } else {
            throw .syntax
        }
        index += 1
    }
    let key = request[2]
    if destination.number == source.number, request.key.equals(key) {
        throw .text("ERR source and destination objects are the same")
    }
    guard let original = engine.lookup(request.key) else { return reply.integer(0) }
    guard original.kind != .module else { throw .text("ERR not supported for this module key") }
    if let taken = engine.liveEntry(key, in: destination) {
        guard replaces else { return reply.integer(0) }
        destination.remove(taken)
    }
    guard let entry = source.find(request.key) else { return reply.integer(0) }
    source.copy(entry, to: key, in: destination)
    engine.announceArrival(of: key, in: destination)
    engine.changed(key, .generic, "copy_to", in: destination)
    reply.integer(1)
}

private func move(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    let source = engine.keyspace
    let destination = try engine.database(request, 2)
    guard destination.number != source.number else {
        throw .text("ERR source and destination objects are the same")
    }
    guard engine.lookupForWrite(request.key) != nil else { return reply.integer(0) }
    guard engine.liveEntry(request.key, in: destination) == nil,
        let entry = source.find(request.key)
    else { return reply.integer(0) }
    source.move(entry, to: request.key, in: destination)
    engine.announceArrival(of: request.key, in: destination)
    engine.changed(request.key, .generic, "move_from", count: 0)
    engine.changed(request.key, .generic, "move_to", in: destination)
    reply.integer(1)
}

private func randomKey(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    while let entry = engine.keyspace.randomEntry() {
        guard entry.isExpired else { return reply.bulk(entry.key) }
        engine.expire(entry)
    }
    reply.null()
}

private func keysMatching(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    let pattern = GlobPattern(request[1])
    let mark = reply.beginArray()
    var count = 0
    engine.keyspace.forEachEntry { entry in
        guard !entry.isExpired, pattern.matchesEverything || pattern.matches(entry.key) else {
            return
        }
        reply.bulk(entry.key)
        count += 1
    }
    reply.endArray(mark, count: count)
}

private func databaseSize(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    reply.integer(engine.keyspace.count)
}

private func encoding(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    guard let entry = engine.peek(request[2], announcesMiss: false) else { return reply.null() }
    reply.bulk(entry.encodingName)
}

private func frequency(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    guard let entry = engine.peek(request[2], announcesMiss: false) else { return reply.null() }
    guard engine.dataSet.countsAccesses else {
        throw .text(
            "ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please "
                + "note that when switching between policies at runtime LRU and LFU data will "
                + "take some time to adjust."
        )
    }
    reply.integer(entry.frequency)
}

private func idleTime(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    guard let entry = engine.peek(request[2], announcesMiss: false) else { return reply.null() }
    guard !engine.dataSet.countsAccesses else {
        throw .text(
            "ERR An LFU maxmemory policy is selected, idle time not tracked. Please note that "
                + "when switching between policies at runtime LRU and LFU data will take some "
                + "time to adjust."
        )
    }
    reply.integer(entry.idleSeconds)
}

private func references(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    guard engine.peek(request[2], announcesMiss: false) != nil else { return reply.null() }
    reply.integer(1)
}

private func objectHelp(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    reply.help(
        "OBJECT",
        [
            "ENCODING <key>",
            "    Return the kind of internal representation used in order to store the value",
            "    associated with a <key>.",
            "FREQ <key>",
            "    Return the access frequency index of the <key>. The returned integer is",
            "    proportional to the logarithm of the recent access frequency of the key.",
            "IDLETIME <key>",
            "    Return the idle time of the <key>, that is the approximated number of",
            "    seconds elapsed since the last access to the key.",
            "REFCOUNT <key>",
            "    Return the number of references of the value associated with the specified",
            "    <key>.",
        ]
    )
}
