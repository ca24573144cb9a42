import Bytes
import Platform
import RDB

/// Finds a key that is written twice into a database, which no server loads, in bounded memory.
///
/// Of each key no more is kept than 64 bits of its fingerprint, sorted into parts by the first
/// of them: in memory as long as keys are few, else in files. Keys with the same 64 bits are
/// suspects. Whoever wants to know goes over everything once more, then with an eye on these, and
/// finds the same key twice, and where, or that it was chance.
package final class DuplicateKeys {
    /// What 64 bits that came more than once can be recognised by.
    package struct Suspects: Sendable {
        fileprivate var digests: Set<UInt64> = []

        /// Enough to be sure that some are no chance.
        fileprivate static let maximumCount = 1000
    }

    /// Where a key came from.
    struct Location: Equatable {
        let input: Int
        let offset: Int
    }

    private struct Name: Hashable {
        let database: UInt64
        let key: ByteString
    }

    /// Digests that are in no part yet.
    private var waiting = ByteWriter()
    private var sorted = ByteWriter()
    private let spool = Spool(maximumMemory: maximumMemory)
    /// Where in the spool the parts begin that were put there at a time, and where the last ends.
    private var places: [[Int]] = []

    private let suspects: Set<UInt64>
    /// Whether another takes the keys.
    private let isPart: Bool
    private var seen: [Name: Location] = [:]
    /// Where one key came from both times, of those that were suspects.
    private(set) var found: (Location, Location)?

    private static let partBits = 7
    private static let partCount = 1 << partBits
    private static let waitingByteCount = 256 << 10
    private static let maximumMemory = 8 << 20
    /// The most digests that are compared at a time.
    private static let tableCount = 1 << 20

    /// Keeps every key, a part until another takes them in; with `suspects`, looks for those instead.
    init(lookingFor suspects: Suspects? = nil, isPart: Bool = false) {
        self.suspects = suspects?.digests ?? []
        self.isPart = isPart
    }

    /// Takes in keys, and forgets them there.
    func take(_ part: DuplicateKeys) throws(SystemError) {
        waiting.append(part.waiting.bytes)
        part.removeAll()
        try sortIfFull()
    }

    /// Forgets the keys of a part.
    func removeAll() {
        waiting.removeAll()
    }

    /// Takes a key that is written.
    func insert(
        _ key: RawSpan,
        in database: UInt64,
        from location: Location
    ) throws(SystemError) {
        guard suspects.isEmpty else { return look(at: key, database, location) }
        waiting.appendInteger(Self.digest(key, database))
        try sortIfFull()
    }

    /// Takes the keys of a run, which begins at `start`, among `bytes`.
    func insert(
        _ keys: [KeyRun.Key],
        of bytes: RawSpan,
        in database: UInt64,
        from start: Location
    ) throws(SystemError) {
        guard suspects.isEmpty else { return look(at: keys, of: bytes, database, start) }
        var digests = ByteWriter()
        swap(&digests, &waiting)
        digests.reserve(keys.count * 8)
        var text = ByteWriter()
        for index in keys.indices {
            if let integer = keys[index].integer {
                text.removeAll()
                text.append(decimal: integer)
                digests.appendInteger(Self.digest(text.bytes, database))
            } else {
                let start = Int(keys[index].nameStart)
                let key = bytes.part(from: start, count: Int(keys[index].nameCount))
                digests.appendInteger(Self.digest(key, database))
            }
        }
        swap(&digests, &waiting)
        try sortIfFull()
    }

    /// Never zero.
    private static func digest(_ key: RawSpan, _ database: UInt64) -> UInt64 {
        Fingerprint(of: key, in: database).one
    }

    private func sortIfFull() throws(SystemError) {
        if waiting.count >= Self.waitingByteCount, !isPart { try sort() }
    }

    /// Puts what waits into the parts.
    private func sort() throws(SystemError) {
        var waiting = ByteWriter()
        var sorted = ByteWriter()
        swap(&waiting, &self.waiting)
        swap(&sorted, &self.sorted)
        let byteCount = waiting.count
        var ends = [Int](repeating: 0, count: Self.partCount)
        for offset in stride(from: 0, to: byteCount, by: 8) {
            ends[Self.part(of: waiting.bytes.word(at: offset))] += 8
        }
        var start = 0
        for part in ends.indices { (ends[part], start) = (start, start + ends[part]) }
        places.append(ends.map { spool.byteCount + $0 } + [spool.byteCount + byteCount])
        sorted.removeAll()
        unsafe sorted.append(upTo: byteCount) { _ in byteCount }
        for offset in stride(from: 0, to: byteCount, by: 8) {
            let digest = waiting.bytes.word(at: offset)
            let part = Self.part(of: digest)
            sorted.overwrite(at: ends[part], with: digest)
            ends[part] += 8
        }
        waiting.removeAll()
        try spool.append(sorted.bytes)
        swap(&waiting, &self.waiting)
        swap(&sorted, &self.sorted)
    }

    private static func part(of digest: UInt64) -> Int {
        Int(truncatingIfNeeded: digest >> (64 - UInt64(partBits)))
    }

    /// What came more than once, or may have; nil if nothing did.
    func findSuspects() throws(SystemError) -> Suspects? {
        if waiting.count > 0 { try sort() }
        var all = Suspects()
        for part in 0..<Self.partCount { try compare(part, &all) }
        return all.digests.isEmpty ? nil : all
    }

    private func compare(_ part: Int, _ suspects: inout Suspects) throws(SystemError) {
        let count = places.reduce(0) { $0 + $1[part + 1] - $1[part] } / 8
        guard count > 1 else { return }
        // A part that is too large is read more than once, for some of its digests each time.
        let passCount = count / Self.tableCount + 1
        let mask = (count / passCount * 2).nextPowerOfTwo * 2 - 1
        var bytes = ByteWriter()
        for pass in 0..<passCount {
            var table = [UInt64](repeating: 0, count: mask + 1)
            for place in places where place[part + 1] > place[part] {
                bytes.removeAll()
                try spool.read(place[part + 1] - place[part], at: place[part], into: &bytes)
                for offset in stride(from: 0, to: bytes.count, by: 8) {
                    let digest = bytes.bytes.word(at: offset)
                    if passCount > 1, Int(digest >> 40 & 0xFFFF) % passCount != pass { continue }
                    var slot = Int(truncatingIfNeeded: digest) & mask
                    while table[slot] != 0, table[slot] != digest { slot = (slot + 1) & mask }
                    if table[slot] == digest {
                        suspects.digests.insert(digest)
                        if suspects.digests.count >= Suspects.maximumCount { return }
                    }
                    table[slot] = digest
                }
            }
        }
    }

    // Suspects.

    private func look(
        at keys: [KeyRun.Key],
        of bytes: RawSpan,
        _ database: UInt64,
        _ start: Location
    ) {
        for key in keys {
            let location = Location(input: start.input, offset: start.offset + Int(key.start))
            if let integer = key.integer {
                DecimalText.withText(of: integer) { look(at: $0, database, location) }
            } else {
                let name = bytes.part(from: Int(key.nameStart), count: Int(key.nameCount))
                look(at: name, database, location)
            }
        }
    }

    private func look(at key: RawSpan, _ database: UInt64, _ location: Location) {
        guard found == nil, suspects.contains(Self.digest(key, database)) else { return }
        let name = Name(database: database, key: ByteString(key))
        if let first = seen.updateValue(location, forKey: name) { found = (first, location) }
    }
}

extension RawSpan {
    /// The eight bytes at `offset`.
    @inline(__always)
    fileprivate func word(at offset: Int) -> UInt64 {
        UInt64(littleEndian: unsafe unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }
}

extension Int {
    /// The smallest power of two that is not below it.
    fileprivate var nextPowerOfTwo: Int {
        self <= 1 ? 1 : 1 << (Int.bitWidth - (self - 1).leadingZeroBitCount)
    }
}
