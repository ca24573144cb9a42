import Bytes
import RESP
import Store

// Keyspace lookups: a key whose deadline is past is gone for everybody who looks, and a value
// of another kind than expected refuses the command.
extension Engine {
    /// The entry of `key` for a command that reads it.
    mutating func lookup(_ key: RawSpan) -> Entry? {
        guard let entry = liveEntry(key) else {
            statistics.keyspaceMisses += 1
            if !gates.isEmpty { announceMiss(key) }
            return nil
        }
        statistics.keyspaceHits += 1
        if touchesKeys { entry.touch() }
        return entry
    }

    /// The entry of `key` for a command that may change it.
    mutating func lookupForWrite(_ key: RawSpan) -> Entry? {
        guard let entry = liveEntry(key) else { return nil }
        if touchesKeys { entry.touch() }
        return entry
    }

    /// The entry of `key` for a command that reads it as this kind.
    mutating func lookup(_ key: RawSpan, _ kind: Kind) throws(CommandError) -> Entry? {
        guard let entry = lookup(key) else { return nil }
        guard entry.isKind(kind) else { throw .wrongType }
        return entry
    }

    /// The entry of `key` for a command that may change it as this kind.
    mutating func lookupForWrite(_ key: RawSpan, _ kind: Kind) throws(CommandError) -> Entry? {
        guard let entry = lookupForWrite(key) else { return nil }
        guard entry.isKind(kind) else { throw .wrongType }
        return entry
    }

    /// The entry of `key` for a command that asks about it without using it.
    mutating func peek(_ key: RawSpan, announcesMiss: Bool = true) -> Entry? {
        guard let entry = liveEntry(key) else {
            statistics.keyspaceMisses += 1
            if announcesMiss, !gates.isEmpty { announceMiss(key) }
            return nil
        }
        statistics.keyspaceHits += 1
        return entry
    }

    /// The entry of `key` unless its deadline is past; an expired one is removed.
    mutating func liveEntry(_ key: RawSpan) -> Entry? {
        guard let entry = keyspace.find(key) else { return nil }
        guard entry.isExpired, !isReplaying else { return entry }
        return liveAnyway(entry, key)
    }

    /// Removes a key whose deadline is past, unless a data set is being imported: then it stays,
    /// for the clients that bring the data set and for nobody else.
    private mutating func liveAnyway(_ entry: Entry, _ key: RawSpan) -> Entry? {
        guard settings.isImporting else {
            expire(entry, key)
            return nil
        }
        return sessions[current].flags.contains(.importSource) ? entry : nil
    }

    /// The same in a database that need not be the selected one.
    mutating func liveEntry(_ key: RawSpan, in keyspace: Keyspace) -> Entry? {
        guard let entry = keyspace.find(key) else { return nil }
        guard entry.isExpired, !isReplaying else { return entry }
        return liveAnyway(entry, key)
    }

    /// The database with the number that an argument gives.
    func database(
        _ request: borrowing Request,
        _ index: Int
    ) throws(CommandError) -> Keyspace {
        let number = try request.integer(index)
        guard Int32(exactly: number) != nil else {
            throw .text(
                "ERR value is out of range, value must between \(Int32.min) and \(Int32.max)"
            )
        }
        return try database(number)
    }

    /// The database with this number.
    func database(_ number: Int64) throws(CommandError) -> Keyspace {
        guard Int32(exactly: number) != nil else { throw .outOfInt32 }
        guard number >= 0, number < dataSet.databaseCount else { throw .databaseOutOfRange }
        return dataSet[Int(number)]
    }

    /// Looks at the clock again after something that took long: deadlines have passed meanwhile.
    package mutating func readClock() {
        dataSet.now = host.timeOfDay / 1000
    }

    /// While the log is replayed, later requests may rely on keys that have expired since.
    var isReplaying: Bool { sessions[current].flags.contains(.trusted) }

    /// Removes a key whose deadline is past.
    mutating func expire(_ entry: Entry) {
        let key = entry.key
        expire(entry, key)
    }

    /// Removes a key whose deadline is past.
    mutating func expire(_ entry: Entry, _ key: RawSpan) {
        let keyspace = entry.keyspace
        if effects.begin(2, database: keyspace.number) {
            effects.argument("UNLINK")
            effects.argument(key)
        }
        statistics.expiredKeys += 1
        guard !gates.isEmpty else { return keyspace.remove(entry) }
        // The key may lie in the entry; it is announced when it is gone.
        let key = ByteString(key)
        keyspace.remove(entry)
        announce(key.bytes, .expired, "expired", in: keyspace, isOwn: false)
    }

    /// Notes that the current command changed `key`, and so many things in it.
    ///
    /// Save points count elements, fields and members as the peers do. An event that tells more
    /// of what was counted already has a count of 0.
    mutating func changed(
        _ key: RawSpan,
        _ kind: Notification,
        _ event: StaticString,
        count: Int = 1
    ) {
        statistics.changes += Int64(count)
        if !gates.isEmpty { announce(key, kind, event, in: keyspace) }
    }

    /// Notes that the current command changed `key` in a database that need not be selected.
    mutating func changed(
        _ key: RawSpan,
        _ kind: Notification,
        _ event: StaticString,
        count: Int = 1,
        in keyspace: Keyspace
    ) {
        statistics.changes += Int64(count)
        if !gates.isEmpty { announce(key, kind, event, in: keyspace) }
    }

    /// Removes what a result was to replace that turned out empty.
    ///
    /// It is deleted even if its deadline is past, and tells so.
    mutating func storeNothing(at key: RawSpan) {
        guard let old = keyspace.find(key) else { return }
        keyspace.remove(old)
        changed(key, .generic, "del")
    }

    /// Removes a key and notes it.
    mutating func removeEmptied(_ entry: Entry, _ key: RawSpan) {
        keyspace.remove(entry)
        if !gates.isEmpty { announce(key, .generic, "del", in: keyspace) }
    }
}
