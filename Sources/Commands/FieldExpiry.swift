import Bytes
import RESP
import Store

// Fields of hashes go away at their deadline: for readers at once, from memory when somebody
// comes by, and at the latest when `expireFields` gets to them.
extension Engine {
    /// Fields that a lookup removes at once; the rest of a large hash waits for `expireFields`.
    private static let lookupLimit = 512

    /// The hash without fields whose deadline is past; nil if no field is left.
    mutating func withoutExpiredFields(_ hash: HashValue, _ key: RawSpan) -> HashValue? {
        dataSet.showsExpiredFields = isReplaying
        guard !isReplaying, hash.mayHaveExpired else { return hash }
        let isLeft = removeExpiredFields(hash, key, limit: Engine.lookupLimit)
        return isLeft ? hash : nil
    }

    /// Removes fields whose deadline is past, in all databases, until `end` in microseconds.
    ///
    /// Returns whether there may be more.
    mutating func expireFields(until end: Int64) -> Bool {
        guard dataSet.mayHaveFieldDeadlines else { return false }
        while expireFields(64) {
            if host.microseconds >= end { return true }
        }
        return false
    }

    /// Removes about `limit` fields whose deadline is past, in all databases.
    ///
    /// Returns whether there may be more.
    package mutating func expireFields(_ limit: Int) -> Bool {
        var left = limit
        for number in 0..<dataSet.databaseCount {
            let database = dataSet[number]
            while let entry = database.nextHashWithExpiredFields() {
                let before = statistics.expiredFields
                let hash = entry.hash
                let key = ByteString(entry.key)
                let isLeft = removeExpiredFields(hash, key.bytes, limit: max(left, 1))
                if isLeft { database.noteRemainingDeadlines(of: hash.open()) }
                left -= Int(statistics.expiredFields - before) + 1
                guard left > 0 else { return true }
            }
        }
        return false
    }

    /// Removes fields whose deadline is past, and the key with the last; returns whether it is
    /// still there.
    private mutating func removeExpiredFields(
        _ hash: HashValue,
        _ key: RawSpan,
        limit: Int
    ) -> Bool {
        let keyspace = hash.entry.keyspace
        var removal = RequestBuffer()
        unsafe removal.append("HDEL".utf8.span.bytes)
        removal.append(key)
        let open = hash.open()
        let removed = open.removeExpired(limit: limit) { removal.append($0) }
        guard removed > 0 else { return true }
        statistics.expiredFields += Int64(removed)
        effects.append(removal.request, database: keyspace.number)
        let isEmpty = open.value.isEmpty
        if isEmpty { keyspace.remove(hash.entry) }
        guard !gates.isEmpty else { return !isEmpty }
        announce(key, .hash, "hexpired", in: keyspace, isOwn: false)
        if isEmpty { announce(key, .generic, "del", in: keyspace, isOwn: false) }
        return !isEmpty
    }
}
