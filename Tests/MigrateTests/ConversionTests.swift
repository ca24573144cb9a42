import Bytes
import Migrate
import RDB
import Testing

/// A file with these strings.
private func strings(_ pairs: [(String, String)], _ magic: String = "REDIS0012") -> [UInt8] {
    var dump = HandmadeDump(magic)
    dump.add([254, 0])
    for (key, value) in pairs {
        dump.key(key, type: 0)
        dump.add(value)
    }
    return dump.finished()
}

struct ConversionTests {
    @Test(arguments: [
        ("valkey-7.2", "REDIS0011"), ("valkey-8.0", "REDIS0011"), ("valkey-8.1", "REDIS0011"),
        ("valkey-9.0", "REDIS0011"), ("valkey-9.1", "REDIS0011"), ("redis-6.2", "REDIS0009"),
        ("redis-7.0", "REDIS0010"), ("redis-7.2", "REDIS0011"), ("redis-7.4", "REDIS0012"),
        ("redis-8", "REDIS0012"), ("larder", "REDIS0011"),
    ])
    func `every target gets the format that it reads, and records as they were`(
        target: String,
        magic: String
    ) throws {
        let run = try Run([strings([("k", "v"), ("n", "12")])], for: target)
        #expect(try run.file() == strings([("k", "v"), ("n", "12")], magic))
        #expect(run.report.isLossless)
        #expect(run.report.copied.total == 2)
        #expect(run.report.files[0].checksum != 0)
        #expect(try run.names() == ["out.rdb", "out.rdb.report.json", "out.rdb.report.txt"])
    }

