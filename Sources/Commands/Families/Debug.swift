import Bytes
import RESP
import Store

extension Command {
    static let debugging: [Command] = [
        Command("debug", .atLeast(2), [.admin, .noScript, .loading, .stale], debug)
    ]
}

/// Who may use DEBUG: `enable-debug-command`.
package enum DebugPermission: Sendable {
    case nobody
    /// Clients on the same machine.
    case local
    case everybody
}

private func debug(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    guard engine.mayDebug else {
        throw .text(
            "ERR DEBUG command not allowed. If the enable-debug-command option is set to "
                + "\"local\", you can run it from a local connection, otherwise you need to set "
                + "this option in the configuration file, and then restart the server."
        )
    }
    for deed in debugDeeds where request.is(1, deed.name) {
        guard deed.argumentCount.contains(request.count - 2) else { break }
        return try deed.run(request, &engine, &reply)
    }
    guard isWithoutMeaningHere(request) else { throw .unknownSubcommandOrArity(request) }
    reply.ok()
}

/// What DEBUG can do.
private struct DebugDeed: Sendable {
    let name: StaticString
    /// How many arguments may follow the name.
    let argumentCount: ClosedRange<Int>
    let help: [StaticString]
    let run: Handler

    init(
        _ name: StaticString,
        _ argumentCount: ClosedRange<Int>,
        help: [StaticString],
        _ run: @escaping Handler
    ) {
        self.name = name
        self.argumentCount = argumentCount
        self.help = help
        self.run = run
    }
}

private let debugDeeds: [DebugDeed] = [
    DebugDeed(
        "change-repl-id",
        0...0,
        help: ["CHANGE-REPL-ID", "    Accepted; there are no replicas to tell."]
    ) { _, _, reply throws(CommandError) in reply.ok() },
    DebugDeed(
        "config-rewrite-force-all",
        0...0,
        help: ["CONFIG-REWRITE-FORCE-ALL", "    Write the configuration to its file."]
    ) { _, engine, reply throws(CommandError) in
        try engine.host.rewriteConfiguration()
        reply.ok()
    },
    DebugDeed(
        "digest",
        0...0,
        help: ["DIGEST", "    Return a digest of all data, the same for the same content."],
        digest
    ),
    DebugDeed(
        "digest-value",
        0...(.max),
        help: ["DIGEST-VALUE <key> [<key> ...]", "    Return a digest of each value."],
        digestValues
    ),
    DebugDeed(
        "error",
        1...1,
        help: ["ERROR <text>", "    Reply with <text> as an error."]
    ) { request, _, _ throws(CommandError) in throw .text(request[2].text) },
    DebugDeed(
        "htstats",
        1...2,
        help: ["HTSTATS <database> [full]", "    Return the figures of a hash table."],
        tableStatistics
    ),
    DebugDeed(
        "htstats-key",
        1...2,
        help: ["HTSTATS-KEY <key> [full]", "    Return the figures of a value's hash table."],
        keyTableStatistics
    ),
    DebugDeed(
        "listpack",
        1...1,
        help: ["LISTPACK <key>", "    Accept a value that is kept in one run of bytes."],
        checkListpack
    ),
    DebugDeed(
        "loadaof",
        0...0,
        help: ["LOADAOF", "    Load the data set from the log again."]
    ) { _, engine, reply throws(CommandError) in
        try engine.host.reloadLog(&engine)
        reply.ok()
    },
    DebugDeed(
        "log",
        1...1,
        help: ["LOG <text>", "    Say <text> in the server's messages."]
    ) { request, engine, reply throws(CommandError) in
        engine.host.say(request[2].text)
        reply.ok()
    },
    DebugDeed(
        "object",
        1...2,
        help: [
            "OBJECT <key> [fast]",
            "    Return how a value is kept; fast: without what takes a look at all of it.",
        ],
        describeObject
    ),
    DebugDeed(
        "populate",
        1...3,
        help: [
            "POPULATE <count> [<prefix>] [<size>]",
            "    Make <count> strings of <size> bytes, named <prefix>:<number>.",
        ]
    ) { request, engine, reply throws(CommandError) in
        try populate(request, &engine)
        reply.ok()
    },
    DebugDeed(
        "protocol",
        1...1,
        help: [
            "PROTOCOL <type>",
            "    Reply with a value of a type: string, integer, double, bignum, null, array,",
            "    set, map, attrib, push, verbatim, true or false.",
        ]
    ) { request, _, reply throws(CommandError) in try writeSample(request, &reply) },
    DebugDeed(
        "reload",
        0...3,
        help: [
            "RELOAD [MERGE] [NOFLUSH] [NOSAVE]",
            "    Save the data set and load it again.",
        ]
    ) { request, engine, reply throws(CommandError) in
        try reload(request, &engine)
        reply.ok()
    },
    DebugDeed(
        "replybuffer",
        2...2,
        help: ["REPLYBUFFER <option> <value>", "    Accepted; replies share one buffer."]
    ) { _, _, reply throws(CommandError) in reply.ok() },
    DebugDeed(
        "sdslen",
        1...1,
        help: ["SDSLEN <key>", "    Return the lengths of a key and of its string."],
        describeLengths
    ),
    DebugDeed(
        "set-active-expire",
        1...1,
        help: [
            "SET-ACTIVE-EXPIRE (0|1)",
            "    Let keys past their deadline stay until somebody asks for them, or not.",
        ]
    ) { request, engine, reply throws(CommandError) in
        engine.settings.expiresActively = DecimalText.parseInteger(request[2]) ?? 0 != 0
        reply.ok()
    },
    DebugDeed(
        "sleep",
        1...1,
        help: ["SLEEP <seconds>", "    Do nothing for so long."]
    ) { request, engine, reply throws(CommandError) in
        // A text that is no number sleeps for no time, as `strtod` reads it.
        let seconds = DecimalText.parseDouble(request[2]) ?? 0
        engine.host.sleep(microseconds: Int64(min(max(seconds, 0), 1e9) * 1_000_000))
        engine.readClock()
        reply.ok()
    },
    DebugDeed("help", 0...0, help: [], debugHelp),
]

