import AppendLog
import Bytes
import Platform
import TestKit
import Testing

/// A log is taken back to a point of its stream.
struct LogRewindTests {
    private let storage = SimulatedStorage()
    private var directory: LogDirectory { LogDirectory(storage: storage) }

    /// A log of three segments, whose marks are two seconds apart.
    private func write(_ compression: LogCompression) throws -> (LogModel, [WallTime]) {
        let clock = SimulatedClock()
        var driver = try LogDriver(
            storage,
            continuing: nil,
            LogModel(),
            compression,
            clock: clock,
            seed: 5
        )
        var times: [WallTime] = []
        for step in 0..<30 {
            try driver.append()
            if step % 10 == 9 {
                clock.advance(by: .seconds(2))
                times.append(clock.wallTime)
                try driver.beginSegment()
            }
        }
        try driver.sync()
        try driver.close()
        return (driver.model, times)
    }

    @Test(arguments: LogCompression.allCases)
    func `every offset can be gone back to`(compression: LogCompression) throws {
        let (model, _) = try write(compression)
        let whole = storage.disk
        let last = model.stream.count
        var generator = SeededGenerator(seed: 6)
        let picked = (0..<40).map { _ in Int.random(in: 0...last, using: &generator) }
        for offset in picked + [0, last, last + 100] {
            let copy = SimulatedStorage(whole)
            let rewind = try LogRewind(LogDirectory(storage: copy), to: .offset(offset))
            try rewind.perform()
            let kept = model.boundaries.filter { $0 <= offset }.max() ?? 0
            let found = try recover(copy)
            #expect(found?.stream.count == kept, "offset \(offset)")
            #expect(rewind.end == kept)
            #expect(rewind.drops.isEmpty == (kept == last))
            #expect(model.problem(with: found) == nil || kept < model.durable)
        }
    }

    /// Its room was kept by a power cut, and it was not.
    @Test(arguments: LogCompression.allCases)
    func `a closing mark that was lost in the middle is no damage`(
        compression: LogCompression
    ) throws {
        let (model, _) = try write(compression)
        let segments = storage.disk.fileNames.filter { $0.contains(".incr.") }
        let file = try storage.open(segments[1], writable: true)
        let zeros = [UInt8](repeating: 0, count: 60)
        try file.write(zeros.bytes, at: try file.byteCount())
        #expect(try recover(storage)?.stream == model.stream)
        let rewind = try LogRewind(directory, to: .offset(model.stream.count - 1))
        try rewind.perform()
        #expect(try recover(storage)?.stream.count == rewind.end)
    }

    @Test func `a moment can be gone back to, and the log goes on from there`() throws {
        let (model, times) = try write(.lz4)
        let moment = WallTime(milliseconds: times[0].milliseconds - 1)
        try LogRewind(directory, to: .time(moment)).perform()
        let found = try #require(try recover(storage))
        #expect(found.stream.count > 0 && found.stream.count < model.stream.count / 2)
        #expect(model.stream.starts(with: found.stream))
        var generator = SeededGenerator(seed: 7)
        let writer = try LogWriter(
            continuing: found.recovered,
            in: directory,
            compression: .lz4,
            time: SimulatedClock(),
            generator: &generator
        )
        #expect(writer.lineage.previous?.end == found.stream.count, "replicas may have had more")
    }

    @Test func `a crash while a log is taken back leaves it whole, or shorter`() throws {
        let (model, _) = try write(.lz4)
        let whole = storage.disk
        let target = try #require(model.boundaries.filter { $0 < model.stream.count / 2 }.max())
        for call in 1...40 {
            let copy = SimulatedStorage(whole)
            var faults = SimulatedStorage.Faults()
            faults.failingCall = call
            faults.failsForEver = true
            let rewind = try LogRewind(LogDirectory(storage: copy), to: .offset(target))
            copy.setFaults(faults)
            do throws(LogError) {
                try rewind.perform()
            } catch {
                guard case .storage = error else { throw error }
            }
            var generator = SeededGenerator(seed: 0)
            let disk = copy.disk.afterPowerCut(.keepAll, using: &generator)
            let found = try #require(try recover(SimulatedStorage(disk)))
            #expect([target, model.stream.count].contains(found.stream.count), "call \(call)")
        }
    }

    @Test func `what the base stands for cannot be gone back on`() throws {
        var driver = try LogDriver(
            storage,
            continuing: nil,
            LogModel(),
            .lz4,
            clock: SimulatedClock(),
            seed: 8
        )
        try driver.append()
        try driver.compact()
        try driver.close()
        let base = try #require(try directory.loadManifest()?.base?.position?.offset)
        #expect(throws: LogError.beforeBase(base)) {
            try LogRewind(directory, to: .offset(base - 1))
        }
    }
}
