import Bytes
import RESP
import Store

extension Command {
    static let connection: [Command] = [
        Command("ping", .atLeast(1), [.fast], ping),
        Command("echo", .exactly(2), [.fast, .loading, .stale], echo),
        Command("select", .exactly(2), [.loading, .stale, .fast], select),
    ]
}

private func ping(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    switch request.count {
    case 1: reply.status("PONG")
    case 2: reply.bulk(request[1])
    default: throw .wrongArity(command: "ping")
    }
}

private func echo(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    reply.bulk(request[1])
}

private func select(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    let number = try request.integer(1)
    guard number >= 0, number < engine.dataSet.databaseCount else { throw .databaseOutOfRange }
    engine.sessions[engine.current].database = Int(number)
    reply.ok()
}
