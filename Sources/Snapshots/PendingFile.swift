import Bytes
import Platform
import RDB

/// Files that become visible only whole, written by a thread of their own.
///
/// The core hands over chunks; `write` finishes them on the other thread: compresses, checksums
/// and writes. What one walk over the data gives can go to several files, which differ in what
/// they say ahead of the keys. The bytes between the two threads are bounded by the core's
/// patience: it asks `isBehind` before it walks on. Only what clients change meanwhile comes
/// unasked; it goes to disk as well, to a file for parts that are put aside.
final class PendingFile: ChunkSink, Sendable {
    /// More bytes than this waiting for the disk mean that it is behind.
    private static let bound = 4 << 20

    private let files: [SnapshotSaver.File]
    private let isWritingChecksum: Bool
    private let storage: any Storage
    private let onProgress: @Sendable () -> Void
    private let monitor = Monitor(State())

    private struct State: ~Copyable {
        var pending: [WaitingChunk] = []
        var pendingByteCount = 0
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
        monitor.update { state in
            guard state.result == nil, !state.isCancelled else { return }
            state.pending.append(waiting)
            state.pendingByteCount += byteCount
        }
    }

    func end(_ failure: String?) {
        monitor.update { $0.end = (true, failure) }
    }

    func cancel() {
        monitor.update { $0.isCancelled = true }
    }

    var isBehind: Bool { monitor.withLock { $0.pendingByteCount > Self.bound } }

    /// Bytes of memory of what waits for the disk.
    var pendingByteCount: Int { monitor.withLock { $0.pendingByteCount } }

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
                try finisher.finish(chunk, to: output)
                let byteCount = chunk.byteCount
                try output.syncNowAndThen()
                let catchesUp = monitor.update { state in
                    let wasBehind = state.pendingByteCount > Self.bound
                    state.pendingByteCount -= byteCount
                    state.writtenByteCount = output.byteCount
                    return wasBehind && state.pendingByteCount <= Self.bound
                }
                if catchesUp { onProgress() }
            }
            waiting.removeAll(keepingCapacity: true)
        }
        return .saved(byteCount: try output.publish())
    }
}
