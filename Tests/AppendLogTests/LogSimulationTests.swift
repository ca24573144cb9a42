import AppendLog
import Bytes
import Foundation
import Platform
import TestKit
import Testing

/// Logs that live through everything at random.
///
/// That is crashes, also of the recovery, failing calls and full disks. A failure names its seed,
/// and `LARDER_LOG_SEED` runs that one again.
///
/// `LARDER_LOG_RUNS` sets how many seeds are run.
struct LogSimulationTests {
    @Test func `random lives lose nothing that was promised`() throws {
        let environment = ProcessInfo.processInfo.environment
        let runs = environment["LARDER_LOG_RUNS"].flatMap { Int($0) } ?? 1000
        let only = environment["LARDER_LOG_SEED"].flatMap { UInt64($0) }
        let first = only ?? UInt64.random(in: 0..<1 << 40)
        var counts = LogSimulation.Counts()
        for seed in first..<(first + UInt64(only == nil ? runs : 1)) {
            var simulation = LogSimulation(seed: seed)
            if let problem = simulation.run() { Issue.record("seed \(seed): \(problem)") }
            counts.add(simulation.counts)
        }
        print("\(only == nil ? runs : 1) logs from seed \(first): \(counts)")
    }

    /// A closing mark whose sync failed, zeros in a remark, and the front of a first mark.
    @Test(
        arguments: [
            100_912_374_450, 100_912_406_113, 329_898_464_145, 329_898_515_103,
            100_912_366_166, 100_912_409_829, 1_081_588_606_995,
        ] as [UInt64]
    )
    func `lives that were once refused or wrong`(seed: UInt64) {
        var simulation = LogSimulation(seed: seed)
        #expect(simulation.run() == nil)
    }

    @Test func `a changed bit is never taken for data`() throws {
        var generator = SeededGenerator(seed: 4)
        var refused = 0
        var harmless = 0
        for seed in 0..<300 as Range<UInt64> {
            let storage = SimulatedStorage()
            let compression = LogCompression.allCases.randomElement(using: &generator) ?? .no
            var driver = try LogDriver(
                storage,
                continuing: nil,
                LogModel(),
                compression,
                clock: SimulatedClock(),
                seed: seed
            )
            for step in 0..<12 {
                try driver.append()
                if step % 4 == 3 { try driver.beginSegment() }
                if step == 8 { try driver.seal() }
            }
            try driver.close()
            var disk = storage.disk
            let segments = disk.fileNames.filter { $0.contains(".incr.") }
            let name = segments.randomElement(using: &generator) ?? ""
            let bitCount = (disk.content(of: name)?.count ?? 0) * 8
            disk.flipBit(Int.random(in: 0..<bitCount, using: &generator), of: name)
            do throws(LogError) {
                let found = try recover(SimulatedStorage(disk))
                // Nothing is lost: the bit was one that nobody reads.
                if let problem = driver.model.problem(with: found) {
                    Issue.record("seed \(seed), \(name): \(problem)")
                }
                harmless += 1
            } catch {
                guard case .damaged(let damage) = error, damage.file == name else {
                    Issue.record("seed \(seed), \(name): \(error)")
                    continue
                }
                refused += 1
            }
        }
        print("300 changed bits: \(refused) refused, \(harmless) harmless")
        #expect(refused > harmless)
    }
}

/// One log, from its birth through several lives.
struct LogSimulation: ~Copyable {
    /// What happened.
    struct Counts: CustomStringConvertible {
        var lives = 0
        var stagedLives = 0
        var powerCuts = 0
        var deaths = 0
        var failedRecoveries = 0
        var failures = 0
        var failedSyncs = 0
        var fullDisks = 0

        mutating func add(_ other: Counts) {
            lives += other.lives
            stagedLives += other.stagedLives
            powerCuts += other.powerCuts
            deaths += other.deaths
            failedRecoveries += other.failedRecoveries
            failures += other.failures
            failedSyncs += other.failedSyncs
            fullDisks += other.fullDisks
        }

        var description: String {
            "\(lives) lives, \(stagedLives) of them with staged effects, \(powerCuts) power cuts, \(deaths) deaths of the process, "
                + "\(failedRecoveries) recoveries cut short, \(failures) failed calls, "
                + "\(failedSyncs) failed syncs, \(fullDisks) full disks"
        }
    }

