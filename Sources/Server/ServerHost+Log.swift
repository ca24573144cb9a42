import AppendLog
import Bytes
import Commands
import Directives
import Larder
import Logging
import Platform
import Transport

// The log: opened, switched on and off, and what its condition means for writes.
extension ServerHost {
    var logDirectory: LogDirectory {
        LogDirectory(
            storage: storage,
            folder: configuration.text("appenddirname"),
            fileName: configuration.text("appendfilename")
        )
    }

    var syncPolicy: SyncPolicy {
        SyncPolicy(rawValue: configuration.text("appendfsync")) ?? .everysec
    }

    private var logCompression: LogCompression {
        LogCompression(rawValue: configuration.text("appendcompression")) ?? .lz4
    }

    /// Opens the log for writing, behind what was recovered from it or as `beginning` says.
    func openLog(
        continuing recovered: RecoveredLog?,
        orBeginning beginning: LogBeginning,
        _ engine: inout Engine
    ) throws(SystemError) {
        var settings = LogSettings()
        settings.syncPolicy = syncPolicy
        settings.compression = logCompression
        let wakeUp = wakeUp
        try storage.lock()
        let opened = try EffectLog(
            continuing: recovered,
            orBeginning: beginning,
            in: logDirectory,
            settings: settings
        ) { wakeUp.signal() }
        warnIfUnstaged(opened)
        log = opened
        engine.effects.isEnabled = true
        engine.effects.selectedDatabase = -1
    }

    private func warnIfUnstaged(_ log: EffectLog) {
        guard let error = log.stageFailure else { return }
        messages.warning(
            """
            Replies to writes have to wait for the log thread, because what they changed \
            cannot be staged: \(error)
            """
        )
    }

    /// CONFIG SET appendcompression, once the turn is over: the log begins a segment for it.
    func followLogForm() {
        guard isLogFormDue, let log else { return }
        isLogFormDue = false
        guard log.change(compression: logCompression) else { return }
        warnIfUnstaged(log)
        messages.notice(
            """
            What is appended to the log from now on is in another form; BGREWRITEAOF replaces \
            what is there
            """
        )
    }

    /// Opens the log at the start, and lets it begin with what was loaded from elsewhere.
    func openLogAfterLoading(_ engine: inout Engine) throws(StartFailure) {
        var beginning = LogBeginning()
        let needsBase = recovered.log == nil && recovered.snapshotName != nil
        do throws(LogError) {
            if needsBase { beginning = try beginningBesideData() }
        } catch {
            throw StartFailure("Bad append log: \(error)")
        }
        do throws(SystemError) {
            try openLog(continuing: recovered.log, orBeginning: beginning, &engine)
        } catch {
            throw StartFailure("Can't open the append log: \(error)")
        }
        guard needsBase else { return }
        do throws(CommandError) {
            try keeper.compactNow(engine)
        } catch {
            throw StartFailure("Can't write the base of the append log: \(error.text)")
        }
    }

    /// How a log begins while there is data that it does not hold.
    ///
    /// Where the data came from a snapshot that knew its place in a stream, the stream goes on
    /// from there, in a history of its own.
    private func beginningBesideData() throws(LogError) -> LogBeginning {
        var beginning = LogBeginning()
        beginning.offset = Int(replicationOffset)
        if !isServing, let id = recovered.replicationID {
            beginning.ancestor = Lineage.Ancestor(id: id, end: beginning.offset)
        }
        beginning.replaced = try logDirectory.loadManifest() ?? Manifest()
        return beginning
    }

    /// CONFIG SET appendonly.
    func followLogSwitch(_ engine: inout Engine) throws(RefusedValue) {
        guard configuration.isOn("appendonly") else { return endLog(&engine) }
        endsLogAfterBase = false
        guard log == nil else { return }
        do throws(LogError) {
            try beginLog(&engine)
        } catch {
            throw RefusedValue("\(error)")
        }
        messages.notice("The append log begins once a base of the data is written")
    }

