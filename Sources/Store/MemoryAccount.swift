import Structures

extension Entry {
    /// Bytes of memory of the structure that the value is, its elements included.
    ///
    /// Of a structure with many elements, at least `samples` are looked at, and the others are
    /// taken to be like them.
    func structureByteCount(samples: Int) -> Int {
        switch encoding {
        case .tableSet: unsafe tableByteCount(MemberNode.self, samples)
        case .tableHash: unsafe hash.table?.pointee.byteCount(samples: samples) ?? 0
        case .indexedSortedSet: sortedSetByteCount(samples)
        case .blockList: listByteCount
        case .stream: unsafe stream.stream.pointee.byteCount
        default: preconditionFailure("no structure has the encoding \(encoding)")
        }
    }

    private var listByteCount: Int {
        let blocks = unsafe valuePointer.assumingMemoryBound(to: BlockList.self)
        return unsafe blocks.pointee.byteCount + MemoryLayout<BlockList>.size
    }

    private func sortedSetByteCount(_ samples: Int) -> Int {
        let indexed = unsafe valuePointer.assumingMemoryBound(to: IndexedSortedSet.self)
        let bytes = unsafe indexed.pointee.table.byteCount + indexed.pointee.index.byteCount
        let nodes = unsafe indexed.pointee.table.nodeByteCount(samples: samples) { slot in
            unsafe SortedSetNode(slot.node).byteCount
        }
        return unsafe bytes + nodes + MemoryLayout<IndexedSortedSet>.size
    }

    private func tableByteCount<Node: SizedNode>(_: Node.Type, _ samples: Int) -> Int {
        let table = unsafe valuePointer.assumingMemoryBound(to: HashTable<Node>.self)
        let bytes = unsafe table.pointee.byteCount + MemoryLayout<HashTable<Node>>.size
        return unsafe bytes
            + table.pointee.nodeByteCount(samples: samples) { unsafe Node.byteCount($0.node) }
    }
}

extension HashTable {
    /// Bytes of memory of all nodes, told from at least `samples` of them.
    func nodeByteCount(samples: Int, _ size: (HashTableSlot) -> Int) -> Int {
        var bytes = 0
        var seen = 0
        var bucket = 0
        while bucket < bucketCount, seen < samples {
            forEachSlot(inBucket: bucket) { slot in
                bytes += Arena.roundedByteCount(size(slot))
                seen += 1
            }
            bucket += 1
        }
        return seen < count && seen > 0 ? bytes * count / seen : bytes
    }
}
