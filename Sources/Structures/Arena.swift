import Glibc

/// The core thread's allocator: fine size classes, no header per block.
///
/// Blocks of up to 1024 bytes come from slabs of 64 KiB that hold one size each, in steps of
/// 8 bytes; larger ones come from `malloc`. The caller knows the size of what it frees, so a
/// block costs its rounded size and nothing else. Slabs are aligned to their size: clearing
/// the low 16 bits of a block's address finds its slab.
///
///     slab (64 KiB)   | header 64 B | block | block | ... | block | rest |
///
/// The handle is one pointer and copies freely; whoever made the arena destroys it. It
/// belongs to one thread.
@safe
public struct Arena {
    @usableFromInline let state: UnsafeMutablePointer<ArenaState>

    /// The largest block that comes from a slab, in bytes.
    public static let largestSlabBlock = 1024

    /// Makes an arena without slabs.
    public init() {
        unsafe state = .allocate(capacity: 1)
        unsafe state.initialize(to: ArenaState())
    }

    /// Gives back every slab.
    ///
    /// Blocks from `malloc` are not tracked and must be freed before.
    public func destroy() {
        unsafe state.pointee.releaseChunks()
        unsafe state.deinitialize(count: 1)
        unsafe state.deallocate()
    }

    /// The bytes that a block of `byteCount` takes.
    @inlinable
    public static func roundedByteCount(_ byteCount: Int) -> Int {
        (byteCount + 7) & ~7
    }

    /// Bytes in blocks that are in use, rounded up as they are.
    public var usedByteCount: Int { unsafe state.pointee.usedByteCount }

    /// Bytes taken from the system: slabs, and blocks too large for them.
    public var heldByteCount: Int { unsafe state.pointee.heldByteCount }

    /// Whether there are pages that nothing lies in and that the system could have back.
    public var hasEmptyPages: Bool { unsafe state.pointee.hasEmptyPages }

    /// Gives the system the pages of one empty slab.
    ///
    /// That costs as much as a hundred blocks: while much is freed, the owner says when.
    public func releaseEmptyPages() {
        unsafe state.pointee.releaseEmptyPages()
    }

    /// The part of `usedByteCount` in blocks too large for slabs.
    public var largeByteCount: Int { unsafe state.pointee.largeByteCount }

    /// A block of at least `byteCount` bytes, aligned to 8.
    @inlinable
    public func allocate(_ byteCount: Int) -> UnsafeMutableRawPointer {
        let rounded = Arena.roundedByteCount(max(byteCount, 8))
        unsafe state.pointee.usedByteCount += rounded
        guard rounded <= Arena.largestSlabBlock else {
            return unsafe state.pointee.allocateLarge(rounded)
        }
        guard let slab = unsafe state.pointee.open[rounded >> 3] else {
            return unsafe state.pointee.allocateFromNewSlab(rounded)
        }
        if let block = unsafe slab.pointee.firstFree {
            unsafe slab.pointee.firstFree = block.load(as: UnsafeMutableRawPointer?.self)
            unsafe slab.pointee.usedCount += 1
            if unsafe slab.pointee.isFull { unsafe state.pointee.close(slab) }
            return unsafe block
        }
        let block = unsafe UnsafeMutableRawPointer(slab) + Int(slab.pointee.untouched)
        unsafe slab.pointee.untouched += UInt32(rounded)
        unsafe slab.pointee.usedCount += 1
        if unsafe slab.pointee.isFull { unsafe state.pointee.close(slab) }
        return unsafe block
    }

    /// Takes back a block that `allocate` gave for the same `byteCount`.
    @inlinable
    public func free(_ block: UnsafeMutableRawPointer, _ byteCount: Int) {
        let rounded = Arena.roundedByteCount(max(byteCount, 8))
        unsafe state.pointee.usedByteCount -= rounded
        guard rounded <= Arena.largestSlabBlock else {
            return unsafe state.pointee.freeLarge(block, rounded)
        }
        let slab = unsafe Slab.holding(block)
        let wasFull = unsafe slab.pointee.isFull
        unsafe block.storeBytes(of: slab.pointee.firstFree, as: UnsafeMutableRawPointer?.self)
        unsafe slab.pointee.firstFree = block
        unsafe slab.pointee.usedCount -= 1
        if wasFull {
            unsafe state.pointee.reopen(slab)
        } else if unsafe slab.pointee.usedCount == 0 {
            unsafe state.pointee.retire(slab)
        }
    }

