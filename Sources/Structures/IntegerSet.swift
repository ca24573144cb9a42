import Bytes

/// A set of integers as one sorted run of the smallest width that fits them all.
///
///     0        4        8
///     | width  | count  | count values of `width` bytes, ascending |
///
/// `width` is 2, 4 or 8; everything is little-endian. These are the bytes that an RDB file
/// has, so saving is a copy. Example, the set {-1, 5}:
///
///     02 00 00 00  02 00 00 00  FF FF  05 00
///
/// The memory is the caller's: every function works on bytes given to it and says how many
/// they become. Lookups take O(log n), insertions and removals move the values behind.
/// Except in `isValid`, the bytes are trusted; `isValid` is the door for those that are not.
public enum IntegerSet {
    /// Bytes before the first value, and all the bytes of an empty set.
    public static let headerByteCount = 8

    /// Where a value is, or where it would go.
    public struct Position: Equatable, Sendable {
        /// Whether the value is there.
        public let isFound: Bool
        /// The index of the value, or of the first value that is greater.
        public let index: Int

        @inlinable
        init(isFound: Bool, index: Int) {
            self.isFound = isFound
            self.index = index
        }
    }

    /// How many values `set` has.
    @inlinable
    public static func count(of set: RawSpan) -> Int {
        Int(load(UInt32.self, from: set, at: 4))
    }

    /// The bytes that every value of `set` takes.
    @inlinable
    public static func width(of set: RawSpan) -> Int {
        Int(load(UInt32.self, from: set, at: 0))
    }

    /// The fewest bytes that hold `value`: 2, 4 or 8.
    @inlinable
    public static func width(of value: Int64) -> Int {
        if value == Int64(Int16(truncatingIfNeeded: value)) { return 2 }
        return value == Int64(Int32(truncatingIfNeeded: value)) ? 4 : 8
    }

    /// All the bytes of a set of `count` values of `width` bytes.
    @inlinable
    public static func byteCount(of count: Int, width: Int) -> Int {
        headerByteCount + count * width
    }

    /// All the bytes of `set`, which may lie at the start of a larger block.
    @inlinable
    public static func byteCount(of set: RawSpan) -> Int {
        byteCount(of: count(of: set), width: width(of: set))
    }

    /// The value at `index`, counted from the least.
    @inlinable
    public static func value(at index: Int, in set: RawSpan) -> Int64 {
        precondition(index >= 0 && index < count(of: set), "no value at this index")
        return value(at: index, width: width(of: set), in: set)
    }

    /// The least value, or nil if there is none.
    @inlinable
    public static func min(of set: RawSpan) -> Int64? {
        count(of: set) == 0 ? nil : value(at: 0, in: set)
    }

    /// The greatest value, or nil if there is none.
    @inlinable
    public static func max(of set: RawSpan) -> Int64? {
        let count = count(of: set)
        return count == 0 ? nil : value(at: count - 1, in: set)
    }

    /// Looks for `wanted`.
    @inlinable
    public static func find(_ wanted: Int64, in set: RawSpan) -> Position {
        let width = width(of: set)
        let count = count(of: set)
        guard self.width(of: wanted) <= width else {
            return Position(isFound: false, index: wanted < 0 ? 0 : count)
        }
        var low = 0
        var high = count
        while low < high {
            let middle = (low &+ high) >> 1
            let found = value(at: middle, width: width, in: set)
            if found == wanted { return Position(isFound: true, index: middle) }
            if found < wanted { low = middle &+ 1 } else { high = middle }
        }
        return Position(isFound: false, index: low)
    }

    /// Whether `wanted` is in `set`.
    @inlinable
    public static func contains(_ wanted: Int64, in set: RawSpan) -> Bool {
        find(wanted, in: set).isFound
    }

    /// The bytes that `set` will take once it holds `value`, which it does not yet.
    @inlinable
    public static func byteCount(of set: RawSpan, afterInserting value: Int64) -> Int {
        byteCount(of: count(of: set) + 1, width: Swift.max(width(of: set), width(of: value)))
    }

    /// Makes the bytes at `room` an empty set: `headerByteCount` of them.
    @inlinable
    @unsafe
    public static func writeEmpty(to room: UnsafeMutableRawPointer) {
        unsafe writeHeader(count: 0, width: 2, to: room)
    }

