import Bytes

/// 128 bits that stand for content; equal content has equal bits.
///
/// Digests add up: the sum of the digests of a set's members does not depend on their order.
public struct Digest128: Hashable, Sendable {
    /// The first 64 bits.
    public var high: UInt64
    /// The last 64 bits.
    public var low: UInt64

    /// What no content adds up to.
    public static let zero = Digest128(high: 0, low: 0)

    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// One that holds for this process only.
    init(_ fingerprint: Fingerprint) {
        self.init(high: fingerprint.other, low: fingerprint.one)
    }

    /// Adds modulo 2^128.
    public static func += (sum: inout Digest128, other: Digest128) {
        let (low, carries) = sum.low.addingReportingOverflow(other.low)
        sum.low = low
        sum.high = sum.high &+ other.high &+ (carries ? 1 : 0)
    }

    /// Takes away what was added.
    public static func -= (sum: inout Digest128, other: Digest128) {
        let (low, borrows) = sum.low.subtractingReportingOverflow(other.low)
        sum.low = low
        sum.high = sum.high &- other.high &- (borrows ? 1 : 0)
    }
}

extension Digest128: CustomStringConvertible {
    /// 32 hexadecimal digits.
    public var description: String { hexadecimal(high) + hexadecimal(low) }
}

/// Sixteen digits.
func hexadecimal(_ value: UInt64) -> String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: 16 - digits.utf8.count) + digits
}
