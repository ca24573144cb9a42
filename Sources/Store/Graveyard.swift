import Structures

/// What no key leads to any more, freed in steps between other work.
///
/// Freeing ten million members takes a second; nobody shall wait for it.
@unsafe
struct Graveyard: ~Copyable {
    /// What is freed at once, in elements.
    static let smallCount = 64

    /// Large values whose keys were removed.
    var structures = unsafe [Grave]()
    /// Tables of flushed keyspaces, and how many of their buckets are left.
    var tables: [(keyspace: Keyspace, buckets: Int)] = []
    /// Large values, and keys of flushed keyspaces, that were freed in steps.
    var freedCount = 0

    /// How many of them are left.
    var count: Int { unsafe structures.count + tables.reduce(0) { $0 + $1.keyspace.count } }

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
            let last = unsafe pointee.graveyard.structures.count - 1
            if last >= 0 {
                left -= unsafe pointee.graveyard.structures[last].dig(left, in: arena)
                if left > 0 {
                    unsafe pointee.graveyard.structures.removeLast()
                    unsafe pointee.graveyard.freedCount += 1
                }
            } else if let (keyspace, buckets) = unsafe pointee.graveyard.tables.last {
                guard buckets > 0 else {
                    if unsafe keyspace.state.pointee.table.removeSegment() { return }
                    unsafe pointee.graveyard.tables.removeLast()
                    unsafe keyspace.state.deinitialize(count: 1)
                    unsafe keyspace.state.deallocate()
                    continue
                }
                let last = unsafe pointee.graveyard.tables.count - 1
                unsafe pointee.graveyard.tables[last].buckets = buckets - 1
                let before = keyspace.count
                keyspace.freeBucket(at: buckets - 1)
                let freed = before - keyspace.count
                unsafe pointee.graveyard.freedCount += freed
                left -= freed + 1
            } else {
                return
            }
        }
    }

    /// Frees a structure that no key leads to; a large one in steps later.
    func bury(_ encoding: Encoding, _ structure: UnsafeMutableRawPointer) {
        if encoding.isBytes { return unsafe Blob(address: structure).free(in: pointee.arena) }
        var grave = unsafe Grave(encoding, structure)
        if unsafe grave.dig(Graveyard.smallCount, in: pointee.arena) >= Graveyard.smallCount {
            unsafe pointee.graveyard.structures.append(grave)
        }
    }

    /// Keeps a table that was flushed until a running snapshot is through with it, then frees it
    /// in steps.
    func detach(_ flushed: Keyspace) {
        if let pass = unsafe flushed.state.pointee.pass, let snapshot = unsafe pointee.snapshot {
            return snapshot.keep(flushed, for: pass)
        }
        unsafe pointee.graveyard.tables.append((flushed, flushed.bucketCount))
    }
}

/// A structure that is being freed.
@unsafe
struct Grave {
    let encoding: Encoding
    let structure: UnsafeMutableRawPointer
    /// Buckets of its table that are empty already.
    private var emptied = 0

    init(_ encoding: Encoding, _ structure: UnsafeMutableRawPointer) {
        unsafe self.encoding = encoding
        unsafe self.structure = unsafe structure
    }

    /// Frees up to about `limit` elements, or a part of an emptied table, and the structure with
    /// the last of them.
    ///
    /// Returns how many it freed; fewer than `limit` says that the structure is gone.
    mutating func dig(_ limit: Int, in arena: Arena) -> Int {
        switch unsafe encoding {
        case .tableSet: unsafe digTable(MemberNode.self, limit, in: arena)
        case .tableHash: unsafe digHash(limit, in: arena)
        case .indexedSortedSet: unsafe digSortedSet(limit, in: arena)
        case .blockList: unsafe digList(limit)
        case .stream: unsafe digStream(limit, in: arena)
        default: unsafe preconditionFailure("no structure has the encoding \(encoding)")
        }
    }

    private mutating func digTable<Node: SizedNode>(
        _: Node.Type,
        _ limit: Int,
        in arena: Arena
    ) -> Int {
        let table = unsafe structure.assumingMemoryBound(to: HashTable<Node>.self)
        let freed = unsafe clear(&table.pointee, limit) {
            unsafe arena.free($0, Node.byteCount($0))
        }
        guard unsafe table.pointee.count == 0, unsafe !table.pointee.removeSegment() else {
            return max(freed, limit)
        }
        unsafe table.deinitialize(count: 1)
        unsafe table.deallocate()
        return min(freed, limit - 1)
    }

    private mutating func digHash(_ limit: Int, in arena: Arena) -> Int {
        let table = unsafe structure.assumingMemoryBound(to: FieldTable.self)
        let freed = unsafe clear(&table.pointee.fields, limit) {
            unsafe arena.free($0, FieldNode.byteCount($0))
        }
        guard unsafe table.pointee.fields.count == 0,
            unsafe !table.pointee.fields.removeSegment()
        else { return max(freed, limit) }
        unsafe table.deinitialize(count: 1)
        unsafe table.deallocate()
        return min(freed, limit - 1)
    }

    private func digList(_ limit: Int) -> Int {
        let blocks = unsafe structure.assumingMemoryBound(to: BlockList.self)
        let before = unsafe blocks.pointee.blockCount
        guard unsafe blocks.pointee.destroy(upTo: limit) else { return limit }
        unsafe blocks.deinitialize(count: 1)
        unsafe blocks.deallocate()
        return min(before, limit - 1)
    }

    private func digStream(_ limit: Int, in arena: Arena) -> Int {
        let stream = unsafe structure.assumingMemoryBound(to: Stream.self)
        let freed = unsafe stream.pointee.destroy(upTo: limit)
        guard freed < limit else { return freed }
        unsafe stream.deinitialize(count: 1)
        unsafe arena.free(stream, MemoryLayout<Stream>.size)
        return freed
    }

    private mutating func digSortedSet(_ limit: Int, in arena: Arena) -> Int {
        let indexed = unsafe structure.assumingMemoryBound(to: IndexedSortedSet.self)
        let freed = unsafe clear(&indexed.pointee.table, limit) {
            unsafe SortedSetNode($0).free(in: arena)
        }
        guard freed < limit, unsafe indexed.pointee.table.count == 0,
            unsafe !indexed.pointee.table.removeSegment(),
            unsafe indexed.pointee.index.destroy(upTo: limit - freed)
        else { return max(freed, limit) }
        unsafe indexed.deinitialize(count: 1)
        unsafe indexed.deallocate()
        return min(freed, limit - 1)
    }

    /// Empties buckets of a table until about `limit` nodes are freed; returns how many.
    private mutating func clear<Node: HashTableNode>(
        _ table: inout HashTable<Node>,
        _ limit: Int,
        _ free: (UnsafeMutableRawPointer) -> Void
    ) -> Int {
        let before = table.count
        while table.count > 0, before - table.count < limit {
            unsafe table.clearBucket(at: emptied, free)
            unsafe emptied += 1
        }
        return before - table.count
    }
}
