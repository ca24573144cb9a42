import Bytes
import Platform
import RDB

/// Bytes that another thread reads and decompresses while the caller looks at those before.
final class ReadAhead: @unchecked Sendable {
    private let monitor = Monitor(State())
    /// The other thread's alone, once it runs.
    private var content: FileContent
    private var thread: WorkerThread?
    /// What was taken from the other thread and not handed out yet; the caller's alone.
    private var window = Window()

    /// What both threads share.
    private struct State: ~Copyable {
        var pending = ByteWriter()
        var isEnd = false
        var failure: (any Error)?
        var isCancelled = false
    }

    /// Bytes that are being handed out.
    private struct Window: ~Copyable {
        var bytes = ByteWriter()
        var handedOut = 0

        mutating func handOut(into room: inout OutputRawSpan) {
            let count = min(room.freeCapacity, bytes.count - handedOut)
            unsafe room.withUnsafeMutableBytes { free, filled in
                unsafe bytes.bytes.part(from: handedOut, count: count).withUnsafeBytes { part in
                    unsafe UnsafeMutableRawBufferPointer(rebasing: free[filled...])
                        .copyMemory(from: part)
                }
                filled += count
            }
            handedOut += count
        }
    }

    /// The other thread stops when this much waits to be taken.
    private static let bound = 1 << 20
    private static let pieceByteCount = 128 << 10

    /// Takes over `content`; nothing is read before the first `read`.
    init(_ content: consuming FileContent) {
        self.content = content
    }

    /// Stops the other thread and waits for it.
    func stop() {
        monitor.update { $0.isCancelled = true }
        thread?.join()
        thread = nil
    }

    /// Appends the next bytes to `room`; none at the end.
    func read(into room: inout OutputRawSpan) throws {
        if thread == nil { thread = try WorkerThread("decompress") { [unowned self] in produce() } }
        if window.handedOut == window.bytes.count {
            window.bytes.removeAll(keepingCapacityUpTo: Self.bound * 2)
            window.handedOut = 0
            try take()
        }
        window.handOut(into: &room)
    }

    /// Waits for bytes, the end or an error; bytes that came before an error come first.
    private func take() throws {
        var bytes = ByteWriter()
        swap(&bytes, &window.bytes)
        let failure = monitor.wait { state, _ -> (any Error)?? in
            if state.pending.isEmpty, !state.isEnd { return nil }
            if state.pending.isEmpty { return .some(state.failure) }
            swap(&bytes, &state.pending)
            return .some(nil)
        }
        swap(&bytes, &window.bytes)
        monitor.update { _ in }
        if let failure { throw failure }
    }

    private func produce() {
        var piece = ByteWriter()
        while true {
            let isCancelled = monitor.wait { state, _ -> Bool? in
                if state.isCancelled { return true }
                return state.pending.count < Self.bound ? false : nil
            }
            if isCancelled { return }
            piece.removeAll()
            var failure: (any Error)?
            do {
                unsafe try piece.append(upTo: Self.pieceByteCount) { free in
                    var room = unsafe OutputRawSpan(buffer: free, initializedCount: 0)
                    try content.read(into: &room)
                    return unsafe room.finalize(for: free)
                }
            } catch {
                failure = error
            }
            let isEnd = piece.isEmpty
            monitor.update { state in
                state.pending.append(piece.bytes)
                state.isEnd = isEnd
                state.failure = failure
            }
            if isEnd { return }
        }
    }
}
