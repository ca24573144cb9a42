import Bytes
import Commands
import Dump
import Foundation
import Larder
import Platform
import RDB
import Snapshots
import Store
import TestKit
import Testing

/// Digest before a save is digest after loading it.
struct SaveAndLoadTests {
    private static let root = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// Every RDB file of the project's own fixtures, by its path under the root.
    static let fixtures: [String] = {
        let folder = root.appending(path: "Fixtures/rdb")
        let files = FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil)
        return (files?.allObjects as? [URL] ?? [])
            .filter { $0.pathExtension == "rdb" }
            .map { String($0.path.dropFirst(root.path.count + 1)) }
            .sorted()
    }()

    /// Everything in a data set: databases and keys in order, each with its payload.
    private func contents(_ data: borrowing DataSet) throws -> [String] {
        var lines: [String] = []
        for number in 0..<data.databaseCount {
            var failure: RDBError?
            data[number].forEachEntry { entry in
                var value = ValueTranscript()
                do throws(RDBError) {
                    try encode(entry, into: &value)
                } catch {
                    failure = error
                }
                let deadline = entry.deadline.map { "\($0)" } ?? "-"
                lines.append(
                    "\(number) \(ByteString(entry.key)) \(deadline) \(value.text)"
                )
            }
            if let failure { throw failure }
        }
        return lines.sorted()
    }

    private func load(_ storage: any Storage, _ name: String) throws -> EngineDriver {
        let driver = EngineDriver()
        var recovery = Recovery(storage: storage)
        recovery.snapshotName = name
        _ = try recovery.run(&driver.engine)
        return driver
    }

    @Test(arguments: fixtures)
    func `a loaded file is saved and loaded again unchanged`(path: String) throws {
        let file = Self.root.appending(path: path)
        let source = try DiskStorage(path: file.deletingLastPathComponent().path)
        let first: EngineDriver
        do {
            first = try load(source, file.lastPathComponent)
        } catch Recovery.Failure.snapshot(_, let error) where error.code == .unsupportedByTarget {
            return
        }
        try expectSame(first)
    }

    /// So large that their elements go into tables in batches, the last of which is not full.
    @Test func `large values are saved and loaded again unchanged`() throws {
        let driver = EngineDriver()
        for number in 0..<20_001 {
            driver("SADD set member:\(number)")
            driver("ZADD board \(number * 7919 % 20_011) player:\(number)")
            driver("HSET hash field:\(number) \(String(repeating: "v", count: number % 50))")
            driver("RPUSH list \(number)")
        }
        driver("HPEXPIRE hash 1000000 FIELDS 2 field:7 field:20000")
        try expectSame(driver)
    }

    private func expectSame(_ first: EngineDriver) throws {
        let directory = TemporaryDirectory()
        let storage = try DiskStorage(path: directory.path)
        let keeper = SaveKeeper(storage: storage) {}
        try keeper.saveNow(first.engine)
        let second = try load(storage, "dump.rdb")
        let before = try contents(first.engine.dataSet)
        let after = try contents(second.engine.dataSet)
        #expect(before == after)
        second.engine.dataSet[0].checkInvariants()
    }
}

/// The logical content of one value, the same for every layout of it.
private struct ValueTranscript: PayloadVisitor {
    private var kind = ValueKind.string
    private var parts: [String] = []

    /// Elements in order where the kind has one, else sorted.
    var text: String {
        let isOrdered = kind == .list || kind == .string || kind == .stream
        return "\(kind) " + (isOrdered ? parts : parts.sorted()).joined(separator: " ")
    }

    mutating func begin(_ encoding: RDB.Encoding) -> Reporting {
        kind = encoding.kind
        return .elements
    }

    mutating func string(_ value: PackedValue) { add(value) }
    mutating func listElement(_ element: PackedValue) { add(element) }
    mutating func setMember(_ member: PackedValue) { add(member) }

    mutating func sortedSetMember(_ member: PackedValue, score: Double) {
        parts.append("\(member.byteString)=\(score + 0)")
    }

    mutating func hashField(_ field: PackedValue, value: PackedValue, deadline: Int64?) {
        let time = deadline.map { "\($0)" } ?? "-"
        parts.append("\(field.byteString)=\(value.byteString)@\(time)")
    }

    mutating func listNode(_ listpack: RawSpan, count: Int) { _ = addAll(listpack) }

    mutating func streamNode(_ listpack: RawSpan, master: StreamID, liveCount: Int) {
        parts.append("node \(master) \(liveCount)")
        _ = addAll(listpack)
    }

    mutating func streamState(_ state: StreamState) { parts.append("\(state)") }

    mutating func streamGroup(_ name: PackedValue, _ group: StreamGroup) {
        parts.append("group \(name.byteString) \(group)")
    }

    mutating func pendingEntry(_ entry: PendingEntry) { parts.append("\(entry)") }

    mutating func streamConsumer(_ name: PackedValue, _ consumer: StreamConsumer) {
        parts.append("consumer \(name.byteString) \(consumer)")
    }

    mutating func consumerPending(_ id: StreamID) { parts.append("has \(id)") }

    mutating func listpack(_ bytes: RawSpan, count: Int) {
        guard kind != .set else {
            _ = addAll(bytes)
            return
        }
        var elements = addAll(bytes)[...]
        parts.removeLast(elements.count)
        while let first = elements.popFirst(), let second = elements.popFirst() {
            let value = kind == .hash ? "\(second)@-" : "\((Double(second) ?? .nan) + 0)"
            parts.append("\(first)=\(value)")
        }
    }

    mutating func intset(_ bytes: RawSpan, count: Int) {
        let width = Int(bytes.byte(at: 0))
        for index in 0..<count {
            var value: Int64 = 0
            for offset in (0..<width).reversed() {
                value = value << 8 | Int64(bytes.byte(at: 8 + index * width + offset))
            }
            let shift = Int64(64 - 8 * width)
            add(.integer((value << shift) >> shift))
        }
    }

    private mutating func add(_ value: PackedValue) { parts.append("\(value.byteString)") }

    private mutating func addAll(_ listpack: RawSpan) -> [String] {
        var added: [String] = []
        do {
            var reader = try ListpackReader(listpack)
            while let element = try reader.next() { added.append("\(element.byteString)") }
        } catch {
            Issue.record("a stored listpack is damaged: \(error)")
        }
        parts += added
        return added
    }
}
