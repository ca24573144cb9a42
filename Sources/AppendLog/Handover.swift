import Bytes
import Platform
import Synchronization

/// What the core and the threads of the log know together.
///
/// The core appends here and looks at offsets; the log thread takes batches and says how far
/// it has written; the sync thread asks when to sync; the keeper asks what to seal and what
/// to publish. Nobody holds the lock while the disk works.
final class Handover: Sendable {
    let monitor: Monitor<State>
    let time: any TimeSource
    private let acknowledged: Atomic<StreamOffset>
    private let durable: Atomic<StreamOffset>
    private let settled: Atomic<StreamOffset>
    /// Until when staged writes may be answered, in nanoseconds.
    private let stagingLimit: Atomic<Int64>
    private let isTroubled: Atomic<Bool>
    /// Whether the core wants to know of the next progress.
    private let isAwaited = Atomic(false)
    private let onProgress: @Sendable () -> Void

    struct State: ~Copyable {
        /// Appended, not yet taken by the log thread.
        var pending = ByteWriter()
        /// Where `pending` begins in the stream.
        var pendingStart: StreamOffset
        /// When the first of it came.
        var pendingSince = MonotonicTime(nanoseconds: 0)
        /// Whether somebody waits for it to be written.
        var isUrgent = false
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
        /// Whether complete segments are sealed.
        var seals: Bool
        /// Whether the keeper is at work on the files.
        var isKeeping = false
        /// Whether the files have to stay as they are.
        var isHeld = false
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
        var isCut = false
        /// The form of this segment and those after it, if another one was chosen.
        var compression: LogCompression?
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

    /// Where the threads wait.
    enum Room {
        static let writer = 0
        static let syncer = 1
        static let keeper = 2
        static let core = 3
        static let count = 4
    }

    /// How often a full disk is asked for room.
    static let roomDelay = Duration.milliseconds(250)
    /// How often the core looks, when it waits for the other threads.
    static let lookDelay = Duration.milliseconds(1)
    /// Staged effects are written when they are so old, many turns of them in one block.
    static let writeDelay = Duration.milliseconds(50)
    /// Or when there are so many.
    static let writeByteCount = 256 << 10

    init(
        progress: LogProgress,
        completed: [Manifest.Entry],
        sizes: LogSizes,
        seals: Bool,
        time: any TimeSource,
        onProgress: @escaping @Sendable () -> Void
    ) {
        let offset = progress.written
        monitor = Monitor(
            State(
                pendingStart: offset,
                startOffset: offset,
                progress: progress,
                completed: completed.map { Completed(entry: $0, end: offset) },
                seals: seals,
                sizes: sizes
            ),
            roomCount: Room.count
        )
        acknowledged = Atomic(offset)
        durable = Atomic(offset)
        settled = Atomic(offset)
        stagingLimit = Atomic(progress.stagingLimit?.nanoseconds ?? .min)
        isTroubled = Atomic(progress.condition != .writable)
        self.time = time
        self.onProgress = onProgress
    }

    /// Changes the state, publishes what the core looks at, and wakes whoever waits.
    func progress(waking rooms: [Int] = [], _ body: (inout State) -> Void) {
        var hasTurned = false
        monitor.withLock { state in
            let before = state.progress.condition
            body(&state)
            publish(state.progress)
            hasTurned = state.progress.condition != before || state.outcome != nil
        }
        for room in rooms { monitor.wake(room) }
        if isAwaited.exchange(false, ordering: .sequentiallyConsistent) || hasTurned {
            onProgress()
        }
    }

    private func publish(_ progress: borrowing LogProgress) {
        settled.store(progress.settled, ordering: .releasing)
        durable.store(progress.durable, ordering: .releasing)
        stagingLimit.store(
            progress.stagingLimit?.nanoseconds ?? .min,
            ordering: .releasing
        )
        isTroubled.store(progress.condition != .writable, ordering: .releasing)
        acknowledged.store(progress.acknowledged, ordering: .sequentiallyConsistent)
    }
}

// What the core does.
extension Handover {
    var acknowledgedOffset: StreamOffset { acknowledged.load(ordering: .sequentiallyConsistent) }

