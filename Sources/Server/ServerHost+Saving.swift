import AppendLog
import Bytes
import Commands
import Directives
import Glibc
import Larder
import Logging
import Platform
import Store

// SAVE, BGSAVE, BGREWRITEAOF, DEBUG RELOAD, and what the loop does for them between requests.
extension ServerHost {
    package func save(_ engine: inout Engine) throws(CommandError) {
        guard !keeper.isSaving else { throw .text("ERR Background save already in progress") }
        do throws(CommandError) {
            try keeper.saveNow(engine)
        } catch {
            messages.warning("Error saving DB on disk: \(error.text)")
            // Why is in the log; a client gets the bare error, as from Valkey.
            throw .text("ERR")
        }
        messages.notice("DB saved on disk")
    }

    package func saveFlushed(_ engine: inout Engine) {
        guard isServing, !keeper.settings.savePoints.isEmpty else { return }
        do throws(CommandError) {
            try keeper.saveInstead(engine)
        } catch {
            messages.warning("Error saving DB on disk: \(error.text)")
        }
    }

    package func startSave(
        _ engine: inout Engine,
        schedule: Bool
    ) throws(CommandError) -> StaticString {
        if keeper.isSaving { throw .text("ERR Background save already in progress") }
        if keeper.isBusy {
            guard schedule else {
                throw .text(
                    "ERR Another child process is active (AOF?): can't BGSAVE right now. "
                        + "Use BGSAVE SCHEDULE in order to schedule a BGSAVE whenever possible."
                )
            }
            keeper.isScheduled = true
            return "Background saving scheduled"
        }
        keeper.isScheduled = true
        messages.notice("Background saving started")
        return "Background saving started"
    }

    package func cancelSave(_ engine: inout Engine) throws(CommandError) -> StaticString {
        if keeper.isSaving {
            messages.notice("Background saving will be aborted due to user request")
            keeper.cancel(engine)
            return "Background saving cancelled"
        }
        guard keeper.isScheduled else {
            throw .text("ERR Background saving is currently not in progress or scheduled")
        }
        keeper.isScheduled = false
        return "Scheduled background saving cancelled"
    }

    package func startCompaction(_ engine: inout Engine) throws(CommandError) -> StaticString {
        guard log != nil else { return try writeBaseAlone(&engine) }
        guard !keeper.isCompacting, !keeper.isCompactionScheduled else {
            throw .text("ERR Background append only file rewriting already in progress")
        }
        if let reason = keeper.reasonNotToCompact(engine) { throw .text("ERR \(reason)") }
        let isBusy = keeper.isBusy
        keeper.isCompactionScheduled = true
        return isBusy
            ? "Background append only file rewriting scheduled"
            : "Background append only file rewriting started"
    }

    package var lastSave: Int64 { keeper.status.lastSave }

    package func reload(
        _ engine: inout Engine,
        _ request: ReloadRequest
    ) throws(CommandError) {
        guard isServing else { throw .text("LOADING Larder is loading the dataset in memory") }
        if request.saves { try save(&engine) }
        if request.flushes {
            for number in 0..<engine.dataSet.databaseCount { engine.dataSet[number].removeAll() }
            engine.functionLibraries.removeAll()
            engine.moduleData.removeAll()
        }
        var recovery = Recovery(storage: storage)
        recovery.snapshotName = configuration.text("dbfilename")
        recovery.keepsModules = engine.settings.keepsModules
        do throws(Recovery.Failure) {
            _ = try recovery.run(&engine)
        } catch {
            messages.warning("\(error)")
            throw .text("ERR Error trying to load the RDB dump, check server logs.")
        }
        // The log ends in the data set as it was before. What this turn has changed so far is
        // in the base, and must not be replayed on top of it.
        if let log, !request.saves {
            _ = engine.effects.handOver { log.append(&$0, at: time.monotonicTime) }
            engine.effects.selectedDatabase = -1
            try keeper.compactNow(engine)
        }
        messages.warning("DB reloaded by DEBUG RELOAD")
    }

