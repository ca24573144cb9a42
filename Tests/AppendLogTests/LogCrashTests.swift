import AppendLog
import Bytes
import Platform
import Synchronization
import TestKit
import Testing

/// The machine stops, anywhere; what was promised is still there.
struct LogCrashTests {
    /// What there is to lose at a moment: the disk, and what was promised by then.
    struct Moment: Sendable {
        var disk: SimulatedDisk
        var written: Int
        var durable: Int
    }

    /// Runs 200 operations and keeps the disk after every call that changed it.
    private func scenario(
        _ compression: LogCompression,
        seed: UInt64
    ) throws -> (moments: [Moment], model: LogModel) {
        let storage = SimulatedStorage()
        let recorder = Recorder()
        storage.observe { recorder.record($0) }
        var driver = try LogDriver(
            storage,
            continuing: nil,
            LogModel(),
            compression,
            clock: SimulatedClock(),
            seed: seed
        )
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<200 {
            switch Int.random(in: 0..<100, using: &generator) {
            case ..<60: try driver.append()
            case ..<85: try driver.sync()
            case ..<92: try driver.beginSegment()
            case ..<96: try driver.seal()
            default: try driver.compact()
            }
            recorder.promise(written: driver.model.written, durable: driver.model.durable)
        }
        try driver.close()
        return (recorder.moments, driver.model)
    }

    @Test(arguments: LogCompression.allCases, SimulatedDisk.Loss.allCases)
    func `a power cut after any call keeps what was synced`(
        compression: LogCompression,
        loss: SimulatedDisk.Loss
    ) throws {
        let seed: UInt64 = 1
        let (moments, model) = try scenario(compression, seed: seed)
        var generator = SeededGenerator(seed: seed)
        for (index, moment) in moments.enumerated() {
            let disk = moment.disk.afterPowerCut(loss, using: &generator)
            try check(disk, moment.durable, model, compression, "call \(index)")
        }
        print("\(moments.count) power cuts, \(compression), \(loss)")
    }

    @Test(arguments: LogCompression.allCases)
    func `the death of the process after any call keeps what was written`(
        compression: LogCompression
    ) throws {
        let (moments, model) = try scenario(compression, seed: 2)
        for (index, moment) in moments.enumerated() {
            try check(moment.disk, moment.written, model, compression, "call \(index)")
        }
        print("\(moments.count) deaths of the process, \(compression)")
    }

    private func check(
        _ disk: SimulatedDisk,
        _ promised: Int,
        _ model: LogModel,
        _ compression: LogCompression,
        _ context: String
    ) throws {
        let storage = SimulatedStorage(disk)
        var lived = model
        lived.durable = promised
        let found: FoundLog?
        do throws(LogError) {
            found = try recover(storage)
        } catch {
            Issue.record("\(context): \(error)")
            return
        }
        if let problem = lived.problem(with: found) { Issue.record("\(context): \(problem)") }

        lived.continues(from: found)
        var driver = try LogDriver(
            storage,
            continuing: found?.recovered,
            lived,
            compression,
            clock: SimulatedClock(),
            seed: UInt64(lived.stream.count)
        )
        let again = try recover(SimulatedStorage(storage.disk))
        if let problem = driver.model.problem(with: again) ?? again?.problemAfterRepair {
            Issue.record("\(context), after the repair: \(problem)")
        }
        try driver.append()
        try driver.sync()
        var generator = SeededGenerator(seed: 3)
        let rest = storage.disk.afterPowerCut(.dropAll, using: &generator)
        let last = try recover(SimulatedStorage(rest))
        if let problem = driver.model.problem(with: last) {
            Issue.record("\(context), after going on: \(problem)")
        }
    }
}

/// Keeps disks.
private final class Recorder: Sendable {
    private let state = Mutex(State())

    private struct State {
        var moments: [LogCrashTests.Moment] = []
        var written = 0
        var durable = 0
    }

    var moments: [LogCrashTests.Moment] { state.withLock { $0.moments } }

    func record(_ disk: SimulatedDisk) {
        state.withLock { state in
            state.moments.append(
                LogCrashTests.Moment(
                    disk: disk,
                    written: state.written,
                    durable: state.durable
                )
            )
        }
    }

    func promise(written: Int, durable: Int) {
        state.withLock { state in
            state.written = written
            state.durable = durable
        }
    }
}
