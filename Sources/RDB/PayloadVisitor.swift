import Bytes

/// How much of a value a visitor wants to be told.
public enum Reporting: Sendable {
    /// Nothing: move past it as fast as its layout allows.
    case nothing
    /// Compact encodings as they are, checked throughout, in one call; the rest by element.
    ///
    /// Ziplists and zipmaps arrive as the listpacks that servers turn them into, listpacks with
    /// wrong back lengths put right; what is not in the order of its encoding, by element.
    case encoded
    /// Every element.
    case elements
}

/// How large a value says it is, before its elements are reported.
///
/// Plain layouts only claim their count: reserve no memory from it.
public struct Extent: Sendable {
    /// Elements, members, fields or live entries; nil where only the walk will tell.
    public var count: Int?
    /// Nodes of a list or stream.
    public var nodeCount: Int?
    /// Bytes of a compact encoding.
    public var byteCount: Int?
    /// Whether a field may have a deadline.
    public var hasFieldDeadlines = false
    /// The earliest of those deadlines, where the layout keeps it.
    public var earliestDeadline: Int64?

    /// Says nothing but what is given.
    public init(count: Int? = nil, nodeCount: Int? = nil, byteCount: Int? = nil) {
        self.count = count
        self.nodeCount = nodeCount
        self.byteCount = byteCount
    }
}

/// What a string inside a value is there.
public enum ElementRole: Sendable {
    /// An element of a list.
    case listElement
    /// A member of a set.
    case setMember
    /// A member of a sorted set.
    case sortedSetMember
    /// The name of a field of a hash, whose value follows.
    case hashField
    /// The value of a field of a hash.
    case hashValue
    /// The name of a field of a stream entry, whose value follows.
    case streamField
    /// The value of a field of a stream entry.
    case streamValue
    /// A string of a module value.
    case moduleString
}

/// What a name inside a stream is the name of.
public enum StreamNameRole: Sendable {
    /// A consumer group.
    case group
    /// A consumer of the last group.
    case consumer
}

/// What a walk over a value reports to.
///
/// The calls for one value are `begin`, then, unless nothing was asked for, `announce` and
/// those of its kind, then `end`. Bytes are valid during the call only. Whatever a visitor
/// throws ends the walk and comes out of it. All calls but `begin` do nothing if not
/// implemented. Deadlines and times are in milliseconds since 1970.
public protocol PayloadVisitor: ~Copyable {
    /// A value begins; says how much of it to report.
    mutating func begin(_ encoding: Encoding) throws(RDBError) -> Reporting
    /// The value is as large as `extent` says.
    mutating func announce(_ extent: Extent) throws(RDBError)
    /// The value ended, and all of it was sound.
    mutating func end() throws(RDBError)

    /// The most bytes `string` is given; longer strings come as parts.
    var largestWholeString: Int { get }
    /// A string value.
    mutating func string(_ value: PackedValue) throws(RDBError)
    /// A piece of a string value of `byteCount` bytes, in order.
    mutating func stringPart(
        _ bytes: RawSpan,
        at offset: Int,
        of byteCount: Int
    ) throws(RDBError)

    /// The most bytes of a string inside a value that is given whole; longer ones come as parts.
    var largestWholeElement: Int { get }
    /// A piece of a string of `byteCount` bytes inside a value, in order.
    ///
    /// A field and its value both come so if one of them is long; the other is a single piece.
    mutating func elementPart(
        _ bytes: RawSpan,
        at offset: Int,
        of byteCount: Int,
        _ role: ElementRole
    ) throws(RDBError)
    /// The element, member or field that came in parts is complete.
    mutating func endElement(score: Double?, deadline: Int64?) throws(RDBError)

    /// The most bytes of a compact encoding that is brought into memory; the elements of larger
    /// ones come one by one, also to those who want them `encoded`, and their count is not known
    /// before.
    ///
    /// Members that are there twice are the visitor's to find in those.
    var largestWholePacked: Int { get }
    /// A node of a list or stream is larger: its elements or entries follow.
    mutating func beginLongNode(byteCount: Int, master: StreamID?) throws(RDBError)
    /// The elements or entries of the large node are complete.
    mutating func endLongNode() throws(RDBError)

