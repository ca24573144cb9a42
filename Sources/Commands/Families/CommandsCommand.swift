import Bytes
import RESP
import Store

extension Command {
    /// COMMAND: what there is to know of the commands.
    static let commands: [Command] = [
        Command(
            "command",
            .atLeast(1),
            [.loading, .stale],
            subcommands: [
                Command("command|count", .exactly(2), [.loading, .stale], count),
                Command("command|list", .atLeast(2), [.loading, .stale], list),
                Command("command|info", .atLeast(2), [.loading, .stale], describeSome),
                Command("command|docs", .atLeast(2), [.loading, .stale], documentation),
                Command("command|help", .exactly(2), [.loading, .stale], commandHelp),
            ],
            describeAll
        )
    ]
}

private func count(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    reply.integer(engine.table.count)
}

private func describeAll(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    reply.array(engine.table.count)
    for index in 0..<engine.table.count { reply.describe(engine.table[index]) }
}

private func describeSome(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    guard request.count > 2 else { return try describeAll(request, &engine, &reply) }
    reply.array(request.count - 2)
    for index in 2..<request.count {
        if let row = engine.table.find(fullName: request[index]) {
            reply.describe(engine.table[row])
        } else {
            reply.null()
        }
    }
}

private func list(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    reply.array(engine.table.count)
    for index in 0..<engine.table.count { reply.bulk(engine.table[index].name) }
}

private func documentation(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    reply.map(0)
}

extension ReplyWriter {
    /// A row as COMMAND tells it.
    fileprivate mutating func describe(_ command: Command) {
        array(10)
        bulk(command.name)
        integer(command.arity.number)
        let flags = command.flags.names
        set(flags.count)
        for flag in flags { status(flag) }
        integer(command.keys.first)
        integer(command.keys.last)
        integer(command.keys.step)
        set(0)
        array(0)
        array(0)
        array(command.subcommands.count)
        for subcommand in command.subcommands { describe(subcommand) }
    }
}

extension Command.Flags {
    /// As COMMAND spells them, in its order.
    var names: [StaticString] {
        Command.Flags.spellings.compactMap { contains($0.flag) ? $0.name : nil }
    }

    private static let spellings: [(flag: Command.Flags, name: StaticString)] = [
        (.write, "write"), (.readonly, "readonly"), (.denyOOM, "denyoom"),
        (.admin, "admin"), (.pubsub, "pubsub"), (.noScript, "noscript"),
        (.blocking, "blocking"), (.loading, "loading"), (.stale, "stale"),
        (.skipMonitor, "skip_monitor"), (.skipSlowlog, "skip_commandlog"),
        (.fast, "fast"), (.noAuth, "no_auth"), (.mayReplicate, "may_replicate"),
        (.noAsyncLoading, "no_async_loading"), (.noMulti, "no_multi"),
        (.movableKeys, "movablekeys"), (.allowBusy, "allow_busy"),
        (.noMandatoryKeys, "no_mandatory_keys"),
    ]
}

extension CommandTable {
    /// The row of `name`, or of a subcommand as `parent|child`.
    func find(fullName: RawSpan) -> Int? {
        for offset in 0..<fullName.byteCount where fullName.byte(at: offset) == UInt8(ascii: "|") {
            guard let parent = find(fullName.part(from: 0, count: offset)) else { return nil }
            let rest = fullName.part(from: offset + 1, count: fullName.byteCount - offset - 1)
            return find(rest, under: parent)
        }
        return find(fullName)
    }
}

private func commandHelp(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    reply.help(
        "COMMAND",
        [
            "(no subcommand)",
            "    Return details about all commands.",
            "COUNT",
            "    Return the total number of commands in this server.",
            "LIST",
            "    Return a list of all commands in this server.",
            "INFO [<command-name> ...]",
            "    Return details about multiple commands.",
            "    If no command names are given, documentation details for all",
            "    commands are returned.",
            "DOCS [<command-name> ...]",
            "    Return documentation details about multiple commands.",
            "    If no command names are given, documentation details for all",
            "    commands are returned.",
            "GETKEYS <full-command>",
            "    Return the keys from a full command.",
            "GETKEYSANDFLAGS <full-command>",
            "    Return the keys and the access flags from a full command.",
        ]
    )
}
