import Bytes
import RESP
import Store

// Commands that take from one of several sorted sets, and those that wait.
extension Command {
    static let sortedSetPops: [Command] = [
        Command("zmpop", .atLeast(4), [.write, .movableKeys], popMany),
        Command(
            "bzpopmin",
            .atLeast(3),
            keys: .allButLast,
            [.write, .fast, .blocking],
            waitToPopLeast
        ),
        Command(
            "bzpopmax",
            .atLeast(3),
            keys: .allButLast,
            [.write, .fast, .blocking],
            waitToPopGreatest
        ),
        Command("bzmpop", .atLeast(5), [.write, .blocking, .movableKeys], waitToPopMany),
    ]
}

private func waitToPopLeast(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    try waitToPop(request, .least, &engine, &reply)
}

private func waitToPopGreatest(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    try waitToPop(request, .greatest, &engine, &reply)
}

private func waitToPop(
    _ request: borrowing Request,
    _ end: ScoreEnd,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    let last = request.count - 1
    let deadline = try engine.timeout(request, last)
    for index in 1..<last {
        guard let entry = try engine.lookupForWrite(request[index], .sortedSet) else { continue }
        reply.array(3)
        reply.bulk(request[index])
        engine.pop(1, from: entry, request[index], end, isPaired: false, &reply)
        return engine.writePop(request[index], end, count: 1)
    }
    guard engine.mayBlock else { return reply.nullArray() }
    engine.block(request, on: 1..<last, as: .sortedSet, until: deadline)
}

private func popMany(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    let options = try PopOptions<ScoreEnd>(request, 1)
    if try !engine.popMany(request, options, &reply) { reply.nullArray() }
}

private func waitToPopMany(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    let options = try PopOptions<ScoreEnd>(request, 2)
    let deadline = try engine.timeout(request, 1)
    if try engine.popMany(request, options, &reply) { return }
    guard engine.mayBlock else { return reply.nullArray() }
    engine.block(request, on: options.keys, as: .sortedSet, until: deadline)
}

extension Engine {
    /// Pops from the first sorted set that there is; false if there is none.
    fileprivate mutating func popMany(
        _ request: borrowing Request,
        _ options: PopOptions<ScoreEnd>,
        _ reply: inout ReplyWriter
    ) throws(CommandError) -> Bool {
        for index in options.keys {
            let key = request[index]
            guard let entry = try lookupForWrite(key, .sortedSet) else { continue }
            let count = min(options.count, entry.sortedSet.count)
            reply.array(2)
            reply.bulk(key)
            reply.array(count)
            pop(count, from: entry, key, options.end, isPaired: true, &reply)
            writePop(key, options.end, count: count)
            return true
        }
        return false
    }

    fileprivate mutating func writePop(_ key: RawSpan, _ end: ScoreEnd, count: Int) {
        hasWrittenEffects = true
        guard effects.begin(count == 1 ? 2 : 3, database: keyspace.number) else { return }
        effects.argument(end.popCommand)
        effects.argument(key)
        if count != 1 { effects.argument(Int64(count)) }
    }
}
