import Bytes
import RDB

/// The digest of a value, as commands would show it.
///
///     var digest = ValueDigest()
///     try payload.readValue(into: &digest)
///     digest.value
///
/// It does not depend on how the value is encoded, nor on the order in which a set, a sorted set
/// or a hash happens to lie in its file: what a server loads and saves keeps its digest. The
/// order of lists and of stream entries counts, and so do the deadlines of hash fields, and of
/// streams the groups with their pending entries and consumers. When a consumer was seen last
/// does not: it is no content, as idle times of keys are none.
package struct ValueDigest: ElementVisitor {
    /// The digest of the value walked last.
    package private(set) var value = Digest128.zero
    /// Whether the value walked last is a collection without elements, which servers do not keep.
    package private(set) var isEmpty = false

    private let ignored: Ignored
    private let now: Int64
    /// What comes in order: strings, lists, entries of streams.
    private var sequence = SipHash128()
    /// What comes in any order.
    private var sum = Digest128.zero
    private var elementCount = 0
    /// The member or field that comes in parts.
    private var element = SipHash128()
    package private(set) var kind = ValueKind.string
    private var group: Group?
    private var consumer = SipHash128()
    /// The pieces of a vector set.
    private var vectors: VectorSetItems?
    /// The name of a group or consumer that came in parts.
    private var longName: SipHash128?

    /// What is left out of the digest, for comparing with a target that cannot hold it.
    package struct Ignored: OptionSet, Sendable {
        package let rawValue: UInt8
        package init(rawValue: UInt8) { self.rawValue = rawValue }

        /// What streams have had added and deleted, and groups have read: RDB 9 has no place for it.
        package static let streamCounters = Ignored(rawValue: 1)
        /// Ids of idempotent producers and pending entries without an owner: Redis alone has them.
        package static let streamProducers = Ignored(rawValue: 2)
        /// Deadlines of hash fields.
        package static let fieldDeadlines = Ignored(rawValue: 4)
    }

    /// A consumer group whose parts are being reported.
    private struct Group {
        var name: SipHash128
        var header: StreamGroup
        var sum = Digest128.zero
    }

    /// Digests everything that is not `ignored`, less the hash fields that have expired at `now`.
    package init(ignoring ignored: Ignored = [], now: Int64 = .min) {
        self.ignored = ignored
        self.now = now
    }

    package mutating func begin(_ encoding: Encoding) -> Reporting {
        kind = encoding.kind
        sequence = SipHash128()
        sum = .zero
        elementCount = 0
        group = nil
        vectors = nil
        return .encoded
    }

    package var largestWholeString: Int { 1 << 16 }

    package mutating func end() {
        finishGroup()
        if let element = vectors?.finish() { add(element) }
        var hash = SipHash128()
        hash.combine(UInt64(kind.digestTag))
        if kind != .string { hash.combine(UInt64(elementCount)) }
        hash.combine(sum)
        hash.combine(sequence.finish())
        value = hash.finish()
        switch kind {
        case .list, .set, .sortedSet, .hash: isEmpty = elementCount == 0
        default: isEmpty = false
        }
    }

    package mutating func string(_ value: PackedValue) {
        sequence.combine(text: value)
    }

    package mutating func stringPart(_ bytes: RawSpan, at offset: Int, of byteCount: Int) {
        if offset == 0 { sequence.combine(UInt64(byteCount)) }
        sequence.combine(bytes)
    }

    package var largestWholeElement: Int { vectors == nil ? 1 << 16 : 1 << 24 }
    package var largestWholePacked: Int { LongPacked.limit }

    package mutating func elementPart(
        _ bytes: RawSpan,
        at offset: Int,
        of byteCount: Int,
        _ role: ElementRole
    ) {
        switch role {
        case .listElement, .moduleString:
            if offset == 0 {
                elementCount += 1
                if role == .moduleString { sequence.combine(5) }
                sequence.combine(UInt64(byteCount))
            }
            sequence.combine(bytes)
        case .streamField, .streamValue:
            if offset == 0 { sequence.combine(UInt64(byteCount)) }
            sequence.combine(bytes)
        case .setMember, .sortedSetMember, .hashField, .hashValue:
            if offset == 0 {
                if role != .hashValue { element = SipHash128() }
                element.combine(UInt64(byteCount))
            }
            element.combine(bytes)
        }
    }

    package mutating func endElement(score: Double?, deadline: Int64?) {
        switch kind {
        case .set: add(element.finish())
        case .sortedSet: addMember(element, score ?? 0)
        case .hash: addField(element, deadline)
        case .string, .list, .stream, .module, .other: break
        }
    }

    /// Adds a member of which everything but the score is taken in.
    private mutating func addMember(_ member: SipHash128, _ score: Double) {
        var hash = member
        // Servers keep the sign of zero in one encoding and lose it in another.
        hash.combine(score == 0 ? 0 : score.bitPattern)
        add(hash.finish())
    }

    /// Adds a field of which everything but the deadline is taken in.
    private mutating func addField(_ field: SipHash128, _ deadline: Int64?) {
        if let deadline, deadline <= now { return }
        var hash = field
        if let deadline, !ignored.contains(.fieldDeadlines) {
            hash.combine(UInt64(bitPattern: deadline))
        }
        add(hash.finish())
    }

    package mutating func listElement(_ element: PackedValue) {
        elementCount += 1
        sequence.combine(text: element)
    }

    package mutating func setMember(_ member: PackedValue) {
        var hash = SipHash128()
        hash.combine(text: member)
        add(hash.finish())
    }

    package mutating func sortedSetMember(_ member: PackedValue, score: Double) {
        var hash = SipHash128()
        hash.combine(text: member)
        addMember(hash, score)
    }

    package mutating func hashField(_ field: PackedValue, value: PackedValue, deadline: Int64?) {
        var hash = SipHash128()
        hash.combine(text: field)
        hash.combine(text: value)
        addField(hash, deadline)
    }

    private mutating func add(_ digest: Digest128) {
        elementCount += 1
        sum += digest
    }
}

