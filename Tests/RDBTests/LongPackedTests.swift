import Bytes
import RDB
import Testing

/// Fixtures with a packed encoding, small enough to be read often.
private let smallFixtures = Fixture.all(kind: "rdb")
    .filter { ((try? $0.file().count) ?? .max) < 3000 }

/// Reads packed strings through a window, and every element of more than two bytes and every name
/// in parts.
private func readLong(
    _ file: [UInt8],
    reporting: Reporting = .encoded,
    validation: Validation = [],
    pieceByteCount: Int = .max,
    isVerifyingChecksum: Bool = true
) throws(RDBError) -> Content {
    try Content(
        reading: file,
        reporting: reporting,
        validation: validation,
        pieceByteCount: pieceByteCount,
        largestWholeString: validation.contains(.members) ? .max : 2,
        largestWholePacked: 0
    ) {
        $0.isVerifyingChecksum = isVerifyingChecksum
        $0.largestWholeText = 0
    }
}

struct LongPackedTests {
    @Test(arguments: Fixture.all(kind: "rdb"))
    func `what is read through a window is what is read as a whole`(fixture: Fixture) throws {
        let file = try fixture.file()
        guard let whole = try? Content(reading: file) else { return }
        let content = try readLong(file)
        #expect(content == whole)
        // Of a name that is too long for one, no more than the beginning is kept.
        for (name, value) in whole.auxiliaries {
            let shortened = name + Array("… (\(name.count) bytes)".utf8)
            #expect(content.auxiliaries[shortened] == value)
        }
        #expect(content.auxiliaries.count == whole.auxiliaries.count)
        let isSound = (try? Content(reading: file, validation: .containers)) != nil
        let long = try? readLong(file, reporting: .elements, validation: .containers)
        #expect(isSound ? long == whole : long == nil)
    }

    @Test(arguments: smallFixtures)
    func `it makes no difference in what pieces the bytes come`(fixture: Fixture) throws {
        let file = try fixture.file()
        guard let whole = try? Content(reading: file) else { return }
        #expect(try readLong(file, pieceByteCount: 1) == whole)
    }

    @Test(arguments: smallFixtures)
    func `a file that was cut is refused wherever that was`(fixture: Fixture) throws {
        let file = try fixture.file()
        guard let whole = try? Content(reading: file), !whole.hasMore else { return }
        for count in 9..<file.count {
            #expect(throws: RDBError(.truncated, at: 0, ""), "\(count) bytes") {
                try readLong(Array(file.prefix(count)))
            }
        }
    }

    /// A failure names its seed.
    ///
    /// Add that seed to the list, and it stays fixed.
    @Test(arguments: [1, 2] as [UInt64])
    func `damage is seen as it is in what is read as a whole`(seed: UInt64) throws {
        var chance = Chance(state: seed)
        let all = smallFixtures + Fixture.all(kind: "rdb", isCorrupt: true)
        for round in 0..<3000 {
            guard let fixture = all.randomElement(using: &chance) else { return }
            var file = try fixture.file()
            guard file.count < 3000, file.count > 9 else { continue }
            let bit = Int.random(in: 72..<(file.count * 8), using: &chance)
            file[bit / 8] ^= 1 << UInt8(bit % 8)
            let validation: Validation = round % 2 == 0 ? [.containers, .members] : []
            let whole = try? Content(
                reading: file,
                reporting: round % 3 == 0 ? .encoded : .elements,
                validation: validation
            ) {
                $0.isVerifyingChecksum = false
            }
            let long = try? readLong(file, validation: validation, isVerifyingChecksum: false)
            #expect(long == whole, "seed \(seed), round \(round), \(fixture.path), bit \(bit)")
        }
    }

    @Test func `an error says where`() throws {
        var file = Array("REDIS0011".utf8) + [0xFE, 0, 16, 3, 0x6B, 0x65, 0x79, 13]
        // The second back length is wrong.
        file += [13, 0, 0, 0, 2, 0, 0x81, 0x61, 2, 0x81, 0x62, 3, 0xFF, 0xFF]
        file += [UInt8](repeating: 0, count: 8)
        _ = try readLong(file)
        do {
            _ = try readLong(file, validation: .containers)
            Issue.record("a wrong back length was not seen")
        } catch {
            #expect(error.code == .invalidListpack)
            #expect(error.recordOffset == 11)
            #expect(error.offset == 17 + 11)
        }
    }

    @Test func `a compressed string ends where its data does`() throws {
        let listpack: [UInt8] = [13, 0, 0, 0, 2, 0, 0x81, 0x61, 2, 0x81, 0x62, 2, 0xFF]
        let start = Array("REDIS0011".utf8)
        let end = [0xFF] + [UInt8](repeating: 0, count: 8)
        let record = [20, 1, 0x6B, 0xC3, 14, 13, 12] + listpack
        let other = [20, 1, 0x6C, 0xC3, 14, 13, 12] + listpack
        #expect(try readLong(start + record + other + end).keys[0]?.count == 2)
        // A run of one byte more than the string has.
        let longer = [20, 1, 0x6B, 0xC3, 16, 13, 12] + listpack + [0, 0x61]
        #expect(throws: RDBError(.invalidCompression, at: 0, "")) {
            try readLong(start + longer + end)
        }
    }

    @Test(arguments: smallFixtures)
    func `long names that nobody reads are skipped`(fixture: Fixture) throws {
        let file = try fixture.file()
        guard let whole = try? Content(reading: file) else { return }
        var options = FileReader.Options()
        options.largestWholeText = 0
        var reader = FileReader(MemorySource(file), options: options)
        var count = 0
        loop: while true {
            switch try reader.next() {
            case .key:
                count += 1
                if count % 2 == 0 { try reader.skipValue() }
            case .end: break loop
            default: continue
            }
        }
        #expect(count >= whole.keys.values.reduce(0) { $0 + $1.count })
    }
}
