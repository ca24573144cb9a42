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
package final class EffectLog {
    private let handover: Handover
    private let threads: [WorkerThread]
    private let segmentByteCount: Int
    private var segmentStart: StreamOffset
    private var isClosed = false

    /// The history that the offsets count in.
    package let lineage: Lineage
    /// How much of the stream was appended.
    package private(set) var endOffset: StreamOffset

    /// Continues a log, or begins one if `recovered` is nil.
    ///
    /// When this returns, whatever a crash left is repaired and a new segment is on disk.
    /// `onProgress` runs on the log's threads whenever an offset or the condition has changed;
    /// it should wake the core and do nothing else.
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
            time: time,
            generator: &generator
        )
        lineage = writer.lineage
        endOffset = writer.offset
        segmentStart = writer.offset
        segmentByteCount = settings.segmentByteCount
        let handover = Handover(
            offset: writer.offset,
            policy: settings.syncPolicy,
            time: time,
            onProgress: onProgress
        )
        let thread = LogThread(writer, handover, time)
        self.handover = handover
        threads = [
            try WorkerThread("log") { thread.write() },
            try WorkerThread("log-sync") { thread.sync() },
        ]
    }

    deinit {
        precondition(isClosed, "a log must be closed before it goes away")
    }

    /// Whether the next batch begins a segment.
    ///
    /// Its first effect must then be a SELECT, because readers start each file in database 0.
    package var startsSegment: Bool {
        endOffset == segmentStart || endOffset - segmentStart >= segmentByteCount
    }

    /// Hands a turn's effects over: whole requests, and whole transactions.
    ///
    /// Returns where the stream ends after them. `batch` is empty afterwards and can be filled
    /// again at once.
    package func append(_ batch: inout ByteWriter) -> StreamOffset {
        guard !batch.isEmpty else { return endOffset }
        let startsSegment = endOffset - segmentStart >= segmentByteCount
        if startsSegment { segmentStart = endOffset }
        endOffset += batch.count
        handover.append(&batch, startsSegment: startsSegment)
        return endOffset
    }

    /// Replies to writes that end at or before this offset may leave.
    ///
    /// Under `always` they are safe from a power cut, else from the death of the process.
    package var acknowledgedOffset: StreamOffset { handover.acknowledgedOffset }

    /// How much of the stream is safe from a power cut.
    package var durableOffset: StreamOffset { handover.durableOffset }

    /// Bytes of the stream that a power cut would lose now.
    package var pendingByteCount: Int { endOffset - durableOffset }

    /// Why writes must be refused; nil while all is well.
    package var failure: SystemError? { handover.failure }

    /// `CONFIG SET appendfsync`.
    package func change(syncPolicy: SyncPolicy) {
        handover.change(policy: syncPolicy)
    }

    /// Writes and syncs all that was appended, and ends the log in good order.
    package func close() {
        guard !isClosed else { return }
        isClosed = true
        handover.requestClose()
        for thread in threads { thread.join() }
    }
}
