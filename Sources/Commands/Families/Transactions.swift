import Bytes
import RESP
import Store

extension Command {
    static let transactions: [Command] = [
        Command("multi", .exactly(1), steering.union(.noMulti), multi),
        Command(
            "exec",
            .exactly(1),
            [.noScript, .loading, .stale, .skipSlowlog, .controlsTransaction],
            exec
        ),
        Command("discard", .exactly(1), steering.union(.controlsTransaction), discard),
        Command("watch", .atLeast(2), keys: .all, steering.union(.noMulti), watch),
        Command("unwatch", .exactly(1), steering, unwatch),
    ]

    private static let steering: Flags = [.noScript, .loading, .stale, .fast, .allowBusy]
}

private func multi(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    engine.sessions[engine.current].flags.insert(.queueing)
    reply.ok()
}

private func discard(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    guard engine.sessions[engine.current].flags.contains(.queueing) else {
        throw .text("ERR DISCARD without MULTI")
    }
    engine.endTransaction()
    reply.ok()
}

private func watch(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    // A transaction that will fail anyway needs to watch nothing more.
    if !engine.sessions[engine.current].flags.contains(.watchFailed) {
        for index in 1..<request.count { engine.watch(request[index]) }
    }
    reply.ok()
}

private func unwatch(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    engine.forgetWatches(of: engine.current)
    engine.sessions[engine.current].flags.remove(.watchFailed)
    reply.ok()
}

private func exec(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    let session = engine.current
    guard engine.sessions[session].flags.contains(.queueing) else {
        throw .text("ERR EXEC without MULTI")
    }
    let flags = engine.sessions[session].flags
    let isOutdated = flags.contains(.watchFailed) || engine.hasExpiredWatch(session)
    let queue = engine.sessions[session].details?.queue ?? []
    engine.endTransaction()
    if flags.contains(.transactionFailed) {
        throw .text("EXECABORT Transaction discarded because of previous errors.")
    }
    guard !isOutdated else { return reply.nullArray() }
    engine.execute(queue, &reply)
}

extension Engine {
    /// Executes the requests of a transaction, and writes their effects as a whole.
    fileprivate mutating func execute(_ queue: [QueuedRequest], _ reply: inout ReplyWriter) {
        sessions[current].flags.insert(.executing)
        effects.beginTransaction()
        reply.array(queue.count)
        for queued in queue {
            let buffer = queued.take()
            runMeasured(queued.command, buffer.request, &reply)
        }
        effects.endTransaction()
        sessions[current].flags.remove(.executing)
        // Each request has written its own effect; EXEC itself has none.
        hasWrittenEffects = true
    }
}
