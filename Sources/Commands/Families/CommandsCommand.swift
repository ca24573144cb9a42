import Bytes
import RESP
import Store

extension Command {
    /// COMMAND: what there is to know of the commands.
    static let commands: [Command] = [
        Command(
            "command",
            .atLeast(1),
            asking,
            subcommands: [
                Command("command|count", .exactly(2), asking, count),
                Command("command|list", .atLeast(2), asking, list),
                Command("command|info", .atLeast(2), asking, describeSome),
                Command("command|docs", .atLeast(2), asking, documentation),
                Command("command|getkeys", .atLeast(3), asking, getKeys),
                Command("command|getkeysandflags", .atLeast(3), asking, getKeysAndFlags),
                Command("command|help", .exactly(2), asking, commandHelp),
            ],
            describeAll
        )
    ]

    private static let asking: Flags = [.loading, .stale]
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
    let filter = try CommandFilter(request)
    let mark = reply.beginArray()
    var count = 0
    for index in 0..<engine.table.count {
        // Only those who look for something find subcommands, too.
        let rows = [index] + (filter.isEmpty ? [] : Array(engine.table.subcommands(of: index)))
        for row in rows where filter.admits(engine.table[row]) {
            reply.bulk(engine.table[row].name)
            count += 1
        }
    }
    reply.endArray(mark, count: count)
}

/// COMMAND LIST FILTERBY.
private enum CommandFilter {
    case all
    /// No command comes from a module.
    case none
    case category(String)
    case pattern(ByteString)

    init(_ request: borrowing Request) throws(CommandError) {
        guard request.count > 2 else {
            self = .all
            return
        }
        guard request.count == 5, request.is(2, "filterby") else { throw .syntax }
        if request.is(3, "module") {
            self = .none
        } else if request.is(3, "aclcat") {
            self = .category(request[4].text.lowercased())
        } else if request.is(3, "pattern") {
            self = .pattern(ByteString(request[4]))
        } else {
            throw .syntax
        }
    }

    var isEmpty: Bool {
        if case .all = self { true } else { false }
    }

    func admits(_ command: Command) -> Bool {
        switch self {
        case .all: true
        case .none: false
        case .category(let name): command.categories.contains(name)
        case .pattern(let pattern):
            GlobPattern(pattern.bytes, ignoringCase: true)
                .matches(ByteString(command.name).bytes)
        }
    }
}

private func documentation(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    var rows = Array(0..<engine.table.count)
    if request.count > 2 {
        rows = []
        for index in 2..<request.count {
            if let row = engine.table.find(fullName: request[index]) { rows.append(row) }
        }
    }
    reply.map(rows.count)
    for row in rows { reply.document(engine.table[row]) }
}

private func getKeys(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    let asked = RequestBuffer(tailOf: request, from: 2)
    let keys = try engine.keys(of: asked.request)
    reply.array(keys.count)
    for key in keys { reply.bulk(asked.request[key.index]) }
}

private func getKeysAndFlags(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    let asked = RequestBuffer(tailOf: request, from: 2)
    let keys = try engine.keys(of: asked.request)
    reply.array(keys.count)
    for key in keys {
        reply.array(2)
        reply.bulk(asked.request[key.index])
        reply.set(key.flags.count)
        for flag in key.flags { reply.status(flag) }
    }
}

extension RequestBuffer {
    /// A request that is told as the last arguments of another.
    fileprivate init(tailOf request: borrowing Request, from start: Int) {
        self.init()
        for index in start..<request.count { append(request[index]) }
    }
}

extension Engine {
    /// The keys of a request that is not executed.
    fileprivate func keys(
        of request: borrowing Request
    ) throws(CommandError) -> [(index: Int, flags: [StaticString])] {
        guard let row = table.find(request) else {
            throw .text("ERR Invalid command specified")
        }
        let command = table[row]
        guard !command.facts.keySpecs.allSatisfy({ $0.isNoKey }) else {
            throw .text("ERR The command has no key arguments")
        }
        guard table.allows(request.count, at: row) else {
            throw .text("ERR Invalid number of arguments specified for command")
        }
        var found: [Int] = []
        guard command.forEachKey(in: request, { found.append($0) }) || command.mayHaveNoKeys else {
            throw .text("ERR Invalid arguments specified for command")
        }
        return found.map { ($0, command.keyFlags(at: $0, in: request)) }
    }
}

extension Command {
    /// Whether it makes sense without keys, as a script does.
    fileprivate var mayHaveNoKeys: Bool { flags.contains(.noMandatoryKeys) }
}

