/// The id of a stream entry.
public struct StreamID: Hashable, Comparable, Sendable {
    /// Milliseconds since 1970, usually.
    public var milliseconds: UInt64
    /// Tells entries of the same millisecond apart.
    public var sequence: UInt64

    /// Names an entry.
    public init(_ milliseconds: UInt64, _ sequence: UInt64) {
        self.milliseconds = milliseconds
        self.sequence = sequence
    }

    /// Before every entry.
    public static let zero = StreamID(0, 0)

    /// Orders by milliseconds, then sequence.
    public static func < (one: StreamID, other: StreamID) -> Bool {
        (one.milliseconds, one.sequence) < (other.milliseconds, other.sequence)
    }
}

extension StreamID: CustomStringConvertible {
    /// As commands spell it.
    public var description: String { "\(milliseconds)-\(sequence)" }
}

/// The counters of a stream.
///
/// Version 1 of the encoding has no more than length and last id; the rest is then what servers
/// fill in.
public struct StreamState: Equatable, Sendable {
    /// Live entries.
    public var length: UInt64
    /// The last id given out.
    public var lastID: StreamID
    /// The first live entry; zero if there is none.
    public var firstID: StreamID
    /// The greatest id that was deleted.
    public var maximumDeletedID: StreamID
    /// Entries ever added.
    public var entriesAdded: UInt64
    /// Consumer groups to follow.
    public var groupCount: Int

    /// Counters of a stream.
    public init(
        length: UInt64,
        lastID: StreamID,
        firstID: StreamID,
        maximumDeletedID: StreamID,
        entriesAdded: UInt64,
        groupCount: Int
    ) {
        self.length = length
        self.lastID = lastID
        self.firstID = firstID
        self.maximumDeletedID = maximumDeletedID
        self.entriesAdded = entriesAdded
        self.groupCount = groupCount
    }

    /// How many entries a group that was given `id` last has read; nil if that cannot be told.
    ///
    /// What servers assume for groups of version 1.
    public func entriesRead(upTo id: StreamID) -> UInt64? {
        if entriesAdded == 0 { return 0 }
        if length == 0, id <= lastID { return entriesAdded }
        if id != .zero, id < maximumDeletedID { return nil }
        if id == lastID { return entriesAdded }
        guard id < lastID, maximumDeletedID == .zero || maximumDeletedID < firstID else {
            return nil
        }
        if id < firstID { return entriesAdded &- length }
        return id == firstID ? entriesAdded &- length &+ 1 : nil
    }
}

/// A consumer group.
public struct StreamGroup: Equatable, Sendable {
    /// The last entry given to a consumer.
    public var lastDeliveredID: StreamID
    /// Entries read so far; nil if not known.
    public var entriesRead: UInt64?
    /// Pending entries to follow.
    public var pendingCount: Int

    /// A group, its name aside.
    public init(lastDeliveredID: StreamID, entriesRead: UInt64?, pendingCount: Int) {
        self.lastDeliveredID = lastDeliveredID
        self.entriesRead = entriesRead
        self.pendingCount = pendingCount
    }
}

/// An entry that was delivered to a consumer and not acknowledged.
public struct PendingEntry: Equatable, Sendable {
    /// The entry, which may have been deleted meanwhile.
    public var id: StreamID
    /// When it was delivered last.
    public var deliveryTime: Int64
    /// How often it was delivered.
    public var deliveryCount: UInt64

    /// A pending entry.
    public init(id: StreamID, deliveryTime: Int64, deliveryCount: UInt64) {
        self.id = id
        self.deliveryTime = deliveryTime
        self.deliveryCount = deliveryCount
    }
}

/// A consumer of a group.
public struct StreamConsumer: Equatable, Sendable {
    /// When it asked last.
    public var seenTime: Int64
    /// When it was given an entry last; nil if never.
    public var activeTime: Int64?
    /// Pending ids to follow.
    public var pendingCount: Int

    /// A consumer, its name aside.
    public init(seenTime: Int64, activeTime: Int64?, pendingCount: Int) {
        self.seenTime = seenTime
        self.activeTime = activeTime
        self.pendingCount = pendingCount
    }
}

/// How long and how many ids of idempotent producers a stream remembers.
public struct ProducerLimits: Equatable, Sendable {
    /// Seconds.
    public var duration: UInt64
    /// Ids per producer.
    public var maximumCount: UInt64
    /// Producers to follow.
    public var producerCount: Int
}
