import Bytes

/// One run of list elements in a buffer with room at both ends.
///
///     buffer:  | room | entries as in a listpack, without header and end | room |
///              0      start                                   start + byteCount  capacity
///
/// Or, for an element too big to be packed, its plain bytes and nothing else. A value of this
/// type describes the buffer; it is 24 bytes, and the list keeps them side by side.
@safe
@usableFromInline
struct ListBlock {
    @usableFromInline var buffer: UnsafeMutableRawPointer
    @usableFromInline var capacity: UInt32
    @usableFromInline var start: UInt32
    @usableFromInline var length: UInt32
    @usableFromInline var countAndKind: UInt32

    @usableFromInline static let plainFlag: UInt32 = 1 << 31
    /// For a walk that must see the block as it was: `BlockWitness`.
    static let markFlag: UInt32 = 1 << 30
    @usableFromInline static let countMask: UInt32 = 1 << 30 - 1

    /// A block without elements, its room before `start` and behind it.
    init(capacity: Int, start: Int, in arena: Arena) {
        unsafe buffer = arena.allocate(capacity)
        self.capacity = UInt32(capacity)
        self.start = UInt32(start)
        length = 0
        countAndKind = 0
    }

    /// A block of one big element.
    init(plain bytes: RawSpan, in arena: Arena) {
        self.init(capacity: bytes.byteCount, start: 0, in: arena)
        unsafe bytes.withUnsafeBytes { source in
            unsafe buffer.copyMemory(
                from: source.baseAddress.unsafelyUnwrapped,
                byteCount: source.count
            )
        }
        length = capacity
        countAndKind = 1 | ListBlock.plainFlag
    }

    @inlinable var isPlain: Bool { countAndKind & ListBlock.plainFlag != 0 }

    @inlinable var count: Int {
        get { Int(countAndKind & ListBlock.countMask) }
        set { countAndKind = UInt32(newValue) | countAndKind & ~ListBlock.countMask }
    }

    @inlinable var byteCount: Int { Int(length) }

    /// Where the first entry begins.
    @inlinable
    @unsafe var first: UnsafeMutableRawPointer { unsafe buffer + Int(start) }

    /// Where the last entry ends.
    @inlinable
    @unsafe var end: UnsafeMutableRawPointer { unsafe buffer + (Int(start) &+ Int(length)) }

    var roomBefore: Int { Int(start) }
    var roomBehind: Int { Int(capacity) - Int(start) - Int(length) }

    /// The bytes, valid until the block changes.
    @inlinable var bytes: RawSpan {
        @_lifetime(immortal)
        get {
            unsafe _overrideLifetime(
                RawSpan(_unsafeStart: first, byteCount: byteCount),
                borrowing: ()
            )
        }
    }

    /// The element of a plain block, or the one whose entry begins at `offset`.
    @inlinable
    @_lifetime(immortal)
    func value(at offset: Int) -> PackedValue {
        if isPlain { return .bytes(bytes) }
        return unsafe PackedEntry(at: first + offset).value
    }

    /// Where entry `index` begins, in bytes from the first; `count` gives the end.
    func offset(of index: Int) -> Int {
        if isPlain { return index == 0 ? 0 : byteCount }
        if index <= count / 2 {
            var place = unsafe first
            for _ in 0..<index { unsafe place += PackedEntry(at: place).byteCount }
            return unsafe place - first
        }
        var place = unsafe end
        for _ in index..<count { unsafe place = unsafe PackedEntry(before: place).place }
        return unsafe place - first
    }

    // Room.

    /// Opens a gap of `size` bytes at `offset`, moving whichever side is cheaper.
    ///
    /// The buffer grows if it must: to `roomyCapacity` if that is enough, and all the new room
    /// goes to the end where the gap is.
    @unsafe
    mutating func openGap(
        of size: Int,
        at offset: Int,
        growingTo roomyCapacity: Int,
        in arena: Arena
    ) -> UnsafeMutableRawPointer {
        let behind = byteCount - offset
        let prefersFront = offset < behind
        if roomBefore >= size, prefersFront || roomBehind < size {
            unsafe (first - size).copyMemory(from: first, byteCount: offset)
            start -= UInt32(size)
        } else if roomBehind >= size {
            let place = unsafe first + offset
            unsafe (place + size).copyMemory(from: place, byteCount: behind)
        } else {
            let needed = byteCount + size
            let newCapacity = max(needed, roomyCapacity)
            let newStart = prefersFront ? newCapacity - needed : 0
            let moved = unsafe arena.allocate(newCapacity)
            unsafe (moved + newStart).copyMemory(from: first, byteCount: offset)
            unsafe (moved + (newStart + offset + size)).copyMemory(
                from: first + offset,
                byteCount: behind
            )
            unsafe arena.free(buffer, Int(capacity))
            unsafe buffer = unsafe moved
            capacity = UInt32(newCapacity)
            start = UInt32(newStart)
        }
        length += UInt32(size)
        return unsafe first + offset
    }

    /// Takes `size` bytes at `offset` out, moving whichever side is shorter.
    mutating func closeGap(of size: Int, at offset: Int) {
        let behind = byteCount - offset - size
        let place = unsafe first + offset
        if offset < behind {
            unsafe (first + size).copyMemory(from: first, byteCount: offset)
            start += UInt32(size)
        } else {
            unsafe place.copyMemory(from: place + size, byteCount: behind)
        }
        length -= UInt32(size)
    }

    /// Moves the bytes to the start or the end of the buffer.
    mutating func slide(toEnd: Bool) {
        let newStart = toEnd ? Int(capacity) - byteCount : 0
        unsafe (buffer + newStart).copyMemory(from: first, byteCount: byteCount)
        start = UInt32(newStart)
    }

    /// Gives back the room, if there is much of it.
    mutating func trim(in arena: Arena) {
        guard Int(capacity) - byteCount > 64 + byteCount / 8 else { return }
        let moved = unsafe arena.allocate(byteCount)
        unsafe moved.copyMemory(from: first, byteCount: byteCount)
        unsafe arena.free(buffer, Int(capacity))
        unsafe buffer = unsafe moved
        capacity = length
        start = 0
    }

    func free(in arena: Arena) {
        unsafe arena.free(buffer, Int(capacity))
    }

    func checkInvariants() {
        precondition(Int(start) + Int(length) <= Int(capacity))
        precondition(count > 0, "a block is empty")
        if isPlain { return precondition(count == 1) }
        var place = unsafe first
        for _ in 0..<count {
            let entry = unsafe PackedEntry(at: place)
            let next = unsafe place + entry.byteCount
            precondition(unsafe PackedEntry(before: next).place == place, "a back length is wrong")
            unsafe place = unsafe next
        }
        precondition(unsafe place == end, "a block's bytes are not those of its elements")
    }
}
