import Bytes
import Store

// Effects that several families write in the place of their request.
extension Engine {
    /// Writes that `key` was set to `value`.
    mutating func writeSet(
        _ key: RawSpan,
        _ value: RawSpan,
        deadline: Int64? = nil,
        keepsDeadline: Bool = false
    ) {
        hasWrittenEffects = true
        let count = deadline != nil ? 5 : keepsDeadline ? 4 : 3
        guard effects.begin(count, database: keyspace.number) else { return }
        effects.argument("SET")
        effects.argument(key)
        effects.argument(value)
        if let deadline {
            effects.argument("PXAT")
            effects.argument(deadline)
        } else if keepsDeadline {
            effects.argument("KEEPTTL")
        }
    }

    /// Writes that a field was set to `value`.
    mutating func writeField(
        _ key: RawSpan,
        _ field: RawSpan,
        _ value: RawSpan,
        deadline: Int64?
    ) {
        hasWrittenEffects = true
        guard effects.begin(deadline == nil ? 4 : 8, database: keyspace.number) else { return }
        effects.argument(deadline == nil ? "HSET" : "HSETEX")
        effects.argument(key)
        if let deadline {
            effects.argument("PXAT")
            effects.argument(deadline)
            effects.argument("FIELDS")
            effects.argument("1")
        }
        effects.argument(field)
        effects.argument(value)
    }

    /// Writes that `key` is gone.
    mutating func writeRemoval(_ key: RawSpan) {
        hasWrittenEffects = true
        guard effects.begin(2, database: keyspace.number) else { return }
        effects.argument("UNLINK")
        effects.argument(key)
    }

    /// Writes that `key` has this deadline, or none.
    mutating func writeDeadline(_ key: RawSpan, _ deadline: Int64?) {
        hasWrittenEffects = true
        guard effects.begin(deadline == nil ? 2 : 3, database: keyspace.number) else { return }
        effects.argument(deadline == nil ? "PERSIST" : "PEXPIREAT")
        effects.argument(key)
        if let deadline { effects.argument(deadline) }
    }

    /// Whether a deadline that a request gives is past, so that the key or field goes at once.
    func isPast(_ deadline: Int64) -> Bool {
        deadline <= dataSet.now && !isReplaying
    }

    /// Removes a key because a request gave it a deadline that is past, and writes that.
    mutating func removeAsExpired(_ entry: Entry, _ key: RawSpan) {
        keyspace.remove(entry)
        writeRemoval(key)
        changed(key, .expired, "expired")
    }
}
