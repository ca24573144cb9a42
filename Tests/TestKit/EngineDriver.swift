import Bytes
import Commands
import RESP
import Store

/// An engine without a server around it: requests in, replies out, time as the test sets it.
package final class EngineDriver {
    package var engine: Engine
    private let host = IdleHost()
    private let session: SessionID
    private var writer = ReplyWriter()
    private var parser = ReplyParser()

    /// An empty engine whose choices depend on `seed` alone.
    package init(
        databaseCount: Int = 16,
        seed: UInt64 = 1,
        protocol version: ProtocolVersion = .resp2
    ) {
        engine = Engine(databaseCount: databaseCount, seed: seed, host: host)
        session = engine.openSession()
        engine.dataSet.now = 1_700_000_000_000
        engine.effects.isEnabled = true
        writer.protocolVersion = version
    }

    /// Milliseconds since 1970.
    package var now: Int64 {
        get { engine.dataSet.now }
        set { engine.dataSet.now = newValue }
    }

    /// Executes the words of `line`, which are separated by single spaces.
    @discardableResult
    package func callAsFunction(_ line: String) -> Reply? {
        execute(line.split(separator: " ").map { ByteString(String($0)) })
    }

    /// Executes one request; nil if nothing was replied.
    @discardableResult
    package func execute(_ arguments: [ByteString]) -> Reply? {
        let buffer = RequestBuffer(arguments)
        _ = engine.execute(buffer.request, session: session, reply: &writer)
        parser.append(writer.bytes)
        writer.removeAll()
        return try? parser.next()
    }

    /// The effects since the last call, one request a line with its words separated by spaces;
    /// the choice of a database is left out.
    package func takeEffects() -> [String] {
        var parser = ReplyParser()
        parser.append(engine.effects.output.bytes)
        engine.effects.removeAll()
        var lines: [String] = []
        while case .array(let words) = try? parser.next() {
            let texts = words.map { word in
                if case .bulk(let text) = word { return text.description }
                return "?"
            }
            if texts.first != "SELECT" { lines.append(texts.joined(separator: " ")) }
        }
        return lines
    }
}

/// A host that has nothing to save, to configure or to end.
private final class IdleHost: Host {
    func save(_ engine: inout Engine) throws(CommandError) {}

    func startSave(
        _ engine: inout Engine,
        schedule: Bool
    ) throws(CommandError) -> StaticString {
        "Background saving started"
    }

    func startCompaction(_ engine: inout Engine) throws(CommandError) -> StaticString {
        "Background append only file rewriting started"
    }

    var lastSave: Int64 { 0 }

    func shutdown(_ engine: inout Engine, _ request: ShutdownRequest) throws(CommandError) {}

    func getConfiguration(_ patterns: [ByteString], _ reply: inout ReplyWriter) {
        reply.map(0)
    }

    func setConfiguration(
        _ pairs: [(name: ByteString, value: ByteString)],
        _ engine: inout Engine
    ) throws(CommandError) {}

    func rewriteConfiguration() throws(CommandError) {}

    func resetStatistics(_ engine: inout Engine) {}

    func information(_ sections: [ByteString], _ engine: borrowing Engine) -> ByteString { "" }

    func connection(of session: SessionID) -> ConnectionDescription? { nil }

    func close(_ session: SessionID) {}

    var microseconds: Int64 { 0 }

    var timeOfDay: Int64 { 0 }

    func sleep(microseconds: Int64) {}
}

extension Reply: ExpressibleByStringLiteral {
    /// A bulk string, or a status if it begins with `+`, or an error if it begins with `-`.
    public init(stringLiteral value: String) {
        switch value.first {
        case "+": self = .status(ByteString(String(value.dropFirst())))
        case "-": self = .error(ByteString(String(value.dropFirst())))
        default: self = .bulk(ByteString(value))
        }
    }
}

extension Reply: ExpressibleByIntegerLiteral {
    /// An integer.
    public init(integerLiteral value: Int64) {
        self = .integer(value)
    }
}

extension Reply: ExpressibleByArrayLiteral {
    /// An array.
    public init(arrayLiteral elements: Reply...) {
        self = .array(elements)
    }
}

extension Reply: ExpressibleByNilLiteral {
    /// Nothing.
    public init(nilLiteral: ()) {
        self = .null
    }
}
