import Bytes

/// Sees the buckets of a hash table before they change, and those that it walks over.
///
/// What holds between two calls of a watched table: the buckets that have the table's version
/// were shown, or made since from such as were; the others are as they were when the walk
/// began. So each node is shown once, as it was then. When nobody watches, all buckets have the
/// table's version, whatever it is.
public protocol BucketWitness: AnyObject {
    /// Takes the nodes of a bucket and its overflow; valid during the call only.
    func take(_ bucket: Bucket)
}

/// Sees the leaves of a score index before they change, and those that it walks over.
///
/// The rule is that of `BucketWitness`, with leaves for buckets.
public protocol LeafWitness: AnyObject {
    /// Takes the nodes of a leaf, in order; valid during the call only.
    func take(_ nodes: ScoreRun)
}

/// Sees the blocks of a list before they change, and those that it walks over.
///
/// The rule is that of `BucketWitness`, with blocks for buckets.
public protocol BlockWitness: AnyObject {
    /// Takes the bytes of a block, as `BlockList.blockBytes` gives them.
    ///
    /// `unseenBefore` of the blocks that are left lie before this one and were not shown yet.
    func take(_ bytes: RawSpan, count: Int, isPlain: Bool, unseenBefore: Int)
}

/// Neighbouring members of a sorted set, in order; valid until the set changes.
@safe
public struct ScoreRun {
    private let leaf: ScoreLeaf

    init(_ leaf: ScoreLeaf) {
        self.leaf = leaf
    }

    /// How many.
    public var count: Int { leaf.count }

    /// One of them.
    public subscript(index: Int) -> SortedSetNode {
        precondition(index >= 0 && index < count, "no member has this index")
        return leaf.node(at: index)
    }
}

extension HashTable {
    /// Lets `witness` see every bucket as it is now, before it changes or by `walk(bucket:)`.
    public mutating func beginWalk(_ witness: any BucketWitness) {
        precondition(self.witness == nil, "two walks over one table at a time")
        version &+= 1
        self.witness = witness
    }

    /// Ends a walk that has shown every bucket.
    public mutating func endWalk() {
        witness = nil
    }

    /// Shows the bucket with number `index`, unless it was shown.
    public func walk(bucket index: Int) {
        passDoor(bucket(at: index))
    }

    /// Shows the bucket that `hash` belongs to, which is about to change, unless it was shown.
    @inlinable
    @inline(__always)
    public func passDoor(_ hash: UInt64) {
        guard witness != nil else { return }
        show(bucket(at: bucketIndex(of: hash)))
    }

    @inlinable
    @inline(__always)
    func passDoor(_ bucket: Bucket) {
        guard witness != nil else { return }
        show(bucket)
    }

    @usableFromInline
    @inline(never)
    func show(_ bucket: Bucket) {
        guard bucket.version != version else { return }
        bucket.version = version
        witness?.take(bucket)
    }
}

extension Bucket {
    /// Visits the slots of the bucket and its overflow.
    @inlinable
    public func forEachSlot(_ visit: (HashTableSlot) -> Void) {
        var current: Bucket? = self
        while let bucket = current {
            var filled = bucket.filledSlots
            while filled != 0 {
                visit(HashTableSlot(bucket: bucket, index: filled.trailingZeroBitCount >> 3))
                filled &= filled &- 1
            }
            current = bucket.overflow
        }
    }
}

extension ScoreIndex {
    /// Lets `witness` see every leaf as it is now, before it changes or by `walk`.
    public mutating func beginWalk(_ witness: any LeafWitness) {
        precondition(self.witness == nil, "two walks over one index at a time")
        version &+= 1
        self.witness = witness
    }

    /// Ends a walk that has shown every leaf.
    public mutating func endWalk() {
        witness = nil
    }

    /// Shows the leaves from the one that holds `rank` on, unless they were shown, until about
    /// `limit` members were; returns the last member it passed, nil at the end.
    public func walk(fromRank rank: Int, limit: Int) -> SortedSetNode? {
        var rank = rank
        var left = limit
        var last: SortedSetNode?
        while rank < entryCount {
            guard left > 0 else { return last }
            let (leaf, index) = unsafe ScoreIndex.leaf(
                ofRank: rank,
                below: filledRoot,
                height: height
            )
            left -= leaf.version == version ? 1 : leaf.count
            passDoor(leaf)
            last = leaf.node(at: leaf.count - 1)
            rank += leaf.count - index
        }
        return nil
    }

    @inline(__always)
    func passDoor(_ leaf: ScoreLeaf) {
        guard witness != nil else { return }
        show(leaf)
    }

    @inline(never)
    private func show(_ leaf: ScoreLeaf) {
        guard leaf.version != version else { return }
        leaf.version = version
        witness?.take(ScoreRun(leaf))
    }
}

extension BlockList {
    /// Lets `witness` see every block as it is now, before it changes or by `walk`.
    public mutating func beginWalk(_ witness: any BlockWitness) {
        precondition(self.witness == nil, "two walks over one list at a time")
        mark ^= ListBlock.markFlag
        self.witness = witness
        unseenCount = blocks
        walkedNumber = firstNumber
    }

    /// Ends a walk that has shown every block.
    public mutating func endWalk() {
        witness = nil
    }

    /// Shows the first `limit` blocks that were not shown yet; returns whether all were.
    public mutating func walk(limit: Int) -> Bool {
        var left = limit
        while unseenCount > 0, left > 0 {
            let ordinal = max(walkedNumber - firstNumber, 0)
            if isUnseen(ordinal) { left -= 1 }
            passDoor(ordinal)
            walkedNumber = firstNumber + ordinal + 1
        }
        return unseenCount == 0
    }

    /// Shows a block that is about to change, unless it was shown.
    @inline(__always)
    mutating func passDoor(_ ordinal: Int) {
        guard witness != nil else { return }
        show(ordinal)
    }

    mutating func passDoor(_ range: Range<Int>) {
        guard witness != nil else { return }
        for ordinal in range { show(ordinal) }
    }

    private func isUnseen(_ ordinal: Int) -> Bool {
        self[ordinal].countAndKind & ListBlock.markFlag != mark
    }

    @inline(never)
    private mutating func show(_ ordinal: Int) {
        guard isUnseen(ordinal) else { return }
        let before = unseenCount(before: ordinal)
        self[ordinal].countAndKind ^= ListBlock.markFlag
        unseenCount -= 1
        let block = self[ordinal]
        witness?.take(
            block.bytes,
            count: block.count,
            isPlain: block.isPlain,
            unseenBefore: before
        )
    }

    private func unseenCount(before ordinal: Int) -> Int {
        if ordinal == blocks - 1 { return unseenCount - 1 }
        var count = 0
        for place in max(
            walkedNumber - firstNumber,
            0
        )..<max(ordinal, walkedNumber - firstNumber, 0)
        where isUnseen(place) {
            count += 1
        }
        return count
    }
}
