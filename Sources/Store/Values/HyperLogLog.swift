import Bytes

/// How many different elements a stream has, told from 16384 small registers.
///
/// An element's hash picks a register by its low 14 bits; the register keeps the greatest
/// position of the lowest set bit among the other 50 that any element had. Many different
/// elements make great positions likely (Flajolet and others, "HyperLogLog: the analysis of a
/// near-optimal cardinality estimation algorithm", 2007). The standard error is 0.81 %.
///
/// The value is a string; these are its bytes, the same in every server and file:
///
///     0      4          5       8              16
///     | HYLL | encoding | zeros | cardinality  | registers |
///     | 4 B  | 1 B      | 3 B   | 8 B LE       |           |
///
/// The cardinality is the last estimate; its top bit says that registers changed since.
/// Encoding 0 is dense: 6 bits a register, the lowest bits of a byte first, 12288 bytes.
/// Encoding 1 is sparse, runs of equal registers in order:
///
///     00nnnnnn             n + 1 registers are 0         up to 64
///     01nnnnnn nnnnnnnn    n + 1 registers are 0         up to 16384
///     1vvvvvnn             n + 1 registers are v + 1     up to 4, values 1 to 32
package enum HyperLogLog {
    /// How many registers there are.
    package static let registerCount = 1 << registerBits
    /// Bytes before the registers.
    package static let headerByteCount = 16
    /// All the bytes of the dense form.
    package static let denseByteCount = headerByteCount + registerCount * 6 / 8
    /// The greatest value that a run of the sparse form can have.
    package static let greatestSparseValue: UInt8 = 32

    static let registerBits = 14
    static let hashBits = 64 - registerBits

    /// How the registers are written.
    package enum Encoding: UInt8, Sendable {
        case dense = 0
        case sparse = 1
    }

    /// A sparse value whose registers are all 0.
    package static let empty: [UInt8] =
        Array("HYLL".utf8) + [1, 0, 0, 0] + [0, 0, 0, 0, 0, 0, 0, 0] + [0x7F, 0xFF]

    /// The encoding of a value; nil if the bytes are none.
    package static func encoding(of bytes: RawSpan) -> Encoding? {
        guard bytes.byteCount >= headerByteCount,
            unsafe bytes.part(from: 0, count: 4).equals("HYLL".utf8.span.bytes),
            let encoding = Encoding(rawValue: bytes.byte(at: 4)),
            encoding == .sparse || bytes.byteCount == denseByteCount
        else { return nil }
        return encoding
    }

    /// The last estimate, nil if registers changed since.
    package static func cachedCardinality(of bytes: RawSpan) -> Int64? {
        let word = unsafe bytes.unsafeLoadUnaligned(fromByteOffset: 8, as: Int64.self)
        return word >= 0 ? Int64(littleEndian: word) : nil
    }

    /// The register that `element` belongs to, and the value that it raises it to.
    package static func place(of element: RawSpan) -> (register: Int, value: UInt8) {
        let hash = hash(element)
        let register = Int(hash & UInt64(registerCount - 1))
        // The bit that is set here keeps the value at 51 or below.
        let rest = hash >> UInt64(registerBits) | 1 << UInt64(hashBits)
        return (register, UInt8(rest.trailingZeroBitCount + 1))
    }

    /// The 64-bit form A of MurmurHash2 (Austin Appleby), with the seed that all servers use.
    private static func hash(_ bytes: RawSpan) -> UInt64 {
        let factor: UInt64 = 0xC6A4_A793_5BD1_E995
        let count = bytes.byteCount
        var hash = 0xADC8_3B19 ^ (UInt64(count) &* factor)
        var offset = 0
        while offset + 8 <= count {
            var word = UInt64(
                littleEndian: unsafe bytes.unsafeLoadUnaligned(
                    fromUncheckedByteOffset: offset,
                    as: UInt64.self
                )
            )
            word &*= factor
            word ^= word >> 47
            word &*= factor
            hash = (hash ^ word) &* factor
            offset += 8
        }
        if offset < count {
            for index in offset..<count {
                hash ^= UInt64(bytes.byte(at: index)) << UInt64(8 * (index - offset))
            }
            hash &*= factor
        }
        hash ^= hash >> 47
        hash &*= factor
        return hash ^ hash >> 47
    }

    /// The register at `index` of a dense value.
    package static func denseRegister(_ index: Int, of bytes: RawSpan) -> UInt8 {
        let bit = index * 6
        let offset = headerByteCount + bit >> 3
        let low = UInt16(bytes.byte(at: offset))
        let high = offset + 1 < bytes.byteCount ? UInt16(bytes.byte(at: offset + 1)) : 0
        return UInt8(truncatingIfNeeded: (low | high << 8) >> UInt16(bit & 7)) & 63
    }

    /// Raises a register of a dense value; returns whether it was lower.
    package static func raiseDenseRegister(
        _ index: Int,
        of bytes: inout MutableRawSpan,
        to value: UInt8
    ) -> Bool {
        guard value > denseRegister(index, of: bytes.bytes) else { return false }
        let bit = index * 6
        let offset = headerByteCount + bit >> 3
        let shift = UInt16(bit & 7)
        let hasNext = offset + 1 < bytes.byteCount
        var word = UInt16(bytes.bytes.byte(at: offset))
        if hasNext { word |= UInt16(bytes.bytes.byte(at: offset + 1)) << 8 }
        word = word & ~(63 << shift) | UInt16(value) << shift
        bytes.storeBytes(
            of: UInt8(truncatingIfNeeded: word),
            toByteOffset: offset,
            as: UInt8.self
        )
        if hasNext {
            let high = UInt8(truncatingIfNeeded: word >> 8)
            bytes.storeBytes(of: high, toByteOffset: offset + 1, as: UInt8.self)
        }
        return true
    }
}

