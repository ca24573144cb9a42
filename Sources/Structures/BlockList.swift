import Bytes

/// A list of byte strings as a deque of packed blocks.
///
///     descriptors:   | block | block | block | ... | block |        a ring, 24 bytes each
///                        |       |                     |
///     buffers:       | ..eee| |eeeeee| |PLAIN|      |eee....|
///
/// Elements lie in their blocks as a listpack has them, so a block is saved as it is and a
/// canonical decimal takes the bytes of its integer. The buffers at both ends have room to
/// grow outwards: pushing and popping there takes O(1) and moves nothing. A block has at most
/// `byteLimit` bytes and `countLimit` elements; an element too big for that is a plain block
/// of its own. What is in the middle is found by the blocks' counts.
///
/// Made for lists of a kilobyte and more; smaller ones are better off as one listpack.
@safe
public struct BlockList: ~Copyable {
    let arena: Arena
    @usableFromInline var ring: UnsafeMutablePointer<ListBlock>?
    @usableFromInline var ringCapacity = 0
    @usableFromInline var head = 0
    @usableFromInline var blocks = 0
    @usableFromInline var elements = 0
    var bufferByteCount = 0
    /// The number of the first block, see `blockNumbers`.
    var firstNumber = 0
    let byteLimit: Int
    let countLimit: Int
    /// Who sees blocks before they change; nil but during a walk.
    var witness: (any BlockWitness)?
    /// The mark of the blocks that were shown; of all, when nobody watches.
    var mark: UInt32 = 0
    /// How many blocks were not shown; none has a number below `walkedNumber`.
    var unseenCount = 0
    var walkedNumber = 0

    /// The most bytes of elements in a block of 8 KiB, header and end of a listpack deducted.
    public static let usualByteLimit = 8192 - Listpack.emptyByteCount

    /// An empty list that allocates nothing yet.
    public init(
        arena: Arena,
        byteLimit: Int = BlockList.usualByteLimit,
        countLimit: Int = .max
    ) {
        precondition(byteLimit >= 16 && byteLimit < 1 << 30 && countLimit > 0)
        self.arena = arena
        self.byteLimit = byteLimit
        self.countLimit = min(countLimit, Int(ListBlock.countMask))
        unsafe ring = nil
    }

    deinit {
        for ordinal in 0..<blocks {
            unsafe ring.unsafelyUnwrapped[(head + ordinal) & (ringCapacity - 1)].free(in: arena)
        }
        if let ring = unsafe ring {
            unsafe arena.free(ring, ringCapacity * MemoryLayout<ListBlock>.stride)
        }
    }

    /// How many elements.
    @inlinable public var count: Int { elements }

    /// Whether there are none.
    @inlinable public var isEmpty: Bool { elements == 0 }

    /// How many blocks.
    @inlinable public var blockCount: Int { blocks }

    /// Bytes of memory that the list takes.
    public var byteCount: Int {
        bufferByteCount
            + Arena.roundedByteCount(ringCapacity * MemoryLayout<ListBlock>.stride)
    }

    // The ends.

    /// The first element.
    public var first: PackedValue? {
        @_lifetime(borrow self)
        get { blocks == 0 ? nil : self[0].value(at: 0) }
    }

    /// The last element.
    public var last: PackedValue? {
        @_lifetime(borrow self)
        get {
            guard blocks > 0 else { return nil }
            let block = self[blocks - 1]
            if block.isPlain { return .bytes(block.bytes) }
            return unsafe PackedEntry(before: block.end).value
        }
    }

    /// Adds an element at the front.
    public mutating func pushFront(_ text: RawSpan) {
        let value = PackedValue(packing: text)
        let size = Listpack.entryByteCount(of: value)
        elements += 1
        guard size <= byteLimit else { return addFront(ListBlock(plain: text, in: arena)) }
        if blocks == 0 || !canTake(size, self[0]) || !reserveFront(size) {
            let capacity = newCapacity(for: size)
            addFront(ListBlock(capacity: capacity, start: capacity, in: arena))
        }
        passDoor(0)
        self[0].start -= UInt32(truncatingIfNeeded: size)
        self[0].length += UInt32(truncatingIfNeeded: size)
        self[0].countAndKind += 1
        unsafe PackedEntry.write(value, to: self[0].first)
    }