    /// A block of `newByteCount` bytes that begins with what `block` held.
    ///
    /// The same block when both sizes round to the same class.
    @inlinable
    public func reallocate(
        _ block: UnsafeMutableRawPointer,
        from byteCount: Int,
        to newByteCount: Int
    ) -> UnsafeMutableRawPointer {
        let old = Arena.roundedByteCount(max(byteCount, 8))
        let new = Arena.roundedByteCount(max(newByteCount, 8))
        if old == new { return unsafe block }
        if old > Arena.largestSlabBlock, new > Arena.largestSlabBlock {
            unsafe state.pointee.usedByteCount += new - old
            return unsafe state.pointee.reallocateLarge(block, from: old, to: new)
        }
        let moved = unsafe allocate(newByteCount)
        unsafe moved.copyMemory(from: block, byteCount: min(byteCount, newByteCount))
        unsafe free(block, byteCount)
        return unsafe moved
    }
}

/// The first 64 bytes of a slab: what is free in it, and its place among slabs of its size.
@unsafe
@usableFromInline
struct Slab {
    @usableFromInline static let byteCount = 1 << 16
    @usableFromInline static let headerByteCount = 64

    /// Blocks that were freed, linked through their first 8 bytes.
    @usableFromInline var firstFree: UnsafeMutableRawPointer?
    @usableFromInline var next: UnsafeMutablePointer<Slab>?
    @usableFromInline var previous: UnsafeMutablePointer<Slab>?
    @usableFromInline var usedCount: UInt32
    @usableFromInline var blockCount: UInt32
    /// Offset of the first byte never given out.
    @usableFromInline var untouched: UInt32
    @usableFromInline var blockByteCount: UInt32

    @inlinable var isFull: Bool { unsafe usedCount == blockCount }

    @inlinable
    static func holding(_ block: UnsafeMutableRawPointer) -> UnsafeMutablePointer<Slab> {
        let address = unsafe UInt(bitPattern: block) & ~UInt(byteCount - 1)
        return unsafe UnsafeMutablePointer(bitPattern: address).unsafelyUnwrapped
    }
}

@unsafe
@usableFromInline
struct ArenaState {
    private static let chunkByteCount = unsafe PageMemory.hugePageByteCount
    private static let mallocHeaderByteCount = 8
    /// Empty slabs whose pages are kept, so that a queue that fills and drains stays cheap.
    private static let keptSlabCount = 64

    /// Per size class, the slabs with room, most recently used first.
    @usableFromInline let open: UnsafeMutablePointer<UnsafeMutablePointer<Slab>?>
    @usableFromInline var usedByteCount = 0
    @usableFromInline var heldByteCount = 0
    @usableFromInline var largeByteCount = 0
    /// Empty slabs whose pages are in memory.
    private var warm: UnsafeMutablePointer<Slab>?
    private var warmCount = 0
    /// Empty slabs of which only the first page may be.
    private var cold: UnsafeMutablePointer<Slab>?
    private var chunks = unsafe [UnsafeMutableRawPointer]()

    init() {
        let classCount = Arena.largestSlabBlock / 8 + 1
        unsafe open = .allocate(capacity: classCount)
        unsafe open.initialize(repeating: nil, count: classCount)
    }

    mutating func releaseChunks() {
        while let chunk = unsafe chunks.popLast() {
            unsafe PageSupply.release(chunk)
        }
        unsafe open.deallocate()
    }

    @usableFromInline
    mutating func allocateFromNewSlab(_ rounded: Int) -> UnsafeMutableRawPointer {
        let slab = unsafe takeSlab()
        let room = unsafe Slab.byteCount - Slab.headerByteCount
        unsafe slab.initialize(
            to: Slab(
                firstFree: nil,
                next: nil,
                previous: nil,
                usedCount: 1,
                blockCount: UInt32(room / rounded),
                untouched: UInt32(Slab.headerByteCount + rounded),
                blockByteCount: UInt32(rounded)
            )
        )
        unsafe link(slab)
        return unsafe UnsafeMutableRawPointer(slab) + Slab.headerByteCount
    }

