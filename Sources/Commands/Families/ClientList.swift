import Bytes
import RESP
import Store

extension Command {
    /// The subcommands of CLIENT that concern several clients.
    static let clientLists: [Command] = [
        Command("client|list", .atLeast(2), watching, listClients),
        Command("client|info", .exactly(2), [.noScript, .loading, .stale], describeClient),
        Command("client|kill", .atLeast(3), watching, killClients),
        Command("client|pause", .atLeast(3), watching, pauseClients),
        Command("client|unpause", .exactly(2), watching, unpauseClients),
        Command("client|unblock", .atLeast(3), watching, unblockClient),
    ]

    private static let watching: Flags = [.admin, .noScript, .loading, .stale]
}

private func listClients(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    // Nothing can be asked of clients with one word.
    guard request.count != 3 else { throw .syntax }
    var filter = ClientFilter(skipsOwn: false)
    try filter.read(request, from: 2, databaseCount: engine.dataSet.databaseCount)
    var text = ""
    for session in engine.sessions.all {
        guard let line = engine.describe(session), engine.matches(session, filter) else { continue }
        text += line
        text += "\n"
    }
    reply.verbatim("txt", ByteString(text).bytes)
}

private func describeClient(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    let line = engine.describe(engine.current) ?? ""
    reply.verbatim("txt", ByteString(line + "\n").bytes)
}

private func killClients(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    if request.count == 3 {
        let address = request[2].text
        let wanted = engine.sessions.all.first {
            engine.host.connection(of: $0)?.address == address
        }
        guard let wanted else { throw .text("ERR No such client") }
        engine.kill(wanted)
        return reply.ok()
    }
    var filter = ClientFilter(skipsOwn: true)
    try filter.read(request, from: 2, databaseCount: engine.dataSet.databaseCount)
    var killed = 0
    for session in engine.sessions.all where engine.matches(session, filter) {
        engine.kill(session)
        killed += 1
    }
    reply.integer(killed)
}

extension Engine {
    fileprivate mutating func kill(_ session: SessionID) {
        if session == current { outcome = .close } else { host.close(session) }
    }

    fileprivate func matches(_ session: SessionID, _ filter: ClientFilter) -> Bool {
        if filter.skipsOwn, session == current { return false }
        guard let client = client(session) else { return false }
        return filter.conditions.allSatisfy { $0.isMet(by: client) }
    }

    /// A client as CLIENT LIST tells it.
    package func describe(_ session: SessionID) -> String? {
        guard let client = client(session) else { return nil }
        let command = client.session.lastCommand
        return client.line(
            lastCommand: command < 0 ? "NULL" : table[Int(command)].name,
            memoryByteCount: client.connection.memoryByteCount + MemoryLayout<Session>.stride
                + byteCount(of: session)
        )
    }

    private func client(_ session: SessionID) -> Client? {
        host.connection(of: session).map { Client(session: sessions[session], connection: $0) }
    }
}

/// What CLIENT LIST and the conditions of CLIENT KILL look at.
private struct Client {
    let session: Session
    let connection: ConnectionDescription

    var details: SessionDetails? { session.details }

    var type: String {
        details.map { $0.subscriptions.contains { !$0.isEmpty } } == true ? "pubsub" : "normal"
    }

    /// The letters that tell its state.
    var flags: String {
        let flags = session.flags
        let tracking = details?.tracking
        var letters = ""
        if flags.contains(.monitoring) { letters += "O" }
        if flags.contains(.subscribed) { letters += "P" }
        if flags.contains(.queueing) { letters += "x" }
        if flags.contains(.blocked) { letters += "b" }
        if flags.contains(.tracking) { letters += "t" }
        if tracking?.isRedirectBroken == true { letters += "R" }
        if tracking?.isBroadcast == true { letters += "B" }
        if flags.contains(.watchFailed) { letters += "d" }
        if connection.isUnixSocket { letters += "U" }
        if flags.contains(.noEvict) { letters += "e" }
        if flags.contains(.noTouch) { letters += "T" }
        if flags.contains(.importSource) { letters += "I" }
        return letters.isEmpty ? "N" : letters
    }

    /// How much of what waits to be sent is told as `obl`, which is the first buffer of the
    /// peers; what is more is told as `omem`, by which those who watch clients find the slow ones.
    private static let firstOutputByteCount = 16 << 10

