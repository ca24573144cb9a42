import Bytes
import Migrate
import Platform
import RDB
import TestKit

/// An RDB file byte by byte: for what no server at hand writes.
struct HandmadeDump {
    private(set) var bytes: [UInt8]

    /// Begins with a magic.
    init(_ magic: String = "REDIS0015") {
        bytes = Array(magic.utf8)
    }

    /// Adds bytes as they are.
    mutating func add(_ more: [UInt8]) {
        bytes += more
    }

    /// Adds a string.
    mutating func add(_ text: String) {
        bytes += Self.string(Array(text.utf8))
    }

    /// Adds a key of a type; its value follows.
    mutating func key(_ name: String, type: UInt8) {
        add([type])
        add(name)
    }

    /// The file with its end and checksum.
    func finished() -> [UInt8] {
        let all = bytes + [255]
        let checksum = CRC64.checksum(all.bytes)
        return all + (0..<8).map { UInt8(truncatingIfNeeded: checksum >> UInt64($0 * 8)) }
    }

    /// A length and bytes.
    static func string(_ bytes: [UInt8]) -> [UInt8] {
        precondition(bytes.count < 16384)
        let length: [UInt8] =
            bytes.count < 64
            ? [UInt8(bytes.count)]
            : [UInt8(0x40 | bytes.count >> 8), UInt8(truncatingIfNeeded: bytes.count)]
        return length + bytes
    }

    /// A listpack of short strings and small numbers.
    static func listpack(_ elements: [String]) -> [UInt8] {
        var writer = ListpackWriter()
        for element in elements {
            let text = Array(element.utf8)
            writer.append(text.bytes)
        }
        var all: [UInt8] = []
        writer.finish { all = ByteString($0).array }
        return all
    }
}

/// One conversion in a directory of its own.
final class Run {
    let directory = TemporaryDirectory()
    let report: Report

    /// Converts files; `decide` makes the decisions.
    init(
        _ inputs: [[UInt8]],
        for target: String,
        into output: String = "out.rdb",
        now: Int64 = 1_800_000_000_000,
        _ decide: (inout Decisions) -> Void = { _ in }
    ) throws {
        var names: [String] = []
        for (index, bytes) in inputs.enumerated() {
            names.append("\(directory.path)/in\(index).rdb")
            try Paths.write(bytes, to: names[index])
        }
        guard let destination = Destination(named: target) else { throw NoSuchTarget() }
        var decisions = Decisions(for: destination, now: now)
        decide(&decisions)
        let migration = Migration(names, decisions)
        report = try migration.convert(to: "\(directory.path)/\(output)")
    }

    struct NoSuchTarget: Error {}

    /// The bytes of a file that was written.
    func file(_ name: String = "out.rdb") throws -> [UInt8] {
        try Paths.contents("\(directory.path)/\(name)")
    }

    /// The names of what was written.
    func names() throws -> [String] {
        try DiskStorage(path: directory.path).names(in: "").filter { !$0.hasPrefix("in") }.sorted()
    }

    /// What the output holds, by database and key.
    func held(_ name: String = "out.rdb") throws -> [String: String] {
        try MigrateTests.held(in: try file(name))
    }

    /// The changes of a feature: effect, rule and count.
    func changes(_ feature: Feature) -> [String] {
        report.changes.filter { $0.change.feature == feature }
            .map { "\($0.change.effect.rawValue) \($0.change.rule) \($0.tally.count)" }
    }
}

/// What a file holds, as `0/key` and a readable value.
func held(in file: [UInt8]) throws -> [String: String] {
    var options = FileReader.Options()
    options.validation = .deep
    var reader = FileReader(MemorySource(file), options: options)
    var all: [String: String] = [:]
    while true {
        switch try reader.next() {
        case .key(let record):
            let key = "\(reader.database)/\(ByteString(reader.key))"
            var visitor = ReadableValue()
            try reader.readValue(into: &visitor)
            all[key] = visitor.text + (record.deadline.map { " until \($0)" } ?? "")
        case .end: return all
        default: break
        }
    }
}

/// A value as text.
struct ReadableValue: PayloadVisitor {
    private var words: [String] = []
    var text: String { words.joined(separator: " ") }

    mutating func begin(_ encoding: Encoding) -> Reporting {
        words.append(encoding.name)
        return .elements
    }

    mutating func string(_ value: PackedValue) { words.append("\(value.byteString)") }
    mutating func listElement(_ element: PackedValue) { words.append("\(element.byteString)") }
    mutating func setMember(_ member: PackedValue) { words.append("\(member.byteString)") }
    mutating func hashField(_ field: PackedValue, value: PackedValue, deadline: Int64?) {
        let moment = deadline.map { "@\($0)" } ?? ""
        words.append("\(field.byteString)=\(value.byteString)\(moment)")
    }
    mutating func streamEntry(_ id: StreamID, fieldCount: Int) { words.append("\(id)") }
    mutating func streamGroup(_ name: PackedValue, _ group: StreamGroup) {
        words.append("group \(name.byteString)")
    }
    mutating func streamConsumer(_ name: PackedValue, _ consumer: StreamConsumer) {
        words.append("consumer \(name.byteString)")
    }
    mutating func consumerPending(_ id: StreamID) { words.append("pending \(id)") }
    mutating func moduleItem(_ item: ModuleItem) { words.append("piece") }
}
