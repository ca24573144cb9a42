import Bytes
import Platform
import RDB

/// Finds what comes twice among any number of keys or members, in little memory.
///
/// What is compared are 128 bits of each: that two that differ are taken for one is less likely
/// than that the machine errs. Up to some ten thousand are kept in a hash table. More go
/// into scratch files by their first bits, and each of those is looked through at the end.
struct DuplicateFinder: ~Copyable {
    private var table = DigestTable()
    private var parts: [Part] = []

    /// Digests that begin with the same bits, on disk but for the last few.
    private final class Part {
        let file: ScratchFile
        var pending = ByteWriter()
        var count = 0

        init(_ file: ScratchFile) {
            self.file = file
        }
    }

    /// What is kept in memory before there are files, and what of a file is looked at in a pass.
    private static let tableLimit = 1 << 15
    private static let partCount = 64
    private static let pieceByteCount = 12 << 10
    private static let entryByteCount = 24

    init() {}

    /// Remembers something that was found at `offset`; returns that if it came before.
    ///
    /// What comes twice among many is told by `finish`.
    mutating func add(_ digest: Digest128, at offset: Int) throws(RDBError) -> Int? {
        if parts.isEmpty {
            if table.insert(digest, at: offset) != nil { return offset }
            if table.count > Self.tableLimit { try spill() }
            return nil
        }
        try write(digest, offset)
        return nil
    }

    /// What stands for a member, whose text is the same however it is packed.
    static func digest(of member: PackedValue) -> Digest128 {
        member.withText { Digest128(Fingerprint(of: $0)) }
    }

    private mutating func spill() throws(RDBError) {
        do {
            for _ in 0..<Self.partCount { parts.append(Part(try ScratchFile())) }
        } catch {
            throw RDBError(.transferFailed, at: 0, "cannot make a scratch file", cause: error)
        }
        for entry in table.entries { try write(entry.digest, entry.offset) }
        table.removeAll()
    }

    private func write(_ digest: Digest128, _ offset: Int) throws(RDBError) {
        let part = parts[Int(digest.high >> 58)]
        part.count += 1
        part.pending.appendInteger(digest.high)
        part.pending.appendInteger(digest.low)
        part.pending.appendInteger(UInt64(offset))
        guard part.pending.count >= Self.pieceByteCount else { return }
        var bytes = ByteWriter()
        swap(&bytes, &part.pending)
        do {
            try part.file.append(bytes.bytes)
        } catch {
            throw RDBError(.transferFailed, at: offset, "cannot write a scratch file", cause: error)
        }
        bytes.removeAll()
        swap(&bytes, &part.pending)
    }

    /// Where the first was found that came before, nil if none did; forgets everything.
    mutating func finish() throws(RDBError) -> Int? {
        try finishAll().min()
    }

    /// Where all were found that came before; forgets everything.
    mutating func finishAll() throws(RDBError) -> [Int] {
        table.removeAll()
        let all = parts
        parts = []
        if all.isEmpty { return [] }
        let halves = [all[..<(all.count / 2)], all[(all.count / 2)...]].map { PartSearch($0) }
        do throws(SystemError) {
            if Machine.processorCount > 1 {
                let helper = try WorkerThread("find doubles") { halves[1].run() }
                halves[0].run()
                helper.join()
            } else {
                for half in halves { half.run() }
            }
            return try halves[0].found.get() + halves[1].found.get()
        } catch {
            throw RDBError(.transferFailed, at: 0, "cannot read a scratch file", cause: error)
        }
    }

    /// Looks through some of the files.
    private final class PartSearch: @unchecked Sendable {
        private let parts: ArraySlice<Part>
        private(set) var found: Result<[Int], SystemError> = .success([])

        init(_ parts: ArraySlice<Part>) {
            self.parts = parts
        }

        func run() {
            do throws(SystemError) {
                var places: [Int] = []
                var table = DigestTable()
                for part in parts { try look(through: part, with: &table, &places) }
                found = .success(places)
            } catch {
                found = .failure(error)
            }
        }

        private func look(
            through part: Part,
            with table: inout DigestTable,
            _ found: inout [Int]
        ) throws(SystemError) {
            var bytes = ByteWriter()
            swap(&bytes, &part.pending)
            try part.file.append(bytes.bytes)
            // A part that is too large is read more than once, for some of its digests each time.
            let passCount = UInt64(part.count / tableLimit + 1)
            for pass in 0..<passCount {
                table.removeAll(expecting: part.count / Int(passCount))
                var offset = 0
                while offset < part.file.byteCount {
                    bytes.removeAll()
                    try part.file.read(entryByteCount * 4096, at: offset, into: &bytes)
                    offset += bytes.count
                    for entry in stride(from: 0, to: bytes.count, by: entryByteCount) {
                        let digest = Digest128(
                            high: bytes.bytes.word(at: entry),
                            low: bytes.bytes.word(at: entry + 8)
                        )
                        guard digest.low % passCount == pass else { continue }
                        let place = Int(bytes.bytes.word(at: entry + 16))
                        if table.insert(digest, at: place) != nil { found.append(place) }
                    }
                }
            }
        }
    }
}

/// An open hash table of digests and where each was found.
private struct DigestTable {
    private(set) var count = 0
    private var slots: [Entry] = []

    struct Entry {
        var digest = Digest128.zero
        /// -1 marks a free place.
        var offset = -1
    }

    private static let smallestSlotCount = 64

    var entries: [Entry] { slots.filter { $0.offset >= 0 } }

    /// Where the digest was found before, or nil if it is new and now in the table.
    mutating func insert(_ digest: Digest128, at offset: Int) -> Int? {
        if count * 4 >= slots.count * 3 { grow() }
        let mask = slots.count - 1
        var slot = Int(truncatingIfNeeded: digest.low) & mask
        while slots[slot].offset >= 0 {
            if slots[slot].digest == digest { return slots[slot].offset }
            slot = (slot + 1) & mask
        }
        slots[slot] = Entry(digest: digest, offset: offset)
        count += 1
        return nil
    }

    private mutating func grow() {
        let old = slots
        slots = Array(repeating: Entry(), count: max(Self.smallestSlotCount, old.count * 2))
        count = 0
        for entry in old where entry.offset >= 0 { _ = insert(entry.digest, at: entry.offset) }
    }

    /// Forgets everything, and makes room for `expected`, and a few more.
    mutating func removeAll(expecting expected: Int) {
        var slotCount = Self.smallestSlotCount
        while slotCount < expected * 3 / 2 { slotCount *= 2 }
        count = 0
        if slots.count < slotCount {
            slots = Array(repeating: Entry(), count: slotCount)
        } else {
            for index in slots.indices { slots[index].offset = -1 }
        }
    }

    /// Forgets everything; the memory of a small table stays.
    mutating func removeAll() {
        guard count > 0 else { return }
        if slots.count <= Self.smallestSlotCount * 8 { return removeAll(expecting: 0) }
        count = 0
        slots = []
    }
}
