import Bytes
import Platform

/// The log of a running data set: takes what each turn changed and gets it to the disk.
///
/// Belongs to the core thread, which never waits for the disk here: batches are staged, where
/// the death of the process cannot undo them, and handed to the log thread. A turn looks like
/// this:
///
///     if log.startsSegment { the next effect begins with a SELECT }
///     ... execute requests, append their effects to `batch` ...
///     let end = log.append(&batch, at: now)
///     ... a reply to a write leaves when log.acknowledgedOffset(at: now) >= end, any other at
///     once ...
///
/// Under `everysec` and `no` that is nearly always at once. Where there is no stage, in a log
/// for other servers and while the log thread is far behind, replies to writes wait until it
/// has written them, mostly for microseconds.
///
/// What is promised about acknowledged writes:
/// - `always`: none is lost, whatever happens to the machine;
/// - `everysec`: none is lost when the process dies; a power cut undoes at most one second;
/// - `no`: none is lost when the process dies; a power cut undoes what the kernel kept back.
package final class EffectLog {
    private let handover: Handover
    private let threads: [WorkerThread]
    private let directory: LogDirectory
    private let settings: LogSettings
    private var stage: LogStage?
    /// Whether nothing more is staged, and the stage goes when all of it is in segments.
    private var isStageRetired = false
    private var policy: SyncPolicy
    private var compression: LogCompression
    private var segmentStart: StreamOffset
    private var compaction: Compaction?
    private var isClosed = false
    /// Where the last staged effects end.
    private var stagedOffset: StreamOffset
    /// Whether no base stands for what was there before the log yet.
    package private(set) var isBeginning: Bool
    /// Why there is no stage although there should be one.
    package private(set) var stageFailure: SystemError?

    /// The history that the offsets count in.
    package let lineage: Lineage
    /// How much of the stream was appended.
    package private(set) var endOffset: StreamOffset

    /// Continues a log, or begins one if `recovered` is nil.
    ///
    /// When this returns, whatever a crash left is repaired and a new segment is on disk.
    /// `onProgress` runs on the log's threads whenever the condition or a compaction has
    /// changed, and after `expectProgress` also when an offset has; it should wake the core
    /// and do nothing else.
    package init(
        continuing recovered: RecoveredLog?,
        orBeginning beginning: LogBeginning = LogBeginning(),
        in directory: LogDirectory,
        settings: LogSettings = LogSettings(),
        time: any TimeSource = SystemTime(),
        onProgress: @escaping @Sendable () -> Void
    ) throws(SystemError) {
        var generator = SystemRandomNumberGenerator()
        let writer = try LogWriter(
            continuing: recovered,
            orBeginning: beginning,
            in: directory,
            compression: settings.compression,
            time: time,
            generator: &generator
        )
        (stage, stageFailure) = try EffectLog.openStage(
            in: directory,
            settings,
            writer.lineage.id,
            at: writer.offset
        )
        let current = writer.currentEntry
        let manifest = writer.files.manifest
        isBeginning = beginning.replaced != nil && recovered == nil
        let handover = Handover(
            progress: LogProgress(
                offset: writer.offset,
                policy: settings.syncPolicy,
                isBeginning: isBeginning
            ),
            completed: isBeginning ? [] : manifest.increments.filter { $0 != current },
            sizes: try LogSizes(of: manifest, in: directory, at: writer.offset),
            seals: settings.seals(settings.compression),
            time: time,
            onProgress: onProgress
        )
        let keeper = LogKeeper(files: writer.files, handover: handover)
        self.directory = directory
        self.settings = settings
        self.handover = handover
        policy = settings.syncPolicy
        compression = settings.compression
        lineage = writer.lineage
        endOffset = writer.offset
        stagedOffset = writer.offset
        segmentStart = writer.offset
        let thread = LogThread(writer, handover, time)
        threads = [
            try WorkerThread("log") { thread.run() },
            try WorkerThread("log-sync") { SyncThread.run(handover) },
            try WorkerThread("log-keeper") {
                WorkerThread.lowerPriority(to: .lowest)
                keeper.run()
            },
        ]
    }

    deinit {
        precondition(isClosed, "a log must be closed before it goes away")
    }

    /// The stage, or why there is none.
    ///
    /// A log for other servers has none: they would not look there for what a crash left.
    private static func openStage(
        in directory: LogDirectory,
        _ settings: LogSettings,
        _ id: ReplicationID,
        at offset: StreamOffset
    ) throws(SystemError) -> (LogStage?, SystemError?) {
        guard settings.compression != .no, settings.stagesEffects else {
            try directory.removeStage()
            return (nil, nil)
        }
        do throws(SystemError) {
            return (try LogStage(in: directory, id, at: offset), nil)
        } catch {
            return (nil, error)
        }
    }

    /// Whether the next batch begins a segment.
    ///
    /// Its first effect must then be a SELECT, because readers start each file in database 0.
    package var startsSegment: Bool {
        endOffset == segmentStart || endOffset - segmentStart >= settings.segmentByteCount
    }

    /// Hands a turn's effects over: whole requests, and whole transactions.
    ///
    /// Returns where the stream ends after them. `batch` is empty afterwards and can be filled
    /// again at once.
    package func append(_ batch: inout ByteWriter, at now: MonotonicTime) -> StreamOffset {
        guard !batch.isEmpty else { return endOffset }
        let startsSegment = endOffset - segmentStart >= settings.segmentByteCount
        if startsSegment { segmentStart = endOffset }
        var isStaged = false
        if policy != .always, !isStageRetired, let stage {
            let handover = handover
            isStaged = stage.append(batch.bytes, at: endOffset) { handover.settledOffset }
        }
        endOffset += batch.count
        if isStaged { stagedOffset = endOffset }
        handover.append(&batch, startsSegment: startsSegment, isUrgent: !isStaged, at: now)
        return endOffset
    }

    /// Replies to writes that end at or before this offset may leave.
    package func acknowledgedOffset(at now: MonotonicTime) -> StreamOffset {
        if isBeginning { return endOffset }
        let acknowledged = handover.acknowledgedOffset
        guard stagedOffset > acknowledged, handover.allowsStaging(at: now) else {
            return acknowledged
        }
        return stagedOffset
    }

    /// Asks for `onProgress` when an offset has changed.
    package func expectProgress() {
        handover.expectProgress()
    }

    /// How much of the stream is safe from a power cut.
    package var durableOffset: StreamOffset { handover.durableOffset }

    /// Whether writes are taken; if not, they are refused with `-MISCONF`.
    package var condition: LogCondition { handover.condition }

    /// Whether only a compaction can put the log right.
    package var needsBase: Bool {
        switch condition {
        case .beginning, .failed: true
        case .writable, .full: false
        }
    }

    /// Whether that is anything but `writable`; cheap.
    package var isTroubled: Bool { handover.isInTrouble }

    /// Whether the disk is so far behind that writers must wait before they write more.
    ///
    /// Their requests are then not executed until this is over; without it a slow disk would
    /// fill the memory. Bounds what waits for the log thread, and unless the policy is `no`,
    /// what waits for a sync.
    package var isBacklogged: Bool {
        // Nearly always nothing waits that is worth taking the lock.
        guard endOffset - handover.durableOffset > settings.backlogByteCount else { return false }
        if endOffset - handover.writtenOffset > settings.backlogByteCount { return true }
        return policy != .no && endOffset - handover.durableOffset > settings.unsyncedByteCount
    }

    /// What INFO says.
    package var statistics: LogStatistics {
        var statistics = handover.statistics(endOffset: endOffset)
        statistics.backlogLimit = settings.backlogByteCount
        statistics.unsyncedLimit = settings.unsyncedByteCount
        statistics.hasStage = stage != nil && !isStageRetired
        return statistics
    }

    /// How long the longest sync took since this was asked; zero if there was none.
    package func takeLongestSync() -> Duration { handover.takeLongestSync() }

    /// How much the log has grown since its base.
    package var growth: LogGrowth { handover.growth(endOffset: endOffset) }

    /// `CONFIG SET appendfsync`.
    package func change(syncPolicy: SyncPolicy) {
        policy = syncPolicy
        handover.change(policy: syncPolicy)
    }

    /// `CONFIG SET appendcompression`; to be called between turns.
    ///
    /// What is appended from now on goes to a new segment in that form. The files before it stay
    /// as they are, until a compaction puts a base in their place. Returns whether it is another
    /// form than before.
    package func change(compression: LogCompression) -> Bool {
        guard compression != self.compression else { return false }
        self.compression = compression
        segmentStart = endOffset
        handover.change(compression, seals: settings.seals(compression))
        isStageRetired = compression == .no
        guard compression != .no, stage == nil, settings.stagesEffects else { return true }
        do throws(SystemError) {
            stage = try LogStage(in: directory, lineage.id, at: endOffset)
            stageFailure = nil
        } catch {
            stageFailure = error
        }
        return true
    }

    /// Removes what the log does not need any more; to be called now and then.
    package func tidy() {
        guard isStageRetired, stage != nil, handover.settledOffset >= stagedOffset else { return }
        // If it cannot be removed now, it is tried again.
        guard (try? directory.removeStage()) != nil else { return }
        stage = nil
    }

    /// Runs `body` when all that was appended is in files, which nobody changes meanwhile.
    ///
    /// The core waits for it. Returns nil if the disk is full or has failed.
    package func withFilesAtRest<Result, Failure: Error>(
        _ body: () throws(Failure) -> Result
    ) throws(Failure) -> Result? {
        defer { handover.releaseFiles() }
        return handover.holdFiles() ? try body() : nil
    }

    /// Syncs soon, whatever the policy: somebody waits for `durableOffset` (WAITAOF).
    package func requestSync() {
        handover.requestSync()
    }

    /// Writes and syncs all that was appended, and ends the log in good order.
    ///
    /// Returns what kept it from doing so.
    @discardableResult
    package func close() -> SystemError? {
        guard !isClosed else { return nil }
        isClosed = true
        handover.requestClose()
        for thread in threads { thread.join() }
        if case .failed(let error) = handover.condition { return error }
        do throws(SystemError) {
            try directory.removeStage()
            return nil
        } catch {
            return error
        }
    }
}