    /// The line of CLIENT LIST.
    func line(lastCommand: String, memoryByteCount: Int) -> String {
        let counts = details?.subscriptions.map(\.count) ?? [0, 0, 0]
        let isQueueing = session.flags.contains(.queueing)
        let redirect = details?.tracking.map { $0.redirect } ?? -1
        let output = connection.waitingOutputByteCount
        return [
            "id=\(session.clientID)",
            "addr=\(connection.address)",
            "laddr=\(connection.localAddress)",
            "fd=\(connection.fileDescriptor)",
            "name=\(details?.name.text ?? "")",
            "age=\(connection.ageSeconds)",
            "idle=\(connection.idleSeconds)",
            "flags=\(flags)",
            "capa=\(details?.followsRedirects == true ? "r" : "")",
            "db=\(session.database)",
            "sub=\(counts[0])",
            "psub=\(counts[1])",
            "ssub=\(counts[2])",
            "multi=\(isQueueing ? details?.queue.count ?? 0 : -1)",
            "watch=\(details?.watchedKeys.count ?? 0)",
            "qbuf=\(connection.waitingInputByteCount)",
            "qbuf-free=\(connection.freeInputByteCount)",
            "argv-mem=\(connection.parsedInputByteCount)",
            "multi-mem=\(details?.queuedByteCount ?? 0)",
            "rbs=\(connection.peakOutputByteCount)",
            "rbp=\(connection.peakOutputByteCount)",
            "obl=\(min(output, Self.firstOutputByteCount))",
            "oll=\(output > Self.firstOutputByteCount ? 1 : 0)",
            "omem=\(max(output - Self.firstOutputByteCount, 0))",
            "tot-mem=\(memoryByteCount)",
            "events=\(output > 0 ? "rw" : "r")",
            "cmd=\(lastCommand)",
            "user=default",
            "redir=\(redirect)",
            "resp=\(session.protocolVersion.rawValue)",
            "lib-name=\(details?.libraryName.text ?? "")",
            "lib-ver=\(details?.libraryVersion.text ?? "")",
            "tot-net-in=\(connection.receivedByteCount)",
            "tot-net-out=\(connection.sentByteCount)",
            "tot-cmds=\(connection.requestCount)",
        ].joined(separator: " ")
    }
}

/// Which clients CLIENT LIST and KILL mean.
private struct ClientFilter {
    var skipsOwn: Bool
    private(set) var conditions: [Condition] = []

    init(skipsOwn: Bool) {
        self.skipsOwn = skipsOwn
    }

    struct Condition {
        var test: Test
        let isNegated: Bool

        func isMet(by client: Client) -> Bool {
            test.holds(for: client) != isNegated
        }
    }

    enum Test {
        case identifiers([Int64])
        case type(String)
        case address(String)
        case localAddress(String)
        case host(String)
        case user(String)
        case name(String)
        case libraryName(String)
        case libraryVersion(String)
        case flags(String)
        case capabilities(String)
        case database(Int64)
        case age(Int64)
        case idle(Int64)

        /// Whether both look at the same of a client.
        func isAlike(_ other: Test) -> Bool {
            switch (self, other) {
            case (.identifiers, .identifiers), (.type, .type), (.address, .address),
                (.localAddress, .localAddress), (.host, .host), (.user, .user), (.name, .name),
                (.libraryName, .libraryName), (.libraryVersion, .libraryVersion),
                (.flags, .flags), (.capabilities, .capabilities), (.database, .database),
                (.age, .age), (.idle, .idle):
                return true
            default: return false
            }
        }

        func holds(for client: Client) -> Bool {
            let details = client.details
            switch self {
            case .identifiers(let identifiers): return identifiers.contains(client.session.clientID)
            case .type(let type): return client.type == type
            case .address(let address): return client.connection.address == address
            case .localAddress(let address): return client.connection.localAddress == address
            case .host(let host): return client.connection.host == host
            case .user(let user): return user == "default"
            case .name(let name): return details?.name.text ?? "" == name
            case .libraryName(let name): return details?.libraryName.text ?? "" == name
            case .libraryVersion(let version):
                return details?.libraryVersion.text ?? "" == version
            case .flags(let flags): return flags.allSatisfy { client.flags.contains($0) }
            case .capabilities: return details?.followsRedirects == true
            case .database(let number): return client.session.database == number
            case .age(let age): return client.connection.ageSeconds >= age
            case .idle(let idle): return client.connection.idleSeconds >= idle
            }
        }
    }

    /// Reads the conditions from the arguments at `start` and behind.
    mutating func read(
        _ request: borrowing Request,
        from start: Int,
        databaseCount: Int
    ) throws(CommandError) {
        var index = start
        while index < request.count {
            var word = request[index].text.lowercased()
            let takesNone = word == "id" || word == "not-id"
            guard index + 1 < request.count || takesNone else { throw .syntax }
            if word == "skipme" {
                if request.is(index + 1, "yes") {
                    skipsOwn = true
                } else if request.is(index + 1, "no") {
                    skipsOwn = false
                } else {
                    throw .syntax
                }
                index += 2
                continue
            }
            let isNegated = word.hasPrefix("not-")
            if isNegated { word.removeFirst(4) }
            index += 1
            let test = try ClientFilter.test(
                word,
                isNegated,
                request,
                &index,
                databaseCount
            )
            add(Condition(test: test, isNegated: isNegated))
        }
    }

    /// Asked for twice, clients have to be as was said last; but any of all identifiers counts.
    private mutating func add(_ condition: Condition) {
        let earlier = conditions.firstIndex {
            $0.isNegated == condition.isNegated && $0.test.isAlike(condition.test)
        }
        guard let earlier else { return conditions.append(condition) }
        if case .identifiers(let known) = conditions[earlier].test,
            case .identifiers(let more) = condition.test
        {
            conditions[earlier].test = .identifiers(known + more)
        } else {
            conditions[earlier] = condition
        }
    }

