import Bytes

/// Turns bytes and numbers into a digest: SipHash-1-3 with 128 bits of output and a fixed key.
///
/// Aumasson and Bernstein, "SipHash: a fast short-input PRF", with one round a word and three at
/// the end, as Swift's and Rust's dictionaries use it. The key is no secret: the digest finds
/// differences, it does not withstand somebody who makes two contents of one digest on purpose.
struct SipHash128 {
    private var v0: UInt64 = 0x736F_6D65_7073_6575
    private var v1: UInt64 = 0x646F_7261_6E64_6F6D ^ 0xEE
    private var v2: UInt64 = 0x6C79_6765_6E65_7261
    private var v3: UInt64 = 0x7465_6462_7974_6573
    /// Bytes that do not fill a word yet, the first in the lowest bits.
    private var tail: UInt64 = 0
    private var byteCount = 0

    init() {}

    @inline(__always)
    private mutating func round() {
        v0 = v0 &+ v1
        v1 = (v1 << 13 | v1 >> 51) ^ v0
        v0 = v0 << 32 | v0 >> 32
        v2 = v2 &+ v3
        v3 = (v3 << 16 | v3 >> 48) ^ v2
        v0 = v0 &+ v3
        v3 = (v3 << 21 | v3 >> 43) ^ v0
        v2 = v2 &+ v1
        v1 = (v1 << 17 | v1 >> 47) ^ v2
        v2 = v2 << 32 | v2 >> 32
    }

    @inline(__always)
    private mutating func compress(_ word: UInt64) {
        v3 ^= word
        round()
        v0 ^= word
    }

    /// Takes in eight bytes of a number.
    @inline(__always)
    mutating func combine(_ number: UInt64) {
        let shift = UInt64(byteCount & 7) * 8
        compress(tail | number << shift)
        tail = shift == 0 ? 0 : number >> (64 - shift)
        byteCount += 8
    }

    /// Takes in bytes; where they end is not taken in.
    mutating func combine(_ bytes: RawSpan) {
        var offset = 0
        let count = bytes.byteCount
        let shift = UInt64(byteCount & 7) * 8
        while count - offset >= 8 {
            let word = unsafe bytes.unsafeLoadUnaligned(
                fromUncheckedByteOffset: offset,
                as: UInt64.self
            )
            compress(tail | word << shift)
            tail = shift == 0 ? 0 : word >> (64 - shift)
            offset += 8
        }
        byteCount += offset
        while offset < count {
            tail |= UInt64(bytes.byte(at: offset)) << (UInt64(byteCount & 7) * 8)
            byteCount += 1
            offset += 1
            if byteCount & 7 == 0 {
                compress(tail)
                tail = 0
            }
        }
    }

    /// Takes in a text with its length, so that two texts do not run together.
    mutating func combine(text bytes: RawSpan) {
        combine(UInt64(bytes.byteCount))
        combine(bytes)
    }

    /// Takes in the text of a value with its length.
    mutating func combine(text value: borrowing PackedValue) {
        var hash = self
        value.withText { hash.combine(text: $0) }
        self = hash
    }

    /// Takes in a digest.
    mutating func combine(_ digest: Digest128) {
        combine(digest.high)
        combine(digest.low)
    }

    /// The digest of everything taken in.
    consuming func finish() -> Digest128 {
        compress(UInt64(byteCount) << 56 | tail)
        v2 ^= 0xEE
        for _ in 0..<3 { round() }
        let low = v0 ^ v1 ^ v2 ^ v3
        v1 ^= 0xDD
        for _ in 0..<3 { round() }
        return Digest128(high: v0 ^ v1 ^ v2 ^ v3, low: low)
    }
}
