import Bytes
import Inspect
import Platform
import RDB
import Transport

/// Puts the content of files into a server, or into all primaries of a cluster.
///
///     let load = Load(["dump.rdb"], into: try ServerURL("redis://127.0.0.1:7000"))
///     let outcome = try load.run()
///
/// The files are read twice: first to find damage, and what the server has no place for, before
/// anything is sent; then key after key, as payloads of the server's own version. The commands
/// behind the base of a log follow. How far the load has come is noted on disk, and a load of
/// the same files into the same server goes on from there.
package final class Load {
    private let paths: [String]
    private let url: ServerURL
    private let options: LoadOptions

    /// Called at least ten times a second with how far the load has come.
    package var onProgress: (LoadProgress) -> Void = { _ in }
    /// Called with what a user should know now.
    package var onMessage: (String) -> Void = { _ in }

    /// Describes a load; nothing is done yet.
    package init(_ paths: [String], into url: ServerURL, _ options: LoadOptions = LoadOptions()) {
        self.paths = paths
        self.url = url
        self.options = options
    }

    /// Loads.
    package func run() throws(LoadError) -> LoadOutcome {
        var survey = LoadSurvey(splitByteCount: options.splitByteCount)
        try LoadError.catching { () throws(InspectError) in
            try Inspection(paths: paths).read(into: &survey)
        }
        let server = try LoadedServer(at: url)
        try server.check(survey, options)
        if survey.hasCommands { try checkLog(server) }
        if let policy = server.identity.evictionPolicy {
            onMessage(
                "\(url) may evict keys while it is loaded: its maxmemory-policy is \(policy)"
            )
        }
        let journal = try LoadJournal(survey, url, options)
        if journal.isResuming {
            onMessage("goes on where an earlier load was interrupted")
        } else if survey.hasCommands {
            try server.checkIsEmpty()
        }
        let traffic = LoadTraffic(to: url, map: server.map, options)
        traffic.onMessage = onMessage
        var pass = LoadPass(server, survey, traffic, journal, options, onProgress)
        do throws(LoadError) {
            try LoadError.catching { () throws(InspectError) in
                try Inspection(paths: paths).read(into: &pass)
            }
            try pass.finish()
        } catch {
            guard let note = try pass.stop(), error.isInterruption else { throw error }
            throw .interrupted(note: note)
        }
        try journal.remove()
        return pass.outcome
    }

    private func checkLog(_ server: LoadedServer) throws(LoadError) {
        guard paths.count == 1 else {
            throw .unsuitable("a log that has commands behind its base is loaded by itself")
        }
        var log = LoadLogSurvey(server, options)
        try LoadError.catching { () throws(InspectError) in
            try Inspection(paths: paths).read(into: &log)
        }
        try server.check(log, options)
    }
}

extension LoadError {
    /// Does what reads files, and tells the troubles of a load from those of files.
    static func catching(_ body: () throws(InspectError) -> Void) throws(LoadError) {
        do throws(InspectError) {
            try body()
        } catch {
            switch error.problem {
            case .rdb(let trouble):
                if let own = trouble.cause as? LoadError { throw own }
                throw .file(path: error.path, trouble)
            case .system(let trouble): throw .system(trouble)
            default: throw .unsuitable("\(error)")
            }
        }
    }
}
