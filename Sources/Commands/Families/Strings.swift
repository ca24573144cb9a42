import Bytes
import RESP
import Store

extension Command {
    static let strings: [Command] = [
        Command("delifeq", .exactly(3), keys: .first, [.write, .fast], removeIfEqual),
        Command("get", .exactly(2), keys: .first, [.readonly, .fast], get),
        Command("getdel", .exactly(2), keys: .first, [.write, .fast], getAndRemove),
        Command("getex", .atLeast(2), keys: .first, [.write, .fast], getAndSetDeadline),
        Command("getset", .exactly(3), keys: .first, [.write, .denyOOM, .fast], getAndSet),
        Command("mget", .atLeast(2), keys: .all, [.readonly, .fast], getMany),
        Command("mset", .atLeast(3), keys: .pairs, [.write, .denyOOM], setMany),
        Command("msetex", .atLeast(4), [.write, .denyOOM, .movableKeys], setManyWithDeadline),
        Command("msetnx", .atLeast(3), keys: .pairs, [.write, .denyOOM], setManyIfAbsent),
        Command("psetex", .exactly(4), keys: .first, [.write, .denyOOM], setWithMilliseconds),
        Command("set", .atLeast(3), keys: .first, [.write, .denyOOM], set),
        Command("setex", .exactly(4), keys: .first, [.write, .denyOOM], setWithSeconds),
        Command("setnx", .exactly(3), keys: .first, [.write, .denyOOM, .fast], setIfAbsent),
    ]
}

extension Command.KeyPositions {
    /// Every other argument, values between them.
    fileprivate static let pairs = Command.KeyPositions(1, -1, 2)
}

private func get(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    guard let entry = try engine.lookup(request.key, .string) else { return reply.null() }
    reply.bulk(entry.bytes)
}

private func getMany(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    reply.array(request.count - 1)
    for index in 1..<request.count {
        if let entry = engine.lookup(request[index]), entry.kind == .string {
            reply.bulk(entry.bytes)
        } else {
            reply.null()
        }
    }
}

private func getAndRemove(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    guard let entry = try engine.lookup(request.key, .string) else { return reply.null() }
    reply.bulk(entry.bytes)
    engine.keyspace.remove(entry)
    engine.writeRemoval(request.key)
    engine.changed(request.key, .generic, "del")
}

private func removeIfEqual(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    guard let entry = try engine.lookupForWrite(request.key, .string),
        entry.bytes.equals(request[2])
    else { return reply.integer(0) }
    engine.keyspace.remove(entry)
    engine.writeRemoval(request.key)
    engine.changed(request.key, .generic, "del")
    reply.integer(1)
}

private func getAndSet(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    if let entry = try engine.lookup(request.key, .string) {
        reply.bulk(entry.bytes)
    } else {
        reply.null()
    }
    engine.setString(request.key, request[2])
    engine.writeSet(request.key, request[2])
    engine.changed(request.key, .string, "set")
}

private func getAndSetDeadline(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    var option = DeadlineOption()
    var index = 2
    while index < request.count {
        guard option.take(request, &index, persist: true) else { throw .syntax }
        index += 1
    }
    let deadline = try option.moment(request, now: engine.dataSet.now, command: "getex")
    guard let entry = try engine.lookup(request.key, .string) else { return reply.null() }
    reply.bulk(entry.bytes)
    if let deadline {
        if engine.isPast(deadline) { return engine.removeAsExpired(entry, request.key) }
        entry.open().setDeadline(deadline)
        engine.writeDeadline(request.key, deadline)
        engine.changed(request.key, .generic, "expire")
    } else if option.choice == .persist, entry.deadline != nil {
        entry.open().setDeadline(nil)
        engine.writeDeadline(request.key, nil)
        engine.changed(request.key, .generic, "persist")
    }
}

private func set(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    guard request.count == 3 else { return try setWithOptions(request, &engine, &reply) }
    engine.setString(request.key, request[2])
    engine.changed(request.key, .string, "set")
    reply.ok()
}

/// When a string may be set.
private enum Condition: Equatable {
    case always
    case ifAbsent
    case ifPresent
    /// If the key holds what this argument says.
    case ifEqual(Int)
}

/// What follows key and value of SET.
private struct SetOptions {
    var condition = Condition.always
    var deadline = DeadlineOption()
    var repliesOldValue = false

    init(_ request: borrowing Request) throws(CommandError) {
        var index = 3
        while index < request.count {
            if request.is(index, "nx"), condition == .always || condition == .ifAbsent {
                condition = .ifAbsent
            } else if request.is(index, "xx"), condition == .always || condition == .ifPresent {
                condition = .ifPresent
            } else if request.is(index, "ifeq"), condition == .always, index + 1 < request.count {
                index += 1
                condition = .ifEqual(index)
            } else if request.is(index, "get") {
                repliesOldValue = true
            } else if !deadline.take(request, &index, keep: true) {
                throw .syntax
            }
            index += 1
        }
    }

    func allows(_ entry: Entry?, _ request: borrowing Request) throws(CommandError) -> Bool {
        switch condition {
        case .always: return true
        case .ifAbsent: return entry == nil
        case .ifPresent: return entry != nil
        case .ifEqual(let index):
            guard let entry else { return false }
            guard entry.kind == .string else { throw .wrongType }
            return entry.bytes.equals(request[index])
        }
    }
}

