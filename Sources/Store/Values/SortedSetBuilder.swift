import Bytes
import Structures

/// How two scores of one member become one: AGGREGATE of ZUNION and ZINTER.
package enum ScoreAggregate: Sendable {
    case sum
    case least
    case greatest

    /// The score of both; infinities of opposite sign make 0.
    package func callAsFunction(_ one: Double, _ other: Double) -> Double {
        switch self {
        case .sum:
            let sum = one + other
            return sum.isNaN ? 0 : sum
        case .least: return other < one ? other : one
        case .greatest: return other > one ? other : one
        }
    }
}

/// A sorted set in the making: members come in any order and are put in order once.
@safe
package struct SortedSetBuilder: ~Copyable {
    private let keyspace: Keyspace
    private var indexed: UnsafeMutablePointer<IndexedSortedSet>?
    private var longest = 0

    /// An empty set for `keyspace`.
    package init(in keyspace: Keyspace) {
        self.keyspace = keyspace
        unsafe indexed = IndexedSortedSet.allocate(in: keyspace)
    }

    deinit {
        guard let indexed = unsafe indexed else { return }
        unsafe SortedSetBuilder.free(indexed)
    }

    private static func free(_ indexed: UnsafeMutablePointer<IndexedSortedSet>) {
        let arena = unsafe indexed.pointee.arena
        unsafe indexed.pointee.table.removeAll { unsafe SortedSetNode($0).free(in: arena) }
        unsafe indexed.deinitialize(count: 1)
        unsafe indexed.deallocate()
    }

    private var whole: UnsafeMutablePointer<IndexedSortedSet> {
        guard let indexed = unsafe indexed else { preconditionFailure("a set that was stored") }
        return unsafe indexed
    }

    /// How many members.
    package var count: Int { unsafe whole.pointee.table.count }

    /// Adds a member that is not there yet.
    package mutating func add(_ member: borrowing PackedValue, _ score: Double) {
        member.withText { add($0, score) }
    }

    /// Adds a member that is not there yet.
    package mutating func add(_ member: RawSpan, _ score: Double) {
        unsafe add(member, score, hash: whole.pointee.table.hash(member))
    }

    private mutating func add(_ member: RawSpan, _ score: Double, hash: UInt64) {
        let node = SortedSetNode(score: score, member: member, in: keyspace.arena)
        unsafe whole.pointee.table.insert(node.address, hash: hash)
        longest = max(longest, member.byteCount)
    }

    /// Adds a member, or lets its score become that of both.
    package mutating func merge(
        _ member: borrowing PackedValue,
        _ score: Double,
        _ aggregate: ScoreAggregate
    ) {
        member.withText { merge($0, score, aggregate) }
    }

    private mutating func merge(_ member: RawSpan, _ score: Double, _ aggregate: ScoreAggregate) {
        let hash = unsafe whole.pointee.table.hash(member)
        guard let slot = unsafe whole.pointee.table.find(member, hash: hash) else {
            return add(member, score, hash: hash)
        }
        let node = unsafe SortedSetNode(slot.node)
        node.setScore(aggregate(node.score, score))
    }

    private func sortedNodes() -> [SortedSetNode] {
        var nodes: [SortedSetNode] = []
        nodes.reserveCapacity(count)
        unsafe whole.pointee.table.forEachSlot { unsafe nodes.append(SortedSetNode($0.node)) }
        nodes.sort { one, other in
            one.score == other.score
                ? one.member.compared(to: other.member) < 0 : one.score < other.score
        }
        return nodes
    }

    /// Visits every member with its score, in order.
    package func forEachMember(_ visit: (PackedValue, Double) -> Void) {
        for node in sortedNodes() { visit(.bytes(node.member), node.score) }
    }

    /// Makes the set, which has members, the value of `key`, which must be absent.
    package consuming func store(at key: RawSpan) {
        let limits = unsafe keyspace.environment.pointee.limits
        if count <= limits.sortedSetEntries, longest <= limits.sortedSetValue {
            storePacked(at: key)
        } else {
            let indexed = unsafe whole
            for node in sortedNodes() { unsafe indexed.pointee.index.append(node) }
            _ = unsafe keyspace.insert(
                key,
                .indexedSortedSet,
                pointer: UnsafeMutableRawPointer(indexed)
            )
            unsafe self.indexed = nil
        }
    }

    private func storePacked(at key: RawSpan) {
        var packed = ListpackWriter(reserving: 1024)
        var text = ByteWriter(reserving: 32)
        for node in sortedNodes() {
            packed.append(node.member)
            if let whole = unsafe PackedSortedSet.wholeNumber(node.score) {
                packed.append(integer: whole)
            } else {
                text.removeAll()
                text.append(shortest: node.score)
                packed.append(string: text.bytes)
            }
        }
        packed.finish { bytes in
            let open = keyspace.insert(key, .packedSortedSet, byteCount: bytes.byteCount)
            unsafe open.entry.valueBytes.store(bytes)
        }
    }
}
