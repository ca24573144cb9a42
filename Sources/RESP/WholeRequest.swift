import Bytes

/// Finds a request that lies in the input whole and has only short lengths, in one pass.
///
/// That is how nearly every request comes. It keeps no state between calls: whatever is
/// unusual (a piece has not come yet, a length has more than three digits, the last argument
/// leaves less than a word to look at, anything is wrong) is left to the general way of
/// `RequestParser`, which knows the errors and goes on where input ends.
enum WholeRequest {
    /// The longest argument, and the most arguments, that this way reads.
    static let largestLength = 999

    private static let lineEnd: UInt16 = 0x0A0D

    /// Where the request at `start` ends, its arguments put into `table`; nil if unusual.
    @inline(__always)
    static func find(_ input: RawSpan, at start: Int, into table: inout ArgumentTable) -> Int? {
        var cursor = start
        guard let count = length(UInt8(ascii: "*"), input, &cursor), count > 0 else { return nil }
        table.reserve(count)
        for _ in 0..<count {
            guard let size = length(UInt8(ascii: "$"), input, &cursor) else { return nil }
            let end = cursor + size
            guard end + 2 <= input.byteCount else { return nil }
            let behind = unsafe input.unsafeLoadUnaligned(fromByteOffset: end, as: UInt16.self)
            guard UInt16(littleEndian: behind) == lineEnd else { return nil }
            table.appendReserved(offset: cursor - start, count: size)
            cursor = end + 2
        }
        return cursor
    }

    /// Reads `*3\r\n` or `$512\r\n` and moves behind it; nil if it is unusual.
    ///
    /// The line is recognised in the integer that its bytes are in little-endian order.
    @inline(__always)
    private static func length(_ type: UInt8, _ input: RawSpan, _ cursor: inout Int) -> Int? {
        guard cursor + 8 <= input.byteCount else { return nil }
        let word = UInt64(
            littleEndian: unsafe input.unsafeLoadUnaligned(
                fromByteOffset: cursor,
                as: UInt64.self
            )
        )
        let first = Int(truncatingIfNeeded: word >> 8 & 0xFF) &- 0x30
        guard UInt8(truncatingIfNeeded: word) == type, 0...9 ~= first else { return nil }
        if UInt16(truncatingIfNeeded: word >> 16) == lineEnd {
            cursor += 4
            return first
        }
        let second = Int(truncatingIfNeeded: word >> 16 & 0xFF) &- 0x30
        guard first > 0, 0...9 ~= second else { return nil }
        if UInt16(truncatingIfNeeded: word >> 24) == lineEnd {
            cursor += 5
            return first &* 10 &+ second
        }
        let third = Int(truncatingIfNeeded: word >> 24 & 0xFF) &- 0x30
        guard 0...9 ~= third, UInt16(truncatingIfNeeded: word >> 32) == lineEnd else { return nil }
        cursor += 6
        return first &* 100 &+ second &* 10 &+ third
    }
}
