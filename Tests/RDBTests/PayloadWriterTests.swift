import Bytes
import RDB
import Testing

/// Keeps what a sink was given, and how much at a time.
private final class CountingSink: ByteSink {
    var count = 0
    var largest = 0

    func write(_ bytes: RawSpan) {
        count += bytes.byteCount
        largest = max(largest, bytes.byteCount)
    }
}

/// Writes one key and says in which encoding it came back.
private func written(
    for target: Target,
    _ encoding: Encoding,
    _ body: (inout PayloadWriter) throws(RDBError) -> Void
) throws(RDBError) -> Key? {
    let sink = MemorySink()
    var writer = try FileWriter(for: target, to: sink)
    let name: [UInt8] = [0x6B]
    try writer.beginKey(name.bytes, deadline: nil)
    _ = try writer.value.begin(encoding)
    try body(&writer.value)
    try writer.value.end()
    try writer.finish()
    return try Content(reading: sink.array, validation: .deep).keys[0]?[name]
}

private func text(_ number: Int, byteCount: Int) -> [UInt8] {
    let digits = Array("\(number)".utf8)
    return [UInt8](repeating: 0x78, count: max(byteCount - digits.count, 0)) + digits
}

struct PayloadWriterTests {
    /// Count, bytes of each element, encoding for Redis 6, 7.0, and everybody since 7.2.
    @Test(arguments: [
        (1, 5, Encoding.set, Encoding.set, Encoding.setListpack),
        (128, 64, .set, .set, .setListpack),
        (129, 64, .set, .set, .set),
        (128, 65, .set, .set, .set),
        (512, 1, .setIntset, .setIntset, .setIntset),
        (513, 1, .set, .set, .set),
    ])
    func `sets are packed as the target does`(
        count: Int,
        byteCount: Int,
        redis6: Encoding,
        redis70: Encoding,
        others: Encoding
    ) throws {
        for target in Target.all {
            let key = try written(for: target, .set) { writer throws(RDBError) in
                try writer.announce(Extent(count: count))
                for index in 0..<count {
                    let member = text(index, byteCount: byteCount)
                    try writer.setMember(.bytes(member.bytes))
                }
            }
            let expected =
                target.format.version == 9
                ? redis6 : target.format.version == 10 ? redis70 : others
            #expect(key?.encoding == expected, "\(target)")
            guard case .set(let members) = key?.value else { return }
            #expect(members.count == count)
        }
    }

    @Test(arguments: [(1, 64), (512, 64), (513, 1), (2, 65)])
    func `hashes are packed as the target does`(count: Int, byteCount: Int) throws {
        for target in Target.all {
            let key = try written(for: target, .hash) { writer throws(RDBError) in
                try writer.announce(Extent(count: count))
                for index in 0..<count {
                    let field = text(index, byteCount: 3)
                    let value = text(index, byteCount: index == count - 1 ? byteCount : 2)
                    try writer.hashField(
                        .bytes(field.bytes),
                        value: .bytes(value.bytes),
                        deadline: nil
                    )
                }
            }
            let packed: Encoding = target.format.version == 9 ? .hashZiplist : .hashListpack
            #expect(key?.encoding == (count <= 512 && byteCount <= 64 ? packed : .hash))
            guard case .hash(let fields) = key?.value else { return }
            #expect(fields.count == count)
        }
    }

    @Test(arguments: [(1, 64), (128, 64), (129, 1), (2, 65)])
    func `sorted sets are packed in order`(count: Int, byteCount: Int) throws {
        let scores = [
            -Double.infinity, -1.5, -0.0, 0, 3, 1e300, 4_503_599_627_370_497.5, .infinity,
        ]
        for target in Target.all {
            let key = try written(for: target, .sortedSet) { writer throws(RDBError) in
                try writer.announce(Extent(count: count))
                for index in (0..<count).reversed() {
                    let member = text(index, byteCount: byteCount)
                    let score = scores[index % scores.count]
                    try writer.sortedSetMember(.bytes(member.bytes), score: score)
                }
            }
            let packed: Encoding =
                target.format.version == 9 ? .sortedSetZiplist : .sortedSetListpack
            #expect(key?.encoding == (count <= 128 && byteCount <= 64 ? packed : .sortedSet))
            guard case .sortedSet(let members) = key?.value else { return }
            for index in 0..<count {
                let score = members[text(index, byteCount: byteCount)]
                #expect(score?.bitPattern == scores[index % scores.count].bitPattern)
            }
        }
    }

