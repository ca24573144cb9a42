extension HashTable {
    /// Visits the nodes at a cursor and returns the next cursor; 0 begins and ends a scan.
    ///
    /// Cursors count in reversed bits (as Redis's `dictScan`, by Pieter Noordhuis): every node
    /// that is in the table during the whole scan is visited at least once, however the table
    /// grows or shrinks between the calls.
    @inlinable
    public func scan(_ cursor: UInt64, _ visit: (HashTableSlot) -> Void) -> UInt64 {
        var index = cursor & mask
        var usedMask = mask
        if index < split {
            usedMask = mask << 1 | 1
            index = cursor & usedMask
        }
        forEachSlot(inBucket: Int(index), visit)
        var next = (cursor | ~usedMask).bitReversed
        next &+= 1
        return next.bitReversed
    }

    /// Visits every slot of the bucket with number `index` and its overflow.
    @inlinable
    public func forEachSlot(inBucket index: Int, _ visit: (HashTableSlot) -> Void) {
        bucket(at: index).forEachSlot(visit)
    }

    /// Visits every slot.
    @inlinable
    public func forEachSlot(_ visit: (HashTableSlot) -> Void) {
        for index in 0..<bucketCount { forEachSlot(inBucket: index, visit) }
    }

    /// A slot chosen by `random`, nil in an empty table.
    ///
    /// Each node is about equally likely: a bucket and a place in a full chain by chance, until
    /// there is a node at that place.
    public func randomSlot(_ random: inout Xorshift) -> HashTableSlot? {
        guard nodeCount > 0 else { return nil }
        let fullChain = 24
        while true {
            let home = bucket(at: random.below(bucketCount))
            var place = random.below(fullChain)
            let count = nodeCount(from: home)
            if count > fullChain { place = random.below(count) }
            if place < count { return slot(place, from: home) }
        }
    }

    private func nodeCount(from home: Bucket) -> Int {
        var count = 0
        var current: Bucket? = home
        while let bucket = current {
            count += bucket.filledSlots.nonzeroBitCount
            current = bucket.overflow
        }
        return count
    }

    /// The slot with so many others before it in its chain.
    private func slot(_ place: Int, from home: Bucket) -> HashTableSlot? {
        var place = place
        var current: Bucket? = home
        while let bucket = current {
            var filled = bucket.filledSlots
            let count = filled.nonzeroBitCount
            if place < count {
                for _ in 0..<place { filled &= filled &- 1 }
                return HashTableSlot(bucket: bucket, index: filled.trailingZeroBitCount >> 3)
            }
            place -= count
            current = bucket.overflow
        }
        return nil
    }

    /// Takes every node out, giving each to `release`; the table ends empty and small.
    public mutating func removeAll(_ release: (UnsafeMutableRawPointer) -> Void) {
        for index in 0..<bucketCount { unsafe clearBucket(at: index, release) }
        reset()
    }

    /// Takes the nodes of one bucket out, giving each to `release`.
    ///
    /// For emptying a large table in steps; the table may only be emptied further then, and
    /// `reset` ends it.
    public mutating func clearBucket(
        at index: Int,
        _ release: (UnsafeMutableRawPointer) -> Void
    ) {
        let home = bucket(at: index)
        var current: Bucket? = home
        while let bucket = current {
            let next = bucket.overflow
            var filled = bucket.filledSlots
            while filled != 0 {
                unsafe release(bucket.node(at: filled.trailingZeroBitCount >> 3))
                filled &= filled &- 1
                nodeCount -= 1
            }
            if bucket == home {
                bucket.clear()
            } else {
                unsafe arena.free(bucket.address, Bucket.byteCount)
                overflowCount -= 1
            }
            current = next
        }
    }

    /// Gives back the last segment of a table whose buckets were all cleared; false if there is
    /// only the first.
    ///
    /// For ending a large table in steps; all that may still be done with it is that.
    public mutating func removeSegment() -> Bool {
        precondition(nodeCount == 0, "only an empty table gives its segments back")
        guard segmentCount > 1 else { return false }
        segmentCount -= 1
        unsafe Bucket.deallocate(segments[segmentCount], count: HashTable.segmentBucketCount)
        return true
    }

    /// Shrinks a table whose buckets were all cleared to one bucket.
    public mutating func reset() {
        precondition(nodeCount == 0, "only an empty table can be reset")
        for index in 1..<max(segmentCount, 1) {
            unsafe Bucket.deallocate(segments[index], count: HashTable.segmentBucketCount)
        }
        segmentCount = 1
        mask = 0
        split = 0
        if firstCapacity > 1 { resizeFirst(to: 1) }
        bucket(at: 0).clear()
        bucket(at: 0).seenBits = seen
    }

    /// Checks what must hold between any two calls; tests call it after every step.
    public func checkInvariants() {
        var nodes = 0
        var overflows = 0
        precondition(split <= mask)
        for index in 0..<bucketCount {
            var current: Bucket? = bucket(at: index)
            var isHome = true
            while let bucket = current {
                precondition(
                    witness != nil || bucket.seenBits == seen,
                    "a walk has left out a slot"
                )
                if !isHome {
                    overflows += 1
                    precondition(bucket.filledSlots != 0, "an empty overflow bucket")
                }
                for slot in 0..<8 where bucket.tag(at: slot) != 0 {
                    nodes += 1
                    let key = unsafe Node.key(of: bucket.node(at: slot))
                    let hash = unsafe SeededHash.hash(key, seed: seed)
                    precondition(Int(self.index(of: hash)) == index, "a node in a foreign bucket")
                    precondition(Bucket.tag(of: hash) == bucket.tag(at: slot), "a wrong tag")
                }
                isHome = false
                current = bucket.overflow
            }
        }
        precondition(nodes == nodeCount && overflows == overflowCount, "counts are off")
    }
}

extension UInt64 {
    @inlinable var bitReversed: UInt64 {
        var bits = byteSwapped
        bits = (bits >> 4) & 0x0F0F_0F0F_0F0F_0F0F | (bits & 0x0F0F_0F0F_0F0F_0F0F) << 4
        bits = (bits >> 2) & 0x3333_3333_3333_3333 | (bits & 0x3333_3333_3333_3333) << 2
        return (bits >> 1) & 0x5555_5555_5555_5555 | (bits & 0x5555_5555_5555_5555) << 1
    }
}