extension EffectLog {
    /// Whether a compaction is under way.
    package var isCompacting: Bool { compaction != nil }

    /// Cuts the stream where it ends now; to be called between turns.
    ///
    /// The caller writes a base of the data set as it is at this moment, and then calls
    /// `finishCompaction` or `abandonCompaction`. It may take as long as it likes; the log
    /// goes on. After a failure (`condition`), this is what puts the log right again.
    package func beginCompaction() -> Compaction {
        precondition(compaction == nil, "one compaction at a time")
        let begun = Compaction(
            path: directory.path("\(directory.temporaryPrefix)base"),
            position: Manifest.Position(offset: endOffset, lineage: lineage)
        )
        compaction = begun
        segmentStart = endOffset
        handover.cut()
        return begun
    }

    /// The base is written; it is put in the place of what it stands for.
    ///
    /// `takeCompactionOutcome` tells, after `onProgress`, when that is done.
    package func finishCompaction() {
        guard let compaction else { return }
        handover.publish(
            Handover.Publication(
                temporaryPath: compaction.path,
                position: compaction.position
            )
        )
    }

    /// No base is going to be written.
    package func abandonCompaction() {
        compaction = nil
    }

    /// How the compaction ended; nil while it is under way, and after it was told once.
    package func takeCompactionOutcome() -> Compaction.Outcome? {
        guard compaction != nil, let outcome = handover.takeOutcome() else { return nil }
        compaction = nil
        if outcome == .published { isBeginning = false }
        return outcome
    }

    /// What a compaction takes of the disk, for a base of about `byteCount`, and what there is.
    ///
    /// Old and new lie side by side until the new one is safe, and meanwhile the log goes on.
    package func roomForCompaction(
        ofAbout byteCount: Int
    ) throws(SystemError) -> (needed: Int, free: Int) {
        let margin = SegmentWriter.reserveStep + byteCount / 8
        return (byteCount + margin, try directory.storage.freeByteCount())
    }
}

extension LogSizes {
    init(
        of manifest: Manifest,
        in directory: LogDirectory,
        at offset: StreamOffset
    ) throws(SystemError) {
        if manifest.addsPending {
            baseOffset = offset
            return
        }
        for entry in manifest.filesToRead {
            let path = directory.path(entry.name)
            let byteCount = try directory.storage.open(path, writable: false).byteCount()
            if entry == manifest.base {
                base = byteCount
            } else {
                increments[entry.sequence] = byteCount
            }
        }
        baseOffset = manifest.base?.position?.offset ?? 0
    }
}

extension LogDirectory {
    fileprivate func removeStage() throws(SystemError) {
        if try storage.exists(stagePath) { try storage.remove(stagePath) }
    }
}
