import CProcessor

extension HashTable {
    /// Adds one bucket and gives it what is its own of the bucket that is split next.
    @usableFromInline
    mutating func grow() {
        addBucket()
        // The memory may have moved.
        let from = bucket(at: Int(split))
        let bit = mask + 1
        bucket(at: bucketCount).seenBits = seen
        split += 1
        if split == bit {
            mask = mask << 1 | 1
            split = 0
        }
        redistribute(from) { $0 & bit != 0 }
        prefetchNextSplit()
    }

    /// Asks the processor for what the next `grow` will read: the keys of a bucket that nobody
    /// may have touched for long, each a wait of its own otherwise.
    private func prefetchNextSplit() {
        let next = bucket(at: Int(split))
        var filled = next.filledSlots
        while filled != 0 {
            let node = unsafe next.node(at: filled.trailingZeroBitCount >> 3)
            filled &= filled &- 1
            unsafe processor_prefetch(node)
            // Where a node begins near the end of a line, its key is in the next.
            unsafe processor_prefetch(node + 32)
        }
        unsafe processor_prefetch(next.address + Bucket.byteCount)
    }

    /// Moves the nodes of a chain whose hash says so to where they now belong, seen or not.
    mutating func redistribute(_ home: Bucket, moving: (UInt64) -> Bool) {
        var current: Bucket? = home
        var freed: Bucket?
        // The chain is taken apart: what stays is placed again, so it ends as short as it can.
        let overflow = home.overflow
        home.setOverflow(nil)
        while let bucket = current {
            let isHome = bucket == home
            let next = isHome ? overflow : bucket.overflow
            var filled = bucket.filledSlots
            while filled != 0 {
                let index = filled.trailingZeroBitCount >> 3
                filled &= filled &- 1
                let node = unsafe bucket.node(at: index)
                let hash = unsafe SeededHash.hash(Node.key(of: node), seed: seed)
                if isHome, !moving(hash) { continue }
                let isMarked = bucket.isMarked(index)
                let isSeen = bucket.isSeen(index, seen)
                if isHome { bucket.empty(index) }
                let slot = unsafe place(node, hash: hash)
                slot.bucket.setMark(slot.index, isMarked)
                slot.bucket.setSeen(slot.index, isSeen, seen)
            }
            if !isHome {
                bucket.setOverflow(freed)
                freed = bucket
            }
            current = next
        }
        while let bucket = freed {
            freed = bucket.overflow
            unsafe arena.free(bucket.address, Bucket.byteCount)
            overflowCount -= 1
        }
    }

    /// Makes an empty table as large as `count` nodes need, so that no bucket is split while they
    /// come.
    ///
    /// Takes no memory that is not used: untouched pages are not there.
    public mutating func reserve(_ count: Int) {
        guard nodeCount == 0, bucketCount == 1, witness == nil, count > 8 else { return }
        let wanted = count / 8 + 1
        let level = UInt64(1) << UInt64(Int.bitWidth - 1 - wanted.leadingZeroBitCount)
        let firstCount = min(wanted, HashTable.segmentBucketCount)
        let capacity = 1 << (Int.bitWidth - (firstCount - 1).leadingZeroBitCount)
        if capacity > firstCapacity { resizeFirst(to: capacity) }
        while segmentCount * HashTable.segmentBucketCount < wanted { addSegment() }
        mask = level - 1
        split = UInt64(wanted) - level
        guard seen != 0 else { return }
        for index in 0..<bucketCount { bucket(at: index).seenBits = seen }
    }

    /// Gives the last bucket up; its nodes go where they were before it was added.
    @usableFromInline
    mutating func shrink() {
        guard bucketCount > 1 else { return }
        let last = bucketCount - 1
        // A walk may be past the bucket that takes the nodes of the last one.
        if witness != nil { walk(bucket: last) }
        if split == 0 {
            mask >>= 1
            split = mask + 1
        }
        split -= 1
        redistribute(bucket(at: last)) { _ in true }
        removeBucket()
    }

    /// Makes room for one more bucket.
    mutating func addBucket() {
        let count = bucketCount
        if count < HashTable.segmentBucketCount {
            guard count == firstCapacity else { return }
            resizeFirst(to: firstCapacity * 2)
        } else if count & (HashTable.segmentBucketCount - 1) == 0 {
            addSegment()
        }
    }

    private mutating func addSegment() {
        if segmentCount == segmentCapacity {
            let capacity = segmentCapacity * 2
            let moved = UnsafeMutablePointer<UnsafeMutableRawPointer>.allocate(
                capacity: capacity
            )
            unsafe moved.moveInitialize(from: segments, count: segmentCount)
            unsafe segments.deallocate()
            unsafe segments = moved
            segmentCapacity = capacity
        }
        unsafe (segments + segmentCount).initialize(
            to: Bucket.allocate(count: HashTable.segmentBucketCount)
        )
        segmentCount += 1
    }

    /// Gives back the memory after the last bucket.
    mutating func removeBucket() {
        let count = bucketCount
        if count < HashTable.segmentBucketCount {
            // Half again is kept, so that a table that wavers does not copy each time.
            if count * 4 <= firstCapacity, firstCapacity > 1 { resizeFirst(to: firstCapacity / 2) }
        } else if count & (HashTable.segmentBucketCount - 1) == 0, segmentCount > 1 {
            segmentCount -= 1
            unsafe Bucket.deallocate(segments[segmentCount], count: HashTable.segmentBucketCount)
        }
    }

    mutating func resizeFirst(to capacity: Int) {
        let moved = unsafe Bucket.allocate(count: capacity)
        unsafe moved.copyMemory(from: segments[0], byteCount: bucketCount * Bucket.byteCount)
        unsafe Bucket.deallocate(segments[0], count: firstCapacity)
        unsafe segments[0] = moved
        firstCapacity = capacity
    }
}
