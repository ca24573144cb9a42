import Bytes
import RDB
import Testing

/// A key as a reader finds it.
private struct FoundKey: Equatable {
    var name: ByteString
    var encoding: Encoding
    var deadline: Int64?
    var range: Range<Int>
}

/// The keys of a file, read one by one, as far as it can be read; and its format.
private func keys(of file: [UInt8]) -> (keys: [FoundKey], format: Format?) {
    var options = FileReader.Options()
    options.isVerifyingChecksum = false
    var reader = FileReader(MemorySource(file), options: options)
    var keys: [FoundKey] = []
    do {
        while true {
            switch try reader.next() {
            case .end: return (keys, reader.format)
            case .key(let record):
                let name = ByteString(reader.key)
                try reader.skipValue()
                keys.append(
                    FoundKey(
                        name: name,
                        encoding: record.encoding,
                        deadline: record.deadline,
                        range: record.offset..<reader.offset
                    )
                )
            default: break
            }
        }
    } catch {
        return (keys, reader.format)
    }
}

/// The keys of a run at a place of a file.
private func run(
    in file: ByteString,
    from offset: Int,
    upTo end: Int,
    _ format: Format?
) -> [FoundKey] {
    var run = KeyRun(for: .valkey9)
    let bytes = file.bytes.part(from: offset, count: end - offset)
    run.find(in: bytes, format, now: .min)
    #expect(run.byteCount == Int(run.keys.last?.end ?? 0))
    return run.keys.map { key in
        var text = ByteWriter()
        if let integer = key.integer {
            text.append(decimal: integer)
        } else {
            text.append(bytes.part(from: Int(key.nameStart), count: Int(key.nameCount)))
        }
        return FoundKey(
            name: ByteString(text.bytes),
            encoding: key.encoding,
            deadline: key.deadline,
            range: (offset + Int(key.start))..<(offset + Int(key.end))
        )
    }
}

/// Files that servers wrote, and one that they would read.
private func namedFiles() throws -> [(name: String, file: [UInt8])] {
    try Fixture.all(kind: "rdb").map { ($0.path, try $0.file()) }
        + [("older layouts", OlderLayouts.file)]
}

struct KeyRunTests {
    @Test func `finds what a reader finds, or less`() throws {
        var encodings: Set<Encoding> = []
        for (fixture, file) in try namedFiles() {
            let (all, format) = keys(of: file)
            var index = 0
            while index < all.count {
                let start = all[index].range.lowerBound
                let found = run(in: ByteString(file), from: start, upTo: file.count, format)
                #expect(found == Array(all[index..<(index + found.count)]), "\(fixture)")
                encodings.formUnion(found.map(\.encoding))
                index += max(1, found.count)
            }
        }
        #expect(
            encodings.isSuperset(of: [
                .string, .list, .set, .hash, .sortedSet, .setIntset, .hashListpack, .setListpack,
                .sortedSetListpack, .listQuicklist2,
            ])
        )
    }

    @Test func `a key that is not whole is not found`() throws {
        for fixture in Fixture.all(kind: "rdb") {
            let file = try fixture.file()
            guard file.count < 2000 else { continue }
            let (all, format) = keys(of: file)
            guard let start = all.first?.range.lowerBound else { continue }
            for end in start...file.count {
                let found = run(in: ByteString(file), from: start, upTo: end, format)
                #expect(found == Array(all.prefix(found.count)), "\(fixture), \(end)")
                #expect((found.last?.range.upperBound ?? 0) <= end)
            }
        }
    }

    @Test(arguments: [1, 2] as [UInt64])
    func `damage ends a run or is what the reader takes it for`(seed: UInt64) throws {
        var chance = Chance(state: seed)
        let fixtures = try Fixture.all(kind: "rdb").map { try $0.file() }
            .filter { $0.count < 3000 && !keys(of: $0).keys.isEmpty }
        for round in 0..<2000 {
            var file = try #require(fixtures.randomElement(using: &chance))
            let start = try #require(keys(of: file).keys.first).range.lowerBound
            let bit = Int.random(in: (start * 8)..<(file.count * 8), using: &chance)
            file[bit / 8] ^= 1 << UInt8(bit % 8)
            let (all, format) = keys(of: file)
            let found = run(in: ByteString(file), from: start, upTo: file.count, format)
            let place = all.firstIndex { $0.range.lowerBound == start } ?? 0
            let same = Array(all[min(place, all.count)...].prefix(found.count))
            #expect(found == same, "seed \(seed), round \(round)")
        }
    }

    @Test func `what the target cannot read, and what has expired, ends a run`() throws {
        let sink = MemorySink()
        var writer = try FileWriter(for: .valkey9, to: sink)
        for (name, deadline) in [("a", nil), ("b", 1000), ("c", nil)] as [(ByteString, Int64?)] {
            try writer.beginKey(name.bytes, deadline: deadline)
            _ = try writer.value.begin(.string)
            try writer.value.string(.integer(7))
            try writer.value.end()
        }
        try writer.finish()
        let bytes = ByteString(Array(sink.array.dropFirst(9)))
        let format = Format(.valkey, version: 80)
        for (now, count) in [(999, 3), (1000, 1)] as [(Int64, Int)] {
            var run = KeyRun(for: .neutral)
            run.find(in: bytes.bytes, format, now: now)
            #expect(run.keys.count == count)
        }
        var run = KeyRun(for: .neutral)
        run.find(in: bytes.bytes, nil, now: 0)
        #expect(run.keys.isEmpty)
    }
}

