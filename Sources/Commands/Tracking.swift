import Bytes
import RESP

/// What a client that caches keys on its side has asked for.
struct TrackingMode {
    /// Whether it hears of every change of a key with one of its prefixes.
    var isBroadcast = false
    var optsIn = false
    var optsOut = false
    /// Whether it does not want to hear of its own changes.
    var skipsOwn = false
    /// CLIENT CACHING: whether the keys of the next request are remembered.
    var caching: Bool?
    /// The client that hears of changes in its place, by number; 0 for none.
    var redirect: Int64 = 0
    var isRedirectBroken = false
    /// In order, as clients are told of them.
    var prefixes: [ByteString] = [] {
        didSet {
            prefixByteCount = prefixes.reduce(0) { $0 + SessionDetails.byteCount(ofName: $1) }
        }
    }
    /// About what the prefixes take.
    private(set) var prefixByteCount = 0
}

/// Which clients may hold which keys, and what they have to be told.
struct TrackingTable {
    /// A client, told from those that had its place before.
    struct Reader: Hashable {
        let session: SessionID
        let clientID: Int64
    }

    /// Names of keys, of any database, and who read them since they last changed.
    private var readers: [ByteString: Set<Reader>] = [:]
    /// Changes since the last flush that readers must hear of.
    private(set) var changes: [Change] = []
    /// Changes of this turn that those must hear of who broadcast.
    private(set) var broadcasts: [Change] = []

    struct Change {
        let key: ByteString
        /// The client that made it.
        let author: SessionID?
        /// Those who read the key; those who broadcast hear of it beside them.
        let readers: Set<Reader>
    }

    var keyCount: Int { readers.count }
    var readerCount: Int { readers.reduce(0) { $0 + $1.value.count } }

    mutating func remember(_ key: RawSpan, for reader: Reader, limit: Int) {
        readers[ByteString(key), default: []].insert(reader)
        forget(downTo: limit)
    }

    /// Forgets keys until there are no more than `limit`, which means that they may have changed.
    mutating func forget(downTo limit: Int) {
        while limit > 0, readers.count > limit, let any = readers.first {
            note(any.key, author: nil)
        }
    }

    mutating func note(_ key: ByteString, author: SessionID?) {
        changes.append(
            Change(key: key, author: author, readers: readers.removeValue(forKey: key) ?? [])
        )
    }

    mutating func takeChanges(forBroadcasts: Bool) -> [Change] {
        defer { changes.removeAll() }
        if forBroadcasts { broadcasts += changes }
        return changes
    }

    mutating func forgetAll() {
        readers.removeAll()
        changes.removeAll()
        broadcasts.removeAll()
    }

    mutating func takeBroadcasts() -> [Change] {
        defer { broadcasts.removeAll() }
        return broadcasts
    }
}

extension Engine {
    /// Remembers the keys that a client that tracks has just read.
    mutating func rememberKeys(of index: Int, _ request: borrowing Request) {
        let command = table[index]
        guard let mode = sessions[current].details?.tracking, command.flags.contains(.readonly),
            !mode.isBroadcast, !mode.optsIn || mode.caching == true,
            !mode.optsOut || mode.caching != false
        else { return }
        let reader = TrackingTable.Reader(
            session: current,
            clientID: sessions[current].clientID
        )
        _ = command.forEachKey(in: request) {
            tracking.remember(request[$0], for: reader, limit: settings.trackedKeyLimit)
        }
    }

    /// `tracking-table-max-keys`: how many keys are remembered at most, 0 for any number.
    package mutating func setTrackedKeyLimit(_ limit: Int) {
        settings.trackedKeyLimit = limit
        tracking.forget(downTo: limit)
    }

    /// Notes that a key changed which clients may hold; `flushTracking` tells them.
    mutating func noteTracked(_ key: RawSpan, author: SessionID?) {
        tracking.note(ByteString(key), author: author)
    }

