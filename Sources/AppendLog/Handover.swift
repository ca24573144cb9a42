import Bytes
import Platform
import Synchronization

/// What the core, the log thread and the sync thread know together.
final class Handover: Sendable {
    private let monitor: Monitor<State>
    private let acknowledged: Atomic<StreamOffset>
    private let durable: Atomic<StreamOffset>
    private let time: any TimeSource
    private let onProgress: @Sendable () -> Void

    struct State: ~Copyable {
        /// Appended, not yet taken by the log thread.
        var pending = ByteWriter()
        /// Places in `pending` at which a new segment begins.
        var segmentStarts: [Int] = []
        /// How much of the stream the log thread has written to files.
        var written: StreamOffset
        /// How much of it is durable.
        var durable: StreamOffset
        /// How much is neither written nor forgotten.
        var pendingEnd: StreamOffset
        /// The file to sync for `written` to become durable.
        var unsyncedFile: (any StorageFile)?
        /// When the oldest byte that is written but not durable was written.
        var unsyncedSince: MonotonicTime?
        var policy: SyncPolicy
        var failure: SystemError?
        var isClosing = false
    }

    /// What the log thread has to write.
    struct Batch: ~Copyable {
        var bytes: ByteWriter
        var segmentStarts: [Int]
        var policy: SyncPolicy
    }

    /// A power cut undoes acknowledged writes of at most this long under `everysec`.
    static let loss = Duration.seconds(1)
    /// Under `everysec` a byte waits this long for its sync to begin.
    ///
    /// Half of `loss`: the sync itself takes time, too, and the promise covers both.
    static let syncDelay = Duration.milliseconds(500)

    init(
        offset: StreamOffset,
        policy: SyncPolicy,
        time: any TimeSource,
        onProgress: @escaping @Sendable () -> Void
    ) {
        monitor = Monitor(
            State(written: offset, durable: offset, pendingEnd: offset, policy: policy)
        )
        acknowledged = Atomic(offset)
        durable = Atomic(offset)
        self.time = time
        self.onProgress = onProgress
    }

    var acknowledgedOffset: StreamOffset { acknowledged.load(ordering: .acquiring) }

    var durableOffset: StreamOffset { durable.load(ordering: .acquiring) }

    var failure: SystemError? { monitor.withLock { $0.failure } }

    /// Bytes appended that are not durable yet.
    var pendingByteCount: Int { monitor.withLock { $0.pendingEnd - $0.durable } }

    /// Takes over the bytes of `batch` and leaves it empty.
    func append(_ batch: inout ByteWriter, startsSegment: Bool) {
        monitor.update { state in
            if startsSegment { state.segmentStarts.append(state.pending.count) }
            state.pendingEnd += batch.count
            if state.pending.isEmpty {
                swap(&state.pending, &batch)
            } else {
                state.pending.append(batch.bytes)
                batch.removeAll(keepingCapacityUpTo: 4 << 20)
            }
        }
    }

    func change(policy: SyncPolicy) {
        monitor.update { $0.policy = policy }
    }

    func requestClose() {
        monitor.update { $0.isClosing = true }
    }

    /// Waits for something to write and exchanges it for `spare`; false at the end.
    func take(_ spare: inout Batch) -> Bool {
        spare.bytes.removeAll(keepingCapacityUpTo: 4 << 20)
        return monitor.wait { state, _ in
            guard state.failure == nil else { return state.isClosing ? false : nil }
            guard !state.pending.isEmpty else { return state.isClosing ? false : nil }
            swap(&state.pending, &spare.bytes)
            spare.segmentStarts = state.segmentStarts
            state.segmentStarts = []
            spare.policy = state.policy
            return true
        }
    }

    /// Tells how far the log thread has come.
    func wrote(_ written: StreamOffset, durable: StreamOffset, file: any StorageFile) {
        let now = time.monotonicTime
        monitor.update { state in
            state.written = written
            state.durable = max(state.durable, durable)
            if state.durable < written {
                state.unsyncedFile = file
                if state.unsyncedSince == nil { state.unsyncedSince = now }
            } else {
                state.unsyncedFile = nil
                state.unsyncedSince = nil
            }
            publish(state, now)
        }
        onProgress()
    }

    func failed(_ error: SystemError) {
        monitor.update { state in
            if state.failure == nil { state.failure = error }
        }
        onProgress()
    }

    /// Waits for the moment to sync what is written; nil at the end.
    func awaitSync() -> (file: any StorageFile, offset: StreamOffset)? {
        monitor.wait { state, deadline in
            if state.isClosing || state.failure != nil { return .some(nil) }
            guard state.policy == .everysec, let file = state.unsyncedFile,
                let since = state.unsyncedSince
            else { return nil }
            let due = since + Handover.syncDelay
            guard time.monotonicTime >= due else {
                deadline = due
                return nil
            }
            return (file, state.written)
        }
    }

    /// Notes a sync of everything before `offset` that began at `start`.
    func synced(_ offset: StreamOffset, begun start: MonotonicTime) {
        let now = time.monotonicTime
        monitor.update { state in
            state.durable = max(state.durable, offset)
            if state.written > state.durable {
                state.unsyncedSince = start
            } else {
                state.unsyncedSince = nil
                state.unsyncedFile = nil
            }
            publish(state, now)
        }
        onProgress()
    }

    private func publish(_ state: borrowing State, _ now: MonotonicTime) {
        durable.store(state.durable, ordering: .releasing)
        switch state.policy {
        case .always:
            acknowledged.store(state.durable, ordering: .releasing)
        case .no:
            acknowledged.store(state.written, ordering: .releasing)
        case .everysec:
            // The disk is behind. Whoever got an answer now could lose more than a second of
            // answered writes to a power cut, so answers stop until the disk has caught up.
            if let since = state.unsyncedSince, now - since > Handover.loss { return }
            acknowledged.store(state.written, ordering: .releasing)
        }
    }
}
