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
                Command("module|list", .exactly(2), [.admin, .noScript], listModules),
                Command("module|load", .atLeast(3), changingModules, refuseModules),
                Command("module|loadex", .atLeast(3), changingModules, refuseModules),
                Command("module|unload", .exactly(3), changingModules, refuseModules),
                Command("module|help", .exactly(2), [.loading, .stale], moduleHelp),
            ]
        ),
        Command(
            container: "acl",
            [
                Command("acl|whoami", .exactly(2), [.loading, .noScript, .stale], whoAmI)
            ]
        ),
    ]

    private static let changingModules: Flags = [.admin, .noScript, .noAsyncLoading]
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
    var columns: Int64 = 64
    var first = 1
    if request.count > 2, request.is(1, "version") {
        _ = try request.integer(2)
        first = 3
    }
    for index in first..<max(request.count, first) {
        guard let number = DecimalText.parseInteger(request[index]) else {
            throw .text("ERR Syntax error. Use: LOLWUT [columns rows] [real imaginary]")
        }
        if index == first { columns = min(max(number, 1), 160) }
    }
    let drawing = larderShelf(columns: Int(columns), engine.dataSet.random())
    let text = "\(drawing)\n\(Product.name) ver. \(Product.version)\n"
    reply.verbatim("txt", ByteString(text).bytes)
}

/// Jars on a shelf, filled by chance.
private func larderShelf(columns: Int, _ seed: UInt64) -> String {
    let jars = max(columns / 8, 1)
    let levels = (0..<jars).map { Int(truncatingIfNeeded: seed >> (2 * UInt64($0 % 32)) & 3) }
    var lines = ["  .--.  ", " _|__|_ "].map { String(repeating: $0, count: jars) }
    for height in (0..<4).reversed() {
        lines.append(levels.map { height <= $0 ? "|######|" : "|      |" }.joined())
    }
    lines.append(String(repeating: "'======'", count: jars))
    return lines.joined(separator: "\n") + "\n"
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
    guard request.count.isMultiple(of: 2) else { throw .syntax }
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
    engine.measures.reset()
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

private func refuseModules(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    throw .text("ERR MODULE command not allowed. Larder has no modules to load or unload.")
}

private func moduleHelp(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    reply.help("MODULE", ["LIST", "    Return the modules that are loaded: none."])
}

private func whoAmI(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    reply.bulk("default")
}
