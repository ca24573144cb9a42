import Bytes
import Foundation
import Inspect
import Platform
import RDB
import TestKit
import Testing

/// A file written by a real server, with what the server said was in it.
struct DumpFixture: CustomTestStringConvertible, Sendable {
    let json: URL

    var testDescription: String { json.pathComponents.suffix(2).joined(separator: "/") }

    /// Our own fixtures, and those of a larger collection if the machine has one.
    static let all: [DumpFixture] = {
        let package = URL(fileURLWithPath: #filePath)
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let shared =
            ProcessInfo.processInfo.environment["LARDER_SHARED_FIXTURES"].map {
                URL(fileURLWithPath: $0)
            } ?? package.deletingLastPathComponent().appendingPathComponent("shared/fixtures")
        return [package.appendingPathComponent("Fixtures/rdb"), shared].flatMap { root in
            let files = FileManager.default.enumerator(at: root, includingPropertiesForKeys: nil)
            return (files?.allObjects as? [URL] ?? []).filter {
                $0.pathExtension == "json" && !$0.path.contains("/corrupt/")
            }.map { DumpFixture(json: $0) }
        }.filter { $0.path != nil }.sorted { $0.json.path < $1.json.path }
    }()

    func description() -> [String: Any] {
        let data = (try? Data(contentsOf: json)) ?? Data()
        return (try? JSONSerialization.jsonObject(with: data)) as? [String: Any] ?? [:]
    }

    /// The dump; nil if this describes something else.
    var path: String? {
        let description = description()
        guard description["kind"] as? String ?? "rdb" == "rdb", description["dbs"] != nil,
            let file = description["file"] as? String
        else { return nil }
        return json.deletingLastPathComponent().appendingPathComponent(file).path
    }

    static func own(_ name: String) -> String {
        all.compactMap(\.path).first { $0.hasSuffix("/Fixtures/rdb/\(name).rdb") } ?? name
    }
}

struct `An inspection` {
    @Test(arguments: DumpFixture.all)
    func `counts what the server said was in the file`(fixture: DumpFixture) throws {
        let path = try #require(fixture.path)
        let databases = fixture.description()["dbs"] as? [String: [[String: Any]]] ?? [:]
        var summary = Summary()
        try Inspection(paths: [path]).read(into: &summary)
        var empty = EmptyCount()
        try Inspection(paths: [path]).read(into: &empty)
        // What servers do not keep they do not describe.
        guard empty.count == 0 else {
            let described = databases.values.reduce(0) { $0 + $1.count }
            #expect(summary.total.keyCount == described + empty.count)
            return
        }
        for (number, keys) in databases {
            let found = summary.databases.first { "\($0.number)" == number }
            #expect(found?.amount.keyCount ?? 0 == keys.count)
            let withDeadline = keys.filter { $0["ttl_ms"] is NSNumber }
            #expect(found?.deadlineCount ?? 0 == withDeadline.count)
        }
        #expect(summary.total.keyCount == databases.values.reduce(0) { $0 + $1.count })
        let elements = databases.values.joined().reduce(0) { $0 + Self.elementCount($1) }
        let hasOthers = summary.types.contains { $0.0 == .module || $0.0 == .other }
        if !hasOthers { #expect(summary.total.elementCount == elements) }
        #expect(summary.prefixes.nodes[0].keyCount == summary.total.keyCount)
        #expect(summary.prefixes.nodes[0].byteCount == summary.total.byteCount)
    }

    @Test(arguments: DumpFixture.all)
    func `finds the same content whether names are held or not`(fixture: DumpFixture) throws {
        var inspection = Inspection(paths: [try #require(fixture.path)])
        var held = DigestConsumer()
        try inspection.read(into: &held)
        // Names that are integers are never long.
        inspection.options.largestWholeText = 16
        var spooled = DigestConsumer()
        try inspection.read(into: &spooled)
        #expect(spooled.digest == held.digest)
    }

    /// Counts collections without elements.
    private struct EmptyCount: RecordConsumer {
        var count = 0
        private var measure = ValueMeasure()

        mutating func key(_ record: KeyRecord, _ reader: inout FileReader) throws(RDBError) {
            let row = try measure.measure(record, &reader)
            switch row.encoding.kind {
            case .list, .set, .sortedSet, .hash: count += row.elementCount == 0 ? 1 : 0
            default: break
            }
        }
    }

    /// How many elements a described key has; a string, bytes.
    private static func elementCount(_ key: [String: Any]) -> Int {
        switch key["type"] as? String {
        case "string": byteCount(key["value"])
        case "list": (key["items"] as? [Any])?.count ?? 0
        case "set": (key["members"] as? [Any])?.count ?? 0
        case "zset": (key["entries"] as? [Any])?.count ?? 0
        case "hash": (key["fields"] as? [Any])?.count ?? 0
        case "stream":
            ((key["stream"] as? [String: Any])?["entries"] as? [Any])?.count ?? 0
        default: 0
        }
    }

    private static func byteCount(_ json: Any?) -> Int {
        if let text = json as? String {
            // Foundation leaves a byte order mark out of the strings it reads.
            return text.utf8.count
        }
        let object = json as? [String: Any]
        if let text = object?["b64"] as? String {
            return Data(base64Encoded: text)?.count ?? -1
        }
        return object?["len"] as? Int ?? -1
    }

    @Test(arguments: DumpFixture.all)
    func `finds nothing wrong with what a server saved`(fixture: DumpFixture) throws {
        let path = try #require(fixture.path)
        let report = try CheckReport(Inspection(paths: [path]))
        // Betas of Redis 5.0 counted the entries of streams wrong after trimming.
        let isBeta = path.hasSuffix("redis-replicator/dump-stream.rdb")
        #expect(report.isSound != isBeta, "\(report.files[0].fault?.description ?? "")")
    }

    @Test
    func `has the same digest for the same content of five servers`() throws {
        for name in ["set-hashtable", "zset-skiplist", "hash-hashtable", "list-nodes", "databases"]
        {
            var digests: Set<String> = []
            for server in [
                "redis-6.2.5", "redis-7.0.15", "redis-8.2.3", "valkey-8.1.8", "valkey-9.1.2",
            ] {
                var consumer = DigestConsumer()
                let path = DumpFixture.own("\(server)/\(name)")
                try Inspection(paths: [path]).read(into: &consumer)
                digests.insert(consumer.digest.total.description)
            }
            #expect(digests.count == 1, "\(name)")
        }
    }

    @Test
    func `names what is not there`() {
        var consumer = DigestConsumer()
        #expect(throws: InspectError.self) {
            try Inspection(paths: ["no-such-file.rdb"]).read(into: &consumer)
        }
    }
}

struct `A salvage` {
    /// Cuts a dump at every byte: what is saved is sound, and is the keys that were whole.
    @Test(arguments: ["redis-7.0.15/databases", "valkey-9.1.2/deadlines", "redis-8.2.3/lfu"])
    func `keeps all whole records of a file that is cut anywhere`(name: String) throws {
        let whole = try Data(contentsOf: URL(fileURLWithPath: DumpFixture.own(name)))
        let folder = TemporaryDirectory()
        let cut = "\(folder.path)/cut.rdb"
        let saved = "\(folder.path)/saved.rdb"
        var last = 0
        for count in stride(from: 10, to: whole.count, by: 1) {
            try whole.prefix(count).write(to: URL(fileURLWithPath: cut))
            let report = try CheckReport(Inspection(paths: [cut]), salvagePath: saved)
            let salvage = try #require(report.files[0].salvage, "cut at \(count)")
            #expect(salvage.keyCount >= last, "cut at \(count)")
            last = salvage.keyCount
            #expect(try CheckReport(Inspection(paths: [saved])).isSound, "cut at \(count)")
        }
        var summary = Summary()
        try Inspection(paths: [DumpFixture.own(name)]).read(into: &summary)
        #expect(last == summary.total.keyCount)
    }
}
