import Bytes
import RESP
import Store

extension Command {
    static let introspection: [Command] = [
        Command("info", .atLeast(1), [.loading, .stale], information),
        Command("time", .exactly(1), [.loading, .stale, .fast], time),
        Command("role", .exactly(1), [.noScript, .loading, .stale, .fast], role),
        Command("lolwut", .atLeast(1), [.readonly, .fast], lolwut),
        Command(
            container: "config",
            [
                Command("config|get", .atLeast(3), configuring, getConfiguration),
                Command("config|set", .atLeast(4), configuring, setConfiguration),
                Command("config|rewrite", .exactly(2), configuring, rewriteConfiguration),
                Command("config|resetstat", .exactly(2), configuring, resetStatistics),
                Command("config|help", .exactly(2), [.loading, .stale], configurationHelp),
            ]
        ),
        Command(
            container: "module",
            [
                Command("module|list", .exactly(2), [.admin, .noScript], listModules)
            ]
        ),
        Command(
            container: "acl",
            [
                Command("acl|whoami", .exactly(2), [.loading, .noScript, .stale], whoAmI)
            ]
        ),
    ]

    private static let configuring: Flags = [.admin, .noScript, .loading, .stale]
}

private func information(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    let sections = request.words(from: 1)
    reply.verbatim("txt", engine.host.information(sections, engine).bytes)
}

extension Request {
    /// Copies of the arguments from `start` on.
    func words(from start: Int) -> [ByteString] {
        (start..<max(count, start)).map { ByteString(self[$0]) }
    }
}

private func time(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    let now = engine.host.timeOfDay
    reply.array(2)
    reply.bulk(decimal: now / 1_000_000)
    reply.bulk(decimal: now % 1_000_000)
}

private func role(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    reply.array(3)
    reply.bulk("master")
    reply.integer(engine.host.replicationOffset)
    reply.array(0)
}

private func lolwut(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    let text = ByteString("\(Product.name) ver. \(Product.version)\n")
    reply.verbatim("txt", text.bytes)
}

private func getConfiguration(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    engine.host.getConfiguration(request.words(from: 2), &reply)
}

private func setConfiguration(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    guard request.count.isMultiple(of: 2) else {
        throw .wrongArity(command: "config|set")
    }
    let words = request.words(from: 2)
    let pairs = stride(from: 0, to: words.count, by: 2).map {
        (name: words[$0], value: words[$0 + 1])
    }
    try engine.host.setConfiguration(pairs, &engine)
    reply.ok()
}

private func rewriteConfiguration(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    try engine.host.rewriteConfiguration()
    reply.ok()
}

private func resetStatistics(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    let changes = engine.statistics.changes
    engine.statistics = Statistics()
    engine.statistics.changes = changes
    engine.host.resetStatistics(&engine)
    reply.ok()
}

private func configurationHelp(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    reply.help(
        "CONFIG",
        [
            "GET <pattern>",
            "    Return parameters matching the glob-like <pattern> and their values.",
            "SET <directive> <value>",
            "    Set the configuration <directive> to <value>.",
            "RESETSTAT",
            "    Reset statistics reported by the INFO command.",
            "REWRITE",
            "    Rewrite the configuration file.",
        ]
    )
}

private func listModules(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    reply.array(0)
}

private func whoAmI(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    reply.bulk("default")
}
