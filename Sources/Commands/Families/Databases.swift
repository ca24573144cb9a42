import Bytes
import RESP
import Store

extension Command {
    static let databases: [Command] = [
        Command("flushdb", .atLeast(1), [.write], flushDatabase),
        Command("flushall", .atLeast(1), [.write], flushAll),
        Command("swapdb", .exactly(3), [.write, .fast], swapDatabases),
    ]
}

private func flushDatabase(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    try checkFlushMode(request)
    engine.flush(engine.keyspace)
    engine.writeFlush(request)
    engine.invalidateAll()
    reply.ok()
}

private func flushAll(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    try checkFlushMode(request)
    for number in 0..<engine.dataSet.databaseCount { engine.flush(engine.dataSet[number]) }
    engine.writeFlush(request)
    engine.invalidateAll()
    if !engine.isReplaying { engine.host.saveFlushed(&engine) }
    reply.ok()
}

/// Takes SYNC and ASYNC, which are the same here: the memory is freed in steps in either case.
private func checkFlushMode(_ request: borrowing Request) throws(CommandError) {
    switch request.count {
    case 1: return
    case 2 where request.is(1, "sync") || request.is(1, "async"): return
    default: throw .syntax
    }
}

extension Engine {
    /// Removes all data, and lets `load` execute the requests that make other data.
    ///
    /// For the middle of a request. What is executed meanwhile is not counted, has no effects,
    /// and is nobody's business but for its result: keys that are watched, cached or waited for
    /// are taken for changed.
    package mutating func replaceData<Result, Failure: Error>(
        _ load: (inout Engine) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let (session, gates) = (current, self.gates)
        let (outcome, statistics) = (self.outcome, self.statistics)
        for number in 0..<dataSet.databaseCount { flush(dataSet[number]) }
        invalidateAll()
        functionLibraries.removeAll()
        moduleData.removeAll()
        var effects = Effects()
        Swift.swap(&effects, &self.effects)
        self.gates = []
        defer {
            current = session
            keyspace = dataSet[sessions[session].database]
            self.gates = gates
            self.outcome = outcome
            self.statistics = statistics
            Swift.swap(&effects, &self.effects)
            hasWrittenEffects = true
            for number in 0..<dataSet.databaseCount where gates.contains(.waiting) {
                blocked.noteAll(database: number)
            }
        }
        return try load(&self)
    }

    /// Writes a flush, of nothing, too: a replica may hold what this server does not.
    fileprivate mutating func writeFlush(_ request: borrowing Request) {
        hasWrittenEffects = true
        effects.append(request, database: keyspace.number)
    }

    fileprivate mutating func flush(_ keyspace: Keyspace) {
        statistics.changes += Int64(keyspace.count)
        if !gates.isEmpty { announceFlush(of: keyspace) }
        keyspace.removeAll()
    }
}

private func swapDatabases(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    guard let one = request.databaseNumber(1) else {
        throw .text("ERR invalid first DB index")
    }
    guard let other = request.databaseNumber(2) else {
        throw .text("ERR invalid second DB index")
    }
    _ = try engine.database(one)
    _ = try engine.database(other)
    if one != other {
        engine.swap(Int(one), Int(other))
    }
    engine.statistics.changes += 1
    reply.ok()
}

extension Engine {
    fileprivate mutating func swap(_ one: Int, _ other: Int) {
        if !gates.isEmpty { announceSwap(one, other) }
        dataSet.swap(one, other)
        keyspace = dataSet[sessions[current].database]
    }
}
