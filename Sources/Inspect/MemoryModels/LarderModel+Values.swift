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
        return structure(key, Self.memberTable + table(shape.count) + Int(shape.partByteCount))
    }

    func sortedSet(_ key: ModelKey, _ shape: CollectionShape) -> Int {
        let isPacked =
            shape.count <= ServerLayout.packedSortedSetLimit
            && shape.largest <= ServerLayout.packedElementLimit
        if isPacked { return bytes(key, shape.packedByteCount) }
        let index = Double(shape.count) * Self.indexByteCountPerMember
        let structures = Self.sortedSetHeader + table(shape.count)
        return structure(key, structures + Int(shape.partByteCount + index))
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
        let nodes = shape.nodeByteCount + 8 * shape.nodeCount
        let pending = Self.pending * shape.pendingCount
        return structure(key, Self.stream + nodes + maps + pending + shape.groupByteCount)
    }

    func group(_ name: Int) -> Int { blocks(Self.group + name) }
    func consumer(_ name: Int) -> Int { blocks(Self.consumer + name) }

    static let packedSetLimit = 128
    /// The structures that members and fields are in, beside the buckets of their table.
    private static let memberTable = 32
    private static let fieldTable = 136
    /// The same of a sorted set, with the blocks of its index that are being filled.
    private static let sortedSetHeader = 1050
    /// Leaves of 10 bytes a member, filled one after the other as members come in order.
    private static let indexByteCountPerMember = 10.6
    /// Keys that come in order.
    private static let mapByteCountPerEntry = 24.6
    private static let stream = 232
    private static let pending = 24
    /// With the block of its pending entries that is being filled.
    private static let group = 300
    private static let consumer = 250
}