    /// Adds an element at the back.
    public mutating func pushBack(_ text: RawSpan) {
        let value = PackedValue(packing: text)
        let size = Listpack.entryByteCount(of: value)
        elements += 1
        guard size <= byteLimit else { return addBack(ListBlock(plain: text, in: arena)) }
        if blocks == 0 || !canTake(size, self[blocks - 1]) || !reserveBack(size) {
            addBack(ListBlock(capacity: newCapacity(for: size), start: 0, in: arena))
        }
        passDoor(blocks - 1)
        unsafe PackedEntry.write(value, to: self[blocks - 1].end)
        self[blocks - 1].length += UInt32(truncatingIfNeeded: size)
        self[blocks - 1].countAndKind += 1
    }

    private mutating func addFront(_ block: ListBlock) {
        // The block that was first needs no more room, unless it is the last one too.
        if blocks > 1 { trim(0) }
        insertBlock(block, at: 0)
        firstNumber -= 1
    }

    private mutating func addBack(_ block: ListBlock) {
        if blocks > 1 { trim(blocks - 1) }
        insertBlock(block, at: blocks)
    }

    /// Removes the first element, which must exist.
    public mutating func removeFirst() {
        precondition(elements > 0, "an empty list has no first element")
        elements -= 1
        guard self[0].count > 1 else { return removeBlocks(0..<1) }
        passDoor(0)
        let size = unsafe PackedEntry(at: self[0].first).byteCount
        self[0].start += UInt32(truncatingIfNeeded: size)
        self[0].length -= UInt32(truncatingIfNeeded: size)
        self[0].countAndKind -= 1
    }

    /// Removes the last element, which must exist.
    public mutating func removeLast() {
        precondition(elements > 0, "an empty list has no last element")
        elements -= 1
        let ordinal = blocks - 1
        guard self[ordinal].count > 1 else { return removeBlocks(ordinal..<blocks) }
        passDoor(ordinal)
        let size = unsafe PackedEntry(before: self[ordinal].end).byteCount
        self[ordinal].length -= UInt32(truncatingIfNeeded: size)
        self[ordinal].countAndKind -= 1
    }

    /// Whether an entry of `size` bytes is within the limits of a block.
    func canTake(_ size: Int, _ block: ListBlock) -> Bool {
        !block.isPlain && block.count < countLimit && block.byteCount + size <= byteLimit
    }

    /// Makes room at the front of the first block unless a new block is cheaper.
    private mutating func reserveFront(_ size: Int) -> Bool {
        if self[0].roomBefore >= size { return true }
        let capacity = Int(self[0].capacity)
        if capacity < byteLimit {
            grow(0, by: size, toEnd: true)
        } else {
            // What was popped at the other end is room here, if moving is worth it.
            guard self[0].roomBehind >= max(size, capacity / 4) else { return false }
            self[0].slide(toEnd: true)
        }
        return true
    }

    /// Makes room at the back of the last block unless a new block is cheaper.
    private mutating func reserveBack(_ size: Int) -> Bool {
        let last = blocks - 1
        if self[last].roomBehind >= size { return true }
        let capacity = Int(self[last].capacity)
        if capacity < byteLimit {
            grow(last, by: size, toEnd: false)
        } else {
            guard self[last].roomBefore >= max(size, capacity / 4) else { return false }
            self[last].slide(toEnd: false)
        }
        return true
    }

