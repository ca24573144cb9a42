import Glibc

/// One cache line of a hash table; `HashTable` draws it.
///
/// A value of this type is the bucket's address and valid until the table changes size.
@safe
public struct Bucket: Equatable {
    @usableFromInline static let byteCount = 64
    @usableFromInline static let overflowOffset = 56
    @usableFromInline static let seenBitsOffset = 62
    @usableFromInline static let marksOffset = 63

    @usableFromInline let address: UnsafeMutableRawPointer

    @inlinable
    init(address: UnsafeMutableRawPointer) {
        unsafe self.address = unsafe address
    }

    /// Whether both are the same bucket.
    @inlinable
    public static func == (one: Bucket, other: Bucket) -> Bool {
        unsafe one.address == other.address
    }

    /// Buckets without nodes, aligned to their size; at most a huge page of them.
    static func allocate(count: Int) -> UnsafeMutableRawPointer {
        let size = count * byteCount
        if unsafe size < PageMemory.hugePageByteCount {
            let block = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: byteCount)
            unsafe memset(block, 0, size)
            return unsafe block
        }
        // Fresh pages are zero, and only those that are used take memory.
        MappedTables.note(size)
        return unsafe PageSupply.take()
    }

    static func deallocate(_ block: UnsafeMutableRawPointer, count: Int) {
        let size = count * byteCount
        if unsafe size < PageMemory.hugePageByteCount {
            unsafe block.deallocate()
        } else {
            MappedTables.note(-size)
            unsafe PageSupply.release(block)
        }
    }

    @inlinable
    static func tag(of hash: UInt64) -> UInt8 {
        max(UInt8(truncatingIfNeeded: hash >> 56), 1)
    }

    @inlinable var tags: UInt64 { unsafe address.load(as: UInt64.self) }

    @inlinable
    func tag(at index: Int) -> UInt8 {
        unsafe address.load(fromByteOffset: index, as: UInt8.self)
    }

    /// The top bit of byte k is set if slot k has this tag.
    @inlinable
    func slots(tagged tag: UInt8) -> UInt64 {
        Bucket.nonzeroBytes(tags ^ (0x0101_0101_0101_0101 &* UInt64(tag)))
            ^ 0x8080_8080_8080_8080
    }

    /// The top bit of byte k is set if slot k has a node.
    @inlinable var filledSlots: UInt64 { Bucket.nonzeroBytes(tags) }

    /// The top bit of each byte that is not 0; exact, no byte disturbs its neighbour.
    @inlinable
    static func nonzeroBytes(_ bytes: UInt64) -> UInt64 {
        let low = (bytes & 0x7F7F_7F7F_7F7F_7F7F) &+ 0x7F7F_7F7F_7F7F_7F7F
        return (low | bytes) & 0x8080_8080_8080_8080
    }

    @inlinable
    func node(at index: Int) -> UnsafeMutableRawPointer {
        let bits = unsafe address.loadUnaligned(fromByteOffset: 8 + 6 * index, as: UInt64.self)
        return unsafe UnsafeMutableRawPointer(
            bitPattern: UInt(truncatingIfNeeded: bits & 0xFFFF_FFFF_FFFF)
        ).unsafelyUnwrapped
    }

    @inlinable
    func setPointer(at offset: Int, _ bits: UInt64) {
        unsafe address.storeBytes(
            of: UInt32(truncatingIfNeeded: bits),
            toByteOffset: offset,
            as: UInt32.self
        )
        unsafe address.storeBytes(
            of: UInt16(truncatingIfNeeded: bits >> 32),
            toByteOffset: offset + 4,
            as: UInt16.self
        )
    }

    @inlinable
    func setNode(at index: Int, _ node: UnsafeMutableRawPointer) {
        setPointer(at: 8 + 6 * index, UInt64(UInt(bitPattern: node)))
    }

    @inlinable
    func fill(_ index: Int, tag: UInt8, node: UnsafeMutableRawPointer) {
        unsafe address.storeBytes(of: tag, toByteOffset: index, as: UInt8.self)
        unsafe setNode(at: index, node)
    }

    /// Empties a slot and takes its mark away.
    @inlinable
    func empty(_ index: Int) {
        unsafe address.storeBytes(of: 0, toByteOffset: index, as: UInt8.self)
        setMark(index, false)
    }

    /// Empties every slot and forgets the overflow.
    func clear() {
        unsafe address.storeBytes(of: 0, as: UInt64.self)
        setOverflow(nil)
        unsafe address.storeBytes(of: 0, toByteOffset: Bucket.marksOffset, as: UInt8.self)
    }

    /// The bucket that holds what does not fit here.
    @inlinable public var overflow: Bucket? {
        let low = unsafe address.load(fromByteOffset: Bucket.overflowOffset, as: UInt32.self)
        let high = unsafe address.load(fromByteOffset: Bucket.overflowOffset + 4, as: UInt16.self)
        let bits = UInt64(low) | UInt64(high) << 32
        return unsafe UnsafeMutableRawPointer(bitPattern: UInt(truncatingIfNeeded: bits))
            .map { unsafe Bucket(address: $0) }
    }

    @inlinable
    func setOverflow(_ bucket: Bucket?) {
        setPointer(
            at: Bucket.overflowOffset,
            unsafe UInt64(UInt(bitPattern: bucket?.address))
        )
    }

    /// One bit a slot, for the user of the table.
    @inlinable public var marks: UInt8 {
        unsafe address.load(fromByteOffset: Bucket.marksOffset, as: UInt8.self)
    }

    @inlinable
    func isMarked(_ index: Int) -> Bool {
        marks >> UInt8(truncatingIfNeeded: index) & 1 != 0
    }

    @inlinable
    func setMark(_ index: Int, _ isMarked: Bool) {
        let bit = UInt8(1) << UInt8(truncatingIfNeeded: index)
        unsafe address.storeBytes(
            of: isMarked ? marks | bit : marks & ~bit,
            toByteOffset: Bucket.marksOffset,
            as: UInt8.self
        )
    }

    /// One bit a slot, for a walk that must see each node as it was: `SlotWitness`.
    @inlinable var seenBits: UInt8 {
        get { unsafe address.load(fromByteOffset: Bucket.seenBitsOffset, as: UInt8.self) }
        nonmutating set {
            unsafe address.storeBytes(
                of: newValue,
                toByteOffset: Bucket.seenBitsOffset,
                as: UInt8.self
            )
        }
    }

    /// Whether a slot has the bit that those have which were seen.
    @inlinable
    func isSeen(_ index: Int, _ seen: UInt8) -> Bool {
        (seenBits ^ seen) >> UInt8(truncatingIfNeeded: index) & 1 == 0
    }

    @inlinable
    func setSeen(_ index: Int, _ isSeen: Bool, _ seen: UInt8) {
        guard self.isSeen(index, seen) != isSeen else { return }
        seenBits ^= 1 << UInt8(truncatingIfNeeded: index)
    }
}