/// A run of equal registers in the sparse form.
package struct HyperLogLogRun {
    /// The value of each of the registers.
    package let value: UInt8
    /// How many registers.
    package let count: Int
    /// How many bytes the run takes.
    package let byteCount: Int

    /// Whether the run takes the form that zeros have.
    package var isZero: Bool { value == 0 }

    /// The run at `offset`; nil if the bytes end inside.
    package init?(_ bytes: RawSpan, at offset: Int) {
        guard offset < bytes.byteCount else { return nil }
        let first = bytes.byte(at: offset)
        if first & 0x80 != 0 {
            value = (first >> 2) & 0x1F + 1
            count = Int(first & 3) + 1
            byteCount = 1
        } else if first & 0x40 == 0 {
            value = 0
            count = Int(first & 0x3F) + 1
            byteCount = 1
        } else {
            guard offset + 1 < bytes.byteCount else { return nil }
            value = 0
            count = (Int(first & 0x3F) << 8 | Int(bytes.byte(at: offset + 1))) + 1
            byteCount = 2
        }
    }

    /// Where the run is that has a register: its offset, that of the run before or its own, and
    /// how many registers it has before that one; nil if the runs end earlier.
    ///
    /// Adding to a sparse value costs little but this, so runs are skipped eight at a time.
    static func find(
        _ register: Int,
        in bytes: RawSpan
    ) -> (offset: Int, previous: Int, before: Int, run: HyperLogLogRun)? {
        var previous = HyperLogLog.headerByteCount
        var offset = previous
        var before = register
        while let run = HyperLogLogRun(bytes, at: offset) {
            if before < run.count { return (offset, previous, before, run) }
            before -= run.count
            previous = offset
            offset += run.byteCount
            while offset + 8 <= bytes.byteCount {
                let word = unsafe bytes.unsafeLoadUnaligned(
                    fromUncheckedByteOffset: offset,
                    as: UInt64.self
                )
                guard let count = registerCount(of: word), count <= before else { break }
                before -= count
                offset += 8
                previous = offset - 1
            }
        }
        return nil
    }

    /// How many registers eight runs of a byte each have; nil if one of them takes two.
    private static func registerCount(of runs: UInt64) -> Int? {
        let each: UInt64 = 0x0101_0101_0101_0101
        guard ~runs >> 7 & runs >> 6 & each == 0 else { return nil }
        // The low two bits of values, six of zeros; each stands for one more than it says.
        let isValue = runs >> 7 & each
        let counts = runs & (0x3F * each) & ~(isValue &* 0x3C)
        let pairs: UInt64 = 0x00FF_00FF_00FF_00FF
        let sums = (counts & pairs) &+ (counts >> 8 & pairs)
        return Int(sums &* 0x0001_0001_0001_0001 >> 48) + 8
    }

    /// Writes a run of up to 4 registers of one value.
    package static func write(
        _ value: UInt8,
        count: Int,
        to bytes: inout MutableRawSpan,
        at offset: Int
    ) {
        let byte = 0x80 | (value - 1) << 2 | UInt8(count - 1)
        bytes.storeBytes(of: byte, toByteOffset: offset, as: UInt8.self)
    }

    /// Appends a run of up to 4 registers of one value.
    package static func append(_ value: UInt8, count: Int, to writer: inout ByteWriter) {
        if count > 0 { writer.append(0x80 | (value - 1) << 2 | UInt8(count - 1)) }
    }

    /// Appends a run of zeros in its shortest form.
    package static func append(zeros count: Int, to writer: inout ByteWriter) {
        guard count > 0 else { return }
        if count > 64 {
            writer.append(0x40 | UInt8((count - 1) >> 8))
            writer.append(UInt8(truncatingIfNeeded: count - 1))
        } else {
            writer.append(UInt8(count - 1))
        }
    }
}
