import Bytes
import RDB

extension LargestKeys.Entry {
    /// The key and its row.
    package var json: JSON {
        .object([("key", .bytes(key))] + row.members)
    }
}

extension KeyRow {
    /// Everything but the name.
    var members: [(String, JSON)] {
        var members: [(String, JSON)] = [
            ("db", .optional(database)),
            ("type", .text(encoding.kind.commandName)),
            ("encoding", .text(encoding.name)),
            ("bytes", .count(byteCount)),
            ("memory", .count(memory)),
            ("elements", .count(elementCount)),
            ("largest", .count(largestElement)),
            ("deadline", .optional(deadline)),
        ]
        if let idleSeconds { members.append(("idle", .optional(idleSeconds))) }
        if let frequency { members.append(("freq", .optional(frequency))) }
        return members
    }
}
