import Bytes
import Platform
import Synchronization

/// What the core and the threads of the log know together.
///
/// The core appends here and looks at offsets; the log thread takes batches and says how far
/// it has written; the sync thread asks when to sync; the keeper asks what to seal and what
/// to publish. Nobody holds the lock while the disk works.
final class Handover: Sendable {
    private let monitor: Monitor<State>
    private let acknowledged: Atomic<StreamOffset>
    private let durable: Atomic<StreamOffset>
    private let time: any TimeSource
    private let onProgress: @Sendable () -> Void

    private struct State: ~Copyable {
        /// Appended, not yet taken by the log thread.
        var pending = ByteWriter()
        /// Where `pending` begins in the stream.
        var pendingStart: StreamOffset
        /// Places in `pending` at which a new segment begins.
        var starts: [SegmentStart] = []
        /// Where this run of the log began.
        let startOffset: StreamOffset
        var progress: LogProgress
        /// What to sync for all that is written to become durable.
        var unsyncedFiles: [any StorageFile] = []
        var isSyncRequested = false
        /// When to ask a full disk for room again.
        var roomTime: MonotonicTime?
        /// Segments that are complete, oldest first, and where they end.
        var completed: [Completed]
        /// The segment that the last cut began, once it has.
        var cutSegment: Manifest.Entry?
        var publication: Publication?
        var outcome: Compaction.Outcome?
        var lastSealError: SystemError?
        /// Bytes written to files since the start.
        var fileByteCount = 0
        var sizes: LogSizes
        var statistics = SyncStatistics()
        var isClosing = false
    }

    /// A place in a batch at which a new segment begins.
    struct SegmentStart: Equatable {
        var position: Int
        /// Whether a base is going to stand for everything before it.
        var isCut: Bool
    }

    struct Completed: Equatable {
        var entry: Manifest.Entry
        var end: StreamOffset
    }

    /// What the log thread has to write.
    struct Batch: ~Copyable {
        var bytes = ByteWriter()
        var start: StreamOffset = 0
        var segmentStarts: [SegmentStart] = []
        var policy = SyncPolicy.everysec

        var end: StreamOffset { start + bytes.count }
    }

    /// What the log thread has to do.
    enum Work {
        case write
        /// See whether the disk has room again.
        case checkRoom
        case close
    }

    /// What the sync thread has to do.
    struct SyncWork {
        var files: [any StorageFile]
        var offset: StreamOffset
        var begun: MonotonicTime
    }

    /// A finished base, waiting to replace what it stands for.
    struct Publication: Equatable {
        var temporaryPath: String
        var position: Manifest.Position
    }

    /// What the keeper has to do.
    enum Keeping: Equatable {
        case publish(Publication, before: Manifest.Entry)
        case seal(Manifest.Entry)
    }

    /// How often a full disk is asked for room.
    static let roomDelay = Duration.milliseconds(250)

    init(
        offset: StreamOffset,
        policy: SyncPolicy,
        completed: [Manifest.Entry],
        sizes: LogSizes,
        time: any TimeSource,
        onProgress: @escaping @Sendable () -> Void
    ) {
        monitor = Monitor(
            State(
                pendingStart: offset,
                startOffset: offset,
                progress: LogProgress(offset: offset, policy: policy),
                completed: completed.map { Completed(entry: $0, end: offset) },
                sizes: sizes
            )
        )
        acknowledged = Atomic(offset)
        durable = Atomic(offset)
        self.time = time
        self.onProgress = onProgress
    }

    /// Changes the state, publishes the offsets and wakes whoever waits.
    private func progress(_ body: (inout State) -> Void) {
        monitor.update { state in
            body(&state)
            durable.store(state.progress.durable, ordering: .releasing)
            acknowledged.store(state.progress.acknowledged, ordering: .releasing)
        }
        onProgress()
    }
}

// What the core does.
extension Handover {
    var acknowledgedOffset: StreamOffset { acknowledged.load(ordering: .acquiring) }

    var durableOffset: StreamOffset { durable.load(ordering: .acquiring) }

    var condition: LogCondition { monitor.withLock { $0.progress.condition } }