    @Test(arguments: [(1, 10), (100, 70), (1, 9000), (5000, 10)])
    func `lists keep their order`(count: Int, byteCount: Int) throws {
        for target in Target.all {
            let key = try written(for: target, .list) { writer throws(RDBError) in
                try writer.announce(Extent(count: count))
                for index in 0..<count {
                    let element = text(index, byteCount: byteCount)
                    try writer.listElement(.bytes(element.bytes))
                }
            }
            let packed: Encoding = target.format.version == 9 ? .listQuicklist : .listQuicklist2
            #expect(key?.encoding == (count * byteCount < 8000 ? packed : .list))
            #expect(key?.value == .list((0..<count).map { text($0, byteCount: byteCount) }))
        }
    }

    @Test(arguments: [3, 600])
    func `fields keep their deadlines`(count: Int) throws {
        func deadline(_ index: Int) -> Int64? {
            index % 3 == 0 ? nil : 4_102_444_800_000 - Int64(index)
        }
        for target in Target.all where target.holdsFieldDeadlines {
            let key = try written(for: target, .hashDeadlines) { writer throws(RDBError) in
                var extent = Extent(count: count)
                extent.hasFieldDeadlines = true
                try writer.announce(extent)
                for index in 0..<count {
                    let field = text(index, byteCount: 3)
                    try writer.hashField(
                        .bytes(field.bytes),
                        value: .integer(Int64(index)),
                        deadline: deadline(index)
                    )
                }
            }
            let packed: Encoding =
                count > 512 ? .hashRelativeDeadlines : .hashListpackDeadlines
            #expect(
                key?.encoding == (target.format.dialect == .valkey ? .hashDeadlines : packed)
            )
            guard case .hash(let fields) = key?.value else { return }
            for index in 0..<count {
                let field = fields[text(index, byteCount: 3)]
                #expect(field?.deadline == deadline(index))
                #expect(field?.value == Array("\(index)".utf8))
            }
        }
    }

    @Test func `a hash that only could have deadlines is an ordinary one`() throws {
        for target in Target.all where target.holdsFieldDeadlines {
            let key = try written(for: target, .hashDeadlines) { writer throws(RDBError) in
                var extent = Extent(count: 1)
                extent.hasFieldDeadlines = true
                try writer.announce(extent)
                try writer.hashField(.integer(1), value: .integer(2), deadline: nil)
            }
            #expect(key?.encoding == .hashListpack)
        }
    }

    @Test func `what a target cannot hold is named and leaves no trace`() throws {
        let sink = MemorySink()
        var writer = try FileWriter(for: .neutral, to: sink)
        let left: [UInt8] = [0x61]
        let kept: [UInt8] = [0x62]
        for name in [left, kept] {
            try writer.beginKey(name.bytes, deadline: 5)
            let count = writer.count
            do {
                _ = try writer.value.begin(.hashDeadlines)
                Issue.record("deadlines of fields were taken")
            } catch {
                #expect(error.code == .unsupportedByTarget)
                #expect(error.description.contains("deadlines of hash fields"))
            }
            #expect(writer.count == count)
        }
        try writer.beginKey(kept.bytes, deadline: nil)
        _ = try writer.value.begin(.string)
        try writer.value.string(.integer(7))
        try writer.value.end()
        try writer.finish()
        let content = try Content(reading: sink.array)
        #expect(content.keys[0]?.count == 1)
        #expect(content.keys[0]?[kept]?.value == .string([0x37]))
        #expect(content.keys[0]?[kept]?.deadline == nil)
        do {
            var old = try FileWriter(for: .redis6, to: MemorySink())
            try old.function(left.bytes)
            Issue.record("a function was taken")
        } catch {
            #expect(error.code == .unsupportedByTarget)
        }
    }

    @Test func `a large list passes by in constant memory`() throws {
        let sink = CountingSink()
        var writer = try FileWriter(for: .neutral, to: sink)
        let name: [UInt8] = [0x6B]
        let count = 1_000_000
        try writer.beginKey(name.bytes, deadline: nil)
        _ = try writer.value.begin(.list)
        try writer.value.announce(Extent(count: count))
        for index in 0..<count { try writer.value.listElement(.integer(Int64(index))) }
        try writer.value.end()
        try writer.finish()
        #expect(sink.count == writer.count)
        #expect(sink.largest < 100_000)
        #expect(sink.count > 4 * count)
    }

    @Test func `a long string comes in parts to who asks for that, and goes in parts`() throws {
        let long = text(1, byteCount: 3_000_000)
        let sink = MemorySink()
        var options = FileWriter.Options()
        options.isCompressing = false
        var writer = try FileWriter(for: .neutral, to: sink, options: options)
        let name: [UInt8] = [0x6B]
        try writer.beginKey(name.bytes, deadline: nil)
        _ = try writer.value.begin(.string)
        try writer.value.string(.bytes(long.bytes))
        try writer.value.end()
        try writer.finish()

        var reader = FileReader(MemorySource(sink.array))
        _ = try reader.next()
        var collector = Collector(largestWholeString: 1000)
        try reader.readValue(into: &collector)
        #expect(collector.value == .string(long))

        let again = try rewrite(sink.array, for: .neutral, isTransferring: false)
        let content = try Content(reading: again)
        #expect(content.keys[0]?[name]?.value == .string(long))
    }

    @Test(arguments: [true, false])
    func `strings take the form servers give them`(isCompressing: Bool) throws {
        let cases: [(String, [UInt8])] = [
            ("", [0]),
            ("a", [1, 0x61]),
            ("0", [0xC0, 0]),
            ("-128", [0xC0, 0x80]),
            ("128", [0xC1, 0x80, 0]),
            ("-32769", [0xC2, 0xFF, 0x7F, 0xFF, 0xFF]),
            ("2147483648", [10] + Array("2147483648".utf8)),
            ("-0", [2, 0x2D, 0x30]),
            (
                String(repeating: "a", count: 21),
                isCompressing
                    ? [0xC3, 5, 21, 0, 0x61, 0xE0, 0x0B, 0]
                    : [21] + [UInt8](repeating: 0x61, count: 21)
            ),
            (String(repeating: "a", count: 20), [20] + [UInt8](repeating: 0x61, count: 20)),
        ]
        for (text, expected) in cases {
            var writer = PayloadWriter(for: .neutral, isCompressing: isCompressing)
            _ = try writer.begin(.string)
            let bytes = Array(text.utf8)
            try writer.string(.bytes(bytes.bytes))
            try writer.end()
            #expect(Array(writer.payload().dropFirst().dropLast(10)) == expected, "\(text)")
        }
    }

    @Test func `entries without an owner get one, if that was permitted`() throws {
        var file = Array("REDIS0014".utf8)
        // A stream of version 5 without entries: last id 9-0, one group, two pending entries,
        // one consumer with the first of them, the second without an owner, no producers.
        file += [27, 1, 0x6B, 0, 0, 9, 0, 0, 0, 0, 0, 2, 1, 1, 0x67, 9, 0, 2, 2]
        for id in [3, 4] as [UInt8] {
            file += [0, 0, 0, 0, 0, 0, 0, id] + [UInt8](repeating: 0, count: 8)
            file += [1, 0, 0, 0, 0, 0, 0, 0, 1]
        }
        file += [1, 1, 0x63] + [UInt8](repeating: 0, count: 16) + [1]
        file += [0, 0, 0, 0, 0, 0, 0, 3] + [UInt8](repeating: 0, count: 8)
        file += [1, 0, 0, 0, 0, 0, 0, 0, 4] + [UInt8](repeating: 0, count: 8)
        file += [0x40, 100, 0x40, 100, 0, 0, 0, 255] + [UInt8](repeating: 0, count: 8)

        #expect(throws: RDBError(.unsupportedByTarget, at: 0, "")) {
            try rewrite(file, for: .neutral, isTransferring: true)
        }
        let written = try rewrite(
            file,
            for: .neutral,
            isTransferring: true,
            losses: [.producers, .unownedPending]
        )
        let content = try Content(reading: written, validation: .deep)
        guard case .stream(let stream) = content.keys[0]?[[0x6B]]?.value else {
            Issue.record("no stream")
            return
        }
        let group = stream.groups[[0x67]]
        #expect(group?.consumers.count == 2)
        #expect(group?.pending[StreamID(3, 0)]?.consumer == [0x63])
        #expect(group?.pending[StreamID(4, 0)]?.consumer == Array("unowned".utf8))
    }
}