private func debugHelp(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    reply.help("DEBUG", debugDeeds.flatMap { $0.help })
}

private func digest(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    var digest = ContentDigest()
    for number in 0..<engine.dataSet.databaseCount where engine.dataSet[number].count > 0 {
        digest.append(number)
        digest.add(engine.dataSet[number])
    }
    reply.status(ByteString(digest.text).bytes)
}

private func digestValues(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    reply.array(request.count - 2)
    for index in 2..<request.count {
        var digest = ContentDigest()
        if let entry = engine.liveEntry(request[index]) { digest.append(entry) }
        reply.status(ByteString(digest.text).bytes)
    }
}

private func tableStatistics(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    guard let number = DecimalText.parseInteger(request[2]) else { throw .notAnInteger }
    guard 0..<Int64(engine.dataSet.databaseCount) ~= number else {
        throw .text("ERR Out of range database")
    }
    let keyspace = engine.dataSet[Int(number)]
    let text = """
        [Dictionary HT]
        Hash table 0 stats (main hash table):
         table size: \(keyspace.bucketCount)
         number of entries: \(keyspace.count)
        [Expires HT]
         number of entries: \(keyspace.deadlineCount)

        """
    reply.verbatim("txt", ByteString(text).bytes)
}

private func keyTableStatistics(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    guard let entry = engine.keyspace.find(request[2]) else { throw .noSuchKey }
    let count: Int
    switch entry.encoding {
    case .tableSet: count = entry.set.count
    case .tableHash: count = entry.hash.count
    case .indexedSortedSet: count = entry.sortedSet.count
    default:
        throw .text(
            "ERR The value stored at the specified key is not represented using an hash table"
        )
    }
    let text = "Hash table 0 stats (main hash table):\n number of entries: \(count)\n"
    reply.verbatim("txt", ByteString(text).bytes)
}

private func checkListpack(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    guard let entry = engine.keyspace.find(request[2]) else { throw .noSuchKey }
    switch entry.encoding {
    case .packedList, .packedSet, .packedHash, .packedSortedSet:
        reply.status("The value is one listpack")
    default: throw .text("ERR Not a listpack encoded object.")
    }
}

private func describeLengths(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    guard let entry = engine.keyspace.find(request[2]) else { throw .noSuchKey }
    guard entry.kind == .string else { throw .text("ERR Not an sds encoded string.") }
    let text = ByteString(
        "key_sds_len:\(entry.key.byteCount) key_sds_avail:0 obj_alloc:\(entry.byteCount) "
            + "val_sds_len:\(entry.bytes.byteCount) val_sds_avail:0 val_alloc:0"
    )
    reply.status(text.bytes)
}

extension Engine {
    fileprivate var mayDebug: Bool {
        switch settings.debugPermission {
        case .everybody: true
        case .nobody: false
        case .local: host.connection(of: current)?.isLocal ?? false
        }
    }
}

/// What test suites say to steer the inside of a server that is built otherwise.
private func isWithoutMeaningHere(_ request: borrowing Request) -> Bool {
    let words: [StaticString] = [
        "quicklist-packed-threshold", "set-disable-deny-scripts", "pause-cron",
        "set-skip-checksum-validation", "dict-resizing", "hashtable-can-abort-shrink",
        "stringmatch-test", "client-enforce-reply-list", "leak", "aof-flush-sleep",
        "replicate", "pause-after-fork", "quicklist", "structsize", "client-eviction",
    ]
    for word in words where request.is(1, word) { return true }
    return false
}