    /// The next element of a list.
    mutating func listElement(_ element: PackedValue) throws(RDBError)
    /// The next elements of a list, as a listpack.
    mutating func listNode(_ listpack: RawSpan, count: Int) throws(RDBError)
    /// A member of a set.
    mutating func setMember(_ member: PackedValue) throws(RDBError)
    /// A member of a sorted set; the score is no NaN.
    mutating func sortedSetMember(_ member: PackedValue, score: Double) throws(RDBError)
    /// A field of a hash.
    mutating func hashField(
        _ field: PackedValue,
        value: PackedValue,
        deadline: Int64?
    ) throws(RDBError)
    /// All of a set, sorted set (member, score, …) or hash (field, value, …), as a listpack.
    ///
    /// `count` counts members or fields.
    mutating func listpack(_ bytes: RawSpan, count: Int) throws(RDBError)
    /// The most bytes of a sound listpack of fields with deadlines that is given whole, unless a
    /// walk validates containers; the fields of others come one by one.
    var largestDeadlineListpack: Int { get }
    /// All of a hash whose fields may have deadlines, as a listpack.
    mutating func deadlineListpack(
        _ bytes: RawSpan,
        _ listpack: DeadlineListpack
    ) throws(RDBError)
    /// All of a set of integers, as an intset.
    mutating func intset(_ bytes: RawSpan, count: Int) throws(RDBError)

    /// A node of a stream: ids from `master` on, `liveCount` entries that were not deleted.
    mutating func streamNode(
        _ listpack: RawSpan,
        master: StreamID,
        liveCount: Int
    ) throws(RDBError)
    /// A live entry of a stream, whose fields follow.
    mutating func streamEntry(_ id: StreamID, fieldCount: Int) throws(RDBError)
    /// A field of the last entry.
    mutating func streamField(_ field: PackedValue, value: PackedValue) throws(RDBError)
    /// The most bytes of the name of a group or consumer that is given whole; a longer one comes as
    /// parts before the call for the group or consumer, which is then given an empty name.
    var largestWholeName: Int { get }
    /// A piece of such a name of `byteCount` bytes, in order.
    mutating func streamNamePart(
        _ bytes: RawSpan,
        at offset: Int,
        of byteCount: Int,
        _ role: StreamNameRole
    ) throws(RDBError)
    /// The counters of a stream, after its entries.
    mutating func streamState(_ state: StreamState) throws(RDBError)
    /// A consumer group, whose pending entries and consumers follow.
    mutating func streamGroup(_ name: PackedValue, _ group: StreamGroup) throws(RDBError)
    /// An entry of the last group that was delivered but not acknowledged.
    mutating func pendingEntry(_ entry: PendingEntry) throws(RDBError)
    /// How many consumers of the last group follow.
    mutating func streamConsumers(count: Int) throws(RDBError)
    /// A consumer of the last group, whose pending ids follow.
    mutating func streamConsumer(
        _ name: PackedValue,
        _ consumer: StreamConsumer
    ) throws(RDBError)
    /// One of the last group's pending entries belongs to the last consumer.
    mutating func consumerPending(_ id: StreamID) throws(RDBError)
    /// One of the last group's pending entries belongs to nobody any more.
    mutating func unownedPending(_ id: StreamID) throws(RDBError)
    /// How long ids of idempotent producers are remembered; the producers follow.
    mutating func streamProducers(_ limits: ProducerLimits) throws(RDBError)
    /// An id by which a producer added an entry.
    mutating func producedEntry(
        producer: PackedValue,
        key: PackedValue,
        id: StreamID
    ) throws(RDBError)

    /// The module of a module value, whose pieces follow.
    mutating func module(_ module: ModuleID) throws(RDBError)
    /// A piece of the module value.
    mutating func moduleItem(_ item: ModuleItem) throws(RDBError)
}

