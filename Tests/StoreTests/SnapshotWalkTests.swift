import Bytes
import Store
import TestKit
import Testing

/// What a key holds, in a form that compares.
private struct Content: Equatable {
    var value: [ByteString: ByteString]
    var deadline: Int64?

    init(_ entry: Entry) {
        value = [:]
        deadline = entry.deadline
        switch entry.kind {
        case .string:
            value[""] = ByteString(entry.bytes)
        case .hash:
            var copy: [ByteString: ByteString] = [:]
            entry.hash.forEachField { copy[$0.byteString] = $1.byteString }
            value = copy
        case .set:
            var copy: [ByteString: ByteString] = [:]
            entry.set.forEachMember { copy[$0.byteString] = "" }
            value = copy
        default:
            Issue.record("no such kind in this test")
        }
    }
}

private struct Place: Hashable {
    let database: Int
    let key: ByteString
}

private final class Recorder: SnapshotSink {
    var taken: [Place: Content] = [:]

    func take(_ entry: Entry, database number: Int) {
        let place = Place(database: number, key: ByteString(entry.key))
        #expect(taken[place] == nil, "an entry came twice")
        taken[place] = Content(entry)
    }
}

struct SnapshotWalkTests {
    private static let databases = 3

    /// Everything there is, by a plain pass.
    private func clone(_ data: borrowing DataSet) -> [Place: Content] {
        var all: [Place: Content] = [:]
        for number in 0..<Self.databases {
            data[number].forEachEntry {
                all[Place(database: number, key: ByteString($0.key))] = Content($0)
            }
        }
        return all
    }

    /// One random change of any sort.
    private func change(_ data: inout DataSet, _ random: inout SeededGenerator, keys: Int) {
        let keyspace = data[Int.random(in: 0..<Self.databases, using: &random)]
        let key = ByteString("key:\(Int.random(in: 0..<keys, using: &random))")
        let value = ByteString(
            String(repeating: "v", count: Int.random(in: 0...90, using: &random))
        )
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<40:
            let deadline = Bool.random(using: &random) ? Int64(random.next() >> 20) : nil
            keyspace.setString(key.bytes, value.bytes, deadline: deadline)
        case 40..<55:
            guard let entry = keyspace.find(key.bytes) else {
                keyspace.insertHash(key.bytes).set(value.bytes, key.bytes)
                return
            }
            guard entry.kind == .hash else { return }
            entry.open().hash.set(value.bytes, value.bytes)
        case 55..<65:
            guard let entry = keyspace.find(key.bytes) else {
                keyspace.insertSet(key.bytes, toHold: value.bytes).add(value.bytes)
                return
            }
            guard entry.kind == .set else { return }
            entry.open().set.add(value.bytes)
        case 65..<85:
            if let entry = keyspace.find(key.bytes) { keyspace.remove(entry) }
        case 85..<93:
            guard let entry = keyspace.find(key.bytes) else { return }
            let target = data[Int.random(in: 0..<Self.databases, using: &random)]
            let name = ByteString("key:\(Int.random(in: 0..<keys, using: &random))")
            guard target.find(name.bytes) == nil else { return }
            keyspace.move(entry, to: name.bytes, in: target)
        case 93..<97:
            guard let entry = keyspace.find(key.bytes) else { return }
            entry.open().setDeadline(
                Bool.random(using: &random) ? Int64(random.next() >> 20) : nil
            )
        case 97:
            data.swap(
                Int.random(in: 0..<Self.databases, using: &random),
                Int.random(in: 0..<Self.databases, using: &random)
            )
        case 98:
            // Rarely, so that tables grow in between.
            if Int.random(in: 0..<10, using: &random) == 0 { keyspace.removeAll() }
        default:
            data.freeSome(Int.random(in: 0..<50, using: &random))
        }
    }

    /// A walk in small steps amid random changes, against a copy made at its start.
    ///
    /// A failure names its seed. Add that seed to the list, and it stays fixed.
    @Test(arguments: 1...300 as ClosedRange<UInt64>)
    func `a snapshot holds every key as it was when it began`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var data = DataSet(databaseCount: Self.databases, seed: seed)
        let keys = [5, 50, 500].randomElement(using: &random) ?? 50
        for _ in 0..<(keys * 3) { change(&data, &random, keys: keys) }
        for _ in 0..<3 {
            let expected = clone(data)
            let recorder = Recorder()
            data.beginSnapshot(into: recorder)
            let isCancelled = Int.random(in: 0..<4, using: &random) == 0
            var steps = 0
            repeat {
                for _ in 0..<Int.random(in: 0..<20, using: &random) {
                    change(&data, &random, keys: keys)
                }
                steps += 1
                if isCancelled, steps == 3 { data.cancelSnapshot() }
            } while !data.advanceSnapshot(Int.random(in: 1..<10, using: &random))
            if !isCancelled { #expect(recorder.taken == expected) }
            for _ in 0..<keys { change(&data, &random, keys: keys) }
        }
    }
}
