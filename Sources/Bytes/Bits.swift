/// A run of bytes as bits: bit 0 is the highest of the first byte.
public enum Bits {
    /// What two runs of bits can be combined by.
    public enum Operation: Sendable {
        case and
        case or
        case xor
    }

    /// How many of the bits in `range` are set; the range must be inside.
    public static func count(_ bytes: RawSpan, in range: Range<Int>) -> Int {
        guard !range.isEmpty else { return 0 }
        let first = range.lowerBound >> 3
        let last = (range.upperBound - 1) >> 3
        var total = 0
        var offset = first
        while offset + 8 <= last + 1 {
            let word = unsafe bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self)
            total += word.nonzeroBitCount
            offset += 8
        }
        while offset <= last {
            total += bytes.byte(at: offset).nonzeroBitCount
            offset += 1
        }
        // What the first and the last byte have outside of the range.
        let before = ~(UInt8(0xFF) >> UInt8(range.lowerBound & 7))
        let after = UInt8(0x7F) >> UInt8((range.upperBound - 1) & 7)
        total -= (bytes.byte(at: first) & before).nonzeroBitCount
        return total - (bytes.byte(at: last) & after).nonzeroBitCount
    }

    /// The first bit in `range`, which must be inside, that is set or clear as `value` says.
    public static func firstIndex(
        of value: Bool,
        _ bytes: RawSpan,
        in range: Range<Int>
    ) -> Int? {
        guard !range.isEmpty else { return nil }
        let end = (range.upperBound - 1) >> 3 + 1
        let flip: UInt8 = value ? 0 : 0xFF
        var offset = range.lowerBound >> 3
        // Looking for a clear bit is looking for a set one in the opposite.
        var byte = (bytes.byte(at: offset) ^ flip) & (0xFF >> UInt8(range.lowerBound & 7))
        while byte == 0 {
            offset += 1
            let idle: UInt64 = value ? 0 : .max
            while offset + 8 <= end,
                unsafe bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self) == idle
            {
                offset += 8
            }
            guard offset < end else { return nil }
            byte = bytes.byte(at: offset) ^ flip
        }
        let index = offset * 8 + byte.leadingZeroBitCount
        return index < range.upperBound ? index : nil
    }

    /// Combines `bytes` with `other`, which counts as followed by zeros.
    public static func combine(
        _ bytes: inout MutableRawSpan,
        with other: RawSpan,
        by operation: Operation
    ) {
        let shared = min(bytes.byteCount, other.byteCount)
        var offset = 0
        while offset + 8 <= shared {
            let one = unsafe bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self)
            let two = unsafe other.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self)
            bytes.storeBytes(
                of: combined(one, two, operation),
                toByteOffset: offset,
                as: UInt64.self
            )
            offset += 8
        }
        while offset < bytes.byteCount {
            let one = unsafe bytes.unsafeLoad(fromByteOffset: offset, as: UInt8.self)
            let two = offset < shared ? other.byte(at: offset) : 0
            let result = combined(one, two, operation)
            bytes.storeBytes(of: result, toByteOffset: offset, as: UInt8.self)
            offset += 1
        }
    }

    /// Turns every bit around.
    public static func invert(_ bytes: inout MutableRawSpan) {
        var offset = 0
        while offset + 8 <= bytes.byteCount {
            let word = unsafe bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self)
            bytes.storeBytes(of: ~word, toByteOffset: offset, as: UInt64.self)
            offset += 8
        }
        while offset < bytes.byteCount {
            let byte = unsafe bytes.unsafeLoad(fromByteOffset: offset, as: UInt8.self)
            bytes.storeBytes(of: ~byte, toByteOffset: offset, as: UInt8.self)
            offset += 1
        }
    }

    @inline(__always)
    private static func combined<Word: FixedWidthInteger>(
        _ one: Word,
        _ other: Word,
        _ operation: Operation
    ) -> Word {
        switch operation {
        case .and: one & other
        case .or: one | other
        case .xor: one ^ other
        }
    }

    /// The unsigned integer of `width` bits, at most 64, at bit `offset`; bits after the end
    /// count as zeros.
    public static func integer(_ bytes: RawSpan, at offset: Int, width: Int) -> UInt64 {
        var value: UInt64 = 0
        for byte in (offset >> 3)...((offset + width - 1) >> 3) {
            let bits = byte < bytes.byteCount ? bytes.byte(at: byte) : 0
            let start = max(offset - byte * 8, 0)
            let end = min(offset + width - byte * 8, 8)
            let part = (bits << UInt8(start)) >> UInt8(start + 8 - end)
            value = value << UInt64(end - start) | UInt64(part)
        }
        return value
    }

    /// Writes the low `width` bits of `value`, at most 64, at bit `offset`; all must be inside.
    public static func setInteger(
        _ bytes: inout MutableRawSpan,
        at offset: Int,
        width: Int,
        to value: UInt64
    ) {
        for byte in (offset >> 3)...((offset + width - 1) >> 3) {
            let start = max(offset - byte * 8, 0)
            let end = min(offset + width - byte * 8, 8)
            let behind = offset + width - (byte * 8 + end)
            let mask = (UInt8(0xFF) >> UInt8(start)) & ~(end == 8 ? 0 : UInt8(0xFF) >> UInt8(end))
            let part = UInt8(truncatingIfNeeded: value >> UInt64(behind)) << UInt8(8 - end)
            let old = unsafe bytes.unsafeLoad(fromByteOffset: byte, as: UInt8.self)
            bytes.storeBytes(of: old & ~mask | part & mask, toByteOffset: byte, as: UInt8.self)
        }
    }
}
