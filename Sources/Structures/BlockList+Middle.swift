import Bytes

extension BlockList {
    /// Gives the element at `index` another text.
    public mutating func set(_ text: RawSpan, at index: Int) {
        precondition(index < elements, "no element has this index")
        let (ordinal, indexInBlock) = locate(index)
        passDoor(ordinal)
        let value = PackedValue(packing: text)
        let size = Listpack.entryByteCount(of: value)
        let block = self[ordinal]
        guard !block.isPlain, size <= byteLimit else {
            removeRange(index..<(index + 1))
            return insert(text, at: index)
        }
        let offset = block.offset(of: indexInBlock)
        let old = unsafe PackedEntry(at: block.first + offset).byteCount
        guard block.byteCount - old + size <= byteLimit || block.count == 1 else {
            removeRange(index..<(index + 1))
            return insert(text, at: index)
        }
        resizeGap(ordinal, at: offset, from: old, to: size)
        unsafe PackedEntry.write(value, to: self[ordinal].first + offset)
    }

    private mutating func resizeGap(_ ordinal: Int, at offset: Int, from old: Int, to new: Int) {
        if new < old {
            self[ordinal].closeGap(of: old - new, at: offset)
        } else if new > old {
            openGap(ordinal, of: new - old, at: offset)
        }
    }

    private mutating func openGap(_ ordinal: Int, of size: Int, at offset: Int) {
        let old = Arena.roundedByteCount(Int(self[ordinal].capacity))
        let needed = self[ordinal].byteCount + size
        _ = unsafe self[ordinal].openGap(
            of: size,
            at: offset,
            growingTo: min(needed + needed / 8, max(needed, byteLimit)),
            in: arena
        )
        bufferByteCount += Arena.roundedByteCount(Int(self[ordinal].capacity)) - old
    }

    /// Puts an element before the one at `index`; `count` puts it at the back.
    public mutating func insert(_ text: RawSpan, at index: Int) {
        if index == 0 { return pushFront(text) }
        if index == elements { return pushBack(text) }
        let (ordinal, indexInBlock) = locate(index)
        let value = PackedValue(packing: text)
        let size = Listpack.entryByteCount(of: value)
        elements += 1
        guard size <= byteLimit else {
            let place = split(ordinal, at: indexInBlock)
            return insertBlock(ListBlock(plain: text, in: arena), at: place)
        }
        if canTake(size, self[ordinal]) {
            return insert(value, size, ordinal, at: self[ordinal].offset(of: indexInBlock))
        }
        // Before the first element of a block is also behind the last of the one before.
        if indexInBlock == 0, ordinal > 0, canTake(size, self[ordinal - 1]) {
            return insert(value, size, ordinal - 1, at: self[ordinal - 1].byteCount)
        }
        let place = split(ordinal, at: indexInBlock)
        if place > 0, canTake(size, self[place - 1]) {
            return insert(value, size, place - 1, at: self[place - 1].byteCount)
        }
        if canTake(size, self[place]) { return insert(value, size, place, at: 0) }
        insertBlock(ListBlock(capacity: size, start: 0, in: arena), at: place)
        insert(value, size, place, at: 0)
    }

    private mutating func insert(
        _ value: borrowing PackedValue,
        _ size: Int,
        _ ordinal: Int,
        at offset: Int
    ) {
        passDoor(ordinal)
        openGap(ordinal, of: size, at: offset)
        self[ordinal].countAndKind += 1
        unsafe PackedEntry.write(value, to: self[ordinal].first + offset)
    }

    /// Divides a block before its element `index`; returns the ordinal of the second part.
    ///
    /// Nothing happens at the ends of the block.
    private mutating func split(_ ordinal: Int, at index: Int) -> Int {
        if index == 0 { return ordinal }
        let block = self[ordinal]
        if index == block.count { return ordinal + 1 }
        passDoor(ordinal)
        let offset = block.offset(of: index)
        let movedByteCount = block.byteCount - offset
        var second = ListBlock(capacity: movedByteCount, start: 0, in: arena)
        unsafe second.buffer.copyMemory(from: block.first + offset, byteCount: movedByteCount)
        second.length = UInt32(movedByteCount)
        second.count = block.count - index
        self[ordinal].length = UInt32(offset)
        self[ordinal].count = index
        trim(ordinal)
        insertBlock(second, at: ordinal + 1)
        return ordinal + 1
    }

    /// Removes the elements of `range`.
    public mutating func removeRange(_ range: Range<Int>) {
        precondition(range.lowerBound >= 0 && range.upperBound <= elements, "no such elements")
        guard !range.isEmpty else { return }
        var (ordinal, index) = locate(range.lowerBound)
        var rest = range.count
        elements -= rest
        if index > 0 {
            let removed = min(rest, self[ordinal].count - index)
            removeEntries(ordinal, index..<(index + removed))
            rest -= removed
            ordinal += 1
        }
        var end = ordinal
        while rest > 0, self[end].count <= rest {
            rest -= self[end].count
            end += 1
        }
        if rest > 0 { removeEntries(end, 0..<rest) }
        if end > ordinal { removeBlocks(ordinal..<end) }
        joinAround(ordinal)
    }