    private(set) var counts = Counts()
    private var generator: SeededGenerator
    private var disk = SimulatedDisk()
    private var model = LogModel()
    private let compression: LogCompression

    init(seed: UInt64) {
        generator = SeededGenerator(seed: seed)
        compression = LogCompression.allCases.randomElement(using: &generator) ?? .lz4
    }

    /// Returns what went wrong.
    mutating func run() -> String? {
        for _ in 0..<Int.random(in: 1...6, using: &generator) {
            counts.lives += 1
            if let problem = live() { return "life \(counts.lives): \(problem)" }
        }
        return nil
    }

    private mutating func live() -> String? {
        let storage = SimulatedStorage(disk)
        let found: FoundLog?
        do throws(LogError) {
            found = try recover(storage)
        } catch {
            return "\(error)"
        }
        if let problem = model.problem(with: found) { return problem }
        model.continues(from: found)
        if found.map({ $0.recovered.staged.byteCount > 0 }) ?? false { counts.stagedLives += 1 }

        if Int.random(in: 0..<4, using: &generator) == 0 { fail(storage, within: 30) }
        do throws(SystemError) {
            var driver = try LogDriver(
                storage,
                continuing: found?.recovered,
                model,
                compression,
                clock: SimulatedClock(),
                seed: generator.next()
            )
            storage.setFaults(SimulatedStorage.Faults())
            do throws(SystemError) {
                try work(&driver, storage)
            } catch {
                counts.failures += 1
            }
            model = driver.model
        } catch {
            counts.failedRecoveries += 1
        }
        storage.setFaults(SimulatedStorage.Faults())
        storage.setCapacity(nil)
        stop(storage)
        return nil
    }

    private mutating func work(
        _ driver: inout LogDriver,
        _ storage: SimulatedStorage
    ) throws(SystemError) {
        for _ in 0..<Int.random(in: 1...30, using: &generator) {
            do throws(SystemError) {
                switch Int.random(in: 0..<100, using: &generator) {
                case ..<50: try driver.append()
                case ..<70: try driver.sync()
                case ..<78: try driver.beginSegment()
                case ..<82: try driver.seal()
                case ..<86: try driver.compact()
                case ..<89: fail(storage, within: 20)
                case ..<92: failSync(storage)
                case ..<95: fill(storage)
                case ..<96: return try driver.close()
                default: try driver.append(largest: 40_000)
                }
            } catch {
                // Room comes back, and a failed sync is mended by a base; the rest is final.
                guard error.isOutOfSpace || driver.isInDoubt else { throw error }
                storage.setCapacity(nil)
                storage.setFaults(SimulatedStorage.Faults())
                if driver.isInDoubt { try driver.compact() } else { try driver.flush() }
            }
        }
    }

    private mutating func fail(_ storage: SimulatedStorage, within count: Int) {
        var faults = SimulatedStorage.Faults()
        faults.failingCall = Int.random(in: 1...count, using: &generator)
        faults.failsForEver = Bool.random(using: &generator)
        storage.setFaults(faults)
    }

    private mutating func failSync(_ storage: SimulatedStorage) {
        var faults = SimulatedStorage.Faults()
        faults.failingSync = Int.random(in: 1...3, using: &generator)
        storage.setFaults(faults)
        counts.failedSyncs += 1
    }

    private mutating func fill(_ storage: SimulatedStorage) {
        guard let free = try? storage.freeByteCount() else { return }
        let used = 1 << 40 - free
        storage.setCapacity(used + Int.random(in: 0...5000, using: &generator))
        counts.fullDisks += 1
    }

    private mutating func stop(_ storage: SimulatedStorage) {
        if Bool.random(using: &generator) {
            counts.powerCuts += 1
            let loss = SimulatedDisk.Loss.allCases.randomElement(using: &generator) ?? .dropAll
            disk = storage.disk.afterPowerCut(loss, using: &generator)
        } else {
            counts.deaths += 1
            disk = storage.disk
            model.durable = max(model.durable, model.written)
        }
    }
}
