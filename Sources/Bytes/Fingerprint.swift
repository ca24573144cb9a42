/// 128 bits that stand for bytes, other ones in every process: to find what comes twice.
///
/// Sixteen bytes a step are multiplied into two halves that change places, as wyhash does
/// (Wang Yi, "wyhash"), with secrets so that nobody can prepare two members of one fingerprint.
public struct Fingerprint {
    /// Never zero.
    public let one: UInt64
    /// Any number.
    public let other: UInt64

    private static let secret = InlineArray<4, UInt64> { _ in .random(in: .min ... .max) | 1 }

    /// One that was taken apart.
    public init(one: UInt64, other: UInt64) {
        self.one = one
        self.other = other
    }

    /// That of `bytes` in the namespace `number`.
    public init(of bytes: RawSpan, in number: UInt64 = 0) {
        let secret = Self.secret
        var low = secret[0] ^ UInt64(bytes.byteCount)
        var high = secret[1] ^ number
        var offset = 0
        while offset < bytes.byteCount {
            let first = bytes.word(at: offset)
            let second = bytes.word(at: offset + 8)
            let product = (first ^ low ^ secret[2]).multipliedFullWidth(
                by: second ^ high ^ secret[3]
            )
            // What went in stays in, even if one of the factors was zero.
            low = (product.low ^ high).rotated ^ second
            high = product.high ^ low ^ first
            offset += 16
        }
        let last = (low ^ secret[3]).multipliedFullWidth(by: high ^ secret[2])
        one = max(last.low ^ high, 1)
        other = last.high ^ low
    }
}

extension RawSpan {
    /// Eight bytes from `offset` on, zeros after the end.
    fileprivate func word(at offset: Int) -> UInt64 {
        if byteCount - offset >= 8 {
            return unsafe unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt64.self)
        }
        var word: UInt64 = 0
        for index in 0..<max(0, byteCount - offset) {
            word |= UInt64(byte(at: offset + index)) << UInt64(index * 8)
        }
        return word
    }
}

extension UInt64 {
    fileprivate var rotated: UInt64 { self << 23 | self >> 41 }
}
