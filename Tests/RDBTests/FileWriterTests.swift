import Bytes
import Foundation
import RDB
import Testing

/// Writes a file again for a target.
func rewrite(
    _ file: [UInt8],
    for target: Target,
    isTransferring: Bool,
    losses: PayloadWriter.Losses = []
) throws(RDBError) -> [UInt8] {
    var reader = FileReader(MemorySource(file))
    let sink = MemorySink()
    var writer = try FileWriter(for: target, to: sink)
    writer.value.permittedLosses = losses
    while true {
        switch try reader.next() {
        case .key(let record):
            if isTransferring {
                try writer.transfer(record, from: &reader)
            } else {
                try writer.beginKey(
                    reader.key,
                    deadline: record.deadline,
                    idleSeconds: record.idleSeconds,
                    frequency: record.frequency
                )
                try reader.readValue(into: &writer.value)
            }
        case .database(let number): try writer.database(number)
        case .sizes(let keys, let deadlines): try writer.sizes(keys: keys, deadlines: deadlines)
        case .auxiliary(let name, let value): try writer.auxiliary(name, value)
        case .function(let source): try writer.function(source.bytes)
        case .moduleAuxiliary(let module): try writer.transfer(module, from: &reader)
        case .end:
            try writer.finish()
            return sink.array
        default: break
        }
    }
}

/// What is left of content in a file for a target.
func expected(_ content: Content, in target: Target) -> Content {
    var content = content
    content.keys = content.keys.mapValues { keys in
        keys.mapValues { key in
            var key = key
            key.metadata = nil
            guard case .stream(var stream) = key.value else { return key }
            stream.reduce(for: target)
            key.value = .stream(stream)
            return key
        }
    }
    return content
}

extension Value.Stream {
    /// Leaves out what the target has no place for, and fills in what servers then assume.
    fileprivate mutating func reduce(for target: Target) {
        guard var state else { return }
        if !target.holdsStreamCounters {
            state.entriesAdded = state.length
            state.maximumDeletedID = .zero
            state.firstID = entries.first?.id ?? .zero
            self.state = state
        }
        for (name, group) in groups {
            var group = group
            if !target.holdsStreamCounters {
                group.group.entriesRead = state.entriesRead(upTo: group.group.lastDeliveredID)
            }
            if !target.holdsActiveTimes {
                for (name, consumer) in group.consumers {
                    group.consumers[name]?.activeTime = consumer.seenTime
                }
            }
            groups[name] = group
        }
    }
}

struct FileWriterTests {
    @Test(arguments: Fixture.all(kind: "rdb"))
    func `what is written for a target holds the same`(fixture: Fixture) throws {
        let file = try fixture.file()
        guard let content = try? Content(reading: file) else { return }
        let isSound = (try? Content(reading: file, validation: .deep)) != nil
        for target in [Target.redis6, .redis70, .neutral, .redis8, .valkey9] {
            for isTransferring in [true, false] {
                do {
                    let written = try rewrite(file, for: target, isTransferring: isTransferring)
                    let found = try Content(reading: written, validation: isSound ? .deep : [])

                    #expect(found.format == target.format)
                    #expect(found == expected(content, in: target), "\(target)")
                    for key in found.keys.values.flatMap(\.values) {
                        #expect(target.accepts(key.encoding), "\(target): \(key.encoding.name)")
                    }
                } catch {
                    let what = "\(error)"
                    #expect(error.code == .unsupportedByTarget, "\(target): \(what)")
                }
            }
        }
    }

    @Test(arguments: Fixture.all(kind: "rdb"))
    func `records that are copied are the same bytes, and can get another magic`(
        fixture: Fixture
    ) throws {
        let file = try fixture.file()
        guard let content = try? Content(reading: file), content.format?.version ?? 99 <= 11 else {
            return
        }
        let sink = MemorySink()
        var writer = try FileWriter(for: .valkey9, to: sink)
        var options = FileReader.Options()
        options.isKeepingHeads = true
        // Small pieces, so that records lie across the edges of what was read.
        var reader = FileReader(MemorySource(file, pieceByteCount: 4099), options: options)
        var end = false
        while !end {
            switch try reader.next() {
            case .key(let record):
                if try reader.hasEmptyValue() {
                    let name = ByteString(reader.key).array
                    #expect(content.keys[reader.database]?[name]?.value.isEmpty == true)
                }
                let bytes = file[record.offset..<reader.offset]
                #expect(ByteString(reader.head) == ByteString(Array(bytes)))
                var visitor = CheckingVisitor()
                try writer.copy(record, from: &reader, showing: &visitor)
            case .database(let number): try writer.database(number)
            case .end: end = true
            default: break
            }
        }
        let checksum = try writer.finish(relabelled: Format(.redis, version: 11))
        let relabelled = Array("REDIS0011".utf8) + sink.array.dropFirst(9)
        let found = try Content(reading: relabelled)
        #expect(found.keys == content.keys)
        let stored = relabelled.suffix(8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        #expect(stored == checksum && stored == CRC64.checksum(Array(relabelled.dropLast(8)).bytes))
    }
}
