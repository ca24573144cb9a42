import Bytes
import Platform

/// What a thread does that writes a file, and what it is told.
///
/// The bytes that wait for it are in one buffer, which it exchanges for the one that it has
/// written. The stream is the thread's while it runs, and its owner's before and after.
final class WritingThread: @unchecked Sendable {
    let stream: OutputStream
    private let monitor = Monitor(State(), roomCount: 2)

    private struct State: ~Copyable {
        var pending = ByteWriter()
        var isEnding = false
        var failure: SystemError?
    }

    /// The room of who hands bytes over, and that of the thread.
    private static let owner = 0
    private static let writer = 1

    /// Who hands over more than this has to wait.
    private static let bound = 512 << 10

    init(_ stream: OutputStream) {
        self.stream = stream
    }

    // The owner's side.

    /// Takes all of `bytes`; throws what went wrong with those before.
    func take(_ bytes: RawSpan) throws(SystemError) {
        let failure: SystemError? = monitor.wait(in: Self.owner) { state, _ in
            if let failure = state.failure { return failure }
            guard state.pending.count < Self.bound else { return nil }
            state.pending.append(bytes)
            return .some(nil)
        }
        if let failure { throw failure }
        monitor.wake(Self.writer)
    }

    /// Lets the thread end, once it has written what waits, or at once if that is abandoned.
    func end(abandoning isAbandoned: Bool = false) {
        monitor.update { state in
            state.isEnding = true
            if isAbandoned { state.pending.removeAll() }
        }
    }

    /// Throws what went wrong, once the thread has ended.
    func check() throws(SystemError) {
        let failure = monitor.withLock { state in
            state.isEnding = false
            return state.failure
        }
        if let failure { throw failure }
    }

    // The thread's side.

    func run() {
        var bytes = ByteWriter()
        while takeWaiting(&bytes) {
            do throws(SystemError) {
                try stream.write(bytes.bytes)
            } catch {
                monitor.update { $0.failure = error }
                return
            }
            bytes.removeAll()
        }
    }

    /// Waits for bytes; false once there will be no more.
    private func takeWaiting(_ bytes: inout ByteWriter) -> Bool {
        let hasBytes = monitor.wait(in: Self.writer) { state, _ -> Bool? in
            guard state.pending.count > 0 else { return state.isEnding ? false : nil }
            swap(&state.pending, &bytes)
            return true
        }
        if hasBytes { monitor.wake(Self.owner) }
        return hasBytes
    }
}
