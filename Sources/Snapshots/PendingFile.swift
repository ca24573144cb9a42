import Bytes
import Platform
import RDB

/// A file that becomes visible only whole, written by a thread of its own.
///
/// The core hands it bytes; `write` takes them on the other thread. The bytes between the two
/// are bounded by the core's patience: it asks `isBehind` before it makes more.
final class PendingFile: ByteSink, Sendable {
    /// More bytes than this waiting for the disk mean that it is behind.
    private static let bound = 4 << 20

    private let name: String
    private let temporaryName: String
    private let storage: any Storage
    private let onProgress: @Sendable () -> Void
    private let monitor = Monitor(State())

    private struct State: ~Copyable {
        var pending = ByteWriter()
        /// All bytes were handed over; a text says that they are worthless.
        var end: (isReached: Bool, failure: String?) = (false, nil)
        var isCancelled = false
        var result: SnapshotSaver.Result?
    }

    init(_ name: String, in storage: any Storage, onProgress: @escaping @Sendable () -> Void) {
        self.name = name
        // Beside the file, so that the rename stays within one folder.
        let start = name.lastIndex(of: "/").map(name.index(after:)) ?? name.startIndex
        temporaryName = "\(name[..<start])temp-\(name[start...])"
        self.storage = storage
        self.onProgress = onProgress
    }

    // The core's side.

    func write(_ bytes: RawSpan) {
        monitor.update { $0.pending.append(bytes) }
    }

    func end(_ failure: String?) {
        monitor.update { $0.end = (true, failure) }
    }

    func cancel() {
        monitor.update { $0.isCancelled = true }
    }

    var isBehind: Bool { monitor.withLock { $0.pending.count > Self.bound } }

    var result: SnapshotSaver.Result? { monitor.withLock { $0.result } }

    func awaitProgress() {
        _ = monitor.wait { state, _ in
            state.result != nil || state.pending.count <= Self.bound ? true : nil
        }
    }

    // The thread's side.

    func write() {
        let result: SnapshotSaver.Result
        do throws(SystemError) {
            result = try writeAll()
        } catch {
            result = .failed("\(error)")
        }
        if case .saved = result {} else { try? storage.remove(temporaryName) }
        monitor.update { $0.result = result }
        onProgress()
    }

    private func writeAll() throws(SystemError) -> SnapshotSaver.Result {
        if try storage.exists(temporaryName) { try storage.remove(temporaryName) }
        let file = try storage.create(temporaryName)
        var chunk = ByteWriter()
        var offset = 0
        while true {
            chunk.removeAll(keepingCapacityUpTo: Self.bound * 2)
            let end = monitor.wait { state, _ -> (isReached: Bool, failure: String?)? in
                if state.isCancelled { return (true, "") }
                guard state.pending.isEmpty else {
                    swap(&state.pending, &chunk)
                    return (false, nil)
                }
                return state.end.isReached ? state.end : nil
            }
            if chunk.count > 0 {
                try file.write(chunk.bytes, at: offset)
                offset += chunk.count
                monitor.update { _ in }
                onProgress()
            }
            guard end.isReached else { continue }
            if let failure = end.failure {
                return failure.isEmpty ? .cancelled : .failed(failure)
            }
            break
        }
        try file.sync()
        try storage.rename(temporaryName, to: name)
        // The rename itself lives in the directory. Without this, a power cut can bring back
        // the old snapshot after the log that led up to it is gone.
        try storage.syncDirectory(folder)
        return .saved(byteCount: offset)
    }

    private var folder: String {
        guard let slash = name.lastIndex(of: "/") else { return "" }
        return String(name[..<slash])
    }
}