    /// Tells clients that cache what they read what has changed of it.
    mutating func flushTracking() {
        guard gates.contains(.tracking), !tracking.changes.isEmpty else { return }
        let broadcasts = trackers.contains { sessions[$0].details?.tracking?.isBroadcast == true }
        for change in tracking.takeChanges(forBroadcasts: broadcasts) {
            for reader in change.readers where sessions[reader.session].clientID == reader.clientID
            {
                guard let mode = sessions[reader.session].details?.tracking, !mode.isBroadcast,
                    !(mode.skipsOwn && change.author == reader.session)
                else { continue }
                invalidate([change.key], for: reader.session)
            }
        }
    }

    /// Tells clients that cache keys by prefix what has changed in this turn.
    ///
    /// That is a message for each prefix, however often a key of it changed. To be called once
    /// a turn; the messages come with the deliveries.
    package mutating func flushBroadcasts() {
        guard !tracking.broadcasts.isEmpty else { return }
        let changes = tracking.takeBroadcasts()
        for session in trackers {
            guard let mode = sessions[session].details?.tracking, mode.isBroadcast else { continue }
            for prefix in mode.prefixes {
                var keys: [ByteString] = []
                var seen: Set<ByteString> = []
                for change in changes where !(mode.skipsOwn && change.author == session) {
                    guard change.key.hasPrefix(prefix) else { continue }
                    if seen.insert(change.key).inserted { keys.append(change.key) }
                }
                if !keys.isEmpty { invalidate(keys.sorted(), for: session) }
            }
        }
    }

    /// Tells clients that cache keys to forget them all.
    mutating func invalidateAll() {
        tracking.forgetAll()
        for session in trackers { invalidate(nil, for: session) }
    }

    /// Sends a message to a client that tracks, or to the one that it named.
    private mutating func invalidate(_ keys: [ByteString]?, for session: SessionID) {
        guard let details = sessions[session].details, let mode = details.tracking else { return }
        var target = session
        if mode.redirect > 0 {
            guard let other = sessions.find(clientID: mode.redirect) else {
                return breakRedirect(session, details)
            }
            target = other
        }
        let version = sessions[target].protocolVersion
        let isHeard =
            version == .resp3
            || mode.redirect > 0 && sessions[target].flags.contains(.subscribed)
        guard isHeard else { return }
        deliveries.push(to: [target], in: sessions) { reply in
            if version == .resp3 {
                reply.push(2)
                reply.bulk("invalidate")
            } else {
                reply.push(3)
                reply.bulk("message")
                reply.bulk("__redis__:invalidate")
            }
            guard let keys else { return reply.nullArray() }
            reply.array(keys.count)
            for key in keys { reply.bulk(key.bytes) }
        }
    }

    private mutating func breakRedirect(_ session: SessionID, _ details: SessionDetails) {
        let redirect = details.tracking?.redirect ?? 0
        details.tracking?.isRedirectBroken = true
        guard sessions[session].protocolVersion == .resp3 else { return }
        deliveries.push(to: [session], in: sessions) { reply in
            reply.push(2)
            reply.bulk("tracking-redir-broken")
            reply.integer(redirect)
        }
    }

    /// Begins or changes tracking for the current session.
    mutating func beginTracking(_ mode: TrackingMode) {
        sessions.details(current).tracking = mode
        sessions[current].flags.insert(.tracking)
        if !trackers.contains(current) { trackers.append(current) }
        gates.insert(.tracking)
    }

    /// Ends tracking for a session; what others remember of it is dropped when they are told.
    mutating func endTracking(_ session: SessionID) {
        guard let details = sessions[session].details, details.tracking != nil else { return }
        details.tracking = nil
        sessions[session].flags.remove(.tracking)
        trackers.removeAll { $0 == session }
        guard trackers.isEmpty else { return }
        gates.remove(.tracking)
        tracking.forgetAll()
    }
}

extension ByteString {
    fileprivate func hasPrefix(_ prefix: ByteString) -> Bool {
        byteCount >= prefix.byteCount
            && bytes.part(from: 0, count: prefix.byteCount).equals(prefix.bytes)
    }
}
