import Structures

extension Entry {
    /// Bytes of memory of the structure that the value is, its elements included.
    var structureByteCount: Int {
        switch encoding {
        case .tableSet: unsafe tableByteCount(MemberNode.self)
        case .tableHash: unsafe tableByteCount(FieldNode.self)
        default: preconditionFailure("no structure has the encoding \(encoding)")
        }
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
