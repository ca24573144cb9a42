import Bytes
import CProcessor
import Glibc

/// What a hash table holds: a block of memory that contains its own key.
public protocol HashTableNode {
    /// The bytes that identify `node`.
    static func key(of node: UnsafeMutableRawPointer) -> UnsafeRawBufferPointer
}

/// Nodes by key, in buckets of one cache line.
///
/// The table holds pointers to nodes; whoever uses it owns the nodes. It grows and shrinks one
/// bucket at a time by linear hashing (Litwin, "Linear hashing: a new tool for file and table
/// addressing", 1980), so that no insertion ever moves more than one bucket's nodes and memory
/// follows the count closely. There is never a second table.
///
///     bucket (64 bytes)
///     0       8                                              56          62     63
///     | tags  | slots: 8 pointers of 48 bits                 | overflow  | seen | marks |
///
/// A tag is the top byte of the node's hash, 0 for an empty slot (a hash that begins with 0
/// has tag 1). `overflow` is the address of a further bucket of the same shape, for the few
/// that have more than eight nodes. `seen` has one bit a slot, for a walk that must see each
/// node as it was (`SlotWitness`): whatever changes a node passes `passDoor` first, and there
/// is no other way to change one than by the functions of the table. `marks` has one bit a slot
/// that the user of the table may set: the keyspace marks the keys that have a deadline, and
/// finds them without touching the others.
///
/// Buckets 0..<count are addressed by the low bits of the hash: `level` bits, or one more for
/// buckets below `split`, which have been divided already in this round.
@safe
public struct HashTable<Node: HashTableNode>: ~Copyable {
    @usableFromInline let arena: Arena
    /// The secret of the hash.
    public let seed: UInt64
    @usableFromInline var segments: UnsafeMutablePointer<UnsafeMutableRawPointer>
    @usableFromInline var segmentCount = 1
    @usableFromInline var segmentCapacity = 1
    /// Buckets that the first segment has room for; all others are whole.
    @usableFromInline var firstCapacity = 1
    @usableFromInline var mask: UInt64 = 0
    @usableFromInline var split: UInt64 = 0
    @usableFromInline var nodeCount = 0
    @usableFromInline var overflowCount = 0
    /// Who sees nodes before they change; nil but during a walk.
    @usableFromInline var witness: (any SlotWitness)?
    /// The bits of slots that were seen, 0 or 255; of all, when nobody watches.
    @usableFromInline var seen: UInt8 = 0

    /// Buckets in a whole segment: 2 MiB, a huge page.
    @inlinable static var segmentBucketCount: Int { 1 << segmentBits }
    @inlinable static var segmentBits: Int { 15 }

    /// An empty table of one bucket.
    public init(arena: Arena, seed: UInt64) {
        self.arena = arena
        self.seed = seed
        unsafe segments = .allocate(capacity: 1)
        unsafe segments.initialize(to: Bucket.allocate(count: 1))
    }

    deinit {
        precondition(overflowCount == 0, "a table goes away with nodes still in it")
        unsafe Bucket.deallocate(segments[0], count: firstCapacity)
        for index in 1..<max(segmentCount, 1) {
            unsafe Bucket.deallocate(segments[index], count: HashTable.segmentBucketCount)
        }
        unsafe segments.deallocate()
    }

    /// How many nodes.
    @inlinable public var count: Int { nodeCount }

    /// How many buckets, not counting overflow.
    @inlinable public var bucketCount: Int { Int(mask + 1 + split) }

    /// Bytes of memory that the table itself takes.
    public var byteCount: Int { byteCountOutsideArena + overflowCount * Bucket.byteCount }

    /// The part of `byteCount` that does not come from the arena.
    public var byteCountOutsideArena: Int {
        let buckets =
            segmentCount == 1
            ? firstCapacity : segmentCount * HashTable.segmentBucketCount
        return buckets * Bucket.byteCount + segmentCapacity * 8
    }

    /// The hash by which this table places `key`.
    @inlinable
    public func hash(_ key: RawSpan) -> UInt64 {
        SeededHash.hash(key, seed: seed)
    }

    @inlinable
    func index(of hash: UInt64) -> UInt64 {
        let index = hash & mask
        return index < split ? hash & (mask << 1 | 1) : index
    }

    /// The number of the bucket that `hash` belongs to.
    @inlinable
    public func bucketIndex(of hash: UInt64) -> Int {
        Int(truncatingIfNeeded: index(of: hash))
    }

    /// The bucket with number `index`.
    @inlinable
    public func bucket(at index: Int) -> Bucket {
        let segment = index >> HashTable.segmentBits
        let offset = (index & (HashTable.segmentBucketCount - 1)) * Bucket.byteCount
        return unsafe Bucket(address: segments[segment] + offset)
    }

    /// Where the node with `key` is.
    @inlinable
    public func find(_ key: RawSpan, hash: UInt64) -> HashTableSlot? {
        let wanted = Bucket.tag(of: hash)
        var bucket = bucket(at: bucketIndex(of: hash))
        while true {
            var matches = bucket.slots(tagged: wanted)
            while matches != 0 {
                let index = matches.trailingZeroBitCount >> 3
                let node = unsafe bucket.node(at: index)
                if unsafe HashTable.node(node, has: key) {
                    return HashTableSlot(bucket: bucket, index: index)
                }
                matches &= matches &- 1
            }
            guard let next = bucket.overflow else { return nil }
            bucket = next
        }
    }