    /// Takes a slab that has become full off the list of those with room.
    @usableFromInline
    mutating func close(_ slab: UnsafeMutablePointer<Slab>) {
        let next = unsafe slab.pointee.next
        if let previous = unsafe slab.pointee.previous {
            unsafe previous.pointee.next = next
        } else {
            unsafe open[Int(slab.pointee.blockByteCount) >> 3] = next
        }
        unsafe next?.pointee.previous = slab.pointee.previous
        unsafe slab.pointee.next = nil
        unsafe slab.pointee.previous = nil
    }

    /// Puts a slab that was full back among those with room.
    @usableFromInline
    mutating func reopen(_ slab: UnsafeMutablePointer<Slab>) {
        unsafe link(slab)
        if unsafe slab.pointee.usedCount == 0 { unsafe retire(slab) }
    }

    /// Keeps an empty slab for any size, unless it is the last one open for its own.
    @usableFromInline
    mutating func retire(_ slab: UnsafeMutablePointer<Slab>) {
        if unsafe slab.pointee.next == nil, unsafe slab.pointee.previous == nil { return }
        unsafe close(slab)
        unsafe slab.pointee.next = warm
        unsafe warm = slab
        unsafe warmCount += 1
        unsafe heldByteCount -= Slab.byteCount
    }

    var hasEmptyPages: Bool { unsafe warmCount > ArenaState.keptSlabCount }

    mutating func releaseEmptyPages() {
        guard unsafe hasEmptyPages, let slab = unsafe warm else { return }
        unsafe warm = slab.pointee.next
        unsafe warmCount -= 1
        // The first page holds the link, so it stays.
        let page = 4096
        unsafe madvise(
            UnsafeMutableRawPointer(slab) + page,
            Slab.byteCount - page,
            MADV_DONTNEED
        )
        unsafe slab.pointee.next = cold
        unsafe cold = slab
    }

    private mutating func link(_ slab: UnsafeMutablePointer<Slab>) {
        let index = unsafe Int(slab.pointee.blockByteCount) >> 3
        unsafe slab.pointee.next = open[index]
        unsafe slab.pointee.previous = nil
        unsafe open[index]?.pointee.previous = slab
        unsafe open[index] = slab
    }

    private mutating func takeSlab() -> UnsafeMutablePointer<Slab> {
        unsafe heldByteCount += Slab.byteCount
        if let slab = unsafe warm {
            unsafe warm = slab.pointee.next
            unsafe warmCount -= 1
            return unsafe slab
        }
        if unsafe cold == nil { unsafe addChunk() }
        let slab = unsafe cold.unsafelyUnwrapped
        unsafe cold = slab.pointee.next
        return unsafe slab
    }

    private mutating func addChunk() {
        let chunkByteCount = unsafe ArenaState.chunkByteCount
        let chunk = unsafe PageSupply.take()
        unsafe chunks.append(chunk)
        for offset in unsafe stride(from: chunkByteCount, to: 0, by: -Slab.byteCount) {
            let slab = unsafe (chunk + (offset - Slab.byteCount)).assumingMemoryBound(to: Slab.self)
            unsafe slab.pointee.next = cold
            unsafe cold = slab
        }
    }

    @usableFromInline
    mutating func allocateLarge(_ byteCount: Int) -> UnsafeMutableRawPointer {
        guard let block = unsafe malloc(byteCount) else {
            preconditionFailure("out of memory: no block of \(byteCount) bytes")
        }
        unsafe heldByteCount += byteCount + ArenaState.mallocHeaderByteCount
        unsafe largeByteCount += byteCount
        return unsafe block
    }

    @usableFromInline
    mutating func freeLarge(_ block: UnsafeMutableRawPointer, _ byteCount: Int) {
        unsafe heldByteCount -= byteCount + ArenaState.mallocHeaderByteCount
        unsafe largeByteCount -= byteCount
        unsafe Glibc.free(block)
    }

    @usableFromInline
    mutating func reallocateLarge(
        _ block: UnsafeMutableRawPointer,
        from byteCount: Int,
        to newByteCount: Int
    ) -> UnsafeMutableRawPointer {
        guard let moved = unsafe realloc(block, newByteCount) else {
            preconditionFailure("out of memory: no block of \(newByteCount) bytes")
        }
        unsafe heldByteCount += newByteCount - byteCount
        unsafe largeByteCount += newByteCount - byteCount
        return unsafe moved
    }
}
