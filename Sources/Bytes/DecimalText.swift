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

    /// Appends a number in the shortest text that reads back the same.
    ///
    /// Integers up to 2^62 have no exponent or point; the other spellings are those of the
    /// `%.17g`-like form that Valkey uses for scores: plain digits while the exponent is
    /// small, else `d.ddde+XX`. Infinities are `inf` and `-inf`.
    public mutating func append(shortest value: Double) {
        if value.isNaN { return append("nan") }
        if value.isInfinite { return append(value < 0 ? "-inf" : "inf") }
        if value == 0 { return append(value.sign == .minus ? "-0" : "0") }
        if let whole = Int64(exactly: value), whole.magnitude <= 1 << 62 {
            return append(decimal: whole)
        }
        if value < 0 { append(UInt8(ascii: "-")) }
        let digits = ShortestDigits(value.magnitude)
        digits.write(to: &self)
    }
}

/// The digits of a finite positive number and the power of ten of the last one.
private struct ShortestDigits {
    var digits: [UInt8] = []
    var exponent = 0

    init(_ value: Double) {
        // `description` gives the fewest digits that round-trip, as `123.45` or `1.2345e+20`.
        var afterPoint = false
        var text = value.description.utf8[...]
        while let byte = text.popFirst() {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                digits.append(byte)
                if afterPoint { exponent -= 1 }
            case UInt8(ascii: "."):
                afterPoint = true
            default:
                exponent += Int(String(Substring(text.drop { $0 == UInt8(ascii: "+") }))) ?? 0
                text = text[text.endIndex...]
            }
        }
        digits = Array(digits.drop { $0 == UInt8(ascii: "0") })
        while digits.count > 1, digits.last == UInt8(ascii: "0") {
            digits.removeLast()
            exponent += 1
        }
    }

    func write(to writer: inout ByteWriter) {
        let scientific = exponent + digits.count - 1
        if exponent >= 0, scientific < digits.count + 7 {
            writer.append(digits.bytes)
            for _ in 0..<exponent { writer.append(UInt8(ascii: "0")) }
        } else if exponent < 0, exponent > -7 || abs(scientific) < 4 {
            writePoint(to: &writer)
        } else {
            writer.append(digits[0])
            if digits.count > 1 {
                writer.append(UInt8(ascii: "."))
                writer.append(digits.bytes.part(from: 1, count: digits.count - 1))
            }
            writer.append(scientific < 0 ? "e-" : "e+")
            writer.append(decimal: Int64(abs(scientific)))
        }
    }

    private func writePoint(to writer: inout ByteWriter) {
        let whole = digits.count + exponent
        if whole <= 0 {
            writer.append("0.")
            for _ in 0..<(-whole) { writer.append(UInt8(ascii: "0")) }
            writer.append(digits.bytes)
        } else {
            writer.append(digits.bytes.part(from: 0, count: whole))
            writer.append(UInt8(ascii: "."))
            writer.append(digits.bytes.part(from: whole, count: digits.count - whole))
        }
    }
}