extension PayloadVisitor where Self: ~Copyable {
    /// Does nothing.
    public mutating func announce(_ extent: Extent) throws(RDBError) {}
    /// Does nothing.
    public mutating func end() throws(RDBError) {}
    /// Any number.
    public var largestWholeString: Int { .max }
    /// Does nothing.
    public mutating func string(_ value: PackedValue) throws(RDBError) {}
    /// Does nothing.
    public mutating func stringPart(
        _ bytes: RawSpan,
        at offset: Int,
        of byteCount: Int
    ) throws(RDBError) {}
    /// Any number.
    public var largestWholeElement: Int { .max }
    /// Does nothing.
    public mutating func elementPart(
        _ bytes: RawSpan,
        at offset: Int,
        of byteCount: Int,
        _ role: ElementRole
    ) throws(RDBError) {}
    /// Does nothing.
    public mutating func endElement(score: Double?, deadline: Int64?) throws(RDBError) {}
    /// Any number.
    public var largestWholePacked: Int { .max }
    /// Does nothing.
    public mutating func beginLongNode(byteCount: Int, master: StreamID?) throws(RDBError) {}
    /// Does nothing.
    public mutating func endLongNode() throws(RDBError) {}
    /// Does nothing.
    public mutating func listElement(_ element: PackedValue) throws(RDBError) {}
    /// Does nothing.
    public mutating func listNode(_ listpack: RawSpan, count: Int) throws(RDBError) {}
    /// Does nothing.
    public mutating func setMember(_ member: PackedValue) throws(RDBError) {}
    /// Does nothing.
    public mutating func sortedSetMember(
        _ member: PackedValue,
        score: Double
    ) throws(RDBError) {}
    /// Does nothing.
    public mutating func hashField(
        _ field: PackedValue,
        value: PackedValue,
        deadline: Int64?
    ) throws(RDBError) {}
    /// Does nothing.
    public mutating func listpack(_ bytes: RawSpan, count: Int) throws(RDBError) {}
    /// None.
    public var largestDeadlineListpack: Int { 0 }
    /// Does nothing.
    public mutating func deadlineListpack(
        _ bytes: RawSpan,
        _ listpack: DeadlineListpack
    ) throws(RDBError) {}
    /// Does nothing.
    public mutating func intset(_ bytes: RawSpan, count: Int) throws(RDBError) {}
    /// Does nothing.
    public mutating func streamNode(
        _ listpack: RawSpan,
        master: StreamID,
        liveCount: Int
    ) throws(RDBError) {}
    /// Does nothing.
    public mutating func streamEntry(_ id: StreamID, fieldCount: Int) throws(RDBError) {}
    /// Does nothing.
    public mutating func streamField(
        _ field: PackedValue,
        value: PackedValue
    ) throws(RDBError) {}
    /// Does nothing.
    public mutating func streamState(_ state: StreamState) throws(RDBError) {}
    /// Any number.
    public var largestWholeName: Int { .max }
    /// Does nothing.
    public mutating func streamNamePart(
        _ bytes: RawSpan,
        at offset: Int,
        of byteCount: Int,
        _ role: StreamNameRole
    ) throws(RDBError) {}
    /// Does nothing.
    public mutating func streamGroup(_ name: PackedValue, _ group: StreamGroup) throws(RDBError) {}
    /// Does nothing.
    public mutating func pendingEntry(_ entry: PendingEntry) throws(RDBError) {}
    /// Does nothing.
    public mutating func streamConsumers(count: Int) throws(RDBError) {}
    /// Does nothing.
    public mutating func streamConsumer(
        _ name: PackedValue,
        _ consumer: StreamConsumer
    ) throws(RDBError) {}
    /// Does nothing.
    public mutating func consumerPending(_ id: StreamID) throws(RDBError) {}
    /// Does nothing.
    public mutating func unownedPending(_ id: StreamID) throws(RDBError) {}
    /// Does nothing.
    public mutating func streamProducers(_ limits: ProducerLimits) throws(RDBError) {}
    /// Does nothing.
    public mutating func producedEntry(
        producer: PackedValue,
        key: PackedValue,
        id: StreamID
    ) throws(RDBError) {}
    /// Does nothing.
    public mutating func module(_ module: ModuleID) throws(RDBError) {}
    /// Does nothing.
    public mutating func moduleItem(_ item: ModuleItem) throws(RDBError) {}
}

/// A visitor that moves past values.
public struct SkippingVisitor: PayloadVisitor {
    /// A visitor without state.
    public init() {}

    /// None of them is looked at.
    public var largestWholeName: Int { 1 << 16 }

    /// Asks for nothing.
    public mutating func begin(_ encoding: Encoding) -> Reporting { .nothing }
}

/// A visitor that has every element decoded and checked, and looks at none.
public struct CheckingVisitor: PayloadVisitor {
    /// A visitor without state.
    public init() {}

    /// None of them is looked at.
    public var largestWholeName: Int { 1 << 16 }

    /// Asks for everything.
    public mutating func begin(_ encoding: Encoding) -> Reporting { .elements }
}