// Streams.

extension ValueDigest {
    package mutating func streamEntry(_ id: StreamID, fieldCount: Int) {
        elementCount += 1
        sequence.combine(id)
        sequence.combine(UInt64(fieldCount))
    }

    package mutating func streamField(_ field: PackedValue, value: PackedValue) {
        sequence.combine(text: field)
        sequence.combine(text: value)
    }

    package mutating func streamState(_ state: StreamState) {
        sequence.combine(state.lastID)
        guard !ignored.contains(.streamCounters) else { return }
        sequence.combine(state.maximumDeletedID)
        sequence.combine(state.entriesAdded)
    }

    package var largestWholeName: Int { 1 << 16 }

    package mutating func streamNamePart(
        _ bytes: RawSpan,
        at offset: Int,
        of byteCount: Int,
        _ role: StreamNameRole
    ) {
        if offset == 0 {
            var hash = SipHash128()
            hash.combine(UInt64(byteCount))
            longName = hash
        }
        longName?.combine(bytes)
    }

    /// The hash of a name, also of one that came in parts.
    private mutating func takeName(_ name: PackedValue) -> SipHash128 {
        if let hash = longName.take() { return hash }
        var hash = SipHash128()
        hash.combine(text: name)
        return hash
    }

    package mutating func streamGroup(_ name: PackedValue, _ group: StreamGroup) {
        finishGroup()
        self.group = Group(name: takeName(name), header: group)
    }

    package mutating func pendingEntry(_ entry: PendingEntry) {
        var hash = SipHash128()
        hash.combine(entry.id)
        hash.combine(UInt64(bitPattern: entry.deliveryTime))
        hash.combine(entry.deliveryCount)
        group?.sum += hash.finish()
    }

    package mutating func streamConsumer(_ name: PackedValue, _ consumer: StreamConsumer) {
        self.consumer = takeName(name)
        group?.sum += self.consumer.finish()
    }

    package mutating func consumerPending(_ id: StreamID) {
        var hash = consumer
        hash.combine(id)
        group?.sum += hash.finish()
    }

    package mutating func producedEntry(producer: PackedValue, key: PackedValue, id: StreamID) {
        guard !ignored.contains(.streamProducers) else { return }
        var hash = SipHash128()
        hash.combine(text: producer)
        hash.combine(text: key)
        hash.combine(id)
        sum += hash.finish()
    }

    private mutating func finishGroup() {
        guard let group else { return }
        self.group = nil
        var hash = group.name
        hash.combine(group.header.lastDeliveredID)
        if !ignored.contains(.streamCounters) {
            hash.combine(group.header.entriesRead ?? .max)
        }
        hash.combine(group.sum)
        sum += hash.finish()
    }
}

// Modules.

extension ValueDigest {
    package mutating func module(_ module: ModuleID) {
        sequence.combine(module.bits)
        if VectorSetItems.are(of: module) { vectors = VectorSetItems() }
    }

    private mutating func add(_ element: VectorSetItems.Element) {
        var hash = SipHash128()
        hash.combine(text: .bytes(element.name.bytes))
        let attributes = element.attributes ?? ""
        hash.combine(text: .bytes(attributes.bytes))
        hash.combine(text: .bytes(element.vector.bytes))
        hash.combine(element.measures)
        add(hash.finish())
    }

    package mutating func moduleItem(_ item: ModuleItem) {
        if vectors != nil {
            if let element = vectors?.take(item) { add(element) }
            return
        }
        elementCount += 1
        switch item {
        case .signed(let value): sequence.combine(1, UInt64(bitPattern: value))
        case .unsigned(let value): sequence.combine(2, value)
        case .float(let value): sequence.combine(3, UInt64(value.bitPattern))
        case .double(let value): sequence.combine(4, value.bitPattern)
        case .string(let text):
            sequence.combine(5)
            sequence.combine(text: text)
        }
    }
}

extension SipHash128 {
    fileprivate mutating func combine(_ id: StreamID) {
        combine(id.milliseconds)
        combine(id.sequence)
    }

    fileprivate mutating func combine(_ tag: UInt64, _ value: UInt64) {
        combine(tag)
        combine(value)
    }
}

extension ValueKind {
    /// A number that stands for the kind in digests.
    fileprivate var digestTag: Int {
        switch self {
        case .string: 1
        case .list: 2
        case .set: 3
        case .sortedSet: 4
        case .hash: 5
        case .stream: 6
        case .module: 7
        case .other: 8
        }
    }
}
