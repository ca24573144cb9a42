import Bytes
import Store

/// Which sessions watch which keys.
struct Watches {
    private var watchers: [WatchedKey: [SessionID]] = [:]

    var isEmpty: Bool { watchers.isEmpty }

    /// The keys of one database that are watched.
    func keys(in database: Int) -> [WatchedKey] {
        watchers.keys.filter { $0.database == database }
    }

    func sessions(watching key: WatchedKey) -> [SessionID] {
        watchers[key] ?? []
    }

    mutating func add(_ session: SessionID, to key: WatchedKey) {
        watchers[key, default: []].append(session)
    }

    mutating func remove(_ session: SessionID, from key: WatchedKey) {
        guard var left = watchers[key] else { return }
        left.removeAll { $0 == session }
        watchers[key] = left.isEmpty ? nil : left
    }
}

/// A key that WATCH named.
struct WatchedKey: Hashable {
    let database: Int
    let key: ByteString
}

extension Engine {
    /// Lets the current session's next transaction fail when this key changes.
    mutating func watch(_ key: RawSpan) {
        let watched = WatchedKey(database: keyspace.number, key: ByteString(key))
        let details = sessions.details(current)
        guard details.watchedKeys[watched] == nil else { return }
        // A key that is past its deadline already does not change by going away.
        details.watchedKeys[watched] = keyspace.find(key)?.isExpired ?? false
        details.namedByteCount += SessionDetails.byteCount(ofName: watched.key)
        watches.add(current, to: watched)
        gates.insert(.watching)
    }

    /// Forgets what a session watches.
    mutating func forgetWatches(of session: SessionID) {
        guard let details = sessions[session].details, !details.watchedKeys.isEmpty else { return }
        for key in details.watchedKeys.keys {
            details.namedByteCount -= SessionDetails.byteCount(ofName: key.key)
            watches.remove(session, from: key)
        }
        details.watchedKeys.removeAll()
        if watches.isEmpty { gates.remove(.watching) }
    }

    /// Lets the transactions fail of those who watch a key that has just changed.
    mutating func touchWatched(_ key: RawSpan, in keyspace: Keyspace) {
        let watched = WatchedKey(database: keyspace.number, key: ByteString(key))
        let isThere = keyspace.find(key) != nil
        for session in watches.sessions(watching: watched) {
            failWatch(of: watched, by: session, isThere: isThere)
        }
    }

    private mutating func failWatch(
        of key: WatchedKey,
        by session: SessionID,
        isThere: Bool
    ) {
        guard let details = sessions[session].details else { return }
        if details.watchedKeys[key] == true, !isThere {
            details.watchedKeys[key] = false
        } else {
            sessions[session].flags.insert(.watchFailed)
        }
    }

    /// Lets the transactions fail of those who watch a key of a database that is emptied, or
    /// that gets the keys of another one.
    mutating func touchWatched(in keyspace: Keyspace, replacedBy other: Keyspace? = nil) {
        for watched in watches.keys(in: keyspace.number) {
            let key = watched.key.bytes
            let successor = other?.find(key)
            guard keyspace.find(key) != nil || successor != nil else { continue }
            if let successor, successor.isExpired {
                replaceWatched(watched, wasThere: keyspace.find(key) != nil)
                continue
            }
            for session in watches.sessions(watching: watched) {
                failWatch(of: watched, by: session, isThere: successor != nil)
            }
        }
    }

    /// A key that is past its deadline comes in the place of a watched one: nothing changes for
    /// those who watched no key at all, or one that was past its deadline, too.
    private mutating func replaceWatched(_ watched: WatchedKey, wasThere: Bool) {
        for session in watches.sessions(watching: watched) {
            guard let details = sessions[session].details else { continue }
            if details.watchedKeys[watched] == true { continue }
            if wasThere {
                sessions[session].flags.insert(.watchFailed)
            } else {
                details.watchedKeys[watched] = true
            }
        }
    }

    /// Whether a key that the session watches has gone past its deadline since.
    func hasExpiredWatch(_ session: SessionID) -> Bool {
        guard let details = sessions[session].details else { return false }
        return details.watchedKeys.contains { watched, wasExpired in
            !wasExpired && dataSet[watched.database].find(watched.key.bytes)?.isExpired == true
        }
    }
}
