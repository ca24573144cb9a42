import AppendLog
import Bytes
import Platform

/// Makes a log that ends in damage or in half a write fit to be continued.
///
///     let mending = try LogMending(location)
///     for drop in mending.drops { print(drop) }
///     try mending.perform()
///
/// What is dropped is not gone: it stays beside the log under names that end in `.cut-` and the
/// place it was cut from. Every step can be repeated after a crash in the middle.
package struct LogMending {
    /// What goes, in words; empty if there is nothing to mend.
    package private(set) var drops: [String] = []
    private let location: LogLocation
    private var tail: RecoveredLog.TornTail?
    private var damage: Damage?

    /// Where a log is cut because what follows cannot be read.
    private struct Damage {
        var path: String
        /// Where the last whole transaction ends.
        var fileOffset: Int
        var byteCount: Int
        /// Files behind it, which nothing connects with what is kept.
        var laterPaths: [String]
    }

    /// Looks for what has to be cut, and changes nothing.
    package init(_ location: LogLocation) throws(InspectError) {
        self.location = location
        let overview = try LogOverview(location)
        if let problem = overview.damage {
            guard let found = Self.damage(overview.survey, problem) else {
                throw InspectError(location.root, .log(.damaged(problem)))
            }
            damage = found
            drops = Self.describe(found, problem)
        } else if let tail = overview.recovered?.tornTail {
            self.tail = tail
            drops = ["\(tail)"]
        }
    }

    /// The cut that leaves out what `problem` is about; nil if it is not in a file of commands.
    private static func damage(_ survey: LogSurvey, _ problem: LogDamage) -> Damage? {
        guard let index = survey.files.firstIndex(where: { $0.path == problem.file }),
            case .segment(let segment) = survey.files[index].content,
            segment.problem != nil
        else { return nil }
        let file = survey.files[index]
        let end = segment.frames.last.map { $0.fileOffset + $0.byteCount } ?? 0
        return Damage(
            path: file.path,
            fileOffset: end,
            byteCount: file.byteCount - end,
            laterPaths: survey.files[(index + 1)...].map(\.path)
        )
    }

    private static func describe(_ damage: Damage, _ problem: LogDamage) -> [String] {
        var lines = [
            "\(damage.path): \(problem.problem) at byte \(problem.fileOffset); "
                + "\(Quantities.count(damage.byteCount)) bytes from byte \(damage.fileOffset) on"
        ]
        if let durable = problem.durableOffset {
            let lost = Quantities.count(durable - problem.streamOffset)
            lines.append("at least \(lost) bytes of the stream that once were safely on disk")
        }
        for path in damage.laterPaths { lines.append("\(path): all of it") }
        return lines
    }

    /// Cuts.
    ///
    /// Throws `EWOULDBLOCK` as a system error if a server has the directory open.
    package func perform() throws(InspectError) {
        guard !drops.isEmpty else { return }
        let lock: DiskStorage
        do {
            lock = try DiskStorage(path: location.dataDirectory)
            try lock.lock()
            if let damage { try cut(damage) }
        } catch {
            throw InspectError(location.root, .system(error))
        }
        try repair()
        withExtendedLifetime(lock) {}
    }

    /// Makes what is damaged end where its whole part does; `repair` does the rest.
    private func cut(_ damage: Damage) throws(SystemError) {
        let directory = location.directory
        let storage = directory.storage
        try keepCopy(damage)
        // The files behind go out of the manifest before anything is cut, so that a crash
        // leaves either the damage or the whole cut.
        if !damage.laterPaths.isEmpty, var manifest = (try? directory.loadManifest()) ?? nil {
            manifest.increments.removeAll { entry in
                damage.laterPaths.contains(directory.path(entry.name))
            }
            try directory.storeManifest(manifest)
            for path in damage.laterPaths where try storage.exists(path) {
                try storage.rename(path, to: "\(path).cut-0")
            }
            try storage.syncDirectory(directory.folder)
        }
        let file = try storage.open(damage.path, writable: true)
        try file.truncate(to: damage.fileOffset)
        try file.sync()
    }

    private func keepCopy(_ damage: Damage) throws(SystemError) {
        let storage = location.directory.storage
        let name = "\(damage.path).cut-\(damage.fileOffset)"
        if try storage.exists(name) { try storage.remove(name) }
        let source = try storage.open(damage.path, writable: false)
        let copy = try storage.create(name)
        var buffer = ByteWriter()
        var position = 0
        while position < damage.byteCount {
            let wanted = min(1 << 20, damage.byteCount - position)
            let got = try source.read(wanted, at: damage.fileOffset + position, into: &buffer)
            guard got > 0 else { break }
            try copy.write(buffer.bytes, at: position)
            position += got
            buffer.removeAll()
        }
        try copy.sync()
        try storage.syncDirectory(location.directory.folder)
    }

    /// What a server does at its start.
    private func repair() throws(InspectError) {
        let overview = try LogOverview(location)
        if let damage = overview.damage {
            throw InspectError(location.root, .log(.damaged(damage)))
        }
        guard let recovered = overview.recovered else { return }
        do {
            try LogRepair(directory: location.directory).repair(recovered)
        } catch {
            throw InspectError(location.root, .system(error))
        }
    }
}

extension LogLocation {
    /// Runs `body` while no server can open the directory.
    package func withLock(_ body: () throws -> Void) throws {
        let storage = try DiskStorage(path: dataDirectory)
        do throws(SystemError) {
            try storage.lock()
        } catch {
            throw InspectError(root, .system(error))
        }
        try body()
        withExtendedLifetime(storage) {}
    }

    /// The directory that a server is given as `dir`, which it locks.
    var dataDirectory: String { directory.folder == "." ? "\(root)/.." : root }
}
