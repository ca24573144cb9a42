import Structures

extension Keyspace {
    /// Checks what must hold of the table and every structure; tests call it.
    package func checkInvariants() {
        unsafe state.pointee.table.checkInvariants()
        forEachEntry { $0.checkInvariants() }
    }
}

extension Entry {
    fileprivate func checkInvariants() {
        switch encoding {
        case .tableSet: unsafe set.table.pointee.checkInvariants()
        case .tableHash: hash.checkInvariants()
        case .indexedSortedSet:
            unsafe sortedSet.indexed?.pointee.table.checkInvariants()
            unsafe sortedSet.indexed?.pointee.index.checkInvariants()
        case .blockList:
            let blocks = unsafe valuePointer.assumingMemoryBound(to: BlockList.self)
            unsafe blocks.pointee.checkInvariants()
        default: break
        }
    }
}
