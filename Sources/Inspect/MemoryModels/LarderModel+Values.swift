import Bytes

extension LarderModel {
    func hash(_ key: ModelKey, _ shape: CollectionShape) -> Int {
        let isPacked =
            shape.count <= ServerLayout.packedHashLimit
            && shape.largest <= ServerLayout.packedElementLimit && shape.deadlineCount == 0
        if isPacked { return bytes(key, shape.packedByteCount) }
        let due = 8 * shape.deadlineCount * 5 / 4
        return structure(key, Self.fieldTable + table(shape.count) + Int(shape.partByteCount) + due)
    }

    func set(_ key: ModelKey, _ shape: CollectionShape) -> Int {
        if let width = shape.integerWidth, shape.count <= ServerLayout.integerSetLimit {
            return bytes(key, IntsetSize.byteCount(shape.count, width: width))
        }
        let isPacked =
            shape.count <= Self.packedSetLimit && shape.largest <= ServerLayout.packedElementLimit
        if isPacked { return bytes(key, shape.packedByteCount) }
        return structure(key, table(shape.count) + Int(shape.partByteCount))
    }

    func sortedSet(_ key: ModelKey, _ shape: CollectionShape) -> Int {
        let isPacked =
            shape.count <= ServerLayout.packedSortedSetLimit
            && shape.largest <= ServerLayout.packedElementLimit
        if isPacked { return bytes(key, shape.packedByteCount) }
        let index = Double(shape.count) * Self.indexByteCountPerMember
        return structure(key, table(shape.count) + Int(shape.partByteCount + index))
    }

    func list(_ key: ModelKey, _ shape: ListShape) -> Int {
        if shape.nodeCount == 1, shape.onlyNodeByteCount <= ServerLayout.nodeByteLimit {
            return bytes(key, shape.onlyNodeByteCount)
        }
        let ring = TableSizes.powerOfTwo(atLeast: shape.nodeCount) * 24
        return structure(key, shape.nodeByteCount + ring)
    }

    func stream(_ key: ModelKey, _ shape: StreamShape) -> Int {
        let entries = Double(shape.nodeCount + 2 * shape.pendingCount)
        let maps = Int(entries * Self.mapByteCountPerEntry)
        return structure(key, shape.nodeByteCount + maps + shape.groupByteCount)
    }

    func group(_ name: Int) -> Int { Self.groupByteCount + name }
    func consumer(_ name: Int) -> Int { Self.groupByteCount + name }

    static let packedSetLimit = 128
    /// What is counted of a table of fields beside its buckets.
    private static let fieldTable = 0
    /// Leaves of 10 bytes a member, filled one after the other as members come in order.
    private static let indexByteCountPerMember = 10.6
    /// Keys that come in order.
    private static let mapByteCountPerEntry = 24.6
    private static let groupByteCount = 96
}
