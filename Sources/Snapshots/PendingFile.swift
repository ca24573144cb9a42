import Bytes
import Platform
import RDB

/// Files that become visible only whole, written by a thread of their own.
///
/// The core hands over chunks; `write` finishes them on the other thread: compresses, checksums
/// and writes. What one walk over the data gives can go to several files, which differ in what
/// they say ahead of the keys.
///
/// What waits between the two threads is bounded in three steps:
/// 1. The core asks `isBehind` before it walks on. Only what clients change comes unasked then.
/// 2. When that is more than can be compressed meanwhile, it is written as it is.
/// 3. When the disk takes less than clients change, they have to wait for it: `isOverflowing`.
final class PendingFile: ChunkSink, Sendable {
    /// The thread is woken for so many bytes at a time: waking it costs as much as copying them.
    private static let wakeBound = 256 << 10
    /// More bytes than this waiting for the disk mean that it is behind.
    private static let bound = 4 << 20
    /// More than this, that there is no time to compress.
    private static let hurryBound = 8 << 20
    /// More than this are not to wait.
    private static let overflowBound = 32 << 20
    /// Memory that is kept for the next chunks: so many, of up to so many bytes.
    private static let spareCount = 64
    private static let spareByteCount = 256 << 10

    private let files: [SnapshotSaver.File]
    private let isWritingChecksum: Bool
    private let storage: any Storage
    private let onProgress: @Sendable () -> Void
    private let monitor = Monitor(State())

    private struct State: ~Copyable {
        var pending: [WaitingChunk] = []
        var pendingByteCount = 0
        /// The most that it ever was.
        var peakByteCount = 0
        /// Chunks that were finished, for their memory.
        var spare: [WaitingChunk] = []
        /// All chunks were handed over; a text says that they are worthless.
        var end: (isReached: Bool, failure: String?) = (false, nil)
        var isCancelled = false
        var writtenByteCount = 0
        var result: SnapshotSaver.Result?
    }

    /// A chunk on its way to the other thread.
    private final class WaitingChunk: @unchecked Sendable {
        private var chunk: FileChunk?

        init(_ chunk: consuming FileChunk) {
            self.chunk = consume chunk
        }

        func take() -> FileChunk? { chunk.take() }

        func put(_ chunk: consuming FileChunk) { self.chunk = consume chunk }
    }

    init(
        _ files: [SnapshotSaver.File],
        isWritingChecksum: Bool,
        in storage: any Storage,
        onProgress: @escaping @Sendable () -> Void
    ) {
        self.files = files
        self.isWritingChecksum = isWritingChecksum
        self.storage = storage
        self.onProgress = onProgress
    }

    // The core's side.

    func take(_ chunk: consuming FileChunk) {
        let byteCount = chunk.byteCount
        let waiting = WaitingChunk(chunk)
        let isEnough = monitor.withLock { state in
            guard state.result == nil, !state.isCancelled else { return false }
            state.pending.append(waiting)
            state.pendingByteCount += byteCount
            state.peakByteCount = max(state.peakByteCount, state.pendingByteCount)
            return state.pendingByteCount >= Self.wakeBound
        }
        if isEnough { monitor.wake(0) }
    }

    func takeRoom() -> ByteWriter? {
        guard let spare = monitor.withLock({ $0.spare.popLast() }) else { return nil }
        return spare.take()?.room()
    }

    func end(_ failure: String?) {
        monitor.update { $0.end = (true, failure) }
    }

    func cancel() {
        monitor.update { $0.isCancelled = true }
    }

    var isBehind: Bool { monitor.withLock { $0.pendingByteCount > Self.bound } }

    /// Whether so much waits that nobody should add to it.
    var isOverflowing: Bool { monitor.withLock { $0.pendingByteCount > Self.overflowBound } }

    /// Bytes of memory of what waits for the disk.
    var pendingByteCount: Int { monitor.withLock { $0.pendingByteCount } }

    /// The most bytes of memory that ever waited for the disk.
    var peakByteCount: Int { monitor.withLock { $0.peakByteCount } }

    /// Bytes of the first file that were written.
    var writtenByteCount: Int { monitor.withLock { $0.writtenByteCount } }

    var result: SnapshotSaver.Result? { monitor.withLock { $0.result } }

    func awaitProgress() {
        _ = monitor.wait { state, _ in
            state.result != nil || state.pendingByteCount <= Self.bound ? true : nil
        }
    }

    // The thread's side.

    func write() {
        let result: SnapshotSaver.Result
        let output = SnapshotOutput(files, isWritingChecksum: isWritingChecksum, in: storage)
        do {
            result = try writeAll(to: output)
        } catch {
            result = .failed("\(error)")
        }
        output.close(keeping: result.isSaved)
        monitor.update { state in
            state.result = result
            state.pending = []
            state.spare = []
            state.pendingByteCount = 0
        }
        onProgress()
    }

    private func writeAll(to output: SnapshotOutput) throws -> SnapshotSaver.Result {
        try output.open()
        var finisher = ChunkFinisher()
        var waiting: [WaitingChunk] = []
        while true {
            let end = monitor.wait { state, _ -> (isReached: Bool, failure: String?)? in
                if state.isCancelled { return (true, "") }
                guard state.pending.isEmpty else {
                    swap(&state.pending, &waiting)
                    return (false, nil)
                }
                return state.end.isReached ? state.end : nil
            }
            if let failure = end.failure {
                return failure.isEmpty ? .cancelled : .failed(failure)
            }
            if end.isReached { break }
            for box in waiting {
                guard let chunk = box.take() else { continue }
                try finisher.finish(chunk, isCompressing: !isHurried, to: output)
                output.writeBackNowAndThen()
                let byteCount = chunk.byteCount
                box.put(chunk)
                if noteWritten(byteCount, output.byteCount, box) { onProgress() }
            }
            waiting.removeAll(keepingCapacity: true)
        }
        return .saved(byteCount: try output.publish())
    }

    private var isHurried: Bool { monitor.withLock { $0.pendingByteCount > Self.hurryBound } }

    /// Notes that a chunk was written; returns whether the core may care.
    private func noteWritten(_ byteCount: Int, _ writtenByteCount: Int, _ box: WaitingChunk) -> Bool
    {
        monitor.update { state in
            let before = state.pendingByteCount
            state.pendingByteCount -= byteCount
            state.writtenByteCount = writtenByteCount
            if state.spare.count < Self.spareCount, byteCount <= Self.spareByteCount {
                state.spare.append(box)
            }
            return [Self.bound, Self.overflowBound].contains {
                before > $0 && state.pendingByteCount <= $0
            }
        }
    }
}
