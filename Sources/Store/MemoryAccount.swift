import Structures

extension Entry {
    /// Bytes of memory of the structure that the value is, its elements included.
    var structureByteCount: Int {
        switch encoding {
        case .tableSet: unsafe tableByteCount(MemberNode.self)
        case .tableHash: unsafe hash.table?.pointee.byteCount ?? 0
        case .indexedSortedSet: sortedSetByteCount
        case .blockList: listByteCount
        case .stream: unsafe stream.stream.pointee.byteCount
        default: preconditionFailure("no structure has the encoding \(encoding)")
        }
    }

    private var listByteCount: Int {
        let blocks = unsafe valuePointer.assumingMemoryBound(to: BlockList.self)
        return unsafe blocks.pointee.byteCount + MemoryLayout<BlockList>.size
    }

    private var sortedSetByteCount: Int {
        let indexed = unsafe valuePointer.assumingMemoryBound(to: IndexedSortedSet.self)
        var bytes = unsafe indexed.pointee.table.byteCount + indexed.pointee.index.byteCount
        unsafe indexed.pointee.table.forEachSlot { slot in
            bytes += unsafe Arena.roundedByteCount(SortedSetNode(slot.node).byteCount)
        }
        return unsafe bytes + MemoryLayout<IndexedSortedSet>.size
    }

    private func tableByteCount<Node: SizedNode>(_: Node.Type) -> Int {
        let table = unsafe valuePointer.assumingMemoryBound(to: HashTable<Node>.self)
        var bytes = unsafe table.pointee.byteCount + MemoryLayout<HashTable<Node>>.size
        unsafe table.pointee.forEachSlot { slot in
            bytes += unsafe Arena.roundedByteCount(Node.byteCount(slot.node))
        }
        return bytes
    }
}