    @inlinable
    static func node(_ node: UnsafeMutableRawPointer, has key: RawSpan) -> Bool {
        let own = unsafe Node.key(of: node)
        guard own.count == key.byteCount else { return false }
        return unsafe key.withUnsafeBytes { wanted in
            guard let wanted = wanted.baseAddress, let own = own.baseAddress else { return true }
            return unsafe memcmp(own, wanted, key.byteCount) == 0
        }
    }

    /// Asks the processor for the bucket of `hash`, ahead of its use.
    @inlinable
    public func prefetchBucket(_ hash: UInt64) {
        unsafe processor_prefetch(bucket(at: bucketIndex(of: hash)).address)
    }

    /// Asks the processor for the node that `hash` probably leads to; its bucket should be there.
    @inlinable
    public func prefetchNode(_ hash: UInt64) {
        let bucket = bucket(at: bucketIndex(of: hash))
        let matches = bucket.slots(tagged: Bucket.tag(of: hash))
        guard matches != 0 else { return }
        let node = unsafe bucket.node(at: matches.trailingZeroBitCount >> 3)
        unsafe processor_prefetch(node)
        // Most nodes lie in two cache lines.
        unsafe processor_prefetch(node + 64)
    }

    /// Puts `node` in, whose key must not be in the table yet.
    @inlinable
    @discardableResult
    public mutating func insert(
        _ node: UnsafeMutableRawPointer,
        hash: UInt64
    ) -> OpenHashTableSlot {
        if isDueToGrow { grow() }
        nodeCount += 1
        let slot = unsafe place(node, hash: hash)
        // A walk is not to see what was added since it began.
        if witness != nil { slot.bucket.setSeen(slot.index, true, seen) }
        return OpenHashTableSlot(slot: slot)
    }

    /// Opens the slot that `find` gave, so that what it holds may be changed.
    @inlinable
    public func open(_ slot: HashTableSlot) -> OpenHashTableSlot {
        passDoor(slot)
        return OpenHashTableSlot(slot: slot)
    }

    /// Takes the node out and returns it.
    @inlinable
    @discardableResult
    public mutating func remove(
        _ slot: HashTableSlot,
        hash: UInt64
    ) -> UnsafeMutableRawPointer {
        let home = bucket(at: bucketIndex(of: hash))
        passDoor(slot)
        let node = unsafe slot.node
        vacate(slot, home: home)
        nodeCount -= 1
        if isDueToShrink { shrink() }
        return unsafe node
    }

    /// Whether so many nodes are there that the next bucket is added: eight a bucket.
    ///
    /// Bytes of table a node, and the share of nodes in overflow buckets, on average over a
    /// whole round of splits (computed for random hashes): 6 a bucket 12.7 and 8 %, 7 a bucket
    /// 11.9 and 13 %, 8 a bucket 11.4 and 18 %, 9 a bucket 11.0 and 23 %. The rate hardly
    /// depends on where in the round a table is, unlike with tables that double.
    @inlinable public var isDueToGrow: Bool { nodeCount >= bucketCount * 8 }

    /// Whether so few nodes are left that the last bucket is given up.
    @inlinable public var isDueToShrink: Bool { nodeCount < (bucketCount - 1) * 4 }

    @inlinable
    mutating func place(_ node: UnsafeMutableRawPointer, hash: UInt64) -> HashTableSlot {
        var bucket = bucket(at: bucketIndex(of: hash))
        while true {
            let empty = bucket.slots(tagged: 0)
            if empty != 0 {
                let index = empty.trailingZeroBitCount >> 3
                unsafe bucket.fill(index, tag: Bucket.tag(of: hash), node: node)
                return HashTableSlot(bucket: bucket, index: index)
            }
            guard let next = bucket.overflow else {
                let next = addOverflow(to: bucket)
                unsafe next.fill(0, tag: Bucket.tag(of: hash), node: node)
                return HashTableSlot(bucket: next, index: 0)
            }
            bucket = next
        }
    }

    @usableFromInline
    mutating func addOverflow(to bucket: Bucket) -> Bucket {
        let block = unsafe arena.allocate(Bucket.byteCount)
        unsafe memset(block, 0, Bucket.byteCount)
        overflowCount += 1
        let next = unsafe Bucket(address: block)
        next.seenBits = seen
        bucket.setOverflow(next)
        return next
    }

    /// Empties a slot and keeps the chain short: its last node moves into the gap.
    @usableFromInline
    mutating func vacate(_ slot: HashTableSlot, home: Bucket) {
        guard home.overflow != nil else { return slot.bucket.empty(slot.index) }
        var previous = home
        var last = home
        while let next = last.overflow {
            previous = last
            last = next
        }
        let filled = last.filledSlots
        let index = 7 - filled.leadingZeroBitCount >> 3
        if last != slot.bucket || index != slot.index {
            let isMarked = last.isMarked(index)
            unsafe slot.bucket.fill(
                slot.index,
                tag: last.tag(at: index),
                node: last.node(at: index)
            )
            slot.bucket.setMark(slot.index, isMarked)
            slot.bucket.setSeen(slot.index, last.isSeen(index, seen), seen)
        }
        last.empty(index)
        if last.filledSlots == 0 {
            unsafe arena.free(last.address, Bucket.byteCount)
            previous.setOverflow(nil)
            overflowCount -= 1
        }
    }
}
