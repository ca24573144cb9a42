import Bytes

/// A keyed hash of bytes for tables whose keys strangers choose.
///
/// Folds 64x64 to 128-bit multiplications over the input, as wyhash does (Wang Yi, "wyhash and
/// wyrand", 2019). The seed is secret and drawn at start, so that nobody outside can prepare
/// keys that collide. Not a cryptographic hash.
public enum SeededHash {
    @inlinable
    static var secret0: UInt64 { 0xa076_1d64_78bd_642f }
    @inlinable
    static var secret1: UInt64 { 0xe703_7ed1_a0b4_28db }
    @inlinable
    static var secret2: UInt64 { 0x8ebc_6af0_9c88_c6e3 }

    @inlinable
    static func fold(_ one: UInt64, _ other: UInt64) -> UInt64 {
        let product = one.multipliedFullWidth(by: other)
        return product.high ^ product.low
    }

    /// The hash of `bytes` under `seed`.
    @inlinable
    public static func hash(_ bytes: RawSpan, seed: UInt64) -> UInt64 {
        unsafe bytes.withUnsafeBytes { unsafe hash($0, seed: seed) }
    }

    /// The hash of `bytes` under `seed`.
    @inlinable
    public static func hash(_ bytes: UnsafeRawBufferPointer, seed: UInt64) -> UInt64 {
        let count = bytes.count
        guard count > 0, let start = bytes.baseAddress else { return fold(seed, secret0) }
        func word(_ offset: Int) -> UInt64 {
            unsafe start.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
        }
        func half(_ offset: Int) -> UInt64 {
            UInt64(unsafe start.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
        }
        // Both factors of every product are keyed: a factor of zero would make all that it is
        // multiplied with collide, so nobody outside may be able to choose one.
        var state = seed ^ secret0
        let key = (seed << 32 | seed >> 32) ^ secret1
        let one: UInt64
        let other: UInt64
        if count <= 16 {
            if count >= 8 {
                one = word(0)
                other = word(count - 8)
            } else if count >= 4 {
                one = half(0)
                other = half(count - 4)
            } else {
                let first = unsafe UInt64(start.load(as: UInt8.self))
                let middle = unsafe UInt64(
                    start.load(fromByteOffset: count >> 1, as: UInt8.self)
                )
                let last = unsafe UInt64(start.load(fromByteOffset: count - 1, as: UInt8.self))
                one = first << 16 | middle << 8 | last
                other = 0
            }
        } else {
            var offset = 0
            while count - offset > 16 {
                state = fold(word(offset) ^ key, word(offset + 8) ^ state)
                offset += 16
            }
            one = word(count - 16)
            other = word(count - 8)
        }
        return fold(
            secret2 ^ UInt64(truncatingIfNeeded: count),
            fold(one ^ key, other ^ state)
        )
    }
}
