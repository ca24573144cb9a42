import Bytes
import Inspect
import Migrate
import Platform
import RDB
import TestKit
import Testing

struct VerificationTests {
    private func entry(_ key: ByteString, _ side: Side, database: Int = 0) -> VerificationEntry {
        VerificationEntry(
            database: database,
            key: key,
            side: side,
            encoding: .hashListpack,
            deadline: side == .first ? 4_102_444_800_000 : nil,
            digest: Digest128(high: 1, low: 2)
        )
    }

    @Test func `entries of one key sort next to each other, and are read back`() throws {
        let keys: [ByteString] = [
            "", "a", "ab", "abcdefgh", "abcdefghi", "abcdefg\0", ByteString([0]), ByteString([255]),
        ]
        var sort = ExternalSort(memoryByteCount: 200)
        var all: [VerificationEntry] = []
        for (index, key) in keys.enumerated() {
            for database in [0, 3] {
                all.append(entry(key, index % 2 == 0 ? .first : .second, database: database))
                var other = entry(key, index % 2 == 0 ? .second : .first, database: database)
                other.origin = Place(UInt64(database + 1), "was elsewhere")
                all.append(other)
            }
        }
        for entry in all.shuffled() {
            var content = ByteWriter()
            entry.encode(into: &content)
            try sort.add(entry.rank, content.bytes)
        }
        var sorted: [VerificationEntry] = []
        try sort.finish { rank, content in
            if let entry = VerificationEntry(rank: rank, content) { sorted.append(entry) }
        }
        #expect(sorted.count == all.count)
        #expect(sorted.map(\.database) == sorted.map(\.database).sorted())
        for index in stride(from: 0, to: sorted.count, by: 2) {
            #expect(sorted[index].key == sorted[index + 1].key)
            #expect(sorted[index].side == .first && sorted[index + 1].side == .second)
            #expect(all.contains(sorted[index]))
        }
    }

    private func outline(
        _ encoding: Encoding,
        _ body: (inout VerificationOutline) throws(RDBError) -> Void
    ) throws -> VerificationOutline {
        var outline = VerificationOutline()
        _ = outline.begin(encoding)
        try body(&outline)
        outline.end()
        return outline
    }

    private func hash(_ fields: [(Int64, Int64, Int64?)]) throws -> VerificationOutline {
        try outline(.hash) { outline in
            for (field, value, deadline) in fields {
                outline.hashField(.integer(field), value: .integer(value), deadline: deadline)
            }
        }
    }

    private let strict = VerificationComparison(tolerance: 0, now: 1000)

    @Test func `values that are the same in another order do not differ`() throws {
        let one = try hash([(1, 2, nil), (3, 4, 5000)])
        let other = try hash([(3, 4, 5000), (1, 2, nil)])
        #expect(strict.difference(one, other) == nil)
    }

