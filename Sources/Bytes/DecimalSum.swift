import CDecimal

/// The sum of two numbers given as text, in the widest floating type of the machine.
///
/// Servers add in C's `long double` and write up to 17 digits after the point, so that 0.1 and
/// 0.2 make 0.3; `Double` would not do.
public enum DecimalSum: Error {
    /// The first text is not a number.
    case firstIsNoNumber
    /// The second text is not a number.
    case secondIsNoNumber
    /// The sum is infinite or not a number.
    case notFinite
}

extension DecimalSum {
    /// How large a number is.
    public enum Magnitude {
        case finite
        case infinite
    }

    /// How large the number is that `text` spells; nil if it spells none.
    public static func magnitude(of text: RawSpan) -> Magnitude? {
        let kind = unsafe text.withUnsafeBytes { text in
            unsafe cdecimal_kind(
                text.baseAddress?.assumingMemoryBound(to: CChar.self),
                text.count
            )
        }
        return kind == 0 ? nil : kind == 1 ? .finite : .infinite
    }
}

extension ByteWriter {
    /// Appends a number with 17 digits: more than it takes to tell it from others.
    ///
    /// ZSCAN writes the scores of large sorted sets so.
    public mutating func append(seventeenDigits value: Double) {
        unsafe append(upTo: Int(CDECIMAL_TEXT_SIZE)) { room in
            unsafe Int(cdecimal_write_17_digits(value, room.baseAddress))
        }
    }

    /// Appends the text of the sum of `first` and `second`, without idle zeros.
    public mutating func append(sumOf first: RawSpan, _ second: RawSpan) throws(DecimalSum) {
        var result: Int32 = 0
        unsafe append(upTo: Int(CDECIMAL_TEXT_SIZE)) { room in
            result = unsafe first.withUnsafeBytes { first in
                unsafe second.withUnsafeBytes { second in
                    unsafe cdecimal_add(
                        first.baseAddress?.assumingMemoryBound(to: CChar.self),
                        first.count,
                        second.baseAddress?.assumingMemoryBound(to: CChar.self),
                        second.count,
                        room.baseAddress?.assumingMemoryBound(to: CChar.self)
                    )
                }
            }
            return max(0, Int(result))
        }
        switch Int(result) {
        case CDECIMAL_FIRST_IS_NO_NUMBER: throw .firstIsNoNumber
        case CDECIMAL_SECOND_IS_NO_NUMBER: throw .secondIsNoNumber
        case CDECIMAL_NOT_FINITE: throw .notFinite
        default: return
        }
    }
}
