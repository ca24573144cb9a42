import Bytes

/// What a model has to know of a hash, set or sorted set.
struct CollectionShape {
    /// Fields or members.
    var count = 0
    /// The longest field, value or member.
    var largest = 0
    /// All of it as a listpack.
    var packedByteCount = Listpack.emptyByteCount
    /// All of it in blocks of its own, as the model says.
    var partByteCount = 0.0
    /// The width of an intset that holds it; nil if a member is no integer.
    var integerWidth: Int? = 2
    /// Fields with a deadline.
    var deadlineCount = 0

    mutating func note(_ value: borrowing PackedValue) {
        packedByteCount += Listpack.entryByteCount(of: value)
        largest = max(largest, value.byteCount)
    }
}

/// What a model has to know of a list.
struct ListShape {
    /// Nodes that came as listpacks, with what they take.
    private(set) var nodeCount = 0
    private(set) var nodeByteCount = 0
    /// The bytes of the first node as they are, for a list that has no other.
    private(set) var onlyNodeByteCount = 0
    /// A node that is being filled with elements that came one by one.
    private var open = 0
    private let blocks: BlockSizes

    init(_ blocks: BlockSizes) {
        self.blocks = blocks
    }

    /// Adds a node as it is.
    mutating func addNode(_ byteCount: Int) {
        close()
        nodeCount += 1
        onlyNodeByteCount = byteCount
        nodeByteCount += blocks(byteCount)
    }

    /// Adds an element to the last node, or to a new one if that would be too large.
    mutating func addElement(_ element: borrowing PackedValue, largeIsPlain: Bool) {
        let size = Listpack.entryByteCount(of: element)
        if size + Listpack.emptyByteCount > ServerLayout.nodeByteLimit {
            return addLongElement(element.byteCount, largeIsPlain: largeIsPlain)
        }
        if open > 0, open + size > ServerLayout.nodeByteLimit { close() }
        open = max(open, Listpack.emptyByteCount) + size
    }

    /// Adds an element that is too large to share a node.
    mutating func addLongElement(_ byteCount: Int, largeIsPlain: Bool) {
        let packed = Listpack.entryByteCount(ofStringOf: byteCount) + Listpack.emptyByteCount
        addNode(largeIsPlain ? byteCount : packed)
    }

    /// No more elements come.
    mutating func close() {
        guard open > 0 else { return }
        let byteCount = open
        open = 0
        addNode(byteCount)
    }
}

/// What a model has to know of a stream.
struct StreamShape {
    /// Nodes, by the id that each begins with.
    var nodes: RadixTreeSize
    var nodeCount = 0
    var nodeByteCount = 0
    /// Groups with their consumers, and what finds their names.
    var groupByteCount = 0
    /// The radix trees of what is pending for groups and consumers.
    private(set) var pendingTreeByteCount = 0
    var groupCount = 0
    var pendingCount = 0
    /// The group that most is pending for: what of all entries is pending, as good as exactly.
    private(set) var largestPending: RadixTreeSize
    private var groupPending: RadixTreeSize
    private var consumerPending: RadixTreeSize
    private var hasGroup = false
    private var hasConsumer = false
    private let empty: RadixTreeSize

    init(_ empty: RadixTreeSize) {
        self.empty = empty
        nodes = empty
        largestPending = empty
        groupPending = empty
        consumerPending = empty
    }

    mutating func beginGroup() {
        finish()
        hasGroup = true
        groupCount += 1
    }

    mutating func addPending(_ high: UInt64, _ low: UInt64) {
        groupPending.add(high, low)
        pendingCount += 1
    }

    mutating func beginConsumer() {
        finishConsumer()
        hasConsumer = true
    }

    mutating func addConsumerPending(_ high: UInt64, _ low: UInt64) {
        consumerPending.add(high, low)
    }

    /// The group that was last begun is complete.
    mutating func finish() {
        finishConsumer()
        if hasGroup { pendingTreeByteCount += groupPending.byteCount() }
        hasGroup = false
        if groupPending.keyCount > largestPending.keyCount { largestPending = groupPending }
        groupPending = empty
    }

    private mutating func finishConsumer() {
        if hasConsumer { pendingTreeByteCount += consumerPending.byteCount() }
        hasConsumer = false
        consumerPending = empty
    }
}