    @Test func `what differs is named`() throws {
        let one = try hash([(1, 2, nil), (3, 4, 5000)])
        #expect(
            strict.difference(one, try hash([(1, 9, nil), (3, 4, 5000)]))
                == "field \"1\": \"2\" | \"9\""
        )
        #expect(strict.difference(one, try hash([(3, 4, 5000)])) == "field \"1\" only in the first")
        #expect(
            strict.difference(one, try hash([(1, 2, nil), (3, 4, 5001)]))
                == "field \"3\" expires: 5000 | 5001"
        )
        #expect(
            strict.difference(one, try hash([(1, 2, nil), (3, 4, nil)]))
                == "field \"3\" expires: 5000 | never"
        )
    }

    @Test func `deadlines may be as far apart as is tolerated`() throws {
        let comparison = VerificationComparison(tolerance: 10, now: 0)
        #expect(comparison.agrees(100, 110) && !comparison.agrees(100, 111))
        #expect(comparison.agrees(nil, nil) && !comparison.agrees(nil, 1))
    }

    @Test func `fields that have expired may be there or not`() throws {
        let one = try hash([(1, 2, nil), (3, 4, 999)])
        #expect(strict.difference(one, try hash([(1, 2, nil)])) == nil)
        #expect(strict.difference(try hash([(1, 2, nil)]), one) == nil)
    }

    @Test func `a conversion's losses are allowed, and nothing else`() throws {
        let one = try hash([(1, 2, nil), (3, 4, 5000)])
        var comparison = strict
        comparison.allowance = .fieldDeadlines
        #expect(comparison.difference(one, try hash([(1, 2, nil), (3, 4, nil)])) == nil)
        #expect(comparison.difference(one, try hash([(1, 2, nil), (3, 5, nil)])) != nil)
        comparison.allowance = .fields
        #expect(comparison.difference(one, try hash([(1, 2, nil)])) == nil)
        #expect(comparison.difference(one, try hash([(3, 4, 5000)])) != nil)
    }

    @Test func `counters of streams count only between servers that have them`() throws {
        func stream(_ encoding: Encoding, added: UInt64) throws -> VerificationOutline {
            try outline(encoding) { outline in
                outline.streamEntry(StreamID(1, 1), fieldCount: 1)
                outline.streamField(.integer(1), value: .integer(2))
                outline.streamState(
                    StreamState(
                        length: 1,
                        lastID: StreamID(1, 1),
                        firstID: StreamID(1, 1),
                        maximumDeletedID: .zero,
                        entriesAdded: added,
                        groupCount: 0
                    )
                )
            }
        }
        let one = try stream(.stream3, added: 1)
        #expect(strict.difference(one, try stream(.stream2, added: 2)) == "entries added: 1 | 2")
        #expect(strict.difference(one, try stream(.stream1, added: 2)) == nil)
    }

    private func parsed(_ line: String) -> JSONLine? { JSONLine(ByteString(line).bytes) }

    @Test func `lines of a report are read`() throws {
        let line =
            #"{"feature":"module","rule":"skip","db":3,"key":"a\"\\\n\u0001é","parts":0,"x":null},"#
        let object = try #require(parsed(line))
        #expect(object["feature"] == .text("module"))
        #expect(object["db"] == .number(3))
        #expect(object["key"] == .text("a\"\\\n\u{1}é"))
        #expect(object["x"] == .other && object["y"] == nil)
        let binary = try #require(parsed(#"{"key":{"b64":"/wD+"}}"#))
        #expect(binary["key"] == .text(ByteString([255, 0, 254])))
        for broken in ["", "{", "{\"a\"}", "{\"a\":\"b", "{\"a\":[1]}", "],"] {
            #expect(parsed(broken) == nil)
        }
    }

    @Test func `a report's mapping says where keys are on the other side`() throws {
        var selection = Selection()
        selection.included = ["user:*"]
        selection.excluded = [ByteString([255])]
        selection.kinds = [.hash, .string]
        selection.databases = [0, 3]
        selection.renames = [try #require(Rename("user:*=u:*"))]
        selection.databaseNumbers = [3: 1]
        let folder = TemporaryDirectory()
        let output = try OutputFile(path: folder.path + "/report.json")
        let report = ReportFile(output, selection)
        let split = Change(.fieldDeadlines, .lost, "split")
        try report.add(split, Place(3, "user:1"), nil, 1)
        let conversion = try Conversion(
            Decisions(for: try #require(Destination(named: "valkey-9.1")), now: 0),
            Ledger(isLenient: true, isStrict: false)
        ) { CountingSink(name: $0) }
        try report.finish(Report(of: conversion, began: 0, seconds: 0))
        try output.publish()
        let losses = try VerificationLosses(reportAt: output.name)
        #expect(losses.selection.included == ["user:*"])
        #expect(losses.selection.excluded == [ByteString([255])])
        #expect(losses.selection.kinds == [.hash, .string])
        #expect(losses.selection.databases == [0, 3])
        #expect(losses.destination(of: "user:1", in: 3) == (1, "u:1"))
        #expect(losses.destination(of: "user:1", in: 0) == (0, "u:1"))
        #expect(losses.declaresField("u:1:f", in: 1) && losses.declaresField("u:1::f", in: 1))
        #expect(!losses.declaresField("u:1", in: 1) && !losses.declaresField("u:1:f", in: 3))
        #expect(losses.allowance("user:1", in: 3).contains(.fields))
    }

    @Test func `a report's losses say what may differ`() throws {
        let folder = TemporaryDirectory()
        let path = folder.path + "/report.json"
        let report = """
            {"mapping":[
            ],
            "losses":[
            {"feature":"field-deadlines","rule":"drop-ttl","subject":"","db":0,"key":"h","parts":2,"detail":null},
            {"feature":"module","rule":"skip","subject":"vectorset","db":1,"key":"v","parts":0,"detail":null},
            {"feature":"functions","rule":"drop","subject":"","db":null,"key":null,"parts":0,"detail":"lib"}
            ],
            "tool":"larder-migrate"}

            """
        try Paths.write(Array(report.utf8), to: path)
        let losses = try VerificationLosses(reportAt: path)
        #expect(losses.functions == 1)
        #expect(losses.allowance("h", in: 0) == .fieldDeadlines)
        #expect(losses.allowance("v", in: 1) == .absence)
        #expect(losses.allowance("v", in: 0) == [])
    }
}
