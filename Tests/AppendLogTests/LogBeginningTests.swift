import AppendLog
import Bytes
import Platform
import Synchronization
import TestKit
import Testing

/// A log that is begun while there is data counts once its base does, and not before.
struct LogBeginningTests {
    private func append(_ writer: inout LogWriter, _ text: String) throws -> [UInt8] {
        let effects = Array("*2\r\n$3\r\nDEL\r\n$\(text.utf8.count)\r\n\(text)\r\n".utf8)
        try writer.write(effects.bytes)
        return effects
    }

    /// An old log that was closed; what it holds.
    private func leaveOldLog(in directory: LogDirectory) throws -> [UInt8] {
        var generator = SeededGenerator(seed: 1)
        var writer = try LogWriter(
            continuing: nil,
            in: directory,
            compression: .lz4,
            time: SimulatedClock(),
            generator: &generator
        )
        let effects = try append(&writer, "old")
        try writer.close()
        return effects
    }

    @Test(arguments: [true, false], SimulatedDisk.Loss.allCases)
    func `a crash while a log begins leaves the old one, or the new one with its base`(
        hasOldLog: Bool,
        loss: SimulatedDisk.Loss
    ) throws {
        let storage = SimulatedStorage()
        let directory = LogDirectory(storage: storage)
        let old = hasOldLog ? try leaveOldLog(in: directory) : nil
        let moments = Mutex<[SimulatedDisk]>([storage.disk])
        storage.observe { disk in moments.withLock { $0.append(disk) } }

        var beginning = LogBeginning()
        beginning.offset = 1000
        beginning.replaced = try directory.loadManifest() ?? Manifest()
        var generator = SeededGenerator(seed: 2)
        var writer = try LogWriter(
            continuing: nil,
            orBeginning: beginning,
            in: directory,
            compression: .lz4,
            time: SimulatedClock(),
            generator: &generator
        )
        let id = writer.lineage.id
        let data = [UInt8](repeating: UInt8(ascii: "d"), count: 1000)
        let first = try append(&writer, "first")
        try writer.beginSegment()
        let position = Manifest.Position(offset: writer.offset, lineage: writer.lineage)
        let second = try append(&writer, "second")
        try writer.sync()
        let path = directory.path("\(directory.temporaryPrefix)base")
        let base = try storage.create(path)
        try base.write((FakeSnapshot.magic + data + first).bytes, at: 0)
        try base.sync()
        let sequence = writer.currentEntry.sequence
        _ = try writer.files.publishBase(path, at: position, before: sequence)
        writer.mend(at: position.offset)
        try writer.close()

        let all = moments.withLock { $0 }
        var newCount = 0
        for (index, moment) in all.enumerated() {
            let disk = moment.afterPowerCut(loss, using: &generator)
            let found = try recover(SimulatedStorage(disk))
            guard let found, found.recovered.lineage?.id == id else {
                #expect(found?.stream == old, "call \(index)")
                #expect(newCount == 0 || loss == .random, "call \(index)")
                continue
            }
            newCount += 1
            #expect(found.stream.starts(with: data + first), "call \(index)")
            #expect((data + first + second).starts(with: found.stream), "call \(index)")
        }
        #expect(newCount > 0)
        #expect(try recover(storage)?.stream == data + first + second)
        #expect(try directory.loadManifest()?.pending == [])
    }

    @Test func `what is left of a log that never came to count is removed`() throws {
        let storage = SimulatedStorage()
        let directory = LogDirectory(storage: storage)
        var beginning = LogBeginning()
        beginning.replaced = Manifest()
        var generator = SeededGenerator(seed: 3)
        do {
            var writer = try LogWriter(
                continuing: nil,
                orBeginning: beginning,
                in: directory,
                compression: .lz4,
                time: SimulatedClock(),
                generator: &generator
            )
            _ = try append(&writer, "lost")
            try writer.beginSegment()
            _ = try append(&writer, "too")
        }
        #expect(try recover(storage) == nil)
        _ = try LogWriter(
            continuing: nil,
            in: directory,
            compression: .lz4,
            time: SimulatedClock(),
            generator: &generator
        )
        #expect(try directory.loadManifest()?.pending == [])
        let segments = storage.disk.fileNames.filter { $0.contains(".incr.") }
        #expect(segments.count == 1)
        #expect(try recover(storage)?.stream == [])
    }
}