    /// Gives a block a buffer twice as large, within the limit.
    private mutating func grow(_ ordinal: Int, by size: Int, toEnd: Bool) {
        let old = self[ordinal]
        let needed = old.byteCount + size
        let capacity = max(needed, min(2 * Int(old.capacity), byteLimit))
        var grown = ListBlock(capacity: capacity, start: 0, in: arena)
        if toEnd { grown.start = UInt32(capacity - old.byteCount) }
        unsafe grown.buffer.advanced(by: Int(grown.start)).copyMemory(
            from: old.first,
            byteCount: old.byteCount
        )
        grown.length = old.length
        grown.countAndKind = old.countAndKind
        replaceBlock(ordinal, grown)
        old.free(in: arena)
    }

    /// What a new block at an end starts with.
    private func newCapacity(for size: Int) -> Int {
        max(size, min(blocks == 0 ? 256 : 2048, byteLimit))
    }

    // Elements by index.

    /// The element at `index`.
    @_lifetime(borrow self)
    public func value(at index: Int) -> PackedValue {
        let (ordinal, indexInBlock) = locate(index)
        let block = self[ordinal]
        return block.value(at: block.offset(of: indexInBlock))
    }

    /// The block that holds the element at `index`, and its index there.
    ///
    /// Counts blocks from the nearer end; `count` gives the end of the last block.
    func locate(_ index: Int) -> (ordinal: Int, index: Int) {
        precondition(index >= 0 && index <= elements, "no element has this index")
        if index < elements / 2 {
            var ordinal = 0
            var rest = index
            while rest >= self[ordinal].count {
                rest -= self[ordinal].count
                ordinal += 1
            }
            return (ordinal, rest)
        }
        var ordinal = blocks - 1
        var behind = elements - index
        while behind > self[ordinal].count {
            behind -= self[ordinal].count
            ordinal -= 1
        }
        return (ordinal, self[ordinal].count - behind)
    }

    // Blocks, as they are saved and loaded.

    /// The numbers of the blocks, first to last.
    ///
    /// A block keeps its number while others come and go at the ends, so that a walk in
    /// slices finds its place again. Changes in the middle renumber the blocks behind them.
    public var blockNumbers: Range<Int> { firstNumber..<(firstNumber + blocks) }

    /// The bytes of a block: its entries without header and end, or a plain element.
    @_lifetime(borrow self)
    public func blockBytes(_ number: Int) -> RawSpan {
        precondition(blockNumbers.contains(number), "no block has this number")
        return self[number - firstNumber].bytes
    }

    /// How many elements a block has, and whether it is one plain element.
    public func blockShape(_ number: Int) -> (count: Int, isPlain: Bool) {
        precondition(blockNumbers.contains(number), "no block has this number")
        let block = self[number - firstNumber]
        return (block.count, block.isPlain)
    }

    /// Adds a block of `count` entries at the back.
    ///
    /// The entries are those of a listpack that has been checked, back lengths included.
    public mutating func appendBlock(entries: RawSpan, count: Int) {
        guard count > 0 else { return }
        var block = ListBlock(capacity: entries.byteCount, start: 0, in: arena)
        unsafe entries.withUnsafeBytes { source in
            unsafe block.buffer.copyMemory(
                from: source.baseAddress.unsafelyUnwrapped,
                byteCount: source.count
            )
        }
        block.length = block.capacity
        block.count = count
        elements += count
        addBack(block)
    }

    // The ring.

    @inlinable
    subscript(ordinal: Int) -> ListBlock {
        unsafeAddress {
            let mask = ringCapacity &- 1
            return unsafe UnsafePointer(
                ring.unsafelyUnwrapped + ((head &+ ordinal) & mask)
            )
        }
        unsafeMutableAddress {
            let mask = ringCapacity &- 1
            return unsafe ring.unsafelyUnwrapped + ((head &+ ordinal) & mask)
        }
    }

    /// Puts a block before the one at `ordinal`.
    mutating func insertBlock(_ block: ListBlock, at ordinal: Int) {
        if blocks == ringCapacity { growRing() }
        bufferByteCount += Arena.roundedByteCount(Int(block.capacity))
        blocks += 1
        if ordinal < blocks / 2 {
            head = (head - 1) & (ringCapacity - 1)
            for place in 0..<ordinal { self[place] = self[place + 1] }
        } else {
            for place in stride(from: blocks - 1, to: ordinal, by: -1) {
                self[place] = self[place - 1]
            }
        }
        self[ordinal] = block
        // New, or made of blocks that were shown.
        self[ordinal].countAndKind = block.countAndKind & ~ListBlock.markFlag | mark
    }

