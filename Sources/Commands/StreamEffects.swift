import Bytes
import RESP
import Store

// What commands of streams write in the place of their request, so that a replay comes to the
// same entries, ids, groups and deliveries.
extension Engine {
    /// Notes a change that only subscribers of events are told of, not those who watch the key.
    mutating func noted(_ key: RawSpan, _ event: StaticString) {
        statistics.changes += 1
        if gates.contains(.notifying) { notify(key, .stream, event, in: keyspace) }
    }

    /// Writes effects that are replayed as a whole or not at all.
    mutating func writeTogether(_ body: (inout Engine) -> Void) {
        hasWrittenEffects = true
        let isOutermost = !effects.isInTransaction
        if isOutermost { effects.beginTransaction() }
        body(&self)
        if isOutermost { effects.endTransaction() }
    }

    /// Writes that a consumer was made.
    mutating func writeConsumer(_ key: RawSpan, _ group: RawSpan, _ consumer: RawSpan) {
        guard effects.begin(5, database: keyspace.number) else { return }
        effects.argument("XGROUP")
        effects.argument("CREATECONSUMER")
        effects.argument(key)
        effects.argument(group)
        effects.argument(consumer)
    }

    /// Writes what a group has been given.
    mutating func writePosition(_ key: RawSpan, _ name: RawSpan, _ group: ConsumerGroup) {
        guard effects.begin(7, database: keyspace.number) else { return }
        effects.argument("XGROUP")
        effects.argument("SETID")
        effects.argument(key)
        effects.argument(name)
        effects.argument(group.lastDeliveredID)
        effects.argument("ENTRIESREAD")
        effects.argument(group.entriesRead ?? -1)
    }

    /// Writes that entries were delivered to a consumer, or that they are gone.
    mutating func writeClaims(
        _ claims: inout DeliveryRun,
        _ key: RawSpan,
        _ name: RawSpan,
        _ consumer: RawSpan,
        _ group: ConsumerGroup
    ) {
        guard !claims.ids.isEmpty else { return }
        defer { claims.ids.removeAll() }
        guard effects.begin(claims.ids.count + 13, database: keyspace.number) else { return }
        effects.argument("XCLAIM")
        effects.argument(key)
        effects.argument(name)
        effects.argument(consumer)
        effects.argument("0")
        for id in claims.ids { effects.argument(id) }
        effects.argument("TIME")
        effects.argument(claims.time)
        effects.argument("RETRYCOUNT")
        effects.argument(Int64(truncatingIfNeeded: claims.count))
        effects.argument("FORCE")
        effects.argument("JUSTID")
        effects.argument("LASTID")
        effects.argument(group.lastDeliveredID)
    }
}

/// Deliveries to one consumer that one effect can tell: of the same time and count.
struct DeliveryRun {
    var ids: [StreamEntryID] = []
    var time: Int64 = 0
    var count: UInt64 = 0

    /// Whether a delivery fits to those that are here.
    func takes(_ time: Int64, _ count: UInt64) -> Bool {
        ids.isEmpty || self.time == time && self.count == count
    }

    mutating func append(_ id: StreamEntryID, _ time: Int64, _ count: UInt64) {
        ids.append(id)
        self.time = time
        self.count = count
    }
}
