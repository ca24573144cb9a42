import AppendLog
import Bytes
import Commands
import Directives
import Glibc
import Larder
import Logging
import Platform
import Store
import Transport

// What the start does between the configuration and the first turn.
extension ServerHost {
    /// Loads what the directory holds and opens the log behind it.
    ///
    /// `attend` is called every few milliseconds, to answer clients.
    func recover(
        _ engine: inout Engine,
        attend: (inout Engine) -> Void
    ) throws(StartFailure) {
        let begin = time.monotonicTime
        engine.setLoading(true)
        loading = LoadingProgress(start: time.wallTime.milliseconds / 1000, startedAt: begin)
        var recovery = Recovery(storage: storage)
        recovery.snapshotName = configuration.text("dbfilename")
        recovery.cutsTornTail = configuration.isOn("aof-load-truncated")
        recovery.keepsModules = engine.settings.keepsModules
        if configuration.isOn("appendonly") {
            try lockDirectory()
            recovery.log = logDirectory
        }
        engine.dataSet.now = time.wallTime.milliseconds
        var lastReport = begin
        var lastAttended = begin
        do throws(Recovery.Failure) {
            recovered = try recovery.run(&engine) { engine, progress in
                let now = time.monotonicTime
                loading?.progress = progress
                if now - lastAttended > Self.attendingInterval {
                    attend(&engine)
                    lastAttended = time.monotonicTime
                    // Nothing can be lost yet.
                    if isStopping {
                        finish()
                        exit(0)
                    }
                }
                guard now - lastReport > .seconds(1), progress.byteCount > 0 else { return }
                lastReport = now
                let share = progress.offset * 100 / max(progress.byteCount, 1)
                messages.notice(
                    "Loading \(progress.file): \(progress.offset) of \(progress.byteCount) bytes (\(share)%)"
                )
            }
        } catch {
            throw StartFailure(error.startText)
        }
        loading = nil
        engine.setLoading(false)
        report(recovered, after: time.monotonicTime - begin)
        reportMemory(engine)
        keeper.noteLoaded(engine, recovered.auxiliary)
        if configuration.isOn("appendonly") {
            try openLogAfterLoading(&engine)
        }
        isServing = true
    }

    /// Makes sure that nobody else writes to the log, a tool that repairs it included.
    private func lockDirectory() throws(StartFailure) {
        do throws(SystemError) {
            try storage.lock()
        } catch {
            guard error.code == EWOULDBLOCK else {
                throw StartFailure("Can't lock the data directory: \(error)")
            }
            throw StartFailure(
                """
                Another server, or a tool that repairs its log, has the directory \
                \(Paths.currentDirectory) open: stop it, or use another 'dir'
                """
            )
        }
    }

    /// Clients wait so long while data is loaded.
    private static let attendingInterval = Duration.milliseconds(2)

    /// Says what it means that the data is larger than it may be.
    private func reportMemory(_ engine: borrowing Engine) {
        let limit = configuration.integer("maxmemory")
        guard limit > 0 else { return }
        let evicted = engine.statistics.evictedKeys
        if evicted > 0 {
            messages.warning(
                """
                The data is larger than maxmemory (\(limit) bytes): \(evicted) keys were evicted \
                while it was loaded
                """
            )
        } else if engine.countedMemory > limit {
            messages.warning(
                """
                The data takes \(engine.countedMemory) bytes, more than maxmemory (\(limit)): \
                writes are refused until keys go, or a maxmemory-policy evicts some
                """
            )
        }
    }

    func report(_ outcome: Recovery.Outcome, after duration: Duration) {
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
    var startText: String {
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