private func describeObject(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    guard let entry = engine.keyspace.find(request[2]) else { throw .noSuchKey }
    let idle = engine.dataSet.countsAccesses ? 0 : entry.idleSeconds
    let lastUse = (engine.dataSet.now / 1000 - Int64(idle)) & 0xFF_FFFF
    let use = engine.dataSet.countsAccesses ? Int64(entry.frequency) : lastUse
    let isFast = request.count > 3 && request.is(3, "fast")
    var text = ByteWriter()
    text.append(utf8: "Value at:0x0 refcount:1 encoding:\(entry.encodingName)")
    if !isFast {
        text.append(utf8: " serializedlength:\(try serializedByteCount(entry, engine))")
    }
    text.append(utf8: " lru:\(use) lru_seconds_idle:\(idle)")
    if entry.encoding == .blockList {
        appendNodeFigures(of: entry.list, engine.dataSet.limits, isFast: isFast, to: &text)
    }
    reply.status(text.bytes)
}

/// Bytes of a value in a file, without its type.
private func serializedByteCount(
    _ entry: Entry,
    _ engine: borrowing Engine
) throws(CommandError) -> Int {
    var byteCount = 0
    do throws(SerializationError) {
        try engine.serializer.serialize(entry) { byteCount = $0.byteCount }
    } catch {
        throw CommandError(error)
    }
    // Less the type in front, and the version and checksum behind.
    return byteCount - 11
}

/// What DEBUG OBJECT tells of a list in several nodes.
private func appendNodeFigures(
    of list: ListValue,
    _ limits: EncodingLimits,
    isFast: Bool,
    to text: inout ByteWriter
) {
    text.append(utf8: " ql_nodes:\(list.nodeCount) ql_avg_node:")
    text.append(Double(list.count) / Double(list.nodeCount), digitsAfterPoint: 2)
    text.append(utf8: " ql_listpack_max:\(limits.listSize) ql_compressed:0")
    guard !isFast else { return }
    var byteCount = 0
    list.forEachNode { node in
        switch node {
        case .listpack(let bytes, _), .element(let bytes): byteCount += bytes.byteCount
        }
    }
    text.append(utf8: " ql_uncompressed_size:\(byteCount)")
}

private func populate(
    _ request: borrowing Request,
    _ engine: inout Engine
) throws(CommandError) {
    let count = try request.integer(2)
    let prefix = request.count > 3 ? request[3].text : "key"
    let size = request.count > 4 ? Int(clamping: try request.integer(4)) : 0
    for index in 0..<max(count, 0) {
        let key = ByteString("\(prefix):\(index)")
        guard engine.keyspace.find(key.bytes) == nil else { continue }
        var value = Array("value:\(index)".utf8)
        if size > 0 {
            value = Array(value.prefix(size))
            value += Array(repeating: 0, count: size - value.count)
        }
        engine.keyspace.setString(key.bytes, value.bytes)
        engine.changed(key.bytes, .string, "set")
        engine.writeSet(key.bytes, value.bytes)
    }
}

/// DEBUG PROTOCOL: one value of a shape, for the tests of clients.
private func writeSample(
    _ request: borrowing Request,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    if request.is(2, "string") {
        reply.bulk("Hello World")
    } else if request.is(2, "integer") {
        reply.integer(12345)
    } else if request.is(2, "double") {
        reply.double(3.141)
    } else if request.is(2, "null") {
        reply.null()
    } else if request.is(2, "array") {
        reply.array(3)
        for index in 0..<3 { reply.integer(index) }
    } else if request.is(2, "set") {
        reply.set(3)
        for index in 0..<3 { reply.integer(index) }
    } else if request.is(2, "map") {
        reply.map(3)
        for index in 0..<3 {
            reply.integer(index)
            reply.boolean(index == 1)
        }
    } else if request.is(2, "push") {
        guard reply.protocolVersion == .resp3 else {
            throw .text("ERR RESP2 is not supported by this command")
        }
        reply.push(2)
        reply.bulk("server-cpu-usage")
        reply.integer(42)
    } else if request.is(2, "attrib") {
        if reply.protocolVersion == .resp3 {
            reply.attribute(1)
            reply.bulk("key-popularity")
            reply.array(2)
            reply.bulk("key:123")
            reply.integer(90)
        }
        reply.bulk("Some real reply following the attribute")
    } else if request.is(2, "bignum") {
        reply.bigNumber(ByteString("1234567999999999999999999999999999999").bytes)
    } else if request.is(2, "true") {
        reply.boolean(true)
    } else if request.is(2, "false") {
        reply.boolean(false)
    } else if request.is(2, "verbatim") {
        reply.verbatim("txt", ByteString("This is a verbatim\nstring").bytes)
    } else {
        throw .text(
            "ERR Wrong protocol type name. Please use one of the following: "
                + "string|integer|double|null|array|set|map|attrib|push|verbatim|true|false"
        )
    }
}

private func reload(
    _ request: borrowing Request,
    _ engine: inout Engine
) throws(CommandError) {
    var wanted = ReloadRequest()
    for index in 2..<max(request.count, 2) {
        if request.is(index, "merge") {
            wanted.merges = true
        } else if request.is(index, "noflush") {
            wanted.flushes = false
        } else if request.is(index, "nosave") {
            wanted.saves = false
        } else {
            throw .text(
                "ERR DEBUG RELOAD only supports the MERGE, NOFLUSH and NOSAVE options."
            )
        }
    }
    try engine.host.reload(&engine, wanted)
}
