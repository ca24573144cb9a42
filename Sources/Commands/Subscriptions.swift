import Bytes
import RESP

/// Who listens to which channels and patterns.
struct Subscriptions {
    /// What can be subscribed to.
    enum Kind: Int, CaseIterable {
        case channel
        case pattern
        case shardChannel
    }

    private var listeners: [[ByteString: [SessionID]]] = [[:], [:], [:]]

    /// The names that have listeners.
    func names(_ kind: Kind) -> [ByteString] {
        Array(listeners[kind.rawValue].keys)
    }

    func listeners(_ kind: Kind, _ name: ByteString) -> [SessionID] {
        listeners[kind.rawValue][name] ?? []
    }

    /// Patterns that have listeners, with them.
    var patterns: [ByteString: [SessionID]] { listeners[Kind.pattern.rawValue] }

    func count(_ kind: Kind) -> Int { listeners[kind.rawValue].count }

    mutating func add(_ session: SessionID, to name: ByteString, _ kind: Kind) {
        listeners[kind.rawValue][name, default: []].append(session)
    }

    mutating func remove(_ session: SessionID, from name: ByteString, _ kind: Kind) {
        guard var left = listeners[kind.rawValue][name] else { return }
        left.removeAll { $0 == session }
        listeners[kind.rawValue][name] = left.isEmpty ? nil : left
    }
}

extension Engine {
    /// Lets the current session listen; false if it does already.
    mutating func subscribe(to name: ByteString, _ kind: Subscriptions.Kind) {
        let details = sessions.details(current)
        guard details.subscriptions[kind.rawValue].insert(name).inserted else { return }
        details.namedByteCount += SessionDetails.byteCount(ofName: name)
        subscriptions.add(current, to: name, kind)
        sessions[current].flags.insert(.subscribed)
    }

    /// Lets a session listen no more.
    mutating func unsubscribe(
        _ session: SessionID,
        from name: ByteString,
        _ kind: Subscriptions.Kind
    ) {
        guard let details = sessions[session].details,
            details.subscriptions[kind.rawValue].remove(name) != nil
        else { return }
        details.namedByteCount -= SessionDetails.byteCount(ofName: name)
        subscriptions.remove(session, from: name, kind)
        if details.subscriptions.allSatisfy({ $0.isEmpty }) {
            sessions[session].flags.remove(.subscribed)
        }
    }

    /// Lets a session listen to nothing more.
    mutating func unsubscribeEverywhere(_ session: SessionID) {
        guard let details = sessions[session].details else { return }
        for kind in Subscriptions.Kind.allCases {
            for name in details.subscriptions[kind.rawValue] {
                unsubscribe(session, from: name, kind)
            }
        }
    }

    /// How many subscriptions a reply to SUBSCRIBE and its kin tells.
    func subscriptionCount(_ kind: Subscriptions.Kind) -> Int {
        guard let counts = sessions[current].details?.subscriptions else { return 0 }
        return kind == .shardChannel ? counts[2].count : counts[0].count + counts[1].count
    }

    /// Sends a message to those who listen; returns how many did.
    @discardableResult
    mutating func publish(_ message: RawSpan, to channel: RawSpan) -> Int {
        guard subscriptions.count(.channel) + subscriptions.count(.pattern) > 0 else { return 0 }
        let listeners = subscriptions.listeners(.channel, ByteString(channel))
        deliveries.push(to: listeners, in: sessions) { reply in
            reply.push(3)
            reply.bulk("message")
            reply.bulk(channel)
            reply.bulk(message)
        }
        var count = listeners.count
        for (pattern, listeners) in subscriptions.patterns
        where GlobPattern(pattern.bytes).matches(channel) {
            deliveries.push(to: listeners, in: sessions) { reply in
                reply.push(4)
                reply.bulk("pmessage")
                reply.bulk(pattern.bytes)
                reply.bulk(channel)
                reply.bulk(message)
            }
            count += listeners.count
        }
        return count
    }

    /// Sends a message to those who listen to a shard channel; returns how many did.
    mutating func publish(_ message: RawSpan, toShard channel: RawSpan) -> Int {
        let listeners = subscriptions.listeners(.shardChannel, ByteString(channel))
        deliveries.push(to: listeners, in: sessions) { reply in
            reply.push(3)
            reply.bulk("smessage")
            reply.bulk(channel)
            reply.bulk(message)
        }
        return listeners.count
    }
}

extension Deliveries {
    /// Sends the same to several sessions, to each in the form it asked for.
    mutating func push(
        to listeners: [SessionID],
        in sessions: borrowing SessionTable,
        _ write: (inout ReplyWriter) -> Void
    ) {
        for version in [ProtocolVersion.resp2, .resp3] {
            var run: Run?
            for session in listeners where sessions[session].protocolVersion == version {
                if run == nil {
                    var reply = ReplyWriter(version)
                    write(&reply)
                    run = append(reply.bytes)
                }
                if let run { send(run, to: session) }
            }
        }
    }
}
