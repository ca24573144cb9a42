import Bytes
import RESP
import Store

extension Command {
    static let connection: [Command] = [
        Command("ping", .atLeast(1), [.fast, .whileSubscribed], ping),
        Command("echo", .exactly(2), [.fast, .loading, .stale], echo),
        Command("select", .exactly(2), [.loading, .stale, .fast, .allowBusy], select),
        Command("hello", .atLeast(1), unauthenticated, hello),
        Command("auth", .atLeast(2), unauthenticated, authenticate),
        Command(
            "quit",
            .atLeast(1),
            unauthenticated.union([.controlsTransaction, .whileSubscribed]),
            quit
        ),
        Command(
            "reset",
            .exactly(1),
            unauthenticated.union([.controlsTransaction, .whileSubscribed]),
            reset
        ),
    ]

    /// The flags of what a client may say before it has authenticated.
    private static let unauthenticated: Flags = [
        .noScript, .loading, .stale, .fast, .noAuth, .allowBusy,
    ]
}

private func ping(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    guard request.count <= 2 else { throw .wrongArity(command: "ping") }
    if reply.protocolVersion == .resp2,
        engine.sessions[engine.current].flags.contains(.subscribed)
    {
        // A subscribed client of RESP2 takes every reply for a message.
        reply.array(2)
        reply.bulk("pong")
        if request.count == 2 { reply.bulk(request[1]) } else { reply.bulk("") }
    } else if request.count == 2 {
        reply.bulk(request[1])
    } else {
        reply.status("PONG")
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
    let database = try engine.database(request, 1)
    engine.sessions[engine.current].database = database.number
    engine.keyspace = database
    reply.ok()
}

private func hello(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    var version = engine.sessions[engine.current].protocolVersion
    if request.count > 1 { version = try wantedVersion(request) }
    var name: ByteString?
    var user: Int?
    var index = 2
    while index < request.count {
        let following = request.count - 1 - index
        if request.is(index, "auth"), following >= 2 {
            user = index + 1
            index += 3
        } else if request.is(index, "setname"), following >= 1 {
            name = try request.attribute(index + 1, "Client names")
            index += 2
        } else {
            throw .quoting("ERR Syntax error in HELLO option '", request[index], "'")
        }
    }
    if let user { try engine.authenticate(user: request[user], password: request[user + 1]) }
    guard !engine.sessions[engine.current].flags.contains(.unauthenticated) else {
        throw .text(
            "NOAUTH HELLO must be called with the client already authenticated, otherwise the "
                + "HELLO <proto> AUTH <user> <pass> option can be used to authenticate the "
                + "client and select the RESP protocol version at the same time"
        )
    }
    if let name { engine.sessions.details(engine.current).name = name }
    engine.sessions[engine.current].protocolVersion = version
    reply.protocolVersion = version
    greet(engine.sessions[engine.current].clientID, &reply)
}

private func wantedVersion(_ request: borrowing Request) throws(CommandError) -> ProtocolVersion {
    guard let number = DecimalText.parseInteger(request[1]) else {
        throw .text("ERR Protocol version is not an integer or out of range")
    }
    guard let version = ProtocolVersion(rawValue: Int(clamping: number)) else {
        throw .text("NOPROTO unsupported protocol version")
    }
    return version
}

private func greet(_ clientID: Int64, _ reply: inout ReplyWriter) {
    reply.map(7)
    reply.bulk("server")
    reply.bulk(Product.name)
    reply.bulk("version")
    reply.bulk(Product.compatibleVersion)
    reply.bulk("proto")
    reply.integer(reply.protocolVersion.rawValue)
    reply.bulk("id")
    reply.integer(clientID)
    reply.bulk("mode")
    reply.bulk("standalone")
    reply.bulk("role")
    reply.bulk("master")
    reply.bulk("modules")
    reply.array(0)
}

private func authenticate(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    guard request.count <= 3 else { throw .syntax }
    if request.count == 3 {
        try engine.authenticate(user: request[1], password: request[2])
    } else {
        guard engine.settings.requiresPassword else {
            throw .text(
                "ERR AUTH <password> called without any password configured for the default "
                    + "user. Are you sure your configuration is correct?"
            )
        }
        try engine.authenticate(user: ByteString("default").bytes, password: request[1])
    }
    reply.ok()
}

extension Engine {
    /// Lets the client in, or refuses; without a password, anything lets in.
    fileprivate mutating func authenticate(
        user: RawSpan,
        password: RawSpan
    ) throws(CommandError) {
        let isKnown = user.equals(ByteString("default").bytes)
        let isRight = !settings.requiresPassword || settings.password.bytes.isSecretly(password)
        guard isKnown, isRight else {
            statistics.refusedPasswords += 1
            throw .text("WRONGPASS invalid username-password pair or user is disabled.")
        }
        sessions[current].flags.remove(.unauthenticated)
    }
}

extension RawSpan {
    /// Whether both hold the same bytes, in a time that does not tell how many agree.
    fileprivate func isSecretly(_ other: RawSpan) -> Bool {
        var difference = byteCount ^ other.byteCount
        for index in 0..<other.byteCount {
            let own = byteCount == 0 ? 0 : byte(at: index % byteCount)
            difference |= Int(own ^ other.byte(at: index))
        }
        return difference == 0
    }
}

extension Request {
    /// The argument at `index` as a name that fits in a line of CLIENT LIST.
    ///
    /// Nothing behind a zero byte is looked at, or shown.
    func attribute(_ index: Int, _ what: String) throws(CommandError) -> ByteString {
        let text = self[index]
        for offset in 0..<text.byteCount where !(0x21...0x7E ~= text.byte(at: offset)) {
            if text.byte(at: offset) == 0 { break }
            throw .text("ERR \(what) cannot contain spaces, newlines or special characters.")
        }
        return ByteString(text)
    }
}

private func quit(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    engine.outcome = .close
    reply.ok()
}

private func reset(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    engine.resetSession()
    reply.protocolVersion = .resp2
    reply.status("RESET")
}

extension Engine {
    /// Makes the current session as one that was just opened.
    fileprivate mutating func resetSession() {
        endTransaction()
        leaveEverything(current)
        // CLIENT REPLY SKIP before RESET still holds for it.
        sessions[current].flags.formIntersection(.skipsReply)
        if settings.requiresPassword { sessions[current].flags.insert(.unauthenticated) }
        sessions[current].database = 0
        sessions[current].protocolVersion = .resp2
        sessions[current].details?.name = ByteString("")
        keyspace = dataSet[0]
    }
}