    /// Removes some but not all elements of a packed block.
    private mutating func removeEntries(_ ordinal: Int, _ range: Range<Int>) {
        passDoor(ordinal)
        let start = self[ordinal].offset(of: range.lowerBound)
        let end =
            range.count == 1
            ? unsafe start + PackedEntry(at: self[ordinal].first + start).byteCount
            : self[ordinal].offset(of: range.upperBound)
        self[ordinal].closeGap(of: end - start, at: start)
        self[ordinal].count -= range.count
    }

    /// Joins the blocks before and behind a place that lost elements, if they are small.
    private mutating func joinAround(_ ordinal: Int) {
        let first = max(ordinal - 1, 0)
        var rest = 2
        var place = first
        while rest > 0, place < blocks {
            // The first and last block keep their room, which they are there for.
            if place > 0, place < blocks - 1 { trim(place) }
            if place + 1 >= blocks || !joinWithNext(place) { place += 1 }
            rest -= 1
        }
    }

    /// Joins a block with the one behind it if both together leave a quarter of the limit.
    private mutating func joinWithNext(_ ordinal: Int) -> Bool {
        let left = self[ordinal]
        let right = self[ordinal + 1]
        guard !left.isPlain, !right.isPlain, left.count + right.count <= countLimit else {
            return false
        }
        let total = left.byteCount + right.byteCount
        guard total <= byteLimit / 4 * 3 else { return false }
        passDoor(ordinal..<(ordinal + 2))
        var joined = ListBlock(capacity: total, start: 0, in: arena)
        unsafe joined.buffer.copyMemory(from: left.first, byteCount: left.byteCount)
        unsafe (joined.buffer + left.byteCount).copyMemory(
            from: right.first,
            byteCount: right.byteCount
        )
        joined.length = UInt32(total)
        joined.count = left.count + right.count
        joined.countAndKind |= mark
        replaceBlock(ordinal, joined)
        left.free(in: arena)
        removeBlocks((ordinal + 1)..<(ordinal + 2))
        return true
    }

    /// Removes up to `limit` elements whose text is `text`; returns how many it removed.
    ///
    /// Counts from the front, or from the back.
    public mutating func removeMatching(
        _ text: RawSpan,
        limit: Int = .max,
        fromBack: Bool = false
    ) -> Int {
        let needle = PackedNeedle(text)
        var removed = 0
        var emptied = 0
        for step in 0..<blocks {
            let ordinal = fromBack ? blocks - 1 - step : step
            if removed == limit { break }
            removed += removeMatching(needle, ordinal, limit: limit - removed, fromBack: fromBack)
            if self[ordinal].count == 0 { emptied += 1 }
        }
        elements -= removed
        if emptied > 0 { dropEmptyBlocks() }
        if removed > 0 { joinSmallBlocks() }
        return removed
    }

    private mutating func removeMatching(
        _ needle: borrowing PackedNeedle,
        _ ordinal: Int,
        limit: Int,
        fromBack: Bool
    ) -> Int {
        let block = self[ordinal]
        if block.isPlain {
            guard needle.matches(.bytes(block.bytes)) else { return 0 }
            passDoor(ordinal)
            self[ordinal].count = 0
            return 1
        }
        let start = fromBack ? firstOfLast(limit, needle, in: block) : 0
        var source = unsafe block.first + start
        var target = unsafe source
        let end = unsafe block.end
        var removed = 0
        while unsafe source < end, removed < limit {
            let entry = unsafe PackedEntry(at: source)
            let size = unsafe entry.byteCount
            if unsafe entry.matches(needle) {
                if removed == 0 { passDoor(ordinal) }
                removed += 1
            } else {
                if unsafe target != source {
                    unsafe target.copyMemory(from: source, byteCount: size)
                }
                unsafe target += size
            }
            unsafe source += size
        }
        if unsafe target != source {
            unsafe target.copyMemory(from: source, byteCount: end - source)
            self[ordinal].length -= UInt32(unsafe source - target)
            self[ordinal].count -= removed
        }
        return removed
    }

    /// Where the first of the last `limit` matching elements begins; the end if none match.
    private func firstOfLast(
        _ limit: Int,
        _ needle: borrowing PackedNeedle,
        in block: ListBlock
    ) -> Int {
        var place = unsafe block.end
        var found = unsafe place
        var rest = limit
        while unsafe place > block.first, rest > 0 {
            let entry = unsafe PackedEntry(before: place)
            unsafe place = unsafe entry.place
            if unsafe entry.matches(needle) {
                unsafe found = unsafe place
                rest -= 1
            }
        }
        return unsafe found - block.first
    }

    /// Closes the ring over blocks that have no elements left.
    private mutating func dropEmptyBlocks() {
        var kept = 0
        for ordinal in 0..<blocks {
            let block = self[ordinal]
            if block.count > 0 {
                self[kept] = block
                kept += 1
            } else {
                bufferByteCount -= Arena.roundedByteCount(Int(block.capacity))
                block.free(in: arena)
            }
        }
        blocks = kept
        walkedNumber = firstNumber
    }

    private mutating func joinSmallBlocks() {
        var ordinal = 0
        while ordinal < blocks {
            if ordinal > 0, ordinal < blocks - 1 { trim(ordinal) }
            if ordinal + 1 >= blocks || !joinWithNext(ordinal) { ordinal += 1 }
        }
    }
}
