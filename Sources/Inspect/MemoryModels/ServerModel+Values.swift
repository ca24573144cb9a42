import Bytes

extension ServerModel {
    /// The values of collections, without key and object.
    func hash(_ shape: CollectionShape) -> Int {
        let isPacked =
            shape.count <= ServerLayout.packedHashLimit
            && shape.largest <= ServerLayout.packedElementLimit
        guard shape.deadlineCount > 0 else {
            return isPacked ? blocks(shape.packedByteCount) : hashTable(shape)
        }
        switch layout.fieldDeadlines {
        case .listpack where isPacked:
            let deadlines = 10 * shape.deadlineCount + 2 * (shape.count - shape.deadlineCount)
            return blocks(shape.packedByteCount + deadlines) + blocks(ServerLayout.packedDeadlines)
        case .listpack:
            let isListed = shape.deadlineCount <= ServerLayout.listedDeadlines
            let index = isListed ? 0 : shape.deadlineCount * ServerLayout.indexedDeadline
            return hashTable(shape) + ServerLayout.deadlineRoot + index
        case .table:
            return hashTable(shape) + 8 + volatileFields(shape.deadlineCount)
        }
    }

    private func hashTable(_ shape: CollectionShape) -> Int {
        table(shape.count, hasValues: true) + Int(shape.partByteCount)
    }

    /// One pointer; an array of them; or, beyond 127, a table.
    private func volatileFields(_ count: Int) -> Int {
        if count <= 1 { return 0 }
        if count <= 127 { return blocks(8 + 8 * count) }
        return table(count, hasValues: false)
    }

    func set(_ shape: CollectionShape) -> Int {
        if let width = shape.integerWidth, shape.count <= ServerLayout.integerSetLimit {
            return blocks(IntsetSize.byteCount(shape.count, width: width))
        }
        let isPacked =
            shape.count <= layout.packedSetLimit
            && shape.largest <= ServerLayout.packedElementLimit
        if isPacked { return blocks(shape.packedByteCount) }
        return table(shape.count, hasValues: false) + Int(shape.partByteCount)
    }

    func sortedSet(_ shape: CollectionShape) -> Int {
        let isPacked =
            shape.count <= ServerLayout.packedSortedSetLimit
            && shape.largest <= ServerLayout.packedElementLimit
        if isPacked { return blocks(shape.packedByteCount) }
        return sortedSetHeader + table(shape.count, hasValues: true) + Int(shape.partByteCount)
    }

    func list(_ shape: ListShape) -> Int {
        if layout.packsLists, shape.nodeCount == 1,
            shape.onlyNodeByteCount <= ServerLayout.nodeByteLimit
        {
            return blocks(shape.onlyNodeByteCount)
        }
        let nodes = shape.nodeCount * blocks(ServerLayout.quicklistNode) + shape.nodeByteCount
        return blocks(ServerLayout.quicklist) + nodes
    }

    func stream(_ shape: StreamShape) -> Int {
        let nodes = shape.nodes.byteCount() + shape.nodeByteCount
        let names = shape.groupCount > 0 ? blocks(layout.radixTree) : 0
        let pending = shape.pendingCount * blocks(layout.pending)
        let own = blocks(layout.stream) + nodes
        let groups = names + shape.groupByteCount + shape.pendingTreeByteCount
        return own + groups + pending + index(of: shape)
    }

    /// What finds the groups that an entry is pending for.
    private func index(of shape: StreamShape) -> Int {
        guard layout.indexesPending, shape.pendingCount > 0 else { return 0 }
        let lists = shape.largestPending.keyCount * blocks(ServerLayout.groupList)
        let groups = shape.pendingCount * blocks(ServerLayout.groupListNode)
        return shape.largestPending.byteCount() + lists + groups
    }

    /// A consumer group without its pending entries and consumers.
    func group(_ name: Int) -> Int {
        blocks(layout.group) + treeEntry(name) + blocks(layout.radixTree)
    }

    /// A consumer without its pending entries.
    func consumer(_ name: Int) -> Int {
        blocks(layout.consumer) + text(name) + treeEntry(name)
    }

    /// A name in a radix tree of few names: a run and the node of its value.
    private func treeEntry(_ name: Int) -> Int {
        blocks((4 + name + 7) / 8 * 8 + 8) + blocks(16)
    }
}

/// The bytes of a set of integers of one width.
enum IntsetSize {
    static func byteCount(_ count: Int, width: Int) -> Int { 8 + count * width }

    static func width(of value: Int64) -> Int {
        if value == Int64(Int16(truncatingIfNeeded: value)) { return 2 }
        return value == Int64(Int32(truncatingIfNeeded: value)) ? 4 : 8
    }
}