    var durableOffset: StreamOffset { durable.load(ordering: .acquiring) }

    var settledOffset: StreamOffset { settled.load(ordering: .acquiring) }

    /// Whether a staged write may be answered at `now`.
    func allowsStaging(at now: MonotonicTime) -> Bool {
        now.nanoseconds <= stagingLimit.load(ordering: .acquiring)
    }

    var isInTrouble: Bool { isTroubled.load(ordering: .acquiring) }

    var condition: LogCondition {
        guard isInTrouble else { return .writable }
        return monitor.withLock { $0.progress.condition }
    }

    /// Asks for `onProgress` after the next progress.
    func expectProgress() {
        isAwaited.store(true, ordering: .sequentiallyConsistent)
    }

    /// Takes over the bytes of `batch` and leaves it empty.
    ///
    /// What is not urgent waits a little for more.
    func append(
        _ batch: inout ByteWriter,
        startsSegment: Bool,
        isUrgent: Bool,
        at now: MonotonicTime
    ) {
        let wakes = monitor.withLock { state in
            if startsSegment {
                state.starts.append(SegmentStart(position: state.pending.count))
            }
            let isFirst = state.pending.isEmpty
            if isFirst {
                state.pendingSince = now
                swap(&state.pending, &batch)
            } else {
                state.pending.append(batch.bytes)
                batch.removeAll(keepingCapacityUpTo: 4 << 20)
            }
            state.progress.appended(state.pendingStart + state.pending.count, at: now)
            stagingLimit.store(
                state.progress.stagingLimit?.nanoseconds ?? .min,
                ordering: .releasing
            )
            let wasUrgent = state.isUrgent
            state.isUrgent =
                wasUrgent || isUrgent || state.pending.count >= Handover.writeByteCount
            return isFirst || state.isUrgent && !wasUrgent
        }
        if wakes { monitor.wake(Room.writer) }
    }

    /// Begins a new segment at the end of what was appended.
    func cut() {
        monitor.withLock { state in
            state.cutSegment = nil
            state.publication = nil
            state.outcome = nil
            state.starts.append(SegmentStart(position: state.pending.count, isCut: true))
            state.isUrgent = true
        }
        monitor.wake(Room.writer)
    }

    /// Begins a new segment in another form at the end of what was appended.
    func change(_ compression: LogCompression, seals: Bool) {
        monitor.update { state in
            let position = state.pending.count
            state.starts.append(SegmentStart(position: position, compression: compression))
            state.seals = seals
            state.isUrgent = true
        }
    }

    /// Waits until everything appended is in files and no thread changes those; false if that
    /// cannot be for now, since the disk is full or has failed.
    ///
    /// Then they stay as they are until `releaseFiles`, unless more is appended.
    func holdFiles() -> Bool {
        monitor.update { state in
            state.isHeld = true
            state.isUrgent = true
        }
        return monitor.wait(in: Room.core) { state, deadline in
            guard state.progress.condition == .writable else { return false }
            if state.progress.isAllWritten, state.starts.isEmpty, !state.isKeeping { return true }
            deadline = time.monotonicTime + Handover.lookDelay
            return nil
        }
    }

    func releaseFiles() {
        monitor.update { $0.isHeld = false }
    }

    func publish(_ publication: Publication) {
        monitor.withLock { $0.publication = publication }
        monitor.wake(Room.keeper)
    }

    func change(policy: SyncPolicy) {
        progress(waking: [Room.writer, Room.syncer]) { state in
            state.progress.change(policy: policy, at: time.monotonicTime)
            state.isUrgent = true
            // What is written already has no batch behind it that would sync it.
            if policy == .always { state.isSyncRequested = true }
        }
    }

    func requestSync() {
        monitor.update { state in
            state.isSyncRequested = true
            state.isUrgent = true
        }
    }

    func requestClose() {
        monitor.update { $0.isClosing = true }
    }

    var isClosing: Bool { monitor.withLock { $0.isClosing } }

    func takeLongestSync() -> Duration {
        monitor.withLock { $0.statistics.takeRecent() }
    }

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

    /// How much of the stream is in files.
    var writtenOffset: StreamOffset { monitor.withLock { $0.progress.written } }

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