extension ReplyWriter {
    /// A row as COMMAND tells it.
    fileprivate mutating func describe(_ command: Command) {
        let facts = command.facts
        array(10)
        bulk(command.name)
        integer(command.arity.number)
        let flags = command.flags.names
        set(flags.count)
        for flag in flags { status(flag) }
        integer(command.keys.first)
        integer(command.keys.last)
        integer(command.keys.step)
        let categories = command.categories
        set(categories.count)
        for category in categories { status(ByteString("@\(category)").bytes) }
        set(facts.tips.count)
        for tip in facts.tips { bulk(tip) }
        set(facts.keySpecs.count)
        for spec in facts.keySpecs { describe(spec) }
        array(command.subcommands.count)
        for subcommand in command.subcommands { describe(subcommand) }
    }

    private mutating func describe(_ spec: KeySpec) {
        map(3)
        bulk("flags")
        set(spec.flags.count)
        for flag in spec.flags { status(flag) }
        bulk("begin_search")
        map(2)
        bulk("type")
        switch spec.search {
        case .index(let index):
            bulk("index")
            bulk("spec")
            numbers([("index", index)])
        case .keyword(let word, let start):
            bulk("keyword")
            bulk("spec")
            map(2)
            bulk("keyword")
            bulk(word)
            bulk("startfrom")
            integer(start)
        case .unknown:
            bulk("unknown")
            bulk("spec")
            map(0)
        }
        bulk("find_keys")
        map(2)
        bulk("type")
        switch spec.find {
        case .range(let last, let step, let limit):
            bulk("range")
            bulk("spec")
            numbers([("lastkey", last), ("keystep", step), ("limit", limit)])
        case .count(let step):
            bulk("keynum")
            bulk("spec")
            numbers([("keynumidx", 0), ("firstkey", 1), ("keystep", step)])
        case .unknown:
            bulk("unknown")
            bulk("spec")
            map(0)
        }
    }

    private mutating func numbers(_ numbers: [(name: StaticString, value: Int)]) {
        map(numbers.count)
        for number in numbers {
            bulk(number.name)
            integer(number.value)
        }
    }

    /// What COMMAND DOCS tells of a command, behind its name.
    fileprivate mutating func document(_ command: Command) {
        let facts = command.facts
        let told = CommandArguments.of(command.name)
        bulk(command.name)
        let mark = beginMap()
        var count = 3
        bulk("summary")
        bulk(facts.summary)
        bulk("since")
        bulk(facts.since)
        bulk("group")
        bulk(facts.group)
        if !told.complexity.isEmpty {
            count += 1
            bulk("complexity")
            bulk(told.complexity)
        }
        if !told.flags.isEmpty {
            count += 1
            bulk("doc_flags")
            set(told.flags.count)
            for flag in told.flags { status(ByteString(flag).bytes) }
        }
        if !told.arguments.isEmpty {
            count += 1
            document(told.arguments)
        }
        if !command.subcommands.isEmpty {
            count += 1
            bulk("subcommands")
            map(command.subcommands.count)
            for subcommand in command.subcommands { document(subcommand) }
        }
        endMap(mark, count: count)
    }

    private mutating func document(_ arguments: [CommandArgument]) {
        bulk("arguments")
        array(arguments.count)
        for argument in arguments { document(argument) }
    }

    private mutating func document(_ argument: CommandArgument) {
        let mark = beginMap()
        var count = 2
        bulk("name")
        bulk(argument.name)
        bulk("type")
        bulk(argument.type)
        if let keySpec = argument.keySpec {
            count += 1
            bulk("key_spec_index")
            integer(keySpec)
        }
        let texts: [(StaticString, String?)] = [
            ("display_text", argument.shownAs), ("token", argument.token),
            ("since", argument.since), ("deprecated_since", argument.deprecatedSince),
        ]
        for (name, text) in texts {
            guard let text else { continue }
            count += 1
            bulk(name)
            bulk(text)
        }
        if !argument.flags.isEmpty {
            count += 1
            bulk("flags")
            set(argument.flags.count)
            for flag in argument.flags { status(flag) }
        }
        if !argument.parts.isEmpty {
            count += 1
            document(argument.parts)
        }
        endMap(mark, count: count)
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
        (.asking, "asking"), (.fast, "fast"), (.noAuth, "no_auth"),
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
            "    Return what there is to know of all commands.",
            "COUNT",
            "    Return how many commands there are.",
            "LIST [FILTERBY (MODULE <module> | ACLCAT <category> | PATTERN <pattern>)]",
            "    Return the names of all commands, or of some.",
            "INFO [<command> ...]",
            "    Return what there is to know of each <command> (default: of all).",
            "DOCS [<command> ...]",
            "    Return what each <command> is for (default: of all).",
            "GETKEYS <request>",
            "    Return the keys in a request.",
            "GETKEYSANDFLAGS <request>",
            "    Return the keys in a request and what becomes of them.",
        ]
    )
}
