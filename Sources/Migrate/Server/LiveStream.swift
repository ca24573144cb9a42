import Bytes
import RDB
import RESP

/// A stream of a live server, as far as it does not grow with its entries: what
/// `XINFO STREAM … FULL COUNT 1` tells.
struct LiveStream: Equatable {
    /// A consumer group.
    struct Group: Equatable {
        let name: ByteString
        let lastDeliveredID: StreamID
        /// Nil if not known.
        let entriesRead: UInt64?
        let pendingCount: Int
        /// The first of them.
        let firstPending: PendingEntry?
        let consumers: [Consumer]
    }

    /// A consumer, and how many entries it has not acknowledged.
    struct Consumer: Equatable {
        let name: ByteString
        let pendingCount: Int
    }

    let state: StreamState
    let groups: [Group]
    /// Whether the server counts what it has added: Redis does since 7.0.
    let hasCounters: Bool

    /// Reads the reply; nil if it is none such, or tells of what only a payload has.
    init?(_ reply: Reply) {
        guard let facts = Self.facts(reply), let length = facts["length"]?.count,
            let lastID = facts["last-generated-id"]?.streamID,
            case .array(let groups)? = facts["groups"],
            case .array(let entries)? = facts["entries"],
            // The producers of Redis 8.6 are only counted here.
            !facts.keys.contains(where: { $0.text.hasPrefix("idmp") || $0.text.hasPrefix("pids") })
        else { return nil }
        hasCounters = facts["entries-added"] != nil
        var firstID = StreamID.zero
        if case .array(let parts)? = entries.first, let id = parts.first?.streamID { firstID = id }
        let state = StreamState(
            length: UInt64(length),
            lastID: lastID,
            firstID: firstID,
            maximumDeletedID: facts["max-deleted-entry-id"]?.streamID ?? .zero,
            entriesAdded: UInt64(facts["entries-added"]?.count ?? length),
            groupCount: groups.count
        )
        self.state = state
        var all: [Group] = []
        for group in groups {
            guard let group = Group(group, hasCounters, state) else { return nil }
            all.append(group)
        }
        self.groups = all
    }

    /// Names and what belongs to them.
    fileprivate static func facts(_ reply: Reply) -> [ByteString: Reply]? {
        guard case .array(let parts) = reply, parts.count % 2 == 0 else { return nil }
        var facts: [ByteString: Reply] = [:]
        for index in stride(from: 0, to: parts.count, by: 2) {
            guard case .bulk(let name) = parts[index] else { return nil }
            facts[name] = parts[index + 1]
        }
        return facts
    }
}

extension LiveStream.Group {
    fileprivate init?(_ reply: Reply, _ hasCounters: Bool, _ state: StreamState) {
        guard let facts = LiveStream.facts(reply), case .bulk(let name)? = facts["name"],
            let id = facts["last-delivered-id"]?.streamID, let count = facts["pel-count"]?.count,
            case .array(let pending)? = facts["pel"] ?? facts["pending"],
            case .array(let consumers)? = facts["consumers"]
        else { return nil }
        self.name = name
        lastDeliveredID = id
        let read = facts["entries-read"]?.count.map { UInt64($0) }
        entriesRead = hasCounters ? read : state.entriesRead(upTo: id)
        pendingCount = count
        // Id, consumer, moment, how often.
        if case .array(let parts)? = pending.first, parts.count == 4, let id = parts[0].streamID,
            case .integer(let moment) = parts[2], let deliveryCount = parts[3].count
        {
            firstPending = PendingEntry(
                id: id,
                deliveryTime: moment,
                deliveryCount: UInt64(deliveryCount)
            )
        } else {
            firstPending = nil
        }
        self.consumers = consumers.compactMap { consumer in
            guard let facts = LiveStream.facts(consumer), case .bulk(let name)? = facts["name"],
                let count = facts["pel-count"]?.count
            else { return nil }
            return LiveStream.Consumer(name: name, pendingCount: count)
        }
        guard self.consumers.count == consumers.count else { return nil }
    }
}

extension Reply {
    /// A number that is not below zero.
    fileprivate var count: Int? {
        if case .integer(let number) = self {
            Int(exactly: number).flatMap { $0 < 0 ? nil : $0 }
        } else {
            nil
        }
    }

    /// The id of an entry.
    var streamID: StreamID? {
        guard case .bulk(let text) = self else { return nil }
        let bytes = text.bytes
        var milliseconds: UInt64?
        var number: UInt64 = 0
        for index in 0..<bytes.byteCount {
            let byte = bytes.byte(at: index)
            if byte == UInt8(ascii: "-"), milliseconds == nil {
                milliseconds = number
                number = 0
                continue
            }
            guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { return nil }
            let (tenfold, isTooLarge) = number.multipliedReportingOverflow(by: 10)
            guard !isTooLarge else { return nil }
            number = tenfold &+ UInt64(byte - UInt8(ascii: "0"))
        }
        return milliseconds.map { StreamID($0, number) }
    }
}

extension StreamID {
    /// The next one that there can be; nil after the last.
    var next: StreamID? {
        if sequence < .max { return StreamID(milliseconds, sequence + 1) }
        return milliseconds < .max ? StreamID(milliseconds + 1, 0) : nil
    }
}