    private static func test(
        _ word: String,
        _ isNegated: Bool,
        _ request: borrowing Request,
        _ index: inout Int,
        _ databaseCount: Int
    ) throws(CommandError) -> Test {
        if word == "id" { return .identifiers(try identifiers(request, &index)) }
        let value = request[index].text
        defer { index += 1 }
        let filter = isNegated ? "NOT-\(word.uppercased())" : "provided"
        switch word {
        case "type": return .type(try type(request[index]))
        case "addr": return .address(value)
        case "laddr": return .localAddress(value)
        case "ip": return .host(value)
        case "user":
            guard value == "default" else {
                throw .quoting("ERR No such user '", request[index], "'")
            }
            return .user(value)
        case "name": return .name(value)
        case "lib-name": return .libraryName(value)
        case "lib-ver": return .libraryVersion(value)
        case "flags":
            guard value.allSatisfy({ "NSOMPxbtRBdcuAUreTI".contains($0) }) else {
                throw .quoting("ERR Unknown flags found in the \(filter) filter: ", request[index])
            }
            return .flags(value)
        case "capa":
            guard value == "r" else {
                throw .quoting("ERR Unknown capa found in the \(filter) filter: ", request[index])
            }
            return .capabilities(value)
        case "db":
            let what = isNegated ? "NOT-DB" : "DB"
            let number = try integer(request, index, what)
            guard Int64(Int32.min)...Int64(Int32.max) ~= number else {
                throw .text("ERR \(what) is not an integer or out of range")
            }
            guard 0..<Int64(databaseCount) ~= number else {
                throw .text("ERR \(what) number should be between 0 and \(databaseCount - 1)")
            }
            return .database(number)
        case "maxage" where !isNegated: return .age(try positive(request, index, "maxage"))
        case "idle" where !isNegated: return .idle(try positive(request, index, "idle"))
        default: throw .syntax
        }
    }

    private static func identifiers(
        _ request: borrowing Request,
        _ index: inout Int
    ) throws(CommandError) -> [Int64] {
        var identifiers: [Int64] = []
        while index < request.count, let number = DecimalText.parseInteger(request[index]) {
            guard number > 0 else {
                throw .text("ERR client-id should be greater than 0")
            }
            identifiers.append(number)
            index += 1
        }
        return identifiers
    }

    private static func type(_ name: RawSpan) throws(CommandError) -> String {
        switch ByteString(name).text.lowercased() {
        case "normal": return "normal"
        case "pubsub": return "pubsub"
        case "slave", "replica": return "replica"
        case "master", "primary": return "primary"
        default: throw .quoting("ERR Unknown client type '", name, "'")
        }
    }

    private static func integer(
        _ request: borrowing Request,
        _ index: Int,
        _ what: String
    ) throws(CommandError) -> Int64 {
        guard let number = DecimalText.parseInteger(request[index]) else {
            throw .text("ERR \(what) is not an integer or out of range")
        }
        return number
    }

    private static func positive(
        _ request: borrowing Request,
        _ index: Int,
        _ what: String
    ) throws(CommandError) -> Int64 {
        let number = try integer(request, index, what)
        guard number > 0 else { throw .text("ERR \(what) should be greater than 0") }
        return number
    }
}

extension ConnectionDescription {
    /// The address without its port.
    fileprivate var host: String {
        guard let colon = address.lastIndex(of: ":") else { return address }
        let host = address[..<colon]
        return host.hasPrefix("[") && host.hasSuffix("]")
            ? String(host.dropFirst().dropLast()) : String(host)
    }
}

private func pauseClients(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    var isForWrites = false
    if request.count == 4 {
        if request.is(3, "write") {
            isForWrites = true
        } else if !request.is(3, "all") {
            throw .text("ERR CLIENT PAUSE mode must be WRITE or ALL")
        }
    }
    guard let span = DecimalText.parseInteger(request[2]) else {
        throw .text("ERR timeout is not an integer or out of range")
    }
    guard span >= 0 else { throw .text("ERR timeout is negative") }
    let (end, overflows) = engine.dataSet.now.addingReportingOverflow(span)
    guard !overflows else { throw .text("ERR timeout is out of range") }
    engine.beginPause(until: end, forWrites: isForWrites)
    reply.ok()
}

private func unpauseClients(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    engine.endPause()
    reply.ok()
}

private func unblockClient(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    var isError = false
    if request.count == 4 {
        if request.is(3, "error") {
            isError = true
        } else if !request.is(3, "timeout") {
            throw .text("ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR")
        }
    }
    let wanted = try request.integer(2)
    guard let session = engine.sessions.find(clientID: wanted) else { return reply.integer(0) }
    reply.integer(engine.unblock(session, withError: isError) ? 1 : 0)
}
