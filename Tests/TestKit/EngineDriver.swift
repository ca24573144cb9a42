import Bytes
import Commands
import Dump
import RESP
import Store

/// An engine without a server around it: requests in, replies out, time as the test sets it.
///
///     let engine = EngineDriver()
///     #expect(engine("SET key value") == "+OK")
///     #expect(engine("GET key") == "value")
package final class EngineDriver {
    package var engine: Engine
    package let host = TestHost()
    /// The session that requests come from.
    package private(set) var session: SessionID
    private var versions: [SessionID: ProtocolVersion] = [:]
    /// What sessions were sent beside the replies to their requests.
    private var messages: [SessionID: [Reply]] = [:]
    /// What the server would have to do after the last request.
    package private(set) var outcome = Engine.Outcome.done

    /// An empty engine whose choices depend on `seed` alone.
    package init(
        databaseCount: Int = 16,
        seed: UInt64 = 1,
        protocol version: ProtocolVersion = .resp2
    ) {
        engine = Engine(
            databaseCount: databaseCount,
            seed: seed,
            host: host,
            serializer: DumpSerializer()
        )
        session = engine.openSession()
        engine.dataSet.now = 1_700_000_000_000
        engine.effects.isEnabled = true
        versions[session] = version
    }

    /// Milliseconds since 1970.
    package var now: Int64 {
        get { engine.dataSet.now }
        set {
            host.elapsed += (newValue - engine.dataSet.now) * 1000
            engine.dataSet.now = newValue
        }
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
        var writer = ReplyWriter(versions[session] ?? .resp2)
        outcome = engine.execute(buffer.request, session: session, reply: &writer)
        versions[session] = writer.protocolVersion
        var replies = parse(writer.bytes)
        collectDeliveries()
        guard !replies.isEmpty else { return nil }
        let first = replies.removeFirst()
        // A command may reply several times: SUBSCRIBE does for each channel.
        messages[session, default: []].insert(contentsOf: replies, at: 0)
        return first
    }

    /// Another client.
    package func connect() -> SessionID {
        engine.openSession()
    }

    /// Executes the words of `line` as a request of another client.
    @discardableResult
    package func callAsFunction(_ other: SessionID, _ line: String) -> Reply? {
        let own = session
        session = other
        defer { session = own }
        return self(line)
    }

    /// What a session was sent beside replies since the last call; the own one if none is named.
    ///
    /// A turn of the loop ends with it.
    package func takeMessages(_ session: SessionID? = nil) -> [Reply] {
        engine.flushBroadcasts()
        collectDeliveries()
        return messages.removeValue(forKey: session ?? self.session) ?? []
    }

    /// The effects since the last call, one request a line with its words separated by spaces;
    /// the choice of a database is left out.
    package func takeEffects() -> [String] {
        let effects = parse(engine.effects.output.bytes)
        engine.effects.removeAll()
        return effects.compactMap { effect in
            guard case .array(let words) = effect else { return "?" }
            let texts = words.map { word in
                if case .bulk(let text) = word { return text.description }
                return "?"
            }
            return texts.first == "SELECT" ? nil : texts.joined(separator: " ")
        }
    }

    private func collectDeliveries() {
        for delivery in engine.deliveries.all {
            let whole = engine.deliveries.bytes.bytes
            let run = whole.part(from: delivery.offset, count: delivery.byteCount)
            messages[delivery.session, default: []] += parse(run)
        }
        engine.deliveries.removeAll()
    }

    private func parse(_ bytes: RawSpan) -> [Reply] {
        var parser = ReplyParser()
        parser.append(bytes)
        var replies: [Reply] = []
        while let reply = try? parser.next() { replies.append(reply) }
        precondition(parser.waitingByteCount == 0, "a reply is not whole")
        return replies
    }
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