    package func reloadLog(_ engine: inout Engine) throws(CommandError) {
        guard isServing, let log else {
            throw .text("ERR Error trying to load the AOF files, check server logs.")
        }
        let begin = time.monotonicTime
        _ = engine.effects.handOver { log.append(&$0, at: begin) }
        engine.effects.selectedDatabase = -1
        let outcome = log.withFilesAtRest { replayLog(into: &engine) }
        guard let outcome else {
            throw .text("ERR the append log cannot be loaded while it is not written: see INFO")
        }
        report(outcome, after: time.monotonicTime - begin)
        messages.notice("Append Only File loaded by DEBUG LOADAOF")
    }

    /// Puts what the log holds in the place of the data.
    ///
    /// Ends the program if that fails, as at a start: half of the data must not go on, and
    /// become the base of the log one day.
    private func replayLog(into engine: inout Engine) -> Recovery.Outcome {
        var recovery = Recovery(storage: storage)
        recovery.log = logDirectory
        recovery.cutsTornTail = false
        recovery.keepsModules = engine.settings.keepsModules
        do throws(Recovery.Failure) {
            return try engine.replaceData { engine throws(Recovery.Failure) in
                try recovery.run(&engine)
            }
        } catch {
            messages.critical("DEBUG LOADAOF: \(error.startText)")
            _ = log?.close()
            exit(1)
        }
    }

    /// Goes on with what runs in the background; once a turn, when the log has all effects.
    ///
    /// Whether a save is due is only looked at in turns in which `keepHouse` worked.
    func advanceSaving(_ engine: borrowing Engine, hadEvents: Bool, keptHouse: Bool) {
        followLogForm()
        guard keptHouse || keeper.isActive else { return }
        let wasSaving = keeper.isSaving
        let savesBefore = keeper.status.saveCount
        let failureBefore = keeper.status.lastCompactionFailure
        if keeper.isBusy {
            let start = time.monotonicTime
            let slice = savePace.slice(at: start, hadEvents: hadEvents)
            keeper.advance(engine, budget: slice)
            if slice > .zero { savePace.note(time.monotonicTime - start) }
        } else {
            savePace = SavePace()
            keeper.advance(engine, budget: .zero)
        }
        let failure = keeper.status.lastCompactionFailure
        if failure != failureBefore, !failure.isEmpty {
            messages.warning("The append log could not be compacted: \(failure)")
        }
        guard wasSaving, !keeper.isSaving else { return }
        if keeper.status.saveCount > savesBefore {
            messages.notice("Background saving terminated with success")
        } else if !keeper.status.lastSucceeded {
            messages.warning("Background saving error: \(keeper.status.lastFailure)")
        }
    }

    /// What has to be looked at ten times a second.
    func keepHouse(_ engine: inout Engine, now: MonotonicTime) {
        statistics.requests.sample(statistics.traffic.requestCount, at: now)
        statistics.received.sample(statistics.traffic.receivedByteCount, at: now)
        statistics.sent.sample(statistics.traffic.sentByteCount, at: now)
        statistics.turnRate.sample(statistics.turns.count, at: now)
        statistics.turnTime.sample(Int64(statistics.turns.ticks), at: now)
        learnTicks(&engine)
        let other = engine.dataSet.otherByteCount(mallocByteCount: ProcessHeap.usedByteCount)
        engine.settings.otherMemory = other
        statistics.peakByteCount = max(
            statistics.peakByteCount,
            engine.dataSet.usedByteCount + other
        )
        refuseWritesIfUnsafe(&engine)
        noteSyncs(&engine)
        log?.tidy()
        endLogOfBaseAlone(&engine)
    }
}

extension Configuration {
    /// After how many seconds and with how many changes a save begins.
    var savePoints: [SaveKeeper.SavePoint] {
        let numbers = words("save").compactMap { Int64($0) }
        return stride(from: 0, to: numbers.count - 1, by: 2).map {
            SaveKeeper.SavePoint(seconds: numbers[$0], changes: numbers[$0 + 1])
        }
    }
}
