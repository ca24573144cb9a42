import AppendLog
import Bytes
import Platform
import TestKit
import Testing

/// The disk fails under a log that is being written by its threads.
struct LogFailureTests {
    private let storage = SimulatedStorage()
    private let time = SystemTime()

    private func open(
        _ policy: SyncPolicy,
        backlogByteCount: Int = 64 << 20
    ) throws -> EffectLog {
        var settings = LogSettings()
        settings.syncPolicy = policy
        settings.backlogByteCount = backlogByteCount
        return try EffectLog(
            continuing: nil,
            in: LogDirectory(storage: storage),
            settings: settings,
            onProgress: {}
        )
    }

    private func append(_ text: String, to log: EffectLog) -> StreamOffset {
        var batch = ByteWriter()
        batch.append("*2\r\n$3\r\nDEL\r\n")
        batch.append(utf8: "$\(text.utf8.count)\r\n\(text)\r\n")
        return log.append(&batch, at: time.monotonicTime)
    }

    private func wait(_ what: String, until condition: () -> Bool) {
        let limit = time.monotonicTime + .seconds(60)
        while !condition() {
            guard time.monotonicTime < limit else {
                Issue.record("not within a minute: \(what)")
                return
            }
            time.sleep(.milliseconds(1))
        }
    }

    private func isAcknowledged(_ end: StreamOffset, _ log: EffectLog) -> Bool {
        log.acknowledgedOffset(at: time.monotonicTime) >= end
    }

    private func hasFailed(_ log: EffectLog) -> Bool {
        if case .failed = log.condition { true } else { false }
    }

    @Test(arguments: [SyncPolicy.always, .everysec])
    func `a failed sync is final until a base stands for what is in doubt`(
        policy: SyncPolicy
    ) throws {
        let log = try open(policy)
        let first = append("first", to: log)
        wait("the first write is answered") { isAcknowledged(first, log) }
        wait("it is durable") { log.durableOffset >= first }

        var faults = SimulatedStorage.Faults()
        faults.failingSync = 1
        storage.setFaults(faults)
        let second = append("second", to: log)
        wait("the failure is noticed") { hasFailed(log) }
        #expect(log.needsBase)
        let third = append("third", to: log)
        time.sleep(.milliseconds(100))
        // The next sync would succeed, and prove nothing.
        #expect(log.durableOffset == first)
        #expect(!isAcknowledged(third, log))
        if policy == .always { #expect(!isAcknowledged(second, log)) }

        let compaction = log.beginCompaction()
        #expect(compaction.position.offset == third)
        let base = try storage.create(compaction.path)
        try base.write((FakeSnapshot.magic + [UInt8](repeating: 1, count: third)).bytes, at: 0)
        try base.sync()
        log.finishCompaction()
        wait("the base is published") { log.takeCompactionOutcome() == .published }
        wait("writes are taken again") { log.condition == .writable }
        #expect(isAcknowledged(third, log))
        let last = append("last", to: log)
        wait("the last write is answered") { isAcknowledged(last, log) }
        #expect(log.close() == nil)
        let found = try #require(try recover(storage))
        #expect(found.stream.count == last)
        #expect(found.recovered.tornTail == nil)
    }

    @Test func `a full disk is noticed, and left again by itself`() throws {
        let log = try open(.always)
        let first = append("first", to: log)
        wait("the first write is answered") { isAcknowledged(first, log) }
        let used = 1 << 40 - (try storage.freeByteCount())
        storage.setCapacity(used)
        var end = first
        wait("it is noticed that the disk is full") {
            end = append(String(repeating: "x", count: 100_000), to: log)
            if case .full = log.condition { return true }
            return false
        }
        storage.setCapacity(nil)
        wait("room is found again") { log.condition == .writable }
        wait("all is answered") { isAcknowledged(end, log) }
        #expect(log.close() == nil)
        #expect(try recover(storage)?.stream.count == end)
    }

    @Test func `writers have to wait when the disk cannot follow`() throws {
        let log = try open(.everysec, backlogByteCount: 100_000)
        storage.setCapacity(1 << 40 - (try storage.freeByteCount()))
        var count = 0
        wait("there is a backlog") {
            _ = append(String(repeating: "x", count: 10_000), to: log)
            count += 1
            return log.isBacklogged
        }
        #expect(count >= 10)
        #expect(log.statistics.bufferedByteCount >= 100_000)
        storage.setCapacity(nil)
        wait("it is gone") { !log.isBacklogged }
        #expect(log.close() == nil)
    }

    @Test func `a file that cannot be read is named`() throws {
        let log = try open(.always)
        for index in 0..<20 { _ = append("key:\(index)", to: log) }
        _ = log.close()
        var refused = 0
        for call in 1...30 {
            let copy = SimulatedStorage(storage.disk)
            var faults = SimulatedStorage.Faults()
            faults.failingRead = call
            copy.setFaults(faults)
            do throws(LogError) {
                _ = try recover(copy)
            } catch {
                refused += 1
                let text = "\(error)"
                #expect(text.contains("appendonlydir/appendonly.aof."), "\(text)")
                #expect(text.contains("Input/output error"), "\(text)")
            }
        }
        #expect(refused > 2)
    }

    @Test func `a start that fails at any call can be made again`() throws {
        do {
            let log = try open(.always)
            for index in 0..<20 { _ = append("key:\(index)", to: log) }
            _ = log.close()
        }
        let expected = try #require(try recover(storage)).stream
        for isForEver in [false, true] {
            var call = 1
            while true {
                let copy = SimulatedStorage(storage.disk)
                let found = try recover(copy)
                var faults = SimulatedStorage.Faults()
                faults.failingCall = call
                faults.failsForEver = isForEver
                copy.setFaults(faults)
                var generator = SeededGenerator(seed: 1)
                var hasStarted = true
                do throws(SystemError) {
                    _ = try LogWriter(
                        continuing: found?.recovered,
                        in: LogDirectory(storage: copy),
                        compression: .lz4,
                        time: SimulatedClock(),
                        generator: &generator
                    )
                } catch {
                    hasStarted = false
                }
                #expect(try recover(SimulatedStorage(copy.disk))?.stream == expected)
                if hasStarted { break }
                call += 1
            }
            #expect(call > 5)
        }
    }
}
