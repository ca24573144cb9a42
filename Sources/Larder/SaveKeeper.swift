import AppendLog
import Bytes
import Commands
import Glibc
import Platform
import RDB
import Snapshots
import Store

/// Saves the data set, to its snapshot file and as the base of the log.
///
/// The file is saved when somebody asks and when the save points say so, a base when the log is
/// compacted; one save runs at a time. Holds no engine: whoever drives it passes the engine, so
/// that a command may start a save while it is executed.
package final class SaveKeeper {
    /// Save when so many seconds have passed and so many changes were made.
    package struct SavePoint: Equatable, Sendable {
        package var seconds: Int64
        package var changes: Int64

        package init(seconds: Int64, changes: Int64) {
            self.seconds = seconds
            self.changes = changes
        }
    }

    /// What the directives say.
    package struct Settings: Sendable {
        /// `dbfilename`.
        package var name = "dump.rdb"
        /// `save`.
        package var savePoints: [SavePoint] = []
        /// `rdbcompression`.
        package var isCompressing = true
        /// `rdbchecksum`.
        package var isWritingChecksum = true
        /// `rdb-format`: 9, 10, 11 or 80; nil for `auto`.
        package var forcedVersion: Int?
        /// Whether a policy evicts by use, so that files keep the frequency or idle time.
        package var keepsAccess = false
        /// `auto-aof-rewrite-percentage`; 0 for never.
        package var compactionPercentage = 100
        /// `auto-aof-rewrite-min-size`.
        package var compactionMinimumByteCount = 64 << 20
        /// `auto-aof-rewrite-garbage-percentage`; 0 for never.
        package var compactionGarbagePercentage = 75

        package init() {}
    }

    /// How saving stands, for INFO and LASTSAVE.
    package struct Status: Sendable {
        /// When the last save succeeded, or the data was loaded; seconds since 1970.
        package var lastSave: Int64 = 0
        package var lastSucceeded = true
        /// Why the last save failed.
        package var lastFailure = ""
        package var lastDuration: Duration?
        package var lastByteCount = 0
        /// `statistics.changes` when the last successful save began.
        package var savedChanges: Int64 = 0
        package var saveCount = 0
        /// How long slices kept clients waiting, in the running or last save.
        package var pauses = Pauses()
        /// How much of the processor's time slices took: a pause is longer if something else
        /// had the processor meanwhile.
        package var work = Pauses()
        /// The most bytes of memory that were held for the last save, about.
        package var lastPeakByteCount = 0
        package var lastCompactionSucceeded = true
        /// Why the last compaction failed; empty if it did not.
        package var lastCompactionFailure = ""
        package var compactionStart: MonotonicTime?
        package var lastCompactionDuration: Duration?
        package var compactionCount = 0
    }

    package var settings = Settings()
    package private(set) var status = Status()
    /// The log whose bases are written here.
    package var log: EffectLog?

    private let storage: any Storage
    private let time: any TimeSource
    private let onProgress: @Sendable () -> Void
    private var running: Running?
    /// What shall begin once nothing else runs, between two turns.
    private var scheduled: Purposes = []
    private var lastAttempt: MonotonicTime?
    private var lastCompactionAttempt: MonotonicTime?
    /// What the data took in memory when the base of the log was begun, and what the one under
    /// way was begun with.
    private var baseMemory: Int?
    private var nextBaseMemory: Int?

    private struct Running {
        let saver: SnapshotSaver
        let purposes: Purposes
        let start: MonotonicTime
        let changes: Int64
    }

    /// What a snapshot is for: all who ask before it begins share it.
    private struct Purposes: OptionSet {
        let rawValue: UInt8

        static let snapshot = Purposes(rawValue: 1)
        static let logBase = Purposes(rawValue: 2)
    }

    /// Keys or KiB between two looks at the clock: some ten microseconds of work.
    private static let stepLimit = 48
    /// After a failure, save points wait this long.
    private static let retryDelay = Duration.seconds(5)
    /// After a failure, a growing log waits this long.
    private static let compactionRetryDelay = Duration.seconds(60)

    /// Saves into `storage`.
    ///
    /// `onProgress` wakes the core, from another thread.
    package init(
        storage: any Storage,
        time: any TimeSource = SystemTime(),
        onProgress: @escaping @Sendable () -> Void
    ) {
        self.storage = storage
        self.time = time
        self.onProgress = onProgress
    }

    /// A save shall begin once nothing else runs.
    package var isScheduled: Bool {
        get { scheduled.contains(.snapshot) }
        set { schedule(.snapshot, newValue) }
    }

    /// A compaction of the log shall begin once nothing else runs.
    package var isCompactionScheduled: Bool {
        get { scheduled.contains(.logBase) }
        set { schedule(.logBase, newValue) }
    }

    private func schedule(_ purpose: Purposes, _ isScheduled: Bool) {
        if isScheduled { scheduled.insert(purpose) } else { scheduled.remove(purpose) }
    }

    /// Whether `advance` has more to do than to look whether a save is due.
    package var isActive: Bool {
        running != nil || !scheduled.isEmpty || log?.isCompacting ?? false
    }

    /// Whether the snapshot file is being saved.
    package var isSaving: Bool { running?.purposes.contains(.snapshot) ?? false }

    /// Whether the log is being compacted.
    package var isCompacting: Bool {
        running?.purposes.contains(.logBase) ?? false || log?.isCompacting ?? false
    }

    /// Whether clients change more than the disk takes, and should wait for it.
    package var isOverflowing: Bool { running?.saver.isOverflowing ?? false }

    /// Whether no save can begin now.
    package var isBusy: Bool { running != nil }

    /// How far the running save is.
    package struct Progress {
        package var start: MonotonicTime
        package var taken: Int
        package var total: Int
        package var byteCount: Int
        /// Bytes of memory that are held for it, about.
        package var heldByteCount: Int
    }

    /// How far the running save is, if one runs.
    package func progress(_ data: borrowing DataSet) -> Progress? {
        guard let running else { return nil }
        let keys = data.snapshotProgress
        return Progress(
            start: running.start,
            taken: keys.taken,
            total: keys.total,
            byteCount: running.saver.byteCount,
            heldByteCount: running.saver.heldByteCount(data)
        )
    }

    /// Takes the data as it is for what the file holds: after loading it.
    ///
    /// `auxiliary` is what the file says about itself.
    package func noteLoaded(
        _ engine: borrowing Engine,
        _ auxiliary: [ByteString: ByteString] = [:]
    ) {
        baseMemory = auxiliary["used-mem"].flatMap { Int($0.text) }
        status.lastSave = time.wallTime.milliseconds / 1000
        status.savedChanges = engine.statistics.changes
    }

    /// Begins a save of the snapshot file, or a compaction of the log, or both at once, when
    /// nothing else runs; between two turns if the log is compacted.
    private func start(_ purposes: Purposes, _ engine: borrowing Engine) throws(RDBError) {
        precondition(running == nil, "two saves at a time")
        var purposes = purposes
        if purposes.contains(.logBase), !canCompact(engine) { purposes.remove(.logBase) }
        guard !purposes.isEmpty else { return }
        status.pauses = Pauses()
        status.work = Pauses()
        let (start, work) = (time.monotonicTime, time.threadTime)
        defer { notePause(since: start, work) }
        do throws(RDBError) {
            let contents = contents(engine)
            let files = try files(for: purposes, contents, engine)
            running = Running(
                saver: try SnapshotSaver(
                    engine.dataSet,
                    to: files,
                    in: storage,
                    contents,
                    onProgress: onProgress
                ),
                purposes: purposes,
                start: start,
                changes: engine.statistics.changes
            )
        } catch {
            noteFailure(purposes, "\(error)")
            throw error
        }
    }

    /// Begins what is to be saved; returns the files that it goes to.
    private func files(
        for purposes: Purposes,
        _ contents: SnapshotSaver.Contents,
        _ engine: borrowing Engine
    ) throws(RDBError) -> [SnapshotSaver.File] {
        var files: [SnapshotSaver.File] = []
        if purposes.contains(.snapshot) {
            lastAttempt = time.monotonicTime
            isScheduled = false
            let auxiliary = auxiliary(engine)
            files.append(try SnapshotSaver.File(settings.name, contents, auxiliary: auxiliary))
        }
        if purposes.contains(.logBase), let log {
            let compaction = log.beginCompaction()
            nextBaseMemory = engine.dataSet.usedByteCount
            status.compactionStart = lastCompactionAttempt
            var auxiliary = auxiliary(engine)
            auxiliary.removeAll { $0.0 == "aof-base" }
            auxiliary.append(("aof-base", "1"))
            files.append(try SnapshotSaver.File(compaction.path, contents, auxiliary: auxiliary))
        }
        return files
    }

    /// Whether a compaction may begin; if it may not, why is in the status.
    private func canCompact(_ engine: borrowing Engine) -> Bool {
        guard let log, !log.isCompacting else { return false }
        isCompactionScheduled = false
        lastCompactionAttempt = time.monotonicTime
        guard let reason = reasonNotToCompact(engine) else { return true }
        noteCompactionFailure(reason)
        return false
    }

    private func noteFailure(_ purposes: Purposes, _ reason: String) {
        if purposes.contains(.snapshot) {
            status.lastSucceeded = false
            status.lastFailure = reason
        }
        guard purposes.contains(.logBase), let log, log.isCompacting else { return }
        log.abandonCompaction()
        noteCompactionFailure(reason)
    }

    private func noteCompactionFailure(_ reason: String) {
        status.lastCompactionSucceeded = false
        status.lastCompactionFailure = reason
        status.compactionStart = nil
    }

    /// Gives the compaction under way or scheduled up; nothing of it counts.
    package func cancelCompaction(_ engine: borrowing Engine) {
        isCompactionScheduled = false
        guard let running, running.purposes.contains(.logBase) else { return }
        if running.purposes.contains(.snapshot) { isScheduled = true }
        abandon(engine)
        log?.abandonCompaction()
    }

    /// Gives the running save up, and waits until nothing of it is left.
    private func abandon(_ engine: borrowing Engine) {
        guard let running else { return }
        running.saver.cancel(engine.dataSet)
        _ = running.saver.finish(engine.dataSet)
        self.running = nil
    }

    /// What a base of the log written now would about take.
    ///
    /// Told from the last one, and from what the data took in memory then; without one, from
    /// what it takes in memory now.
    package func baseEstimate(_ engine: borrowing Engine) -> Int {
        let used = engine.dataSet.usedByteCount
        guard let growth = log?.growth, growth.baseByteCount > 0, let baseMemory, baseMemory > 0
        else { return used }
        return Int(Double(growth.baseByteCount) * Double(used) / Double(baseMemory))
    }

    /// Why a compaction could not end well, if it is known before.
    package func reasonNotToCompact(_ engine: borrowing Engine) -> String? {
        do throws(SystemError) {
            guard let room = try log?.roomForCompaction(ofAbout: baseEstimate(engine)),
                room.needed > room.free
            else { return nil }
            return "a compaction needs about \(room.needed) bytes on the disk, "
                + "which has \(room.free) left"
        } catch {
            return "\(error)"
        }
    }

    /// Compacts the log and waits for it: what was loaded from elsewhere becomes its base.
    package func compactNow(_ engine: borrowing Engine) throws(CommandError) {
        // What went wrong is in `status`.
        try? start(.logBase, engine)
        if let running { _ = running.saver.finish(engine.dataSet) }
        collect()
        while let log, log.isCompacting, !collectCompaction(log) { wait() }
        guard status.lastCompactionSucceeded else {
            throw .text("ERR the base of the log cannot be written")
        }
    }

    private func wait() {
        var pause = timespec(tv_sec: 0, tv_nsec: 1_000_000)
        unsafe nanosleep(&pause, nil)
    }

    /// Saves and waits for the disk; throws with what went wrong.
    package func saveNow(_ engine: borrowing Engine) throws(CommandError) {
        while let running {
            _ = running.saver.finish(engine.dataSet)
            collect()
        }
        // A failure is for who waits here to know; only one in the background stops writes.
        let succeededBefore = status.lastSucceeded
        do throws(RDBError) {
            try start(.snapshot, engine)
        } catch {
            status.lastSucceeded = succeededBefore
            throw .text("ERR \(error)")
        }
        guard let running else { return }
        _ = running.saver.finish(engine.dataSet)
        collect()
        guard status.lastSucceeded else {
            status.lastSucceeded = succeededBefore
            throw .text("ERR \(status.lastFailure)")
        }
    }

    /// Saves at once in the place of a save under way, which would bring back what is gone.
    ///
    /// A base of the log that is under way goes on, and the save begins behind it.
    package func saveInstead(_ engine: borrowing Engine) throws(CommandError) {
        if let running, running.purposes.contains(.logBase) {
            isScheduled = true
            return
        }
        abandon(engine)
        try saveNow(engine)
    }

    /// Goes on with what there is to do, for about `budget`.
    ///
    /// To be called between two turns, when the log has all effects: after each while `isActive`,
    /// else now and then.
    package func advance(_ engine: borrowing Engine, budget: Duration) {
        if let log { collectCompaction(log) }
        guard let running else {
            var purposes = scheduled
            if isCompactionDue(engine) { purposes.insert(.logBase) }
            if isDue(engine) { purposes.insert(.snapshot) }
            guard !purposes.isEmpty else { return }
            // What went wrong is in `status`, and the save points try again.
            try? start(purposes, engine)
            return
        }
        defer { collect() }
        guard running.saver.canAdvance, budget > .zero else { return }
        let (start, work) = (time.monotonicTime, time.threadTime)
        repeat {
            running.saver.advance(engine.dataSet, Self.stepLimit)
        } while running.saver.canAdvance && time.monotonicTime - start < budget
        notePause(since: start, work)
    }

    private func notePause(since start: MonotonicTime, _ work: Duration) {
        status.pauses.add(time.monotonicTime - start)
        status.work.add(time.threadTime - work)
    }

    /// Whether `advance` has something to do at once.
    package var canAdvance: Bool {
        running?.saver.canAdvance ?? !scheduled.isEmpty
    }

    /// Gives the running save up.
    package func cancel(_ engine: borrowing Engine) {
        running?.saver.cancel(engine.dataSet)
    }

    private func isDue(_ engine: borrowing Engine) -> Bool {
        let changes = engine.statistics.changes - status.savedChanges
        guard changes > 0, !settings.savePoints.isEmpty else { return false }
        if !status.lastSucceeded, let lastAttempt,
            time.monotonicTime - lastAttempt < Self.retryDelay
        {
            return false
        }
        let age = time.wallTime.milliseconds / 1000 - status.lastSave
        return settings.savePoints.contains { changes >= $0.changes && age > $0.seconds }
    }

    private func isCompactionDue(_ engine: borrowing Engine) -> Bool {
        guard let log, !log.isCompacting else { return false }
        // Nothing else puts such a log right, so it is tried sooner.
        let isNeeded = log.needsBase
        if !status.lastCompactionSucceeded, let lastCompactionAttempt {
            let delay = isNeeded ? Self.retryDelay : Self.compactionRetryDelay
            if time.monotonicTime - lastCompactionAttempt < delay { return false }
        }
        if isNeeded { return true }
        let growth = log.growth
        guard growth.totalByteCount > settings.compactionMinimumByteCount else { return false }
        let garbage = growth.garbageRatio(liveByteCount: baseEstimate(engine))
        let limit = settings.compactionGarbagePercentage
        return growth.isDue(
            percentage: settings.compactionPercentage,
            minimumByteCount: settings.compactionMinimumByteCount
        ) || limit > 0 && garbage * 100 >= Double(limit)
    }

    /// The share of what a restart would read from the log that is no longer true.
    package func garbageRatio(_ engine: borrowing Engine) -> Double {
        log?.growth.garbageRatio(liveByteCount: baseEstimate(engine)) ?? 0
    }

    /// Notes how a compaction ended, once its base is in place; returns whether it has.
    @discardableResult
    private func collectCompaction(_ log: EffectLog) -> Bool {
        guard let outcome = log.takeCompactionOutcome() else { return false }
        switch outcome {
        case .published:
            status.lastCompactionSucceeded = true
            status.lastCompactionFailure = ""
            status.compactionStart = nil
            status.compactionCount += 1
            baseMemory = nextBaseMemory
        case .failed(let error): noteCompactionFailure("\(error)")
        }
        return true
    }

    @discardableResult
    private func collect() -> Bool {
        guard let running, let result = running.saver.result else { return false }
        self.running = nil
        let duration = time.monotonicTime - running.start
        status.lastPeakByteCount = running.saver.peakByteCount
        if running.purposes.contains(.logBase) { status.lastCompactionDuration = duration }
        if running.purposes.contains(.snapshot) { status.lastDuration = duration }
        switch result {
        case .saved(let byteCount):
            if running.purposes.contains(.logBase) { log?.finishCompaction() }
            guard running.purposes.contains(.snapshot) else { break }
            status.lastSave = time.wallTime.milliseconds / 1000
            status.lastSucceeded = true
            status.lastByteCount = byteCount
            status.savedChanges = running.changes
            status.saveCount += 1
        case .failed(let reason):
            noteFailure(running.purposes, reason)
        case .cancelled:
            // The snapshot was given up on request; the log still wants its base.
            guard running.purposes.contains(.logBase) else { break }
            log?.abandonCompaction()
            isCompactionScheduled = true
        }
        return true
    }

    private func contents(_ engine: borrowing Engine) -> SnapshotSaver.Contents {
        var contents = SnapshotSaver.Contents()
        contents.isCompressing = settings.isCompressing
        contents.isWritingChecksum = settings.isWritingChecksum
        contents.functions = engine.functionLibraries
        contents.moduleData = engine.moduleData
        contents.countsAccesses = settings.keepsAccess ? engine.dataSet.countsAccesses : nil
        if let version = settings.forcedVersion, let target = Target(forcedVersion: version) {
            contents.target = target
        } else if engine.dataSet.mayHaveFieldDeadlines {
            contents.target = .valkey9
        }
        return contents
    }

    /// What a file says ahead of the keys, in the order of Valkey's.
    private func auxiliary(_ engine: borrowing Engine) -> [(ByteString, ByteString)] {
        var auxiliary: [(ByteString, ByteString)] = [
            ("redis-ver", ByteString("\(Product.compatibleVersion)")),
            ("redis-bits", "64"),
            ("ctime", ByteString("\(time.wallTime.milliseconds / 1000)")),
            ("used-mem", ByteString("\(engine.dataSet.usedByteCount)")),
            ("aof-base", "0"),
        ]
        if let log {
            // What this turn has changed so far is in the data, if not yet in the log.
            let offset = log.endOffset + engine.effects.output.count
            auxiliary += [
                ("repl-stream-db", "0"),
                ("repl-id", ByteString("\(log.lineage.id)")),
                ("repl-offset", ByteString("\(offset)")),
            ]
        }
        return auxiliary
    }
}
