import Bytes
import Commands
import Platform
import RDB
import Snapshots
import Store

/// Saves the data set to its snapshot file: when asked, and when the save points say so.
///
/// Holds no engine: whoever drives it passes the data set, so that a command may start a save
/// while it is executed.
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
        /// The longest that a slice kept the core, in the running or last save.
        package var longestSlice = Duration.zero
    }

    package var settings = Settings()
    package private(set) var status = Status()
    /// Another save shall begin once the running one has ended.
    package var isScheduled = false

    private let storage: any Storage
    private let time: any TimeSource
    private let onProgress: @Sendable () -> Void
    private var running: Running?
    private var lastAttempt: MonotonicTime?

    private struct Running {
        let saver: SnapshotSaver
        let start: MonotonicTime
        let changes: Int64
    }

    /// After a failure, save points wait this long.
    private static let retryDelay = Duration.seconds(5)

    /// Saves into `storage`. `onProgress` wakes the core, from another thread.
    package init(
        storage: any Storage,
        time: any TimeSource = SystemTime(),
        onProgress: @escaping @Sendable () -> Void
    ) {
        self.storage = storage
        self.time = time
        self.onProgress = onProgress
    }

    /// Whether a save runs.
    package var isSaving: Bool { running != nil }

    /// When the running save began, and how much of its keys and bytes is done.
    package func progress(
        _ data: borrowing DataSet
    ) -> (start: MonotonicTime, taken: Int, total: Int, byteCount: Int)? {
        guard let running else { return nil }
        let keys = data.snapshotProgress
        return (running.start, keys.taken, keys.total, running.saver.byteCount)
    }

    /// Takes the data as it is for what the file holds: after loading it.
    package func noteLoaded(_ engine: borrowing Engine) {
        status.lastSave = time.wallTime.milliseconds / 1000
        status.savedChanges = engine.statistics.changes
    }

    /// Begins a save; throws if one runs.
    package func start(_ engine: borrowing Engine) throws(RDBError) {
        precondition(running == nil, "a save runs")
        lastAttempt = time.monotonicTime
        isScheduled = false
        status.longestSlice = .zero
        do throws(RDBError) {
            running = Running(
                saver: try SnapshotSaver(
                    engine.dataSet,
                    to: settings.name,
                    in: storage,
                    contents(engine),
                    countsAccesses: settings.keepsAccess ? engine.dataSet.countsAccesses : nil,
                    onProgress: onProgress
                ),
                start: time.monotonicTime,
                changes: engine.statistics.changes
            )
        } catch {
            status.lastSucceeded = false
            status.lastFailure = "\(error)"
            throw error
        }
    }

    /// Saves and waits for the disk; throws with what went wrong.
    package func saveNow(_ engine: borrowing Engine) throws(CommandError) {
        if let running { _ = running.saver.finish(engine.dataSet) }
        collect()
        do throws(RDBError) {
            try start(engine)
        } catch {
            throw .text("ERR \(error)")
        }
        guard let running else { return }
        _ = running.saver.finish(engine.dataSet)
        collect()
        guard status.lastSucceeded else { throw .text("ERR \(status.lastFailure)") }
    }

    /// Goes on with what there is to do, for about `budget`; returns whether a save ended.
    package func advance(_ engine: borrowing Engine, budget: Duration) -> Bool {
        guard let running else {
            guard isScheduled || isDue(engine) else { return false }
            try? start(engine)
            return false
        }
        let start = time.monotonicTime
        var now = start
        while running.saver.canAdvance, now - start < budget {
            running.saver.advance(engine.dataSet, 16)
            now = time.monotonicTime
        }
        status.longestSlice = max(status.longestSlice, now - start)
        return collect()
    }

    /// Whether `advance` has something to do at once.
    package var canAdvance: Bool { running?.saver.canAdvance ?? isScheduled }

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

    @discardableResult
    private func collect() -> Bool {
        guard let running, let result = running.saver.result else { return false }
        self.running = nil
        status.lastDuration = time.monotonicTime - running.start
        switch result {
        case .saved(let byteCount):
            status.lastSave = time.wallTime.milliseconds / 1000
            status.lastSucceeded = true
            status.lastByteCount = byteCount
            status.savedChanges = running.changes
            status.saveCount += 1
        case .failed(let reason):
            status.lastSucceeded = false
            status.lastFailure = reason
        case .cancelled:
            break
        }
        return true
    }

    /// What a file says besides the keys, in the order of Valkey's.
    private func contents(_ engine: borrowing Engine) -> SnapshotSaver.Contents {
        var contents = SnapshotSaver.Contents()
        contents.isCompressing = settings.isCompressing
        contents.isWritingChecksum = settings.isWritingChecksum
        contents.functions = engine.functionLibraries
        if let version = settings.forcedVersion, let target = Target(forcedVersion: version) {
            contents.target = target
        } else if engine.dataSet.mayHaveFieldDeadlines {
            contents.target = .valkey9
        }
        contents.auxiliary = [
            ("redis-ver", "7.2.4"),
            ("redis-bits", "64"),
            ("ctime", ByteString("\(time.wallTime.milliseconds / 1000)")),
            ("used-mem", ByteString("\(engine.dataSet.usedByteCount)")),
            ("aof-base", "0"),
        ]
        return contents
    }
}
