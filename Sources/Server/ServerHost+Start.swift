import AppendLog
import Bytes
import Commands
import Glibc
import Larder
import Logging
import Platform
import Store
import Transport

// What the start does between the configuration and the first turn.
extension ServerHost {
    /// Loads what the directory holds and opens the log behind it.
    func recover(_ engine: inout Engine) throws(StartFailure) {
        let begin = time.monotonicTime
        var recovery = Recovery(storage: storage)
        recovery.snapshotName = configuration.text("dbfilename")
        recovery.cutsTornTail = configuration.isOn("aof-load-truncated")
        recovery.keepsModules = engine.settings.keepsModules
        if configuration.isOn("appendonly") { recovery.log = logDirectory }
        engine.dataSet.now = time.wallTime.milliseconds
        var lastReport = begin
        do throws(Recovery.Failure) {
            recovered = try recovery.run(&engine) { progress in
                let now = time.monotonicTime
                guard now - lastReport > .seconds(1) else { return }
                lastReport = now
                let share = progress.offset * 100 / max(progress.byteCount, 1)
                messages.notice(
                    "Loading \(progress.file): \(progress.offset) of \(progress.byteCount) bytes (\(share)%)"
                )
            }
        } catch {
            throw StartFailure(error.startText)
        }
        report(recovered, after: time.monotonicTime - begin)
        keeper.noteLoaded(engine, recovered.auxiliary)
        if configuration.isOn("appendonly") {
            try openLogAfterLoading(&engine)
        }
        isServing = true
    }

    private func report(_ outcome: Recovery.Outcome, after duration: Duration) {
        let (seconds, attoseconds) = duration.components
        let text = Information.decimals(Double(seconds) + Double(attoseconds) / 1e18, 3)
        if let name = outcome.snapshotName {
            messages.notice(
                """
                Done loading RDB, keys loaded: \(outcome.loadedKeys), \
                keys expired: \(outcome.expiredKeys).
                """
            )
            messages.notice("DB loaded from disk (\(name)): \(text) seconds")
        }
        if outcome.log != nil {
            messages.notice(
                """
                DB loaded from append only file: \(text) seconds, \(outcome.loadedKeys) keys of \
                the base, \(outcome.replayedRequests) requests
                """
            )
        }
        if let log = outcome.log, log.staged.byteCount > 0 {
            messages.notice(
                "\(log.staged.byteCount) bytes of the log were found where effects are staged"
            )
        }
        if let tail = outcome.log?.tornTail {
            messages.warning("The end of the append log was cut by a crash: \(tail)")
        }
        if outcome.refusedRequests > 0 {
            messages.warning(
                """
                \(outcome.refusedRequests) requests of the log were refused, the first: \
                \(outcome.firstRefusal)
                """
            )
        }
    }

    /// Says that clients may come.
    func announce() {
        for kind in ["tcp", "unix"] where listeners.contains(where: { $0.kind == kind }) {
            messages.notice("Ready to accept connections \(kind)")
        }
    }

    /// Leaves the process's number where supervisors look for it.
    func writePIDFile() {
        var path = configuration.text("pidfile")
        if path.isEmpty {
            guard configuration.isOn("daemonize") else { return }
            path = "/var/run/larder.pid"
        }
        do throws(SystemError) {
            try Paths.write(Array("\(getpid())\n".utf8), to: path)
            pidFile = path
        } catch {
            messages.warning("Failed to write PID file: \(error.reason)")
        }
    }

    /// Closes what is open, if the start or the loop ended without doing so.
    func abandon() {
        log?.close()
    }
}

extension Listener {
    /// What INFO and the messages of the start call it.
    var kind: String {
        switch address {
        case .tcp: "tcp"
        case .unix: "unix"
        }
    }
}

extension Recovery.Failure {
    /// Why the daemon does not start, in one line.
    fileprivate var startText: String {
        switch self {
        case .snapshot(let file, let error):
            "Bad file format reading \(file): \(error). To see what can be saved: "
                + "larder-inspect check \(file)"
        case .log(let error): "Bad append log: \(error)"
        case .storage(let error): "Can't read the data directory: \(error)"
        case .unknownRequest(let offset, let text):
            "The append log holds a request that is not known, at offset \(offset): \(text)"
        }
    }
}
