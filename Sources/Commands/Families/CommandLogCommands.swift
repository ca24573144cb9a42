import Bytes
import RESP

extension Command {
    /// COMMANDLOG, and SLOWLOG, which is its older part.
    static let commandLogs: [Command] = [
        Command(
            container: "commandlog",
            [
                Command("commandlog|get", .exactly(4), observing, getEntries),
                Command("commandlog|len", .exactly(3), observing, countEntries),
                Command("commandlog|reset", .exactly(3), observing, removeEntries),
                Command("commandlog|help", .exactly(2), [.loading, .stale], commandLogHelp),
            ]
        ),
        Command(
            container: "slowlog",
            [
                Command("slowlog|get", .atLeast(2), observing, getSlowest),
                Command("slowlog|len", .exactly(2), observing, countSlow),
                Command("slowlog|reset", .exactly(2), observing, removeSlow),
                Command("slowlog|help", .exactly(2), [.loading, .stale], slowLogHelp),
            ]
        ),
    ]

    private static let observing: Flags = [.admin, .loading, .stale]
}

extension Request {
    /// The kind of log that the argument at `index` names.
    fileprivate func logKind(_ index: Int) throws(CommandError) -> CommandLogs.Kind {
        for kind in CommandLogs.Kind.allCases where self.is(index, kind.name) { return kind }
        throw .text("ERR type should be one of the following: slow, large-request, large-reply")
    }

    /// How many entries the argument at `index` asks for; nil: all.
    fileprivate func logCount(_ index: Int) throws(CommandError) -> Int? {
        guard let count = DecimalText.parseInteger(self[index]), count >= -1 else {
            throw .text("ERR count should be greater than or equal to -1")
        }
        return count == -1 ? nil : Int(count)
    }
}

extension ReplyWriter {
    fileprivate mutating func entries(_ log: CommandLogs.Log, _ count: Int?) {
        let told = log.entries.prefix(count ?? log.entries.count)
        array(told.count)
        for entry in told {
            array(6)
            integer(entry.number)
            integer(entry.time)
            integer(entry.value)
            array(entry.arguments.count)
            for argument in entry.arguments { bulk(argument.bytes) }
            bulk(entry.address)
            bulk(entry.clientName.bytes)
        }
    }
}

private func getEntries(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    let count = try request.logCount(2)
    let kind = try request.logKind(3)
    reply.entries(engine.measures.logs[kind], count)
}

private func countEntries(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    reply.integer(engine.measures.logs[try request.logKind(2)].entries.count)
}

private func removeEntries(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    engine.measures.logs.removeAll(try request.logKind(2))
    reply.ok()
}

private func getSlowest(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    guard request.count <= 3 else { throw .unknownSubcommandOrArity(request) }
    let count = request.count == 3 ? try request.logCount(2) : 10
    reply.entries(engine.measures.logs[.slow], count)
}

private func countSlow(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    reply.integer(engine.measures.logs[.slow].entries.count)
}

private func removeSlow(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    engine.measures.logs.removeAll(.slow)
    reply.ok()
}

private func commandLogHelp(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    reply.help(
        "COMMANDLOG",
        [
            "GET <count> <type>",
            "    Return the latest <count> entries of a <type> (-1: all of them): number, time in",
            "    seconds, what was measured, arguments, address and name of the client.",
            "    Types and what they measure:",
            "    * slow: the time it took, in microseconds",
            "    * large-request: its size, in bytes",
            "    * large-reply: the size of its reply, in bytes",
            "LEN <type>",
            "    Return how many entries of a <type> there are.",
            "RESET <type>",
            "    Forget the entries of a <type>.",
        ]
    )
}

private func slowLogHelp(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    reply.help(
        "SLOWLOG",
        [
            "GET [<count>]",
            "    Return the latest <count> entries (default: 10, -1: all of them): number, time",
            "    in seconds, microseconds taken, arguments, address and name of the client.",
            "LEN",
            "    Return how many entries there are.",
            "RESET",
            "    Forget all entries.",
        ]
    )
}
