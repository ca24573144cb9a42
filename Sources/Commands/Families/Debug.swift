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
    if request.is(1, "sleep"), request.count == 3 {
        // A text that is no number sleeps for no time, as `strtod` reads it.
        let seconds = DecimalText.parseDouble(request[2]) ?? 0
        engine.host.sleep(microseconds: Int64(min(max(seconds, 0), 1e9) * 1_000_000))
        reply.ok()
    } else if request.is(1, "set-active-expire"), request.count == 3 {
        engine.settings.expiresActively = DecimalText.parseInteger(request[2]) != 0
        reply.ok()
    } else if request.is(1, "object"), request.count >= 3 {
        try describeObject(request, &engine, &reply)
    } else if request.is(1, "error"), request.count == 3 {
        throw .text(request[2].text)
    } else if request.is(1, "populate"), 3...5 ~= request.count {
        try populate(request, &engine)
        reply.ok()
    } else if request.is(1, "protocol"), request.count == 3 {
        try writeSample(request, &reply)
    } else if request.is(1, "reload") {
        try reload(request, &engine)
        reply.ok()
    } else if request.is(1, "loadaof"), request.count == 2 {
        try engine.host.reloadLog(&engine)
        reply.ok()
    } else if isWithoutMeaningHere(request) {
        reply.ok()
    } else {
        throw .unknownSubcommandOrArity(request)
    }
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
        "jmap", "quicklist-packed-threshold", "set-disable-deny-scripts", "pause-cron",
        "set-skip-checksum-validation", "dict-resizing", "hashtable-can-abort-shrink",
        "replybuffer", "stringmatch-test", "client-enforce-reply-list", "log", "leak",
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
    let use = engine.dataSet.countsAccesses ? entry.frequency : idle
    let text = ByteString(
        "Value at:0x0 refcount:1 encoding:\(entry.encodingName) "
            + "serializedlength:\(entry.byteCount) lru:\(use) lru_seconds_idle:\(idle)"
    )
    reply.status(text.bytes)
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