    /// Opens the log beside data that it does not hold, and has its base written.
    private func beginLog(_ engine: inout Engine) throws(LogError) {
        let beginning = try beginningBesideData()
        do throws(SystemError) {
            try openLog(continuing: nil, orBeginning: beginning, &engine)
        } catch {
            throw .storage(error)
        }
        keeper.isCompactionScheduled = true
    }

    /// BGREWRITEAOF without a log: one begins, and ends as soon as it has its base.
    ///
    /// What it leaves is a directory to start from, or to take to another server.
    func writeBaseAlone(_ engine: inout Engine) throws(CommandError) -> StaticString {
        let isBusy = keeper.isBusy
        do throws(LogError) {
            try beginLog(&engine)
        } catch {
            throw .text("ERR \(error)")
        }
        endsLogAfterBase = true
        return isBusy
            ? "Background append only file rewriting scheduled"
            : "Background append only file rewriting started"
    }

    func endLogOfBaseAlone(_ engine: inout Engine) {
        guard endsLogAfterBase, !keeper.isCompacting, !keeper.isCompactionScheduled else { return }
        endLog(&engine)
    }

    private func endLog(_ engine: inout Engine) {
        guard let log else { return }
        endsLogAfterBase = false
        _ = engine.effects.handOver { log.append(&$0, at: time.monotonicTime) }
        engine.effects.isEnabled = false
        endedLogOffset = log.endOffset
        keeper.cancelCompaction(engine)
        if let error = log.close() {
            messages.warning("The append log could not be ended in good order: \(error)")
        }
        self.log = nil
    }

    package var replicationOffset: Int64 {
        Int64(log?.endOffset ?? endedLogOffset ?? recovered.replicationOffset ?? 0)
    }

    package var durableOffset: Int64? {
        guard let log else { return nil }
        return log.isBeginning ? -1 : Int64(log.durableOffset)
    }

    /// Sees in every turn whether the condition of the log has changed.
    func followLogCondition(_ engine: inout Engine) {
        let isTroubled = log?.isTroubled ?? false
        guard isTroubled != isLogTroubled else { return }
        isLogTroubled = isTroubled
        refuseWritesIfUnsafe(&engine)
    }

    /// Tells LATENCY of syncs that took long.
    func noteSyncs(_ engine: inout Engine) {
        guard engine.measures.latency.threshold > 0, let log else { return }
        let (seconds, attoseconds) = log.takeLongestSync().components
        engine.measures.latency.note(
            syncPolicy == .always ? "aof-fsync-always" : "aof-fsync",
            milliseconds: seconds * 1000 + attoseconds / 1_000_000_000_000_000,
            at: time.wallTime.milliseconds / 1000
        )
    }

    /// Refuses writes while what they change could not be kept.
    func refuseWritesIfUnsafe(_ engine: inout Engine) {
        let reason = reasonToRefuseWrites
        guard reason != refusal else { return }
        refusal = reason
        engine.refuseWrites(reason)
        if let reason {
            messages.warning("Writes are refused from now on: \(reason)")
        } else {
            messages.notice("Writes are taken again")
        }
    }

    private var reasonToRefuseWrites: String? {
        switch log?.condition {
        case nil, .writable, .beginning: break
        case .full(let error), .failed(let error):
            return "MISCONF Errors writing to the AOF file: \(error.reason)"
        }
        let stopsWrites =
            configuration.isOn("stop-writes-on-bgsave-error")
            && !keeper.status.lastSucceeded && !configuration.savePoints.isEmpty
        guard stopsWrites else { return nil }
        return "MISCONF Larder is configured to save RDB snapshots, but it's currently unable to "
            + "persist to disk. Commands that may modify the data set are disabled, because this "
            + "instance is configured to report errors during writes if RDB snapshotting fails "
            + "(stop-writes-on-bgsave-error option). Please check the Larder logs for details "
            + "about the RDB error."
    }
}

extension Recovery.Outcome {
    /// The place in a stream that the snapshot file says it stands for.
    var replicationID: ReplicationID? {
        auxiliary["repl-id"].flatMap { ReplicationID(text: $0.text[...]) }
    }

    var replicationOffset: StreamOffset? {
        auxiliary["repl-offset"].flatMap { StreamOffset($0.text) }.flatMap { $0 >= 0 ? $0 : nil }
    }
}
