import CCarrylessMultiply

/// The checksum of RDB files and DUMP payloads: CRC-64 "Jones".
///
/// Polynomial AD93D23594C935A9, input and output reflected, initial value 0, no final xor.
/// Over the ASCII bytes `123456789` it is E9C6D914C4B8D9CA.
///
/// Long runs are folded 64 bytes at a time by multiplying without carries, where the processor
/// can (Gopal and others, "Fast CRC Computation for Generic Polynomials Using PCLMULQDQ
/// Instruction"): 14 GB/s here. The last sixteen bytes of that, and all else, go through tables,
/// one for each of sixteen positions, that tell what a byte there contributes once the following
/// ones have been shifted through ("slicing-by-N", Kounavis and Berry, "A Systematic Approach to
/// Building High Performance Software-Based CRC Generators"): 1.8 GB/s here.
public struct CRC64: Equatable, Sendable {
    /// The checksum of all bytes so far.
    public private(set) var value: UInt64

    /// Starts with no bytes, or goes on from a known checksum.
    public init(continuing value: UInt64 = 0) {
        self.value = value
    }

    /// Takes in more bytes.
    public mutating func update(_ bytes: RawSpan) {
        var rest = bytes
        if bytes.byteCount >= Self.shortestMultiplied, canMultiply {
            let count = bytes.byteCount & ~63
            value = CRC64.multiply(bytes.part(from: 0, count: count), into: value)
            rest = bytes.part(from: count, count: bytes.byteCount - count)
        }
        value = CRC64.lookUp(rest, into: value)
    }

    /// Takes in `count` zero bytes, in as many steps as the count has bits.
    ///
    /// A zero byte multiplies the checksum, as a polynomial, by x^8.
    public mutating func update(zeroByteCount count: Int) {
        // x^0 is the highest bit.
        var power: UInt64 = 1 << (63 - 8)
        var rest = count
        while rest > 0 {
            if rest & 1 == 1 { value = CRC64.product(value, power) }
            power = CRC64.product(power, power)
            rest >>= 1
        }
    }

    private static func product(_ one: UInt64, _ other: UInt64) -> UInt64 {
        var product: UInt64 = 0
        var shifted = one
        for bit in 0..<64 {
            if (other << bit) >> 63 == 1 { product ^= shifted }
            shifted = shifted >> 1 ^ (shifted & 1 == 1 ? reflectedPolynomial : 0)
        }
        return product
    }

    private static let shortestMultiplied = 128

    private static func multiply(_ bytes: RawSpan, into value: UInt64) -> UInt64 {
        var remainder: (UInt64, UInt64) = (0, 0)
        unsafe bytes.withUnsafeBytes { bytes in
            unsafe factors.withUnsafeBufferPointer { factors in
                unsafe carryless_multiply_fold(
                    bytes.baseAddress,
                    bytes.count,
                    value,
                    factors.baseAddress,
                    &remainder
                )
            }
        }
        return unsafe withUnsafeBytes(of: &remainder) { unsafe lookUp($0.bytes, into: 0) }
    }

    private static func lookUp(_ bytes: RawSpan, into value: UInt64) -> UInt64 {
        unsafe bytes.withUnsafeBytes { bytes in
            unsafe tables.withUnsafeBufferPointer { tables in
                unsafe CRC64.fold(bytes, into: value, tables.baseAddress.unsafelyUnwrapped)
            }
        }
    }

    /// The checksum of `bytes`.
    public static func checksum(_ bytes: RawSpan) -> UInt64 {
        var checksum = CRC64()
        checksum.update(bytes)
        return checksum.value
    }

    private static func fold(
        _ bytes: UnsafeRawBufferPointer,
        into start: UInt64,
        _ tables: UnsafePointer<UInt64>
    ) -> UInt64 {
        func term(_ table: Int, _ word: UInt64, _ byte: UInt64) -> UInt64 {
            unsafe tables[table << 8 | Int(truncatingIfNeeded: word >> (byte << 3) & 0xFF)]
        }
        guard var cursor = bytes.baseAddress else { return start }
        var value = start
        var remaining = bytes.count
        while remaining >= 16 {
            let one = unsafe UInt64(littleEndian: cursor.loadUnaligned(as: UInt64.self)) ^ value
            let two = unsafe UInt64(
                littleEndian: cursor.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
            )
            let low = term(15, one, 0) ^ term(14, one, 1) ^ term(13, one, 2) ^ term(12, one, 3)
            let next = term(11, one, 4) ^ term(10, one, 5) ^ term(9, one, 6) ^ term(8, one, 7)
            let third = term(7, two, 0) ^ term(6, two, 1) ^ term(5, two, 2) ^ term(4, two, 3)
            let high = term(3, two, 4) ^ term(2, two, 5) ^ term(1, two, 6) ^ term(0, two, 7)
            value = (low ^ next) ^ (third ^ high)
            unsafe cursor += 16
            remaining -= 16
        }
        while remaining > 0 {
            let byte = unsafe cursor.load(as: UInt8.self)
            value = term(0, value ^ UInt64(byte), 0) ^ value >> 8
            unsafe cursor += 1
            remaining -= 1
        }
        return value
    }
}

private let reflectedPolynomial: UInt64 = 0x95AC_9329_AC4B_C9B5

private let canMultiply = carryless_multiply_is_there() != 0

/// What moves the two halves of sixteen bytes ahead by 64 and by 16 bytes.
private let factors: [UInt64] = [575, 511, 191, 127].map { exponent in
    // x^0 is the highest bit; each step multiplies by x and reduces.
    var power: UInt64 = 1 << 63
    for _ in 0..<exponent { power = power >> 1 ^ (power & 1 == 1 ? reflectedPolynomial : 0) }
    return power
}

/// Sixteen tables of 256 words; table n is what a byte does with n zero bytes after it.
private let tables: [UInt64] = {
    var tables: [UInt64] = []
    tables.reserveCapacity(16 * 256)
    for byte in 0..<UInt64(256) {
        var value = byte
        for _ in 0..<8 { value = value >> 1 ^ (value & 1 == 1 ? reflectedPolynomial : 0) }
        tables.append(value)
    }
    for index in 256..<(16 * 256) {
        let previous = tables[index - 256]
        tables.append(previous >> 8 ^ tables[Int(previous & 0xFF)])
    }
    return tables
}()
