import Bytes
import Platform
import RDB

/// Finds a key that is written twice into a database, which no server loads, in bounded memory.
///
/// Keys are remembered by 128 bits and the place they came from. When they are many, they go into
/// files by some of these bits, which are looked through one after the other in the end.
final class DuplicateKeys {
    /// All keys, as long as they are few.
    private var few = Part()
    /// Keys by the first bits of their fingerprints, once they are many.
    private var parts: [Box] = []
    private let seed = (UInt64.random(in: .min ... .max), UInt64.random(in: .min ... .max))

    private struct Fingerprint {
        var high: UInt64
        var low: UInt64
        var location: UInt64

        static let byteCount = 24
    }

    /// Keys that are looked through together.
    private struct Part: ~Copyable {
        let spool = Spool(maximumMemory: 32 << 10)
        var count = 0
        var waiting = ByteWriter()

        mutating func append(_ fingerprint: Fingerprint) throws(SystemError) {
            waiting.appendInteger(fingerprint.high)
            waiting.appendInteger(fingerprint.low)
            waiting.appendInteger(fingerprint.location)
            count += 1
            if waiting.count >= 8 << 10 { try settle() }
        }

        mutating func settle() throws(SystemError) {
            try spool.append(waiting.bytes)
            waiting.removeAll()
        }
    }

    /// A part that stays where it is.
    private final class Box {
        var part = Part()
    }

    /// How many keys are few.
    private static let maximumCount = 256 << 10
    private static let partBits = 7

    /// Where a key came from.
    struct Location: Equatable {
        let input: Int
        let offset: Int

        init(input: Int, offset: Int) {
            self.input = input
            self.offset = offset
        }

        fileprivate init(bits: UInt64) {
            input = Int(bits >> 48)
            offset = Int(bits & 0xFFFF_FFFF_FFFF)
        }

        fileprivate var bits: UInt64 { UInt64(input) << 48 | UInt64(offset) }
    }

    /// Remembers that a key is written.
    func insert(
        _ key: RawSpan,
        in database: UInt64,
        from location: Location
    ) throws(SystemError) {
        let digest = digest(key, database)
        let one = Fingerprint(high: digest.0, low: digest.1, location: location.bits)
        if parts.isEmpty {
            try few.append(one)
            if few.count > Self.maximumCount { try spread() }
        } else {
            try part(of: one).part.append(one)
        }
    }

    /// Two lanes that multiply and fold from secret beginnings, after the manner of wyhash
    /// (Wang Yi): nobody can make keys that seem to be one.
    private func digest(_ key: RawSpan, _ database: UInt64) -> (UInt64, UInt64) {
        func fold(_ one: UInt64, _ other: UInt64) -> UInt64 {
            let product = one.multipliedFullWidth(by: other)
            return product.high ^ product.low
        }
        var (one, other) = (seed.0 ^ database, seed.1 ^ UInt64(key.byteCount))
        var offset = 0
        while offset + 8 <= key.byteCount {
            let word = unsafe key.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self)
            one = fold(one ^ word, 0xA076_1D64_78BD_642F)
            other = fold(other ^ word, 0xE703_7ED1_A0B4_28DB)
            offset += 8
        }
        var last: UInt64 = 0
        while offset < key.byteCount {
            last = last << 8 | UInt64(key.byte(at: offset))
            offset += 1
        }
        one = fold(one ^ last, 0x8EBC_6AF0_9C88_C6E3 ^ UInt64(key.byteCount))
        other = fold(other ^ last, 0x5899_65CC_7537_4CC3)
        return (one, other)
    }

    /// Where one key came from both times; nil if none was written twice.
    func find() throws(SystemError) -> (Location, Location)? {
        if parts.isEmpty {
            try few.settle()
            return try find(in: few)
        }
        for box in parts {
            try box.part.settle()
            if let found = try find(in: box.part) { return found }
        }
        return nil
    }

    private func part(of one: Fingerprint) -> Box {
        parts[Int(truncatingIfNeeded: one.high >> (64 - UInt64(Self.partBits)))]
    }

    /// Puts what there is into parts.
    private func spread() throws(SystemError) {
        parts = (0..<(1 << Self.partBits)).map { _ in Box() }
        try few.settle()
        var bytes = ByteWriter()
        var index = 0
        while index < few.count {
            let count = min(4096, few.count - index)
            bytes.removeAll()
            let start = index * Fingerprint.byteCount
            try few.spool.read(count * Fingerprint.byteCount, at: start, into: &bytes)
            for position in 0..<count {
                let one = Self.fingerprint(position, bytes.bytes)
                try part(of: one).part.append(one)
            }
            index += count
        }
        few = Part()
    }

    private func find(in part: borrowing Part) throws(SystemError) -> (Location, Location)? {
        var bytes = ByteWriter(reserving: part.spool.byteCount)
        try part.spool.read(part.spool.byteCount, at: 0, into: &bytes)
        let all = bytes.bytes
        let mask = (part.count * 2).nextPowerOfTwo - 1
        // Index of a fingerprint, and one; zero is free.
        var table = [Int32](repeating: 0, count: mask + 1)
        for index in 0..<part.count {
            let one = Self.fingerprint(index, all)
            var slot = Int(truncatingIfNeeded: one.low) & mask
            while table[slot] != 0 {
                let other = Self.fingerprint(Int(table[slot]) - 1, all)
                if one.high == other.high, one.low == other.low {
                    return (Location(bits: other.location), Location(bits: one.location))
                }
                slot = (slot + 1) & mask
            }
            table[slot] = Int32(truncatingIfNeeded: index + 1)
        }
        return nil
    }

    private static func fingerprint(_ index: Int, _ bytes: RawSpan) -> Fingerprint {
        func word(_ number: Int) -> UInt64 {
            UInt64(
                littleEndian: unsafe bytes.unsafeLoadUnaligned(
                    fromByteOffset: index * Fingerprint.byteCount + number * 8,
                    as: UInt64.self
                )
            )
        }
        return Fingerprint(high: word(0), low: word(1), location: word(2))
    }
}

extension Int {
    /// The smallest power of two that is not below it.
    fileprivate var nextPowerOfTwo: Int {
        self <= 1 ? 1 : 1 << (Int.bitWidth - (self - 1).leadingZeroBitCount)
    }
}
