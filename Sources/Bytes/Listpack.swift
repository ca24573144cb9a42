/// A listpack: small strings and integers packed into one run of bytes.
///
///     u32 LE   byte count of the whole, header and end included
///     u16 LE   number of elements; 65535 = not known, walk and count
///     entries  encoding and data (together E bytes), then E once more, readable backwards
///     FF       end
///
/// What the first byte of an entry says:
///
///     0nnnnnnn                       integer 0...127                              E = 1
///     10nnnnnn                       string of 0...63 bytes                       E = 1 + n
///     110nnnnn nnnnnnnn              integer -4096...4095                         E = 2
///     1110nnnn nnnnnnnn              string of 0...4095 bytes                     E = 2 + n
///     11110000 + u32 LE              string                                       E = 5 + n
///     11110001 + i16 LE              integer                                      E = 3
///     11110010 + 3 bytes LE          integer, signed                              E = 4
///     11110011 + i32 LE              integer                                      E = 5
///     11110100 + i64 LE              integer                                      E = 9
///     11111111                       the end
///
/// The back length holds E in groups of 7 bits, most significant first; every byte but the
/// first has its top bit set, so that a reader that comes from behind stops at the first
/// byte without it: 1 byte up to 127, 2 up to 16383, 3 up to 2097151, 4 up to 268435455.
///
/// Example, the list `a`, `200`:
///
///     0D 00 00 00  02 00  81 61 02  C0 C8 02  FF
public enum Listpack {
    /// Bytes before the first entry.
    public static let headerByteCount = 6
    /// Bytes of a listpack without elements.
    public static let emptyByteCount = 7
    /// The last byte.
    public static let end: UInt8 = 0xFF
    /// In the header: walk to find the number of elements.
    public static let unknownCount = 0xFFFF
    /// What the byte count in the header can say.
    public static let maximumByteCount = Int(UInt32.max)

    /// E of an integer: the bytes of its encoding, without the back length.
    @inlinable
    public static func encodingByteCount(of value: Int64) -> Int {
        switch value {
        case 0...127: 1
        case -4096...4095: 2
        case -0x8000...0x7FFF: 3
        case -0x80_0000...0x7F_FFFF: 4
        case -0x8000_0000...0x7FFF_FFFF: 5
        default: 9
        }
    }

    /// E of a string of `count` bytes: the bytes of its encoding, without the back length.
    @inlinable
    public static func encodingByteCount(ofStringOf count: Int) -> Int {
        if count < 64 { return 1 + count }
        if count < 4096 { return 2 + count }
        return 5 + count
    }

    /// How many bytes the back length of E takes.
    @inlinable
    public static func backLengthByteCount(_ size: Int) -> Int {
        if size < 1 << 7 { return 1 }
        if size < 1 << 14 { return 2 }
        if size < 1 << 21 { return 3 }
        if size < 1 << 28 { return 4 }
        return 5
    }

    /// All the bytes of the entry for an integer.
    @inlinable
    public static func entryByteCount(of value: Int64) -> Int {
        encodingByteCount(of: value) + 1
    }

    /// All the bytes of the entry for a string of `count` bytes that is kept as a string.
    @inlinable
    public static func entryByteCount(ofStringOf count: Int) -> Int {
        let size = encodingByteCount(ofStringOf: count)
        return size + backLengthByteCount(size)
    }

    /// All the bytes of the entry for `value`.
    @inlinable
    public static func entryByteCount(of value: borrowing PackedValue) -> Int {
        switch value {
        case .integer(let integer): entryByteCount(of: integer)
        case .bytes(let bytes): entryByteCount(ofStringOf: bytes.byteCount)
        }
    }

    /// Writes the entry of an integer at `room`; returns its byte count.
    ///
    /// `room` has `entryByteCount(of:)` bytes or more.
    @inlinable
    @unsafe
    @discardableResult
    public static func writeEntry(_ value: Int64, to room: UnsafeMutableRawPointer) -> Int {
        let size = encodingByteCount(of: value)
        switch size {
        case 1:
            unsafe room.storeBytes(of: UInt8(truncatingIfNeeded: value), as: UInt8.self)
        case 2:
            let bits = UInt16(truncatingIfNeeded: value) & 0x1FFF | 0xC000
            unsafe room.storeBytes(of: bits.bigEndian, as: UInt16.self)
        default:
            let tag: UInt8 = size == 9 ? 0xF4 : 0xF1 + UInt8(size - 3)
            unsafe room.storeBytes(of: tag, as: UInt8.self)
            var rest = value
            for offset in 1..<size {
                unsafe room.storeBytes(
                    of: UInt8(truncatingIfNeeded: rest),
                    toByteOffset: offset,
                    as: UInt8.self
                )
                rest >>= 8
            }
        }
        unsafe room.storeBytes(of: UInt8(size), toByteOffset: size, as: UInt8.self)
        return size + 1
    }

    /// Writes the entry of a string, kept as a string, at `room`; returns its byte count.
    ///
    /// `room` has `entryByteCount(ofStringOf:)` bytes or more.
    @inlinable
    @unsafe
    @discardableResult
    public static func writeEntry(_ bytes: RawSpan, to room: UnsafeMutableRawPointer) -> Int {
        let count = bytes.byteCount
        let size = encodingByteCount(ofStringOf: count)
        if count < 64 {
            unsafe room.storeBytes(of: 0x80 | UInt8(count), as: UInt8.self)
        } else if count < 4096 {
            unsafe room.storeBytes(of: (0xE000 | UInt16(count)).bigEndian, as: UInt16.self)
        } else {
            unsafe room.storeBytes(of: 0xF0, as: UInt8.self)
            unsafe room.storeBytes(
                of: UInt32(count).littleEndian,
                toByteOffset: 1,
                as: UInt32.self
            )
        }
        if count > 0 {
            unsafe bytes.withUnsafeBytes { source in
                unsafe (room + (size - count)).copyMemory(
                    from: source.baseAddress.unsafelyUnwrapped,
                    byteCount: count
                )
            }
        }
        return unsafe size + writeBackLength(size, to: room + size)
    }

    /// Writes the back length of E at `room`; returns how many bytes it took.
    @inlinable
    @unsafe
    @discardableResult
    public static func writeBackLength(_ size: Int, to room: UnsafeMutableRawPointer) -> Int {
        let count = backLengthByteCount(size)
        var rest = size
        for offset in stride(from: count - 1, through: 0, by: -1) {
            let continues: UInt8 = offset > 0 ? 0x80 : 0
            unsafe room.storeBytes(
                of: UInt8(truncatingIfNeeded: rest & 0x7F) | continues,
                toByteOffset: offset,
                as: UInt8.self
            )
            rest >>= 7
        }
        return count
    }
}
