import Bytes
import RESP
import Store

extension Command {
    static let persistence: [Command] = [
        Command("save", .exactly(1), [.admin, .noScript, .noAsyncLoading, .noMulti], save),
        Command("bgsave", .atLeast(1), [.admin, .noScript, .noAsyncLoading], startSave),
        Command("lastsave", .exactly(1), [.loading, .stale, .fast], lastSave),
        Command(
            "bgrewriteaof",
            .exactly(1),
            [.admin, .noScript, .noAsyncLoading],
            startCompaction
        ),
        Command(
            "shutdown",
            .atLeast(1),
            [.admin, .noScript, .loading, .stale, .noMulti, .allowBusy],
            shutDown
        ),
    ]
}

private func save(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    try engine.host.save(&engine)
    reply.ok()
}

private func startSave(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    guard request.count <= 2 else { throw .syntax }
    if request.count == 2, request.is(1, "cancel") {
        return reply.status(try engine.host.cancelSave(&engine))
    }
    guard request.count == 1 || request.is(1, "schedule") else { throw .syntax }
    let status = try engine.host.startSave(&engine, schedule: request.count == 2)
    reply.status(engine.isExecutingTransaction ? "Background saving scheduled" : status)
}

private func lastSave(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    reply.integer(engine.host.lastSave)
}

private func startCompaction(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    let status = try engine.host.startCompaction(&engine)
    let scheduled: StaticString = "Background append only file rewriting scheduled"
    reply.status(engine.isExecutingTransaction ? scheduled : status)
}

private func shutDown(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    let wanted = try ShutdownRequest(request)
    try engine.host.shutdown(&engine, wanted)
    // Who asked for it learns from the end of the connection that it has come.
    if wanted.abort { reply.ok() } else { engine.outcome = .close }
}

extension ShutdownRequest {
    fileprivate init(_ request: borrowing Request) throws(CommandError) {
        var isNoSave = false
        var isSave = false
        for index in 1..<request.count {
            if request.is(index, "nosave") {
                isNoSave = true
            } else if request.is(index, "save") {
                isSave = true
            } else if request.is(index, "now") {
                now = true
            } else if request.is(index, "force") {
                force = true
            } else if request.is(index, "abort") {
                abort = true
            } else {
                throw .syntax
            }
        }
        guard !(isSave && isNoSave), !abort || request.count == 2 else { throw .syntax }
        if isSave || isNoSave { save = isSave }
    }
}

extension Engine {
    /// Whether what is started now begins behind EXEC, of which a client is told.
    fileprivate var isExecutingTransaction: Bool {
        sessions[current].flags.contains(.executing)
    }
}
