import CDecimal

/// A number of seconds given as text, with or without a fraction.
public enum SecondsText: Equatable, Sendable {
    /// The text is not a number.
    case noNumber
    /// So many that they cannot be counted.
    case tooMany
    /// As milliseconds, rounded up.
    case milliseconds(Int64)

    /// Reads `text`.
    public init(_ text: RawSpan) {
        var milliseconds: Int64 = 0
        let outcome = unsafe text.withUnsafeBytes { text in
            unsafe cdecimal_milliseconds(
                text.baseAddress?.assumingMemoryBound(to: CChar.self),
                text.count,
                &milliseconds
            )
        }
        switch outcome {
        case 0: self = .noNumber
        case 1: self = .milliseconds(milliseconds)
        default: self = .tooMany
        }
    }
}