    @Test func `a target refuses a format that it does not read`() {
        let formats = [("valkey-8.1", 12), ("redis-6.2", 10), ("redis-8", 80), ("valkey-9.1", 13)]
        for (target, version) in formats {
            #expect(throws: MigrationError.self) {
                try Run([strings([])], for: target) { $0.formatVersion = version }
            }
        }
    }

    @Test func `records of compressed strings and long lengths go over byte for byte`() throws {
        var dump = HandmadeDump("REDIS0012")
        dump.add([254, 0])
        // Lengths longer than they need to be, a key in another form, hints and a deadline.
        dump.add([253, 0, 0, 0, 0x70, 249, 7, 0, 0x80, 0, 0, 0, 1, 0x6B, 0x40, 1, 0x76])
        dump.add([248, 3, 0, 0xC0, 9, 0xC3, 6, 21, 1, 0x61, 0x61, 0xE0, 10, 0])
        var expected = HandmadeDump("REDIS0011")
        expected.add(Array(dump.bytes.dropFirst(9)))
        #expect(try Run([dump.finished()], for: "valkey-8.1").file() == expected.finished())
    }

    @Test func `a collection without elements is not written`() throws {
        var dump = HandmadeDump("REDIS0012")
        for type: UInt8 in [1, 2, 3, 4, 5, 14, 18] {
            dump.key("empty \(type)", type: type)
            dump.add([0])
        }
        for type: UInt8 in [16, 17, 20] {
            dump.key("empty \(type)", type: type)
            dump.add(HandmadeDump.string(HandmadeDump.listpack([])))
        }
        dump.key("k", type: 0)
        dump.add("")
        let run = try Run([dump.finished()], for: "valkey-9.1")
        #expect(try run.held() == ["0/k": "STRING "])
        #expect(run.changes(.emptyValues) == ["noted dropped 10"])
    }

    @Test func `a key that comes twice is refused, with both places`() throws {
        let twice = strings([("a", "1"), ("b", "2"), ("a", "3")])
        let error = #expect(throws: MigrationError.self) { try Run([twice], for: "larder") }
        let text = "\(try #require(error))"
        #expect(text.contains("offset 11") && text.contains("offset 21"))
        let one = strings([("a", "1")])
        #expect(throws: MigrationError.self) { try Run([one, one], for: "larder") }
        #expect(try Run([one, strings([("b", "1")])], for: "larder").held().count == 2)
    }

    @Test func `a key that comes twice is found among many`() throws {
        let pairs = (0..<300_000).map { ("key \($0)", "\($0)") }
        #expect(try Run([strings(pairs)], for: "larder").report.keysOut.total == 300_000)
        #expect(throws: MigrationError.self) {
            try Run([strings(pairs + [("key 150000", "x")])], for: "larder")
        }
    }

    @Test func `libraries of functions are checked as far as their first line says`() throws {
        func library(_ source: String) -> [UInt8] {
            var dump = HandmadeDump("REDIS0012")
            dump.add([245])
            dump.add(source)
            return dump.finished()
        }
        let good = library("#!LUA name=good\nreturn 1")
        #expect(try Run([good], for: "valkey-9.1").report.isLossless)
        for source in ["#!js name=x\n", "return 1", "#!lua\n"] {
            #expect(throws: MigrationError.self) { try Run([library(source)], for: "valkey-9.1") }
            let run = try Run([library(source)], for: "valkey-9.1") {
                $0.functions = .dropUnloadable
            }
            #expect(run.changes(.functions) == ["lost drop-unloadable 1"])
        }
        // The same library twice is one; another of its name is none.
        #expect(try Run([good, good], for: "valkey-9.1").report.isLossless)
        let other = library("#!lua name=good\nreturn 2")
        #expect(throws: MigrationError.self) { try Run([good, other], for: "valkey-9.1") }
        #expect(throws: MigrationError.self) { try Run([good], for: "redis-6.2") }
    }

    @Test func `expired keys stay unless they are unwanted`() throws {
        var dump = HandmadeDump("REDIS0011")
        dump.add([252, 1, 0, 0, 0, 0, 0, 0, 0])
        dump.key("old", type: 0)
        dump.add("v")
        #expect(try Run([dump.finished()], for: "larder").held().count == 1)
        let run = try Run([dump.finished()], for: "larder") { $0.isDroppingExpired = true }
        #expect(try run.held().isEmpty)
        #expect(run.report.isLossless)
    }

    @Test func `a hash larger than what is held in memory follows its policy too`() throws {
        // 24 types more than what is held: values of 10,000 bytes, every second with a deadline.
        var dump = HandmadeDump("VALKEY080")
        dump.key("h", type: 22)
        dump.add([0x44, 0x00])
        let value = String(repeating: "x", count: 10_000)
        for index in 0..<1024 {
            dump.add("field \(index)")
            dump.add(value)
            let deadline: [UInt8] = [0, 0xD8, 0xC3, 0x2C, 0xBB, 0x03, 0, 0]
            dump.add(index % 2 == 0 ? deadline : [UInt8](repeating: 0xFF, count: 8))
        }
        let run = try Run([dump.finished()], for: "valkey-8.1") {
            $0.fieldDeadlines.default = .dropField
        }
        let text = try #require(try run.held()["0/h"])
        #expect(text.hasPrefix("HASH field 1=xxx"))
        #expect(text.split(separator: "=").count == 513)
        #expect(!text.contains("field 2="))
        let split = try Run([dump.finished()], for: "valkey-8.1") {
            $0.fieldDeadlines.default = .split
        }
        #expect(try split.held().count == 513)
        #expect(try split.held()["0/h:field 2"] == "STRING \(value) until 4102444800000")
    }

    @Test func `fields that have expired do not come back`() throws {
        var dump = HandmadeDump("VALKEY080")
        dump.key("h", type: 22)
        dump.add([2])
        dump.add("old")
        dump.add("1")
        dump.add([1, 0, 0, 0, 0, 0, 0, 0])
        dump.add("lasting")
        dump.add("2")
        dump.add([UInt8](repeating: 0xFF, count: 8))
        let run = try Run([dump.finished()], for: "valkey-8.1")
        #expect(try run.held() == ["0/h": "HASH_LISTPACK lasting=2"])
        #expect(run.report.isLossless)
        #expect(run.changes(.expiredFields) == ["noted dropped 1"])
    }
}