    /// Puts `value` where `find` said it would go.
    ///
    /// `set` has room for `byteCount(of:afterInserting:)`. All values become wider if this one
    /// asks for it.
    @unsafe
    public static func insert(_ value: Int64, at index: Int, into set: UnsafeMutableRawPointer) {
        let width = unsafe Int(UInt32(littleEndian: set.loadUnaligned(as: UInt32.self)))
        let count = unsafe Int(
            UInt32(littleEndian: set.loadUnaligned(fromByteOffset: 4, as: UInt32.self))
        )
        precondition(index >= 0 && index <= count, "no place at this index")
        let newWidth = Swift.max(width, self.width(of: value))
        if newWidth > width {
            // A value too wide for the others is less or greater than all of them. Moving
            // from the last on never overwrites what is still to be moved.
            let shift = index == 0 ? 1 : 0
            for old in stride(from: count - 1, through: 0, by: -1) {
                let moved = unsafe load(width: width, from: set, index: old)
                unsafe store(moved, width: newWidth, to: set, index: old + shift)
            }
        } else {
            let place = unsafe set + byteCount(of: index, width: width)
            unsafe (place + width).copyMemory(from: place, byteCount: (count - index) * width)
        }
        unsafe store(value, width: newWidth, to: set, index: index)
        unsafe writeHeader(count: count + 1, width: newWidth, to: set)
    }

    /// Takes the value at `index` out of `set`; returns the bytes that are left.
    ///
    /// The width stays: a set that had a wide value is likely to have one again.
    @unsafe
    @discardableResult
    public static func remove(at index: Int, from set: UnsafeMutableRawPointer) -> Int {
        let width = unsafe Int(UInt32(littleEndian: set.loadUnaligned(as: UInt32.self)))
        let count = unsafe Int(
            UInt32(littleEndian: set.loadUnaligned(fromByteOffset: 4, as: UInt32.self))
        )
        precondition(index >= 0 && index < count, "no value at this index")
        let place = unsafe set + byteCount(of: index, width: width)
        unsafe place.copyMemory(from: place + width, byteCount: (count - index - 1) * width)
        unsafe writeHeader(count: count - 1, width: width, to: set)
        return byteCount(of: count - 1, width: width)
    }

    /// Whether `bytes`, from an untrusted source, are exactly a set: sizes, order, no value twice.
    public static func isValid(_ bytes: RawSpan) -> Bool {
        guard bytes.byteCount >= headerByteCount else { return false }
        let width = width(of: bytes)
        let count = count(of: bytes)
        guard width == 2 || width == 4 || width == 8 else { return false }
        guard bytes.byteCount == byteCount(of: count, width: width) else { return false }
        guard count > 1 else { return true }
        var previous = value(at: 0, width: width, in: bytes)
        for index in 1..<count {
            let next = value(at: index, width: width, in: bytes)
            guard previous < next else { return false }
            previous = next
        }
        return true
    }

    @inlinable
    static func load<T: FixedWidthInteger & BitwiseCopyable>(
        _ type: T.Type,
        from set: RawSpan,
        at offset: Int
    ) -> T {
        T(littleEndian: unsafe set.unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: T.self))
    }

    @inlinable
    static func value(at index: Int, width: Int, in set: RawSpan) -> Int64 {
        let offset = byteCount(of: index, width: width)
        switch width {
        case 2: return Int64(load(Int16.self, from: set, at: offset))
        case 4: return Int64(load(Int32.self, from: set, at: offset))
        default: return load(Int64.self, from: set, at: offset)
        }
    }

    private static func load(width: Int, from set: UnsafeMutableRawPointer, index: Int) -> Int64 {
        let offset = byteCount(of: index, width: width)
        let whole = unsafe RawSpan(_unsafeStart: set, byteCount: offset + width)
        return value(at: index, width: width, in: whole)
    }

    private static func store(
        _ value: Int64,
        width: Int,
        to set: UnsafeMutableRawPointer,
        index: Int
    ) {
        let place = unsafe set + byteCount(of: index, width: width)
        switch width {
        case 2:
            let narrow = Int16(truncatingIfNeeded: value).littleEndian
            unsafe place.storeBytes(of: narrow, as: Int16.self)
        case 4:
            let narrow = Int32(truncatingIfNeeded: value).littleEndian
            unsafe place.storeBytes(of: narrow, as: Int32.self)
        default:
            unsafe place.storeBytes(of: value.littleEndian, as: Int64.self)
        }
    }

    @inlinable
    static func writeHeader(count: Int, width: Int, to set: UnsafeMutableRawPointer) {
        unsafe set.storeBytes(of: UInt32(width).littleEndian, as: UInt32.self)
        unsafe set.storeBytes(of: UInt32(count).littleEndian, toByteOffset: 4, as: UInt32.self)
    }
}