    /// Takes over the bytes of `batch` and leaves it empty.
    func append(_ batch: inout ByteWriter, startsSegment: Bool) {
        monitor.update { state in
            if startsSegment {
                state.starts.append(
                    SegmentStart(position: state.pending.count, isCut: false)
                )
            }
            if state.pending.isEmpty {
                swap(&state.pending, &batch)
            } else {
                state.pending.append(batch.bytes)
                batch.removeAll(keepingCapacityUpTo: 4 << 20)
            }
        }
    }

    /// Begins a new segment at the end of what was appended.
    func cut() {
        monitor.update { state in
            state.cutSegment = nil
            state.publication = nil
            state.outcome = nil
            state.starts.append(SegmentStart(position: state.pending.count, isCut: true))
        }
    }

    func publish(_ publication: Publication) {
        monitor.update { $0.publication = publication }
    }

    func change(policy: SyncPolicy) {
        progress { $0.progress.change(policy: policy, at: time.monotonicTime) }
    }

    func requestSync() {
        monitor.update { $0.isSyncRequested = true }
    }

    func requestClose() {
        monitor.update { $0.isClosing = true }
    }

    var isClosing: Bool { monitor.withLock { $0.isClosing } }

    func takeOutcome() -> Compaction.Outcome? {
        monitor.withLock { state in
            defer { state.outcome = nil }
            return state.outcome
        }
    }

    func growth(endOffset: StreamOffset) -> LogGrowth {
        monitor.withLock { state in
            LogGrowth(
                baseByteCount: state.sizes.base,
                totalByteCount: state.sizes.total,
                streamByteCount: endOffset - state.sizes.baseOffset
            )
        }
    }

    func statistics(endOffset: StreamOffset) -> LogStatistics {
        let growth = growth(endOffset: endOffset)
        return monitor.withLock { state in
            LogStatistics(
                endOffset: endOffset,
                writtenOffset: state.progress.written,
                durableOffset: state.progress.durable,
                bufferedByteCount: endOffset - state.progress.written,
                condition: state.progress.condition,
                growth: growth,
                segmentCount: state.sizes.increments.count + 1,
                streamByteCount: state.progress.written - state.startOffset,
                fileByteCount: state.fileByteCount,
                syncs: state.statistics,
                lastSealError: state.lastSealError.map { "\($0)" }
            )
        }
    }
}

// What the log thread does.
extension Handover {
    /// Waits for something to do; what is to be written is exchanged for `batch`.
    func take(_ batch: inout Batch) -> Work {
        batch.bytes.removeAll(keepingCapacityUpTo: 4 << 20)
        return monitor.wait { state, deadline in
            if !state.pending.isEmpty || !state.starts.isEmpty {
                swap(&state.pending, &batch.bytes)
                batch.start = state.pendingStart
                batch.segmentStarts = state.starts
                batch.policy = state.progress.policy
                state.pendingStart += batch.bytes.count
                state.starts = []
                return .write
            }
            if state.isClosing { return .close }
            if case .full = state.progress.condition {
                let now = time.monotonicTime
                let next = state.roomTime ?? now + Handover.roomDelay
                state.roomTime = now < next ? next : nil
                if now >= next { return .checkRoom }
                deadline = next
            }
            return nil
        }
    }

    /// Waits a little before a full disk is tried again; false if the log is to be closed.
    func pause() -> Bool {
        let end = time.monotonicTime + Handover.roomDelay
        return monitor.wait { state, deadline in
            if state.isClosing { return false }
            guard time.monotonicTime < end else { return true }
            deadline = end
            return nil
        }
    }

    /// Whether a segment begun at `offset` can still be written.
    func isBeyondDoubt(_ offset: StreamOffset) -> Bool {
        monitor.withLock { $0.progress.isBeyondDoubt(offset) }
    }

    /// Waits until the sync thread has no sync under way.
    ///
    /// A failed sync is told to one caller only. Would both sync at once, one could be told of
    /// the failure, and the other promise its own clients what was lost.
    func awaitOtherSync() {
        monitor.wait { state, _ in state.progress.isSyncing ? nil : () }
    }

    /// Tells how far the log thread has come.
    func wrote(
        _ offset: StreamOffset,
        durable: StreamOffset,
        _ unsyncedFiles: [any StorageFile],
        segmentByteCount: Int
    ) {
        progress { state in
            state.progress.wrote(offset, durable: durable, at: time.monotonicTime)
            state.unsyncedFiles = unsyncedFiles
            state.fileByteCount += max(0, segmentByteCount - state.sizes.current)
            state.sizes.current = segmentByteCount
        }
    }