    /// Takes blocks out and frees them; their elements are no longer counted.
    mutating func removeBlocks(_ range: Range<Int>) {
        passDoor(range)
        // Those behind get lower numbers, unless all lie at the front.
        if range.lowerBound > 0 {
            walkedNumber = min(walkedNumber, firstNumber + range.lowerBound)
        }
        for ordinal in range {
            bufferByteCount -= Arena.roundedByteCount(Int(self[ordinal].capacity))
            self[ordinal].free(in: arena)
        }
        let behind = blocks - range.upperBound
        if range.lowerBound < behind {
            for place in stride(from: range.lowerBound - 1, through: 0, by: -1) {
                self[place + range.count] = self[place]
            }
            head = (head + range.count) & (ringCapacity - 1)
        } else {
            for place in range.upperBound..<blocks { self[place - range.count] = self[place] }
        }
        if range.lowerBound == 0 { firstNumber += range.count }
        blocks -= range.count
        if blocks * 8 < ringCapacity, ringCapacity > 8 { moveRing(toCapacity: ringCapacity / 4) }
    }

    /// Puts another buffer in a block's place; the old one is the caller's to free.
    mutating func replaceBlock(_ ordinal: Int, _ block: ListBlock) {
        bufferByteCount += Arena.roundedByteCount(Int(block.capacity))
        bufferByteCount -= Arena.roundedByteCount(Int(self[ordinal].capacity))
        self[ordinal] = block
    }

    /// Gives back the room in a block that is no longer at an end.
    mutating func trim(_ ordinal: Int) {
        bufferByteCount -= Arena.roundedByteCount(Int(self[ordinal].capacity))
        self[ordinal].trim(in: arena)
        bufferByteCount += Arena.roundedByteCount(Int(self[ordinal].capacity))
    }

    private mutating func growRing() {
        moveRing(toCapacity: max(2, ringCapacity * 2))
    }

    private mutating func moveRing(toCapacity newCapacity: Int) {
        let stride = MemoryLayout<ListBlock>.stride
        let block = unsafe arena.allocate(newCapacity * stride)
        let moved = unsafe block.assumingMemoryBound(to: ListBlock.self)
        for ordinal in 0..<blocks { unsafe moved[ordinal] = self[ordinal] }
        if let ring = unsafe ring { unsafe arena.free(ring, ringCapacity * stride) }
        unsafe ring = unsafe moved
        ringCapacity = newCapacity
        head = 0
    }

    // The end.

    /// Frees at most `limit` blocks; true once there are none.
    ///
    /// From the end with the higher addresses, if a list grew at one: `malloc` gives the system
    /// what is free at its top, so it comes back in small parts, and not as a whole with the last.
    public mutating func destroy(upTo limit: Int) -> Bool {
        let freed = min(limit, blocks)
        guard freed > 0 else { return true }
        let isRising = unsafe self[0].buffer < self[blocks - 1].buffer
        let range = isRising ? (blocks - freed)..<blocks : 0..<freed
        for ordinal in range { elements -= self[ordinal].count }
        removeBlocks(range)
        return blocks == 0
    }

    /// Checks what must hold between any two calls; tests call it after every step.
    public func checkInvariants() {
        var count = 0
        var bytes = 0
        for ordinal in 0..<blocks {
            let block = self[ordinal]
            block.checkInvariants()
            count += block.count
            bytes += Arena.roundedByteCount(Int(block.capacity))
        }
        for ordinal in 0..<blocks where witness == nil {
            let flag = self[ordinal].countAndKind & ListBlock.markFlag
            precondition(flag == mark, "a walk has left out a block")
        }
        precondition(count == elements, "the count is stale")
        precondition(bytes == bufferByteCount, "the memory account is stale")
    }
}
