import Glibc

/// Numbers as the protocol spells them.
///
/// Integers are canonical: no plus sign, no leading zero, no space, `-0` is not a number.
public enum DecimalText {
    /// The most bytes an `Int64` takes.
    public static let maximumIntegerByteCount = 20

    /// The integer that `bytes` spell canonically, or nil.
    @inlinable
    public static func parseInteger(_ bytes: RawSpan) -> Int64? {
        let count = bytes.byteCount
        guard count > 0, count <= maximumIntegerByteCount else { return nil }
        func digit(_ index: Int) -> UInt64 {
            UInt64(
                unsafe bytes.unsafeLoad(fromUncheckedByteOffset: index, as: UInt8.self)
                    &- UInt8(ascii: "0")
            )
        }
        var index = 0
        let isNegative = bytes.byte(at: 0) == UInt8(ascii: "-")
        if isNegative {
            index = 1
            guard count > 1 else { return nil }
        }
        let first = digit(index)
        guard first <= 9 else { return nil }
        if first == 0 { return count == 1 ? 0 : nil }
        var magnitude = first
        index += 1
        while index < count {
            let next = digit(index)
            guard next <= 9 else { return nil }
            let (scaled, overflowed) = magnitude.multipliedReportingOverflow(by: 10)
            let (sum, carried) = scaled.addingReportingOverflow(next)
            guard !overflowed, !carried else { return nil }
            magnitude = sum
            index += 1
        }
        if isNegative {
            guard magnitude <= 1 << 63 else { return nil }
            return Int64(truncatingIfNeeded: 0 &- magnitude)
        }
        return Int64(exactly: magnitude)
    }

    /// How many bytes `value` takes.
    @inlinable
    public static func byteCount(of value: Int64) -> Int {
        let sign = value < 0 ? 1 : 0
        let magnitude = value.magnitude
        if magnitude < 10 { return 1 + sign }
        if magnitude < 100 { return 2 + sign }
        var rest = magnitude
        var count = 1 + sign
        while rest >= 10_000 {
            rest /= 10_000
            count += 4
        }
        return count + (rest >= 1000 ? 3 : rest >= 100 ? 2 : rest >= 10 ? 1 : 0)
    }

    /// Writes `value` at `room`, which has `byteCount(of:)` bytes or more; returns their count.
    @inlinable
    @unsafe
    public static func write(_ value: Int64, to room: UnsafeMutableRawPointer) -> Int {
        if 10...99 ~= value {
            let digits = UInt16(truncatingIfNeeded: value / 10 | (value % 10) << 8 | 0x3030)
            unsafe room.storeBytes(of: digits.littleEndian, as: UInt16.self)
            return 2
        }
        let count = byteCount(of: value)
        var rest = value.magnitude
        var index = count
        // Two digits a step: the divisions are what this costs.
        while rest >= 10 {
            let (quotient, pair) = rest.quotientAndRemainder(dividingBy: 100)
            index -= 2
            let digits = pair / 10 | (pair % 10) << 8 | 0x3030
            unsafe room.storeBytes(
                of: UInt16(truncatingIfNeeded: digits).littleEndian,
                toByteOffset: index,
                as: UInt16.self
            )
            rest = quotient
        }
        if rest > 0 || index == count {
            index -= 1
            unsafe room.storeBytes(
                of: UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: rest),
                toByteOffset: index,
                as: UInt8.self
            )
        }
        if value < 0 {
            unsafe room.storeBytes(of: UInt8(ascii: "-"), toByteOffset: 0, as: UInt8.self)
        }
        return count
    }

    /// Lends the text of `value` to `body`.
    @inlinable
    public static func withText<Result>(
        of value: Int64,
        _ body: (RawSpan) -> Result
    ) -> Result {
        unsafe withUnsafeTemporaryAllocation(
            byteCount: maximumIntegerByteCount,
            alignment: 1
        ) { room in
            let count = unsafe write(value, to: room.baseAddress.unsafelyUnwrapped)
            return unsafe body(room.bytes.extracting(first: count))
        }
    }
}

extension ByteWriter {
    /// Appends an integer as decimal text.
    @inlinable
    public mutating func append(decimal value: Int64) {
        unsafe append(upTo: DecimalText.maximumIntegerByteCount) { room in
            unsafe DecimalText.write(value, to: room.baseAddress.unsafelyUnwrapped)
        }
    }
}
