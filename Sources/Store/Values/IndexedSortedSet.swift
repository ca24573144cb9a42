import Bytes
import Structures

/// A sorted set of any size: nodes found by member in a table, by score and rank in an index.
///
/// The table owns the nodes; the index points to them.
@unsafe
struct IndexedSortedSet: ~Copyable {
    let arena: Arena
    var table: HashTable<SortedSetNode>
    var index: ScoreIndex

    static func allocate(in keyspace: Keyspace) -> UnsafeMutablePointer<IndexedSortedSet> {
        let arena = keyspace.arena
        let seed = unsafe keyspace.environment.pointee.seed
        let indexed = UnsafeMutablePointer<IndexedSortedSet>.allocate(capacity: 1)
        unsafe indexed.initialize(
            to: IndexedSortedSet(
                arena: arena,
                table: HashTable(arena: arena, seed: seed),
                index: ScoreIndex(arena: arena)
            )
        )
        return unsafe indexed
    }

    func find(_ member: RawSpan) -> SortedSetNode? {
        guard let slot = unsafe table.find(member, hash: table.hash(member)) else { return nil }
        return unsafe SortedSetNode(slot.node)
    }

    /// Adds a member that is not there.
    mutating func insert(_ member: RawSpan, _ score: Double, hash: UInt64) {
        let node = unsafe SortedSetNode(score: score, member: member, in: arena)
        unsafe table.insert(node.address, hash: hash)
        unsafe index.insert(node)
    }

    /// Adds a member that comes behind all others.
    mutating func append(_ member: RawSpan, _ score: Double) {
        let node = unsafe SortedSetNode(score: score, member: member, in: arena)
        unsafe table.insert(node.address, hash: table.hash(member))
        unsafe index.append(node)
    }

    /// Adds a member of a file, or gives it another score; most come behind all others.
    mutating func load(_ member: RawSpan, _ score: Double) {
        let hash = unsafe table.hash(member)
        if let slot = unsafe table.find(member, hash: hash) {
            return unsafe index.reposition(SortedSetNode(slot.node), score: score)
        }
        let node = unsafe SortedSetNode(score: score, member: member, in: arena)
        unsafe table.insert(node.address, hash: hash)
        if unsafe index.isBehindAll(node) {
            unsafe index.append(node)
        } else {
            unsafe index.insert(node)
        }
    }

    mutating func remove(_ member: RawSpan) -> Bool {
        let hash = unsafe table.hash(member)
        guard let slot = unsafe table.find(member, hash: hash) else { return false }
        let node = unsafe SortedSetNode(slot.node)
        unsafe index.remove(node)
        unsafe table.remove(slot, hash: hash)
        unsafe node.free(in: arena)
        return true
    }

    mutating func remove(in ranks: Range<Int>) {
        unsafe index.removeRange(ranks) { node in
            let hash = unsafe table.hash(node.member)
            guard let slot = unsafe table.find(node.member, hash: hash) else {
                preconditionFailure("a member of the index is not in the table")
            }
            unsafe table.remove(slot, hash: hash)
            unsafe node.free(in: arena)
        }
    }
}
