import Bytes
import CProcessor

/// Sees the nodes of a hash table before they change, and those that it walks over.
///
/// What holds between two calls of a watched table: the nodes whose slots have the table's
/// `seen` bit were shown, or added since the walk began; the others are as they were then. A
/// node takes its bit along when it moves to another slot. So each node is shown once, as it
/// was when the walk began, and whoever changes one node pays for that node only. A walk that
/// begins turns the meaning of the bits around: when nobody watches, all slots have the same,
/// whatever it is.
public protocol SlotWitness: AnyObject {
    /// Takes the node of a slot; valid during the call only.
    func take(_ slot: HashTableSlot)
}

/// Sees the members of a score index before they change, and those that it walks over.
///
/// The rule is that of `SlotWitness`. A leaf that has the index's version was shown as a whole;
/// of another one, the entries that carry a flag were.
public protocol ScoreWitness: AnyObject {
    /// Takes neighbouring members, in order; valid during the call only.
    func take(_ members: ScoreRun)
}

/// Sees the blocks of a list before they change, and those that it walks over.
///
/// The rule is that of `SlotWitness`, with blocks for nodes.
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
    private let range: Range<Int>

    init(_ leaf: ScoreLeaf, _ range: Range<Int>) {
        self.leaf = leaf
        self.range = range
    }

    /// Visits those that were not shown before.
    public func visit(_ body: (SortedSetNode) -> Void) {
        // They lie anywhere; one after the other, each would be waited for.
        for index in range { unsafe processor_prefetch(leaf.node(at: index).address) }
        for index in range where !leaf.isFlagged(index) { body(leaf.node(at: index)) }
    }
}

extension HashTable {
    /// Lets `witness` see every node as it is now, before it changes or by `walk`.
    public mutating func beginWalk(_ witness: any SlotWitness) {
        precondition(self.witness == nil, "two walks over one table at a time")
        seen = ~seen
        self.witness = witness
    }

    /// Ends a walk that has shown every bucket.
    public mutating func endWalk() {
        witness = nil
    }

    /// Shows a node of the bucket with number `index` that was not shown; returns whether there
    /// was one.
    ///
    /// So a walk can be left off within a bucket, whatever is in it.
    public func walkNext(inBucket index: Int) -> Bool {
        var current: Bucket? = bucket(at: index)
        while let bucket = current {
            current = bucket.overflow
            guard bucket.seenBits != seen else { continue }
            var filled = bucket.filledSlots
            while filled != 0 {
                let index = filled.trailingZeroBitCount >> 3
                filled &= filled &- 1
                guard !bucket.isSeen(index, seen) else { continue }
                show(HashTableSlot(bucket: bucket, index: index))
                return true
            }
            // What is left are empty slots.
            bucket.seenBits = seen
        }
        return false
    }

    /// Shows the nodes of the bucket with number `index` that were not shown.
    func walk(bucket index: Int) {
        while walkNext(inBucket: index) {}
    }

    /// Asks the processor for the nodes of a bucket that will be walked over.
    public func prefetchNodes(inBucket index: Int) {
        guard index < bucketCount else { return }
        let bucket = bucket(at: index)
        var filled = bucket.filledSlots
        while filled != 0 {
            unsafe processor_prefetch(bucket.node(at: filled.trailingZeroBitCount >> 3))
            filled &= filled &- 1
        }
    }

    /// Shows a node that is about to change, unless it was shown.
    @inlinable
    @inline(__always)
    func passDoor(_ slot: HashTableSlot) {
        guard witness != nil else { return }
        show(slot)
    }

    @usableFromInline
    @inline(never)
    func show(_ slot: HashTableSlot) {
        guard !slot.bucket.isSeen(slot.index, seen) else { return }
        slot.bucket.setSeen(slot.index, true, seen)
        witness?.take(slot)
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
    /// Lets `witness` see every member as it is now, before it changes or by `walk`.
    public mutating func beginWalk(_ witness: any ScoreWitness) {
        precondition(self.witness == nil, "two walks over one index at a time")
        version &+= 1
        self.witness = witness
    }

    /// Ends a walk that has shown every leaf.
    public mutating func endWalk() {
        witness = nil
    }

    /// Shows the leaf that holds `rank`, but for what was shown of it; returns the last member
    /// there, nil if there is no such rank.
    public func walk(rank: Int) -> SortedSetNode? {
        guard rank < entryCount else { return nil }
        let (leaf, _) = unsafe ScoreIndex.leaf(ofRank: rank, below: filledRoot, height: height)
        passDoor(leaf)
        return leaf.node(at: leaf.count - 1)
    }

    /// Shows a leaf that is about to change as a whole, but for what was shown of it.
    @inline(__always)
    func passDoor(_ leaf: ScoreLeaf) {
        guard witness != nil else { return }
        show(leaf)
    }

    @inline(never)
    private func show(_ leaf: ScoreLeaf) {
        guard leaf.version != version else { return }
        leaf.version = version
        witness?.take(ScoreRun(leaf, 0..<leaf.count))
        leaf.clearFlags()
    }

    /// Shows the member at `index` of a leaf, which is about to go or to change, unless it was
    /// shown.
    @inline(__always)
    func passDoor(_ leaf: ScoreLeaf, _ index: Int) {
        guard witness != nil else { return }
        show(leaf, index)
    }

    @inline(never)
    private func show(_ leaf: ScoreLeaf, _ index: Int) {
        guard leaf.version != version, !leaf.isFlagged(index) else { return }
        witness?.take(ScoreRun(leaf, index..<(index + 1)))
    }

    /// Notes that a walk is not to see the member at `index` of a leaf.
    @inline(__always)
    func noteSeen(_ leaf: ScoreLeaf, _ index: Int) {
        guard witness != nil, leaf.version != version else { return }
        leaf.flag(index)
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
