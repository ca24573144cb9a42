import Bytes
import Foundation
import RDB
import Testing

/// A source of chance that a seed repeats.
struct Chance: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        // SplitMix64.
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = (state ^ state >> 30) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
        return value ^ value >> 31
    }
}

/// Fixtures that are small enough to be damaged often.
private let smallFixtures = (Fixture.all(kind: "rdb") + Fixture.all(kind: "rdb", isCorrupt: true))
    .filter { ((try? $0.file().count) ?? .max) < 3000 }

/// `LARDER_BIT_FLIPS` asks for more of them than a quick run makes.
private let flipCount =
    ProcessInfo.processInfo.environment["LARDER_BIT_FLIPS"].flatMap(Int.init) ?? 3000

struct DamageTests {
    @Test(arguments: smallFixtures.filter { !$0.path.hasPrefix("corrupt") })
    func `a file that was cut is refused wherever that was`(fixture: Fixture) throws {
        let file = try fixture.file()
        guard let whole = try? Content(reading: file), !whole.hasMore else { return }
        for count in 0..<file.count {
            do {
                let content = try Content(reading: Array(file.prefix(count)))
                Issue.record("\(count) bytes read as \(content.keys.count) databases")
            } catch {
                #expect(error.code == .truncated || count < 9)
            }
        }
    }

    /// A failure names its seed.
    ///
    /// Add that seed to the list, and it stays fixed.
    @Test(arguments: [1, 2] as [UInt64])
    func `a flipped bit is noticed, or changes nothing`(seed: UInt64) throws {
        var chance = Chance(state: seed)
        for round in 0..<(flipCount / 2) {
            guard let fixture = smallFixtures.randomElement(using: &chance) else { return }
            let file = try fixture.file()
            guard !file.isEmpty else { continue }
            var damaged = file
            let bit = Int.random(in: 0..<(file.count * 8), using: &chance)
            damaged[bit / 8] ^= 1 << UInt8(bit % 8)
            if let content = try? Content(reading: damaged) {
                let whole = try? Content(reading: file)
                let isChecked = whole?.isChecked == true
                #expect(!isChecked || content == whole, "seed \(seed), round \(round)")
            }
            // Without the checksum anything may come of it, but for a trap.
            let reporting: Reporting = round % 2 == 0 ? .elements : .encoded
            _ = try? Content(
                reading: damaged,
                reporting: reporting,
                validation: round % 3 == 0 ? .deep : []
            ) {
                $0.isVerifyingChecksum = false
            }
            _ = try? rewrite(damaged, for: .redis6, isTransferring: false)
        }
    }

    @Test func `an error says where, and in which key`() throws {
        var file = Array("REDIS0011".utf8)
        file += [0xFE, 0, 16, 3, 0x6B, 0x65, 0x79, 11]
        let listpack: [UInt8] = [11, 0, 0, 0, 2, 0, 0x81, 0x61, 2, 0xF5, 0xFF]
        file += listpack
        do {
            _ = try Content(reading: file)
            Issue.record("an encoding that does not exist was read")
        } catch {
            #expect(error.code == .invalidListpack)
            #expect(error.key == "key")
            #expect(error.recordOffset == 11)
            #expect(error.offset == 17 + 9)
            #expect(error == RDBError(.invalidListpack, at: 0, "another text"))
        }
    }

    @Test(arguments: [0x80, 0x81] as [UInt8])
    func `a length is believed only as far as there are bytes`(form: UInt8) throws {
        var file = Array("REDIS0011".utf8)
        file += [0, 1, 0x6B, form] + [UInt8](repeating: 0x7F, count: form == 0x80 ? 4 : 8)
        file += [UInt8](repeating: 0, count: 100_000)
        // Whether the source knows its end or not.
        #expect(throws: RDBError.self) { try Content(reading: file) }
        let endless = EndlessSource(file)
        var reader = FileReader(endless)
        var visitor = CheckingVisitor()
        _ = try reader.next()
        do {
            try reader.readValue(into: &visitor)
            Issue.record("a string without end was read")
        } catch {
            #expect(error.code == .transferFailed || error.code == .truncated || form == 0x81)
        }
    }

    @Test(arguments: [2, 6] as [UInt8])
    func `no more elements come than the header of a listpack counts`(stated: UInt8) {
        // Two members in the wrong order, so that they come one by one.
        let elements: [UInt8] = [0x81, 0x61, 2, 9, 1, 0x81, 0x62, 2, 5, 1]
        var file = Array("REDIS0011".utf8) + [17, 1, 0x6B, 17, 17, 0, 0, 0, stated, 0]
        file += elements + [0xFF, 0xFF] + [UInt8](repeating: 0, count: 8)
        #expect(throws: RDBError(.invalidListpack, at: 0, "")) {
            try rewrite(file, for: .neutral, isTransferring: false)
        }
    }

    @Test func `a count without elements is truncated, not believed`() {
        for type in [1, 2, 3, 4, 5, 14, 18, 15, 19, 21] as [UInt8] {
            let file = Array("REDIS0011".utf8) + [type, 1, 0x6B, 0x80, 0x7F, 0xFF, 0xFF, 0xFF]
            #expect(throws: RDBError(.truncated, at: 0, "")) { try Content(reading: file) }
        }
    }
}

/// A source that does not know its end, and fails after 4 MiB of zeros.
private struct EndlessSource: ByteSource {
    struct Failure: Error {}

    var memory: MemorySource
    var count = 0

    init(_ array: [UInt8]) {
        memory = MemorySource(array)
    }

    mutating func read(into room: inout OutputRawSpan) throws {
        memory.read(into: &room)
        if room.byteCount > 0 { return }
        count += 1
        if count > 64 { throw Failure() }
        for _ in 0..<min(room.freeCapacity, 65536) { room.append(0) }
    }
}

extension Content {
    /// Whether the file had a checksum.
    fileprivate var isChecked: Bool { checksum != nil }
}
