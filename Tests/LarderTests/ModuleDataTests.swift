import Bytes
import Commands
import Foundation
import Larder
import Platform
import RDB
import RESP
import Snapshots
import Store
import TestKit
import Testing

/// What modules have in a file, and libraries of functions: nobody here reads it, nothing is lost.
struct ModuleDataTests {
    private let directory = TemporaryDirectory()
    private let before = ModuleAuxiliary(module: Self.module, when: 1)
    private let after = ModuleAuxiliary(module: Self.module, when: 2)

    /// `ReJSON-RL` version 3.
    private static let module = ModuleID(bits: 0x45E2_5238_DF91_2C03)

    /// The id, a string, an unsigned integer, the end.
    private static let value: [UInt8] =
        [0x81, 0x45, 0xE2, 0x52, 0x38, 0xDF, 0x91, 0x2C, 0x03, 5, 3, 0x61, 0x62, 0x63, 2, 7, 0]

    private func writeFile() throws {
        let sink = MemorySink()
        var writer = try FileWriter(for: .neutral, to: sink)
        try writer.moduleAuxiliary(before, ByteString([2, 5, 0]).bytes)
        try writer.function(ByteString("#!lua name=mine\nreturn 1").bytes)
        try writer.database(0)
        try writer.beginKey(ByteString("document").bytes, deadline: 4_000_000_000_000)
        try writer.value.copy(.module, ByteString(Self.value).bytes)
        try writer.beginKey(ByteString("text").bytes, deadline: nil)
        _ = try writer.value.begin(.string)
        try writer.value.string(.integer(5))
        try writer.value.end()
        try writer.moduleAuxiliary(after, ByteString([5, 1, 0x78, 0]).bytes)
        try writer.finish()
        let path = URL(filePath: directory.path).appending(path: "dump.rdb")
        try Data(sink.array).write(to: path)
    }

    private func load(keepingModules keepsModules: Bool) throws -> EngineDriver {
        let driver = EngineDriver()
        driver.engine.settings.keepsModules = keepsModules
        var recovery = Recovery(storage: try DiskStorage(path: directory.path))
        recovery.keepsModules = keepsModules
        _ = try recovery.run(&driver.engine)
        return driver
    }

    @Test func `is refused by name`() throws {
        try writeFile()
        do {
            _ = try load(keepingModules: false)
            Issue.record("the file was loaded")
        } catch Recovery.Failure.snapshot(_, let error) {
            #expect(error.code == .unsupportedByTarget)
            #expect("\(error)".contains("ReJSON-RL version 3"))
        }
    }

    @Test func `is written back byte for byte where it shall be kept`() throws {
        try writeFile()
        let path = URL(filePath: directory.path).appending(path: "dump.rdb")
        let original = [UInt8](try Data(contentsOf: path))
        let first = try load(keepingModules: true)
        let keeper = SaveKeeper(storage: try DiskStorage(path: directory.path)) {}
        try keeper.saveNow(first.engine)
        let saved = [UInt8](try Data(contentsOf: path))
        let opcode: [UInt8] = [0xF7, 0x81, 0x45, 0xE2, 0x52, 0x38, 0xDF, 0x91, 0x2C, 0x03, 2]
        for bytes in [opcode + [1, 2, 5, 0], opcode + [2, 5, 1, 0x78, 0], Self.value] {
            #expect(original.ranges(of: bytes).count == 1)
            #expect(saved.ranges(of: bytes).count == 1)
        }
        #expect(saved.ranges(of: Array("#!lua name=mine".utf8)).count == 1)
    }

    @Test func `keys of modules are handled like others, but neither read nor copied`() throws {
        try writeFile()
        let engine = try load(keepingModules: true)
        #expect(engine("TYPE document") == "+ReJSON-RL")
        #expect(engine("OBJECT ENCODING document") == "raw")
        #expect(engine("PEXPIRETIME document") == 4_000_000_000_000)
        #expect(engine("COPY document other") == "-ERR not supported for this module key")
        #expect(
            engine("GET document")
                == "-WRONGTYPE Operation against a key holding the wrong kind of value"
        )
        let dumped: Reply? = engine("DUMP document")
        guard case .bulk(let payload) = dumped else {
            Issue.record("no payload")
            return
        }
        #expect(Array(payload.array.dropFirst().dropLast(10)) == Self.value)
        #expect(engine("RENAME document other") == "+OK")
        #expect(engine.execute(["RESTORE", "document", "0", payload]) == "+OK")
        #expect(engine("DUMP document") == .bulk(payload))
        #expect(engine("DEL document other") == 2)
        engine.engine.settings.keepsModules = false
        #expect(engine.execute(["RESTORE", "document", "0", payload]) == "-ERR Bad data format")
    }

    @Test func `libraries of functions follow the log, and are refused to whoever asks`() {
        let engine = EngineDriver()
        let log = engine.engine.openTrustedSession()
        engine(log, "FUNCTION LOAD #!lua\tname=one")
        engine(log, "FUNCTION LOAD #!lua\tname=two")
        engine(log, "FUNCTION LOAD REPLACE #!lua\tname=one\nreturn")
        #expect(engine.engine.functionLibraries == ["#!lua\tname=two", "#!lua\tname=one\nreturn"])
        engine(log, "FUNCTION DELETE two")
        #expect(engine.engine.functionLibraries == ["#!lua\tname=one\nreturn"])
        let requests = ["LIST", "DUMP", "FLUSH", "DELETE one", "LOAD #!lua\tname=one"]
        for request in requests.map({ "FUNCTION \($0)" }) + ["FCALL f 0"] {
            let reply: Reply? = engine(request)
            guard case .error(let text) = reply else {
                Issue.record("\(request) was not refused")
                continue
            }
            #expect(text.text.hasPrefix("ERR functions are not supported yet"))
        }
        #expect(engine.engine.functionLibraries.count == 1)
    }
}