/// The place of one node in a table; valid until the table changes.
@safe
public struct HashTableSlot {
    @usableFromInline let bucket: Bucket
    @usableFromInline let index: Int

    @inlinable
    init(bucket: Bucket, index: Int) {
        self.bucket = bucket
        self.index = index
    }

    /// The node.
    @inlinable public var node: UnsafeMutableRawPointer { unsafe bucket.node(at: index) }

    /// The mark that the user of the table gave this slot.
    @inlinable public var isMarked: Bool { bucket.isMarked(index) }
}

/// The place of one node that may be changed; valid until the table changes.
///
/// Whoever watches the table has seen what was there: `HashTable.open` has seen to it.
@safe
public struct OpenHashTableSlot {
    /// The same place, to be read.
    public let slot: HashTableSlot

    @inlinable
    init(slot: HashTableSlot) {
        self.slot = slot
    }

    /// The node; setting it replaces the pointer, as after the node moved in memory.
    @inlinable public var node: UnsafeMutableRawPointer {
        get { unsafe slot.node }
        nonmutating set { unsafe slot.bucket.setNode(at: slot.index, newValue) }
    }

    /// The mark that the user of the table gave this slot.
    @inlinable public var isMarked: Bool {
        get { slot.isMarked }
        nonmutating set { slot.bucket.setMark(slot.index, newValue) }
    }
}