private func setWithOptions(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    let options = try SetOptions(request)
    let deadline = try options.deadline.moment(request, now: engine.dataSet.now, command: "set")
    if options.repliesOldValue {
        if let old = try engine.lookup(request.key, .string) {
            reply.bulk(old.bytes)
        } else {
            reply.null()
        }
    }
    let entry = engine.lookupForWrite(request.key)
    guard try options.allows(entry, request) else {
        if !options.repliesOldValue { reply.null() }
        return
    }
    engine.setString(
        request,
        deadline,
        keepsDeadline: options.deadline.choice == .keep,
        valueIndex: 2
    )
    if !options.repliesOldValue { reply.ok() }
}

private func setIfAbsent(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    guard engine.lookupForWrite(request.key) == nil else { return reply.integer(0) }
    engine.keyspace.setString(request.key, request[2])
    engine.changed(request.key, .string, "set")
    reply.integer(1)
}

private func setWithSeconds(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    let option = DeadlineOption(.seconds, at: 2)
    let deadline = try option.moment(request, now: engine.dataSet.now, command: "setex")
    engine.setString(request, deadline, valueIndex: 3)
    reply.ok()
}

private func setWithMilliseconds(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    let option = DeadlineOption(.milliseconds, at: 2)
    let deadline = try option.moment(request, now: engine.dataSet.now, command: "psetex")
    engine.setString(request, deadline, valueIndex: 3)
    reply.ok()
}

private func setMany(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    guard request.count % 2 == 1 else { throw .wrongArity(command: "mset") }
    engine.setStrings(request)
    reply.ok()
}

private func setManyIfAbsent(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    guard request.count % 2 == 1 else { throw .wrongArity(command: "msetnx") }
    for index in stride(from: 1, to: request.count, by: 2)
    where engine.lookupForWrite(request[index]) != nil {
        return reply.integer(0)
    }
    engine.setStrings(request)
    reply.integer(1)
}

private func setManyWithDeadline(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    guard let number = DecimalText.parseInteger(request[1]), number > 0, number <= Int32.max else {
        throw .text("ERR invalid numkeys value or out of range")
    }
    let end = 2 + 2 * Int(number)
    guard end <= request.count else { throw .syntax }
    var condition = Condition.always
    var option = DeadlineOption()
    var index = end
    while index < request.count {
        if request.is(index, "nx"), condition != .ifPresent {
            condition = .ifAbsent
        } else if request.is(index, "xx"), condition != .ifAbsent {
            condition = .ifPresent
        } else if !option.take(request, &index, keep: true) {
            throw .syntax
        }
        index += 1
    }
    let deadline = try option.moment(request, now: engine.dataSet.now, command: "msetex")
    if condition != .always {
        for index in stride(from: 2, to: end, by: 2)
        where (engine.lookupForWrite(request[index]) != nil) == (condition == .ifAbsent) {
            return reply.integer(0)
        }
    }
    // The effects of one command are replayed as a whole or not at all.
    let isOutermost = !engine.effects.isInTransaction
    if isOutermost { engine.effects.beginTransaction() }
    for index in stride(from: 2, to: end, by: 2) {
        engine.setString(
            request,
            deadline,
            keepsDeadline: option.choice == .keep,
            removesPast: false,
            keyIndex: index,
            valueIndex: index + 1
        )
    }
    if isOutermost { engine.effects.endTransaction() }
    reply.integer(1)
}

extension Engine {
    /// Sets `key` to a string, whatever it held.
    ///
    /// Without a new deadline, the one that the key had goes away, unless it is kept.
    fileprivate mutating func setString(
        _ key: RawSpan,
        _ value: RawSpan,
        deadline: Int64? = nil,
        keepsDeadline: Bool = false
    ) {
        guard let entry = lookupForWrite(key) else {
            return keyspace.setString(key, value, deadline: deadline)
        }
        let isEmbedded =
            entry.deadline == nil || Entry.embeds(value, under: key, besideDeadline: true)
        let open = entry.open()
        open.setString(value, as: isEmbedded ? .whole : .edited)
        if !keepsDeadline { open.setDeadline(deadline) }
    }

    /// Sets a string as a request with options asks, with all that follows from it.
    ///
    /// A deadline that is past removes the key, or expires it when somebody looks next.
    fileprivate mutating func setString(
        _ request: borrowing Request,
        _ deadline: Int64?,
        keepsDeadline: Bool = false,
        removesPast: Bool = true,
        keyIndex: Int = 1,
        valueIndex: Int
    ) {
        let key = request[keyIndex]
        let value = request[valueIndex]
        if removesPast, let deadline, isPast(deadline) {
            hasWrittenEffects = true
            if let entry = lookupForWrite(key) { removeAsExpired(entry, key) }
            return
        }
        setString(key, value, deadline: deadline, keepsDeadline: keepsDeadline)
        writeSet(key, value, deadline: deadline, keepsDeadline: keepsDeadline)
        changed(key, .string, "set")
        if deadline != nil, !gates.isEmpty {
            announce(key, .generic, "expire", in: keyspace)
        }
    }

    /// Sets every key to the argument that follows it.
    fileprivate mutating func setStrings(_ request: borrowing Request) {
        for index in stride(from: 1, to: request.count, by: 2) {
            setString(request[index], request[index + 1])
            changed(request[index], .string, "set")
        }
    }
}
