import AppendLog
import Bytes
import Commands
import Directives
import Glibc
import Larder
import Logging
import Platform
import Transport

// The end of the program, asked for by a command or a signal.
extension ServerHost {
    package func shutdown(
        _ engine: inout Engine,
        _ request: ShutdownRequest
    ) throws(CommandError) {
        // A shutdown that was asked for is over before the next request.
        guard !request.abort else { throw .text("ERR No shutdown in progress.") }
        guard prepareToStop(&engine, request) else {
            throw .text("ERR Errors trying to SHUTDOWN. Check logs.")
        }
    }

    /// Whether a signal asks for the end and was not heard yet.
    func takeSignal() -> Bool {
        Signals.termination != nil && !isStopping
    }

    /// Does what SIGINT and SIGTERM ask for; goes on running if the data cannot be saved.
    func shutDownForSignal(_ engine: inout Engine) {
        guard let signal = Signals.termination else { return }
        let name = signal == SIGINT ? "SIGINT" : "SIGTERM"
        messages.warning("Received \(name) scheduling shutdown...")
        let modes = configuration.words("shutdown-on-\(name.lowercased())")
        var request = ShutdownRequest()
        if modes.contains("nosave") { request.save = false }
        if modes.contains("save") { request.save = true }
        request.force = modes.contains("force")
        guard !prepareToStop(&engine, request) else { return }
        messages.warning(
            """
            \(name) received but errors trying to shut down the server, \
            check the logs for more information
            """
        )
        Signals.forgetTermination()
    }

    private func prepareToStop(_ engine: inout Engine, _ request: ShutdownRequest) -> Bool {
        messages.notice("User requested shutdown...")
        // What is not loaded yet must not take the place of the file that it comes from.
        if isServing, request.save ?? !configuration.savePoints.isEmpty {
            messages.notice("Saving the final RDB snapshot before exiting.")
            do throws(CommandError) {
                try keeper.saveNow(engine)
                messages.notice("DB saved on disk")
            } catch {
                messages.warning("Error saving DB on disk: \(error.text)")
                guard request.force else {
                    messages.warning("Error trying to save the DB, can't exit.")
                    return false
                }
                messages.warning("Error trying to save the DB, but forced to exit anyway.")
            }
        }
        stop()
        return true
    }

    /// Gives back what outlives the process, once the loop has ended.
    func finish() {
        if let log {
            messages.notice("Calling fsync() on the AOF file.")
            if let error = log.close() {
                messages.warning("The append log could not be ended in good order: \(error)")
            }
        }
        if let path = pidFile {
            messages.notice("Removing the pid file.")
            _ = unsafe unlink(path)
        }
        for listener in listeners {
            guard case .unix(let path) = listener.address else { continue }
            messages.notice("Removing the unix socket file.")
            _ = unsafe unlink(path)
        }
        messages.warning("Larder is now ready to exit, bye bye...")
    }
}
