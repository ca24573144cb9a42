import Bytes
import Platform
import RDB

/// Finds a key that is written twice into a database, which no server loads, in bounded memory.
///
/// Keys are remembered by 128 bits and the place they came from, in a file when they are many. In
/// the end they are looked through, in parts by some of these bits if one part would be large.
final class DuplicateKeys {
    private var all = Part()

    private struct Fingerprint {
        var hash: UInt64
        var checksum: UInt64
        var location: UInt64

        static let byteCount = 24
    }

    /// Keys that are looked through together.
    private struct Part: ~Copyable {
        let spool = Spool(maximumMemory: 256 << 10)
        var count = 0
        var waiting = ByteWriter()

        mutating func append(_ fingerprint: Fingerprint) throws(SystemError) {
            waiting.appendInteger(fingerprint.hash)
            waiting.appendInteger(fingerprint.checksum)
            waiting.appendInteger(fingerprint.location)
            count += 1
            if waiting.count >= Fingerprint.byteCount << 10 { try settle() }
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

    /// How many keys are looked through at once.
    private static let maximumCount = 256 << 10
    private static let partCount = 64

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
        var hasher = Hasher()
        hasher.combine(database)
        unsafe key.withUnsafeBytes { unsafe hasher.combine(bytes: $0) }
        let hash = UInt64(bitPattern: Int64(hasher.finalize()))
        try all.append(
            Fingerprint(
                hash: hash,
                checksum: CRC64.checksum(key) ^ database,
                location: location.bits
            )
        )
    }

    /// Where one key came from both times; nil if none was written twice.
    func find() throws(SystemError) -> (Location, Location)? {
        try all.settle()
        if all.count <= Self.maximumCount { return try find(in: all) }
        for box in try parts() {
            try box.part.settle()
            if let found = try find(in: box.part) { return found }
        }
        return nil
    }

    private func parts() throws(SystemError) -> [Box] {
        let parts = (0..<Self.partCount).map { _ in Box() }
        var bytes = ByteWriter()
        var index = 0
        while index < all.count {
            let count = min(4096, all.count - index)
            bytes.removeAll()
            let start = index * Fingerprint.byteCount
            try all.spool.read(count * Fingerprint.byteCount, at: start, into: &bytes)
            for position in 0..<count {
                let one = Self.fingerprint(position, bytes.bytes)
                try parts[Int(one.hash % UInt64(Self.partCount))].part.append(one)
            }
            index += count
        }
        return parts
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
            var slot = Int(truncatingIfNeeded: one.hash >> 6) & mask
            while table[slot] != 0 {
                let other = Self.fingerprint(Int(table[slot]) - 1, all)
                if one.hash == other.hash, one.checksum == other.checksum {
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
        return Fingerprint(hash: word(0), checksum: word(1), location: word(2))
    }
}

extension Int {
    /// The smallest power of two that is not below it.
    fileprivate var nextPowerOfTwo: Int {
        self <= 1 ? 1 : 1 << (Int.bitWidth - (self - 1).leadingZeroBitCount)
    }
}
