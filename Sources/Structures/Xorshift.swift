/// Random numbers for choices that nobody has to guess at: samples, levels, evictions.
///
/// Xorshift with a multiplication (Vigna, "An experimental exploration of Marsaglia's xorshift
/// generators, scrambled", 2014). Of this type, not of any generator, so that what draws many
/// numbers is compiled for it.
public struct Xorshift: RandomNumberGenerator, Sendable {
    @usableFromInline var state: UInt64

    /// Starts from `seed`.
    @inlinable
    public init(seed: UInt64) {
        state = seed | 1
    }

    /// The next 64 bits.
    @inlinable
    public mutating func next() -> UInt64 {
        state ^= state >> 12
        state ^= state << 25
        state ^= state >> 27
        return state &* 0x2545_F491_4F6C_DD1D
    }

    /// A number from 0 up to `bound`, which is positive.
    ///
    /// By one multiplication (Lemire, "Fast random integer generation in an interval", 2019);
    /// the bias is below `bound` in 2^64.
    @inlinable
    public mutating func below(_ bound: Int) -> Int {
        Int(truncatingIfNeeded: next().multipliedFullWidth(by: UInt64(bound)).high)
    }
}