    /// A segment is complete, and another one is being written.
    func completed(_ entry: Manifest.Entry, end: StreamOffset, byteCount: Int) {
        monitor.update { state in
            state.completed.append(Completed(entry: entry, end: end))
            state.sizes.increments[entry.sequence] = byteCount
            state.fileByteCount += max(0, byteCount - state.sizes.current)
            state.sizes.current = 0
        }
    }

    func cutMade(_ entry: Manifest.Entry) {
        monitor.update { $0.cutSegment = entry }
    }

    func failed(_ error: SystemError, doubtEnd: StreamOffset) {
        progress { state in
            state.progress.failed(error, doubtEnd: doubtEnd)
            state.unsyncedFiles = []
        }
    }

    func foundFull(_ error: SystemError) {
        progress { $0.progress.foundFull(error) }
    }

    func foundRoom() {
        progress { $0.progress.foundRoom() }
    }
}

// What the thread does that syncs.
extension Handover {
    /// Waits for the moment to sync; nil when the log is closed.
    func awaitSync() -> SyncWork? {
        monitor.wait { state, deadline in
            if state.isClosing { return .some(nil) }
            let now = time.monotonicTime
            guard !state.unsyncedFiles.isEmpty else {
                state.isSyncRequested = false
                return nil
            }
            // Complete segments are synced under any policy: they are sealed next.
            var isDue = state.isSyncRequested || state.unsyncedFiles.count > 1
            switch state.progress.syncTime(at: now) {
            case .now: isDue = true
            case .at(let moment): deadline = moment
            case .never: break
            }
            guard isDue, state.progress.policy != .always else { return nil }
            state.isSyncRequested = false
            state.progress.beginSync()
            return SyncWork(
                files: state.unsyncedFiles,
                offset: state.progress.written,
                begun: now
            )
        }
    }

    func synced(_ work: SyncWork) {
        let now = time.monotonicTime
        progress { state in
            state.progress.synced(work.offset, begun: work.begun, at: now)
            if state.progress.durable == state.progress.written { state.unsyncedFiles = [] }
        }
        noteSync(begun: work.begun)
    }

    /// Counts a sync that ends now.
    func noteSync(begun: MonotonicTime) {
        let duration = time.monotonicTime - begun
        let now = time.wallTime
        monitor.withLock { $0.statistics.note(duration, at: now) }
    }

    func syncFailed(_ error: SystemError, doubtEnd: StreamOffset) {
        monitor.withLock { $0.statistics.noteFailure() }
        failed(error, doubtEnd: doubtEnd)
    }
}

// What the keeper does.
extension Handover {
    /// Waits for something to seal or to publish; nil when the log is closed.
    func awaitKeeping(seals: Bool) -> Keeping? {
        monitor.wait { state, _ in
            if state.isClosing { return .some(nil) }
            if let publication = state.publication, let cutSegment = state.cutSegment {
                state.publication = nil
                return .publish(publication, before: cutSegment)
            }
            guard seals, let oldest = state.completed.first,
                oldest.end <= state.progress.durable
            else { return nil }
            state.completed.removeFirst()
            return .seal(oldest.entry)
        }
    }

    /// A base stands for everything before `cut`.
    func published(_ base: Manifest.Entry, byteCount: Int, before sequence: Int) {
        let now = time.monotonicTime
        progress { state in
            state.progress.published(base.position?.offset ?? 0, at: now)
            state.completed.removeAll { $0.entry.sequence < sequence }
            state.sizes.published(byteCount, before: sequence)
            state.sizes.baseOffset = base.position?.offset ?? 0
            state.outcome = .published
        }
    }

    func keepingFailed(_ work: Keeping, _ error: SystemError) {
        progress { state in
            switch work {
            case .publish: state.outcome = .failed(.storage(error))
            case .seal: state.lastSealError = error
            }
        }
    }

    func sealed(_ entry: Manifest.Entry, byteCount: Int) {
        monitor.withLock { state in
            if state.sizes.increments[entry.sequence] != nil {
                state.sizes.increments[entry.sequence] = byteCount
            }
        }
    }
}
