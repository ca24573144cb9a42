import Bytes
import Foundation
import Inspect
import RDB
import TestKit
import Testing

/// What reading a file came to: what was printed, and what was wrong.
private struct Outcome: Equatable {
    var text = Data()
    var failure: String?
}

/// A few megabytes: two databases of many small keys, and large ones among them.
private func makeFile() throws -> [UInt8] {
    let sink = MemorySink()
    var writer = try FileWriter(for: .valkey9, to: sink)
    for database in [0, 5] as [UInt64] {
        try writer.database(database)
        for index in 0..<12_000 {
            try writer.beginKey(
                ByteString("user:\(index):\(index % 7 == 0 ? "cart" : "name")").bytes,
                deadline: index % 3 == 0 ? 4_102_444_800_000 + Int64(index) : nil
            )
            switch index % 5 {
            case 0:
                _ = try writer.value.begin(.set)
                try writer.value.announce(Extent(count: 200))
                for member in 0..<200 {
                    try writer.value.setMember(.integer(Int64(member * index)))
                }
            default:
                let count = index == 7001 ? 400_000 : index % 100
                let text = Array(repeating: UInt8(truncatingIfNeeded: index), count: count)
                _ = try writer.value.begin(.string)
                try writer.value.string(.bytes(text.bytes))
            }
            try writer.value.end()
        }
    }
    try writer.finish()
    return sink.array
}

struct `Reading on several threads` {
    let folder = TemporaryDirectory()

    /// Reads a file into a consumer that prints, alone as in a generic context or together.
    private func outcome<Consumer: SharedConsumer & ~Copyable>(
        _ inspection: Inspection,
        isShared: Bool,
        _ make: (consuming Printer) throws -> Consumer,
        _ finish: (inout Consumer) throws -> Void
    ) throws -> Outcome {
        func readAlone(_ consumer: inout some RecordConsumer & ~Copyable) throws(InspectError) {
            try inspection.read(into: &consumer)
        }
        let output = "\(folder.path)/output"
        var consumer = try make(Printer(to: output))
        var outcome = Outcome()
        do throws(InspectError) {
            if isShared { try inspection.read(into: &consumer) } else { try readAlone(&consumer) }
        } catch {
            outcome.failure = error.description
        }
        try finish(&consumer)
        outcome.text = try Data(contentsOf: URL(fileURLWithPath: output))
        return outcome
    }

    private func expectTheSame(_ file: [UInt8], _ note: String) throws {
        let path = "\(folder.path)/file.rdb"
        try Data(file).write(to: URL(fileURLWithPath: path))
        let inspection = Inspection(paths: [path])
        let selection = try ExportSelection(KeyFilter(), in: inspection)
        var order = KeyListing.Options()
        order.order = .bytes
        order.limit = 5000
        var first = KeyListing.Options()
        first.limit = 13_001
        let json = try [false, true].map {
            try outcome(inspection, isShared: $0) {
                JSONExport(selection, to: $0)
            } _: {
                try $0.finish()
            }
        }
        #expect(json[0] == json[1], "\(note)")
        let requests = try [false, true].map {
            try outcome(inspection, isShared: $0) {
                RequestExport(selection, to: $0)
            } _: {
                try $0.finish()
            }
        }
        #expect(requests[0] == requests[1], "\(note)")
        for options in [order, first] {
            let rows = try [false, true].map {
                try outcome(inspection, isShared: $0) {
                    KeyListing(options, to: $0)
                } _: {
                    try $0.finish()
                }
            }
            #expect(rows[0] == rows[1], "\(note)")
        }
    }

    @Test func `prints what one thread prints`() throws {
        try expectTheSame(makeFile(), "whole")
    }

    @Test(arguments: [1, 2] as [UInt64])
    func `finds the same fault, and the same before it`(seed: UInt64) throws {
        var chance = SeededGenerator(seed: seed)
        let whole = try makeFile()
        for round in 0..<6 {
            var file = whole
            let bit = Int.random(in: 72..<(file.count * 8), using: &chance)
            file[bit / 8] ^= 1 << UInt8(bit % 8)
            if round % 3 == 0 {
                file.removeLast(Int.random(in: 1..<file.count - 9, using: &chance))
            }
            try expectTheSame(file, "seed \(seed), round \(round)")
        }
    }
}
