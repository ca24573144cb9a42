import Structures

/// What no key leads to any more, freed in steps between other work.
///
/// Freeing ten million members takes a second; nobody shall wait for it.
@unsafe
struct Graveyard: ~Copyable {
    /// What is freed at once, in elements.
    static let smallCount = 64

    /// Large values whose keys were removed.
    var structures = unsafe [(encoding: Encoding, address: UnsafeMutableRawPointer)]()
    /// Tables of flushed keyspaces, and how many of their buckets are left.
    var tables: [(keyspace: Keyspace, buckets: Int)] = []

    var isEmpty: Bool { unsafe structures.isEmpty && tables.isEmpty }
}

extension UnsafeMutablePointer<Environment> {
    /// Frees about `limit` elements of what was removed and is still in memory.
    ///
    /// Freeing a table's keys may bury their values, so the graveyard is only held between.
    func freeSome(_ limit: Int) {
        var left = limit
        let arena = unsafe pointee.arena
        while left > 0 {
            if let (encoding, address) = unsafe pointee.graveyard.structures.last {
                left -= unsafe freeStructure(encoding, address, limit: left, in: arena)
                if left > 0 { unsafe pointee.graveyard.structures.removeLast() }
            } else if let (keyspace, buckets) = unsafe pointee.graveyard.tables.last {
                guard buckets > 0 else {
                    unsafe pointee.graveyard.tables.removeLast()
                    unsafe keyspace.state.deinitialize(count: 1)
                    unsafe keyspace.state.deallocate()
                    continue
                }
                let last = unsafe pointee.graveyard.tables.count - 1
                unsafe pointee.graveyard.tables[last].buckets = buckets - 1
                let before = keyspace.count
                keyspace.freeBucket(at: buckets - 1)
                left -= before - keyspace.count + 1
            } else {
                return
            }
        }
    }

    /// Keeps a table that was flushed until the running snapshot has walked it, then frees it
    /// in steps.
    func detach(_ flushed: Keyspace, replacedBy fresh: Keyspace) {
        let isYounger = unsafe flushed.state.pointee.isYoungerThanSnapshot
        unsafe fresh.state.pointee.isYoungerThanSnapshot = pointee.snapshot.isActive
        let stage = unsafe pointee.snapshot.pending.firstIndex {
            unsafe $0.keyspace.state == fresh.state
        }
        guard let stage, !isYounger else {
            return unsafe pointee.graveyard.tables.append((flushed, flushed.bucketCount))
        }
        let number = unsafe pointee.snapshot.pending[stage].number
        unsafe pointee.snapshot.pending[stage] = SnapshotWalk.Stage(
            keyspace: flushed,
            number: number,
            isDetached: true
        )
    }
}

/// Frees up to about `limit` elements of a structure, and the structure with the last of them.
///
/// Returns how many it freed; fewer than `limit` says that the structure is gone.
@unsafe
func freeStructure(
    _ encoding: Encoding,
    _ structure: UnsafeMutableRawPointer,
    limit: Int,
    in arena: Arena
) -> Int {
    switch encoding {
    case .tableSet: unsafe freeTable(MemberNode.self, structure, limit: limit, in: arena)
    case .tableHash: unsafe freeTable(FieldNode.self, structure, limit: limit, in: arena)
    default: preconditionFailure("no structure has the encoding \(encoding)")
    }
}

@unsafe
private func freeTable<Node: SizedNode>(
    _: Node.Type,
    _ structure: UnsafeMutableRawPointer,
    limit: Int,
    in arena: Arena
) -> Int {
    let table = unsafe structure.assumingMemoryBound(to: HashTable<Node>.self)
    var freed = 0
    // The last bucket is cleared first: the ones already cleared are those at the end.
    var index = unsafe table.pointee.bucketCount
    while index > 0, freed < limit {
        index -= 1
        let before = unsafe table.pointee.count
        guard before > 0 else { break }
        unsafe table.pointee.clearBucket(at: index) {
            unsafe arena.free($0, Node.byteCount($0))
        }
        freed += unsafe before - table.pointee.count
    }
    guard unsafe table.pointee.count == 0 else { return max(freed, limit) }
    unsafe table.deinitialize(count: 1)
    unsafe table.deallocate()
    return min(freed, limit - 1)
}
