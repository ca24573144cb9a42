import Bytes
import Platform

/// The log of a running data set: takes what each turn changed and gets it to the disk.
///
/// Belongs to the core thread, which never waits for the disk here: batches are handed to the
/// log thread. A turn looks like this:
///
///     if log.startsSegment { the next effect begins with a SELECT }
///     ... execute requests, append their effects to `batch` ...
///     let end = log.append(&batch)
///     ... a reply to a write leaves when log.acknowledgedOffset >= end, any other at once ...
///
/// Replies to writes wait under every policy, if mostly for microseconds: what is not yet in a
/// file is lost when the process dies, and nothing that was acknowledged may be.
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
    private var segmentStart: StreamOffset
    private var compaction: Compaction?
    private var isClosed = false

    /// The history that the offsets count in.
    package let lineage: Lineage
    /// How much of the stream was appended.
    package private(set) var endOffset: StreamOffset

    /// Continues a log, or begins one if `recovered` is nil.
    ///
    /// When this returns, whatever a crash left is repaired and a new segment is on disk.
    /// `onProgress` runs on the log's threads whenever an offset, the condition or a
    /// compaction has changed; it should wake the core and do nothing else.
    package init(
        continuing recovered: RecoveredLog?,
        in directory: LogDirectory,
        settings: LogSettings = LogSettings(),
        time: any TimeSource = SystemTime(),
        onProgress: @escaping @Sendable () -> Void
    ) throws(SystemError) {
        var generator = SystemRandomNumberGenerator()
        let writer = try LogWriter(
            continuing: recovered,
            in: directory,
            compression: settings.compression,
            time: time,
            generator: &generator
        )
        let current = writer.currentEntry
        let increments = writer.files.manifest.increments.filter { $0 != current }
        let handover = Handover(
            offset: writer.offset,
            policy: settings.syncPolicy,
            completed: increments,
            sizes: try LogSizes(of: writer.files.manifest, in: directory),
            time: time,
            onProgress: onProgress
        )
        let keeper = LogKeeper(
            files: writer.files,
            handover: handover,
            seals: settings.sealsSegments && settings.compression != .no
        )
        self.directory = directory
        self.settings = settings
        self.handover = handover
        lineage = writer.lineage
        endOffset = writer.offset
        segmentStart = writer.offset
        let thread = LogThread(writer, handover, time)
        threads = [
            try WorkerThread("log") { thread.run() },
            try WorkerThread("log-sync") { SyncThread.run(handover) },
            try WorkerThread("log-keeper") {
                WorkerThread.lowerPriority()
                keeper.run()
            },
        ]
    }

    deinit {
        precondition(isClosed, "a log must be closed before it goes away")
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
    package func append(_ batch: inout ByteWriter) -> StreamOffset {
        guard !batch.isEmpty else { return endOffset }
        let startsSegment = endOffset - segmentStart >= settings.segmentByteCount
        if startsSegment { segmentStart = endOffset }
        endOffset += batch.count
        handover.append(&batch, startsSegment: startsSegment)
        return endOffset
    }

    /// Replies to writes that end at or before this offset may leave.
    package var acknowledgedOffset: StreamOffset { handover.acknowledgedOffset }

    /// How much of the stream is safe from a power cut.
    package var durableOffset: StreamOffset { handover.durableOffset }

    /// Whether writes are taken; if not, they are refused with `-MISCONF`.
    package var condition: LogCondition { handover.condition }

    /// Whether the disk is so far behind that writers must wait before they write more.
    ///
    /// The server then stops reading from its clients until `onProgress`; without it a slow
    /// disk would fill the memory.
    package var isBacklogged: Bool {
        endOffset - acknowledgedOffset > settings.backlogByteCount
    }

    /// What INFO says.
    package var statistics: LogStatistics { handover.statistics(endOffset: endOffset) }

    /// How much the log has grown since its base.
    package var growth: LogGrowth { handover.growth(endOffset: endOffset) }

    /// `CONFIG SET appendfsync`.
    package func change(syncPolicy: SyncPolicy) {
        handover.change(policy: syncPolicy)
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
        switch handover.condition {
        case .writable, .full: return nil
        case .failed(let error): return error
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
        return outcome
    }

    /// Whether the disk has room for a base of about `byteCount` beside the log, and then some.
    ///
    /// Old and new lie side by side until the new one is safe.
    package func hasRoomForCompaction(ofAbout byteCount: Int) throws(SystemError) -> Bool {
        let margin = 2 * settings.segmentByteCount
        return try directory.storage.freeByteCount() > byteCount + margin
    }
}

extension LogSizes {
    init(of manifest: Manifest, in directory: LogDirectory) throws(SystemError) {
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
