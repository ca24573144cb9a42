import Glibc

extension DecimalText {
    /// The number that `bytes` spell, or nil.
    ///
    /// Digits with or without a point, a sign and an exponent, or `inf` and `infinity` in any
    /// case; no hexadecimal, no space, nothing left over. What is too large becomes infinite,
    /// what is too small zero.
    public static func parseDouble(_ bytes: RawSpan) -> Double? {
        guard let spelled = SpelledDouble(bytes) else { return parseInfinity(bytes) }
        return spelled.exactValue ?? readAsC(bytes)
    }

    /// The number that `bytes` spell, or nil also where it is too large or too small.
    public static func parseDoubleInRange(_ bytes: RawSpan) -> Double? {
        guard let spelled = SpelledDouble(bytes) else { return parseInfinity(bytes) }
        let value = spelled.exactValue ?? readAsC(bytes)
        return value.isInfinite || (value == 0 && spelled.hasNonzeroDigit) ? nil : value
    }

    private static func parseInfinity(_ bytes: RawSpan) -> Double? {
        guard bytes.byteCount > 0 else { return nil }
        let first = bytes.byte(at: 0)
        let isSigned = first == UInt8(ascii: "-") || first == UInt8(ascii: "+")
        let rest = isSigned ? bytes.part(from: 1, count: bytes.byteCount - 1) : bytes
        guard rest.equalsIgnoringCase("inf") || rest.equalsIgnoringCase("infinity") else {
            return nil
        }
        return first == UInt8(ascii: "-") ? -.infinity : .infinity
    }

    /// For what takes more than one rounding: digits that `SpelledDouble` has checked.
    private static func readAsC(_ bytes: RawSpan) -> Double {
        let count = bytes.byteCount
        return unsafe withUnsafeTemporaryAllocation(byteCount: count + 1, alignment: 1) { room in
            unsafe bytes.withUnsafeBytes { unsafe room.copyMemory(from: $0) }
            unsafe room[count] = 0
            return unsafe strtod(
                room.baseAddress.unsafelyUnwrapped.assumingMemoryBound(to: CChar.self),
                nil
            )
        }
    }
}

/// A number in digits: its first 19 of them as an integer, and a power of ten.
private struct SpelledDouble {
    private var digits: UInt64 = 0
    private var digitCount = 0
    private var exponent = 0
    private var isNegative = false

    /// Nil for anything that is no number in digits.
    init?(_ bytes: RawSpan) {
        var index = 0
        let count = bytes.byteCount
        guard count > 0 else { return nil }
        let first = bytes.byte(at: 0)
        if first == UInt8(ascii: "-") || first == UInt8(ascii: "+") {
            isNegative = first == UInt8(ascii: "-")
            index = 1
        }
        var hasDigits = false
        var isFraction = false
        while index < count {
            let byte = bytes.byte(at: index)
            let digit = byte &- UInt8(ascii: "0")
            if digit <= 9 {
                hasDigits = true
                take(digit, isFraction)
            } else if byte == UInt8(ascii: "."), !isFraction {
                isFraction = true
            } else {
                break
            }
            index += 1
        }
        guard hasDigits else { return nil }
        if index < count, !readExponent(bytes, index) { return nil }
    }

    private mutating func take(_ digit: UInt8, _ isFraction: Bool) {
        if digitCount < 19 {
            digits = digits * 10 + UInt64(digit)
            if digits > 0 { digitCount += 1 }
            if isFraction { exponent -= 1 }
        } else {
            // No exact value then, but whether it is zero is known.
            digitCount = 20
        }
    }

    private mutating func readExponent(_ bytes: RawSpan, _ start: Int) -> Bool {
        guard bytes.byte(at: start) | 0x20 == UInt8(ascii: "e") else { return false }
        var index = start + 1
        var isBelowOne = false
        if index < bytes.byteCount {
            let sign = bytes.byte(at: index)
            if sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") {
                isBelowOne = sign == UInt8(ascii: "-")
                index += 1
            }
        }
        guard index < bytes.byteCount else { return false }
        var power = 0
        while index < bytes.byteCount {
            let digit = bytes.byte(at: index) &- UInt8(ascii: "0")
            guard digit <= 9 else { return false }
            power = min(power * 10 + Int(digit), 1 << 20)
            index += 1
        }
        exponent += isBelowOne ? -power : power
        return true
    }

    var hasNonzeroDigit: Bool { digitCount > 0 }

    /// The value, where integers and powers of ten that are exact need but one rounding.
    ///
    /// (Clinger, "How to read floating point numbers accurately", 1990.)
    var exactValue: Double? {
        guard digitCount > 0 else { return isNegative ? -0.0 : 0 }
        guard digitCount <= 19 else { return nil }
        guard digits <= 1 << 53, abs(exponent) <= 22 else { return extendedValue }
        let magnitude =
            exponent < 0
            ? Double(digits) / SpelledDouble.powers[-exponent]
            : Double(digits) * SpelledDouble.powers[exponent]
        return isNegative ? -magnitude : magnitude
    }

    private static let powers = (0...22).map { exponent in
        (0..<exponent).reduce(1.0) { power, _ in power * 10 }
    }

    #if arch(x86_64)
    /// The same with eleven more bits, which leave no doubt unless they say that the value may lie
    /// in the middle between two doubles.
    private var extendedValue: Double? {
        guard abs(exponent) <= 27 else { return nil }
        let magnitude =
            exponent < 0
            ? Float80(digits) / SpelledDouble.extendedPowers[-exponent]
            : Float80(digits) * SpelledDouble.extendedPowers[exponent]
        guard magnitude.significandBitPattern & 0x7FF != 0x400 else { return nil }
        return isNegative ? -Double(magnitude) : Double(magnitude)
    }

    private static let extendedPowers = (0...27).map { exponent in
        (0..<exponent).reduce(Float80(1)) { power, _ in power * 10 }
    }
    #else
    private var extendedValue: Double? { nil }
    #endif
}