/// The keys of a file, most of them read by a second reader that runs are given to; and how many.
private func sharedKeys(of file: [UInt8]) -> (keys: [FoundKey], givenCount: Int) {
    var options = FileReader.Options()
    options.isVerifyingChecksum = false
    var reader = FileReader(MemorySource(file, pieceByteCount: 50_000), options: options)
    var other = FileReader(ofRunsWith: options)
    var keys: [FoundKey] = []
    var givenCount = 0
    func found(_ record: KeyRecord, _ reader: inout FileReader) throws(RDBError) -> FoundKey {
        let name = ByteString(reader.key)
        try reader.skipValue()
        return FoundKey(
            name: name,
            encoding: record.encoding,
            deadline: record.deadline,
            range: record.offset..<reader.offset
        )
    }
    do {
        while true {
            if try reader.giveRun(to: &other) {
                let count = keys.count
                while let record = try other.nextOfRun() { keys.append(try found(record, &other)) }
                givenCount += keys.count - count
                continue
            }
            switch try reader.next() {
            case .end: return (keys, givenCount)
            case .key(let record): keys.append(try found(record, &reader))
            default: break
            }
        }
    } catch {
        return (keys, givenCount)
    }
}

struct GivenRunTests {
    @Test func `keys that are given to another reader are those of the file`() throws {
        var given: Set<Encoding> = []
        for (fixture, file) in try namedFiles() {
            // Three of each encoding a file are enough.
            var counts: [Encoding: Int] = [:]
            for key in keys(of: file).keys where key.range.count < 10_000 {
                counts[key.encoding, default: 0] += 1
                if counts[key.encoding, default: 0] > 3 { continue }
                let record = Array(file[key.range])
                var repeated = Array(file[..<9])
                while repeated.count < 150_000 { repeated += record }
                repeated += [0xFF] + Array(repeating: 0, count: 8)
                let (shared, givenCount) = sharedKeys(of: repeated)
                #expect(shared == keys(of: repeated).keys, "\(fixture) \(key.name)")
                if givenCount > 0 { given.insert(key.encoding) }
            }
        }
        let known: Set<Encoding> = [
            .string, .list, .set, .sortedSet, .hash, .hashZipmap, .listZiplist, .setIntset,
            .sortedSetZiplist, .hashZiplist, .listQuicklist, .stream1, .hashListpack,
            .sortedSetListpack, .listQuicklist2, .stream2, .setListpack, .stream3, .hashDeadlines,
            .hashRelativeDeadlines, .hashListpackDeadlines, .module,
        ]
        #expect(given.isSuperset(of: known), "\(known.subtracting(given))")
    }

    @Test(arguments: [1, 2] as [UInt64])
    func `damage is where it is without another reader`(seed: UInt64) throws {
        var chance = Chance(state: seed)
        var whole = Array("REDIS0011".utf8)
        for fixture in Fixture.all(kind: "rdb").shuffled(using: &chance) where whole.count < 200_000
        {
            let file = try fixture.file()
            if file.count > 20_000 || !file.starts(with: "REDIS".utf8) { continue }
            for key in keys(of: file).keys { whole += file[key.range] }
        }
        whole += [0xFF] + Array(repeating: 0, count: 8)
        for round in 0..<300 {
            var file = whole
            let bit = Int.random(in: 72..<(file.count * 8), using: &chance)
            file[bit / 8] ^= 1 << UInt8(bit % 8)
            if round % 4 == 0 {
                file.removeLast(Int.random(in: 1..<file.count - 9, using: &chance))
            }
            #expect(
                sharedKeys(of: file).keys == keys(of: file).keys,
                "seed \(seed), round \(round)"
            )
        }
    }
}
