import Bytes
import RESP
import Store

// The slow way of a request: what must be checked when the session or the engine is in a state
// that is not the ordinary one.
extension Engine {
    /// Whether the request may run now; if not, its reply is written.
    mutating func mayRun(
        _ command: Command,
        _ request: borrowing Request,
        _ reply: inout ReplyWriter
    ) -> Bool {
        let flags = sessions[current].flags
        if flags.contains(.trusted) { return true }
        if flags.contains(.unauthenticated), !command.flags.contains(.noAuth) {
            refuse(.text("NOAUTH Authentication required."), &reply)
            return false
        }
        if let refusal = refusal(of: command) {
            if flags.contains(.queueing) { sessions[current].flags.insert(.transactionFailed) }
            refuse(refusal, &reply)
            return false
        }
        return true
    }

    private func refusal(of command: Command) -> CommandError? {
        if gates.contains(.loading), !command.flags.contains(.loading) {
            return .text("LOADING Larder is loading the dataset in memory")
        }
        if gates.contains(.refusingWrites), command.flags.contains(.write) {
            return .text(settings.writeRefusal)
        }
        return nil
    }

    /// Tells whoever must know that a key changed.
    mutating func announce(
        _ key: RawSpan,
        _ kind: Notification,
        _ event: StaticString,
        in keyspace: Keyspace
    ) {
    }

    /// Serves sessions that wait for a key that has come.
    mutating func serveWaiting() {
    }

    /// Forgets what a session watches.
    mutating func forgetWatches(of session: SessionID) {
    }
}
