import Bytes
import Foundation
import Platform
import RDB
import Snapshots
import Store
import TestKit
import Testing

/// A file that was saved while everything changed, against a copy made when the save began.
struct SnapshotOracleTests {
    /// How many seeds; `LARDER_SEEDS` asks for more.
    private static var seedCount: UInt64 {
        ProcessInfo.processInfo.environment["LARDER_SEEDS"].flatMap(UInt64.init) ?? 400
    }

    private static let contents: SnapshotSaver.Contents = {
        var contents = SnapshotSaver.Contents()
        // Fields of hashes have deadlines.
        contents.target = .valkey9
        return contents
    }()

    private func load<Value>(
        _ storage: any Storage,
        _ name: String,
        _ value: (Content) -> Value
    ) throws -> [Place: Value] {
        let data = DataSet(databaseCount: Chaos.databases, seed: 99)
        var options = SnapshotLoader.Options()
        options.dropsExpired = false
        let file = try storage.open(name, writable: false)
        var loader = try SnapshotLoader(file, into: data, options: options)
        while try loader.advance(1000) {}
        return Chaos.clone(data, value)
    }

    /// One save in small slices, with changes between them.
    private func check(_ chaos: inout Chaos, seed: UInt64) throws {
        let expected = chaos.clone()
        let storage = SimulatedStorage()
        let files = try [
            SnapshotSaver.File("one.rdb", Self.contents, auxiliary: [("first", "1")]),
            SnapshotSaver.File("two.rdb", Self.contents, auxiliary: []),
        ]
        let saver = try SnapshotSaver(chaos.data, to: files, in: storage, Self.contents) {}
        let pace = [4, 40, 400].randomElement(using: &chaos.random) ?? 4
        var result: SnapshotSaver.Result?
        while true {
            for _ in 0..<Int.random(in: 0..<10, using: &chaos.random) { chaos.change() }
            saver.advance(chaos.data, Int.random(in: 1...pace, using: &chaos.random))
            if !chaos.data.isSnapshotActive { result = saver.finish(chaos.data) }
            if result != nil { break }
        }
        guard case .saved = result else {
            Issue.record("seed \(seed): the save came to \(String(describing: result))")
            return
        }
        #expect(try differences(load(storage, "one.rdb") { $0 }, expected) == [], "seed \(seed)")
        #expect(try differences(load(storage, "two.rdb") { $0 }, expected) == [], "seed \(seed)")
        #expect(try storage.names(in: "").sorted() == ["one.rdb", "two.rdb"])
        chaos.checkInvariants()
    }

    /// A failure names its seed.
    ///
    /// The seeds are shared out, so that all cores take part.
    @Test(arguments: [0, 1, 2, 3] as [UInt64])
    func `a file holds every key as it was when the save began`(share: UInt64) throws {
        for seed in 1...Self.seedCount where seed % 4 == share {
            var chaos = Chaos(seed: seed &* 7919)
            for _ in 0..<(chaos.keys * 4) { chaos.change() }
            try check(&chaos, seed: seed)
        }
    }

    /// The same with tables of the usual size; `LARDER_KEYS` asks for more keys.
    @Test func `a file of many keys holds each as it was`() throws {
        let keys = ProcessInfo.processInfo.environment["LARDER_KEYS"].flatMap(Int.init) ?? 20_000
        var chaos = Chaos(seed: 11, keys: keys)
        chaos.data.largeValueLimits = LargeValueLimits()
        chaos.data.limits = EncodingLimits()
        for _ in 0..<(keys * 3) { chaos.change() }
        chaos.addLargeValues(elements: keys)
        // Of millions of keys there is no room for a second copy.
        let expected = Chaos.clone(chaos.data) { $0.hashValue }
        let storage = SimulatedStorage()
        let files = try [SnapshotSaver.File("one.rdb", Self.contents, auxiliary: [])]
        let saver = try SnapshotSaver(chaos.data, to: files, in: storage, Self.contents) {}
        while chaos.data.isSnapshotActive {
            for _ in 0..<50 { chaos.change() }
            chaos.changeLargeValues()
            saver.advance(chaos.data, 100)
        }
        guard case .saved = saver.finish(chaos.data) else {
            Issue.record("the save failed")
            return
        }
        let found = try load(storage, "one.rdb") { $0.hashValue }
        #expect(found.count == expected.count)
        #expect(found.filter { expected[$0.key] != $0.value }.isEmpty)
        chaos.checkInvariants()
    }

    /// A save that ends early leaves no file, and the data set ready for the next.
    @Test(arguments: 1...60 as ClosedRange<UInt64>)
    func `a save may fail or be given up at any point`(seed: UInt64) throws {
        var chaos = Chaos(seed: seed)
        for _ in 0..<(chaos.keys * 4) { chaos.change() }
        var faults = SimulatedStorage.Faults()
        faults.failingCall = Int.random(in: 0..<12, using: &chaos.random)
        let isCancelled = Bool.random(using: &chaos.random)
        let storage = SimulatedStorage(faults: isCancelled ? .init() : faults)
        let files = try [SnapshotSaver.File("one.rdb", Self.contents, auxiliary: [])]
        let saver = try SnapshotSaver(chaos.data, to: files, in: storage, Self.contents) {}
        for step in 0..<10 {
            chaos.change()
            saver.advance(chaos.data, 3)
            if isCancelled, step == 5 { saver.cancel(chaos.data) }
        }
        let result = saver.finish(chaos.data)
        let isActive = chaos.data.isSnapshotActive
        #expect(!isActive)
        chaos.checkInvariants()
        if case .saved = result {
        } else {
            // What has its name is whole: only the directory could not be synced then.
            let names = try storage.names(in: "")
            #expect(names.isEmpty || names == ["one.rdb"], "\(names)")
        }
        try check(&chaos, seed: seed)
    }
}
