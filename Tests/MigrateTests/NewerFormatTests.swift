import Bytes
import Migrate
import RDB
import Testing

/// What servers write that are not at hand: files made by hand, after the layouts of RDB.
struct NewerFormatTests {
    /// A stream of one entry, 1-1, with a group that has it pending.
    private func stream(version: Int, unowned: Bool) -> [UInt8] {
        let node = HandmadeDump.listpack(["1", "0", "1", "f", "0", "2", "0", "0", "v", "4"])
        let id: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1]
        var bytes: [UInt8] = [1] + HandmadeDump.string(id) + HandmadeDump.string(node)
        bytes += [1, 1, 1, 1, 1, 0, 0, 1]
        // One group: name, last delivered, entries read, one pending entry.
        bytes += [1] + HandmadeDump.string(Array("g".utf8)) + [1, 1, 1, 1] + id
        bytes += [9, 0, 0, 0, 0, 0, 0, 0, 2]
        // One consumer.
        bytes += [1] + HandmadeDump.string(Array("c".utf8))
        bytes += [5, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0]
        bytes += unowned ? [0] : [1] + id
        if version >= 5 { bytes += unowned ? [1] + id : [0] }
        // Producers: seconds, entries, one producer with one id; two totals.
        bytes += [60, 50, 1] + HandmadeDump.string(Array("p".utf8)) + [1]
        bytes += HandmadeDump.string(Array("i".utf8)) + [1, 1, 1, 0]
        return bytes
    }

    @Test(arguments: ["valkey-8.1", "valkey-9.1", "redis-7.2", "redis-8", "larder"])
    func `streams lose the ids of their producers, by name`(target: String) throws {
        var dump = HandmadeDump()
        dump.key("s", type: 26)
        dump.add(stream(version: 4, unowned: false))
        let run = try Run([dump.finished()], for: target)
        let text = try #require(try run.held()["0/s"])
        #expect(text == "STREAM_LISTPACKS_3 1-1 group g consumer c pending 1-1")
        #expect(run.changes(.streamProducers) == ["lost dropped 1"])
    }

    @Test func `pending entries without an owner get one`() throws {
        var dump = HandmadeDump()
        dump.key("s", type: 27)
        dump.add(stream(version: 5, unowned: true))
        let run = try Run([dump.finished()], for: "valkey-9.1")
        let text = try #require(try run.held()["0/s"])
        #expect(
            text == "STREAM_LISTPACKS_3 1-1 group g consumer c consumer unowned pending 1-1"
        )
        #expect(run.changes(.unownedPending) == ["lost given to consumer \"unowned\" 1"])
    }

    @Test func `hashes that share their field names get their own`() throws {
        var dump = HandmadeDump()
        dump.add([242, 7, 2])
        dump.add("a")
        dump.add("bb")
        dump.key("plain", type: 32)
        dump.add([7])
        dump.add("1")
        dump.add("x")
        dump.key("packed", type: 30)
        dump.add(HandmadeDump.string(HandmadeDump.listpack(["7", "2", "y"])))
        let run = try Run([dump.finished()], for: "valkey-8.0")
        #expect(
            try run.held() == [
                "0/plain": "HASH_LISTPACK a=1 bb=x", "0/packed": "HASH_LISTPACK a=2 bb=y",
            ]
        )
        #expect(run.report.isLossless)
    }

    @Test func `what modules attached to a key is left out, and the key is not`() throws {
        var dump = HandmadeDump("REDIS0013")
        dump.add([243, 1, 0, 0, 0, 0, 2, 5, 0])
        dump.key("k", type: 0)
        dump.add("v")
        let run = try Run([dump.finished()], for: "valkey-9.1")
        #expect(try run.held() == ["0/k": "STRING v"])
        #expect(run.changes(.keyMetadata) == ["lost dropped 1"])
    }

    @Test func `a value whose layout is not known stops the run, and is named`() throws {
        var dump = HandmadeDump("REDIS0014")
        dump.key("k", type: 0)
        dump.add("v")
        dump.key("array", type: 28)
        dump.add([1, 2, 3])
        let error = #expect(throws: MigrationError.self) {
            try Run([dump.finished()], for: "valkey-9.1")
        }
        #expect("\(try #require(error))".contains("\"array\""))
        let run = try Run([dump.finished()], for: "valkey-9.1") { $0.isSalvaging = true }
        #expect(try run.held() == ["0/k": "STRING v"])
        #expect(!run.report.isLossless)
    }

    @Test func `keys of a slot that was being imported wait for a decision`() throws {
        var dump = HandmadeDump("VALKEY080")
        // Slot 12182 is that of "foo".
        dump.add([243] + HandmadeDump.string(Array("job".utf8)) + [1, 0x6F, 0x96, 0x6F, 0x96])
        for key in ["foo", "bar"] {
            dump.key(key, type: 0)
            dump.add("v")
        }
        #expect(throws: MigrationError.self) { try Run([dump.finished()], for: "valkey-9.1") }
        let without = try Run([dump.finished()], for: "valkey-9.1") {
            $0.keepsImportingSlots = false
        }
        #expect(try without.held() == ["0/bar": "STRING v"])
        let with = try Run([dump.finished()], for: "valkey-9.1") { $0.keepsImportingSlots = true }
        #expect(try with.held().count == 2)
    }

    @Test func `hints about slots, scripts and replication do not go over`() throws {
        var dump = HandmadeDump("REDIS0012")
        for (name, value) in [("redis-ver", "8.2.3"), ("repl-id", "x"), ("lua", "return 1")] {
            dump.add([250])
            dump.add(name)
            dump.add(value)
        }
        dump.add([244, 5, 1, 0])
        dump.key("k", type: 0)
        dump.add("v")
        let run = try Run([dump.finished()], for: "valkey-8.1")
        var expected = HandmadeDump("REDIS0011")
        expected.add([250])
        expected.add("redis-ver")
        expected.add("8.2.3")
        expected.add([254, 0])
        expected.key("k", type: 0)
        expected.add("v")
        #expect(try run.file() == expected.finished())
        #expect(run.changes(.scripts) == ["lost dropped 1"])
        #expect(run.changes(.slotHints) == ["noted dropped 1"])
    }

    @Test func `deadlines of release candidates are read`() throws {
        var dump = HandmadeDump("REDIS0012")
        dump.key("h", type: 22)
        // One field with a deadline far away, one without.
        dump.add([2, 0x81, 0, 0, 0x03, 0xBB, 0x2C, 0xC3, 0xD8, 0x00])
        dump.add("f")
        dump.add("v")
        dump.add([0])
        dump.add("g")
        dump.add("w")
        let run = try Run([dump.finished()], for: "valkey-9.0")
        #expect(try run.held() == ["0/h": "HASH_2 f=v@4102444800000 g=w"])
        #expect(Array(try run.file().prefix(9)) == Array("VALKEY080".utf8))
        let back = try Run([try run.file()], for: "redis-7.4")
        #expect(try back.held() == ["0/h": "HASH_LISTPACK_EX f=v@4102444800000 g=w"])
        #expect(back.report.isLossless)
    }
}
