import Bytes

/// A length prefix, or the marker that a specially encoded string follows.
///
///     00xxxxxx                       length 0...63
///     01xxxxxx xxxxxxxx              length 0...16383, high bits first
///     10000000 + 4 bytes             length, big-endian
///     10000001 + 8 bytes             length, big-endian
///     11kkkkkk                       a string in special encoding k
///
/// The writer always picks the shortest form. The reader accepts any of them: files from other
/// writers hold lengths that are longer than they need to be.
///
/// Example: 700 is `42 BC`.
enum Length: Equatable {
    case count(UInt64)
    case special(UInt8)
}

extension ByteWriter {
    /// Appends the shortest length prefix for `value`.
    mutating func append(length value: UInt64) {
        switch value {
        case 0..<0x40:
            append(UInt8(value))
        case 0x40..<0x4000:
            appendBigEndian(UInt16(0x4000) | UInt16(value))
        case 0x4000...0xFFFF_FFFF:
            append(0x80)
            appendBigEndian(UInt32(value))
        default:
            append(0x81)
            appendBigEndian(value)
        }
    }

    /// Appends the shortest length prefix for a count.
    mutating func append(count: Int) {
        append(length: UInt64(count))
    }
}
