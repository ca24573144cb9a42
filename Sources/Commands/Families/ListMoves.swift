import Bytes
import RESP
import Store

// Commands that take from one of several lists or move from one to another, and those that wait.
extension Command {
    static let listMoves: [Command] = [
        Command("lmove", .exactly(5), keys: .firstTwo, [.write, .denyOOM], move),
        Command("rpoplpush", .exactly(3), keys: .firstTwo, [.write, .denyOOM], rotate),
        Command("lmpop", .atLeast(4), [.write, .movableKeys], popMany),
        Command("blpop", .atLeast(3), keys: .allButLast, [.write, .blocking], waitToPopLeft),
        Command("brpop", .atLeast(3), keys: .allButLast, [.write, .blocking], waitToPopRight),
        Command("blmove", .exactly(6), keys: .firstTwo, [.write, .denyOOM, .blocking], waitToMove),
        Command(
            "brpoplpush",
            .exactly(4),
            keys: .firstTwo,
            [.write, .denyOOM, .blocking],
            waitToRotate
        ),
        Command("blmpop", .atLeast(5), [.write, .blocking, .movableKeys], waitToPopMany),
    ]
}

private func move(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    let from = try request.listEnd(3)
    let to = try request.listEnd(4)
    if try !engine.move(request, from, to, &reply) { reply.null() }
}

private func rotate(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    if try !engine.move(request, .right, .left, &reply) { reply.null() }
}

private func waitToMove(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    let from = try request.listEnd(3)
    let to = try request.listEnd(4)
    try waitToMove(request, from, to, until: try engine.timeout(request, 5), &engine, &reply)
}

private func waitToRotate(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    let deadline = try engine.timeout(request, 3)
    try waitToMove(request, .right, .left, until: deadline, &engine, &reply)
}

private func waitToMove(
    _ request: borrowing Request,
    _ from: ListEnd,
    _ to: ListEnd,
    until deadline: Int64?,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    if try engine.move(request, from, to, &reply) { return engine.writeMove(request, from, to) }
    guard engine.mayBlock else { return reply.null() }
    engine.block(request, on: 1..<2, as: .list, until: deadline)
}

extension Engine {
    /// Moves an element from the list of the first key to that of the second, and replies with
    /// it; false if there is no list to take from.
    fileprivate mutating func move(
        _ request: borrowing Request,
        _ from: ListEnd,
        _ to: ListEnd,
        _ reply: inout ReplyWriter
    ) throws(CommandError) -> Bool {
        let sourceKey = request[1]
        let key = request[2]
        guard var source = try lookupForWrite(sourceKey, .list) else { return false }
        if sourceKey.equals(key) {
            moveWithin(source.open().list, from, to, &reply)
        } else {
            let before = (keys: keyspace.count, expired: statistics.expiredKeys)
            let destination =
                try lookupForWrite(key, .list)?.open().list ?? keyspace.insertList(key)
            // Another key has come or expired: the source may lie elsewhere now.
            if before != (keyspace.count, statistics.expiredKeys) {
                source = keyspace.find(sourceKey) ?? source
            }
            let list = source.list
            let index = from == .left ? 0 : list.count - 1
            destination.push(list.element(at: index), to)
            reply.bulk(list.element(at: index))
        }
        changed(key, .list, to.pushEvent, count: 0)
        guard sourceKey.equals(key) else {
            finishPop(1, of: source.list.count, source.open().list, source, sourceKey, from)
            return true
        }
        changed(sourceKey, .list, from.popEvent)
        return true
    }

    private func moveWithin(
        _ list: OpenList,
        _ from: ListEnd,
        _ to: ListEnd,
        _ reply: inout ReplyWriter
    ) {
        let count = list.value.count
        let index = from == .left ? 0 : count - 1
        reply.bulk(list.value.element(at: index))
        guard from != to, count > 1 else { return }
        let element = list.value.element(at: index).byteString
        list.remove(in: index..<(index + 1))
        list.push(.bytes(element.bytes), to)
    }

    fileprivate mutating func writeMove(
        _ request: borrowing Request,
        _ from: ListEnd,
        _ to: ListEnd
    ) {
        hasWrittenEffects = true
        guard effects.begin(5, database: keyspace.number) else { return }
        effects.argument("LMOVE")
        effects.argument(request[1])
        effects.argument(request[2])
        effects.argument(from.name)
        effects.argument(to.name)
    }

    fileprivate mutating func writePop(_ key: RawSpan, _ end: ListEnd, count: Int) {
        hasWrittenEffects = true
        guard effects.begin(count == 1 ? 2 : 3, database: keyspace.number) else { return }
        effects.argument(end == .left ? "LPOP" : "RPOP")
        effects.argument(key)
        if count != 1 { effects.argument(Int64(count)) }
    }
}

extension OpenList {
    fileprivate func push(_ element: borrowing PackedValue, _ end: ListEnd) {
        prepare(toAdd: 1, byteCount: element.byteCount)
        switch element {
        case .bytes(let bytes): push(bytes, end)
        case .integer(let integer): DecimalText.withText(of: integer) { push($0, end) }
        }
    }
}

private func waitToPopLeft(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    try waitToPop(request, .left, &engine, &reply)
}

private func waitToPopRight(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    try waitToPop(request, .right, &engine, &reply)
}

private func waitToPop(
    _ request: borrowing Request,
    _ end: ListEnd,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    let last = request.count - 1
    let deadline = try engine.timeout(request, last)
    for index in 1..<last {
        guard let entry = try engine.lookupForWrite(request[index], .list) else { continue }
        reply.array(2)
        reply.bulk(request[index])
        engine.popOne(from: entry, request[index], end, &reply)
        return engine.writePop(request[index], end, count: 1)
    }
    guard engine.mayBlock else { return reply.nullArray() }
    engine.block(request, on: 1..<last, as: .list, until: deadline)
}

private func popMany(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    let options = try PopOptions<ListEnd>(request, 1)
    if try !engine.popMany(request, options, &reply) { reply.nullArray() }
}

private func waitToPopMany(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    let options = try PopOptions<ListEnd>(request, 2)
    let deadline = try engine.timeout(request, 1)
    if try engine.popMany(request, options, &reply) { return }
    guard engine.mayBlock else { return reply.nullArray() }
    engine.block(request, on: options.keys, as: .list, until: deadline)
}

extension Engine {
    /// Pops from the first list that there is; false if there is none.
    fileprivate mutating func popMany(
        _ request: borrowing Request,
        _ options: PopOptions<ListEnd>,
        _ reply: inout ReplyWriter
    ) throws(CommandError) -> Bool {
        for index in options.keys {
            guard let entry = try lookupForWrite(request[index], .list) else { continue }
            let count = min(options.count, entry.list.count)
            reply.array(2)
            reply.bulk(request[index])
            pop(count, from: entry, request[index], options.end, &reply)
            writePop(request[index], options.end, count: count)
            return true
        }
        return false
    }
}
