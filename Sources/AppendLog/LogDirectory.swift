import Bytes
import Platform

/// Where a log lives: a folder of the data directory, and the names of its files there.
///
///     appendonlydir/appendonly.aof.manifest            which files count, see Manifest
///     appendonlydir/appendonly.aof.3.base.rdb          everything before the increments
///     appendonlydir/appendonly.aof.3.incr.aof          effects, plain
///     appendonlydir/appendonly.aof.4.incr.aof.lz4      effects, in LZ4 frames
///     appendonlydir/appendonly.aof.5.incr.aof.zst      the same, sealed
package struct LogDirectory: Sendable {
    /// The data directory.
    package let storage: any Storage
    /// `appenddirname`.
    package let folder: String
    /// `appendfilename`, which all names begin with.
    package let fileName: String

    /// Names the places; touches nothing.
    package init(
        storage: any Storage,
        folder: String = "appendonlydir",
        fileName: String = "appendonly.aof"
    ) {
        self.storage = storage
        self.folder = folder
        self.fileName = fileName
    }

    /// A file of the log as the storage names it.
    package func path(_ name: String) -> String { "\(folder)/\(name)" }

    package var manifestPath: String { path("\(fileName).manifest") }

    /// Where a file of a log is.
    func path(of entry: Manifest.Entry, in manifest: Manifest) -> String {
        manifest.isSingleFile && entry == manifest.base ? fileName : path(entry.name)
    }

    /// Reads which files count; nil if there is no log.
    ///
    /// It changes nothing. The `appendonly.aof` of a server before Redis 7 is a log whose base it is.
    package func loadManifest() throws(LogError) -> Manifest? {
        var text = ByteWriter()
        var holdsManifest = false
        do throws(SystemError) {
            holdsManifest = try storage.exists(manifestPath)
            if holdsManifest {
                let file = try storage.open(manifestPath, writable: false)
                _ = try file.read(try file.byteCount(), at: 0, into: &text)
            } else if let manifest = try singleFile() {
                return manifest
            }
        } catch {
            throw .storage(error)
        }
        guard holdsManifest else {
            try refuseStrayFiles()
            return nil
        }
        return try parseManifest(text.bytes)
    }

    /// What there is of a log that was begun and never came to count.
    ///
    /// What else may be wrong with a manifest, whoever read it before was told.
    func begunManifest() throws(SystemError) -> Manifest {
        do throws(LogError) {
            guard let manifest = try loadManifest(), manifest.filesToRead.isEmpty else {
                return Manifest()
            }
            return manifest
        } catch {
            if case .storage(let error) = error { throw error }
            return Manifest()
        }
    }

    /// Removes what is left of a log that was begun and never came to count.
    func removePending(_ manifest: inout Manifest) throws(SystemError) {
        for entry in manifest.pending where try storage.exists(path(entry.name)) {
            try storage.remove(path(entry.name))
        }
        manifest.pending = []
    }

    private func parseManifest(_ text: RawSpan) throws(LogError) -> Manifest {
        let manifest: Manifest
        do throws(Manifest.Problem) {
            manifest = try Manifest(parsing: text)
        } catch {
            throw .badManifest(file: manifestPath, line: error.line, problem: error.text)
        }
        for entry in manifest.filesToRead {
            do throws(SystemError) {
                if try storage.exists(path(entry.name)) { continue }
            } catch {
                throw .storage(error)
            }
            throw .missingFile(path(entry.name))
        }
        return manifest
    }

    private func singleFile() throws(SystemError) -> Manifest? {
        var manifest = Manifest()
        manifest.base = Manifest.Entry(name: fileName, sequence: 1)
        if try storage.exists(fileName) {
            manifest.isSingleFile = true
            return manifest
        }
        // It was being moved when the machine stopped.
        return try storage.exists(path(fileName)) ? manifest : nil
    }

    /// Moves the single file of an older server to where Redis 7 has it.
    ///
    /// The manifest is written afterwards, with the first increment. A power cut before that
    /// leaves a file in the folder without a manifest, which `singleFile` knows.
    func adopt(_ manifest: inout Manifest) throws(SystemError) {
        guard manifest.isSingleFile else { return }
        try storage.rename(fileName, to: path(fileName))
        try storage.syncDirectory(folder)
        try storage.syncDirectory("")
        manifest.isSingleFile = false
    }

    /// Throws if there are files of a log that only a manifest could make sense of.
    private func refuseStrayFiles() throws(LogError) {
        var stray: String?
        do throws(SystemError) {
            for name in try storage.names(in: folder).sorted() where isSegment(name) {
                if try !isStillborn(path(name)) { stray = stray ?? name }
            }
        } catch {
            throw .storage(error)
        }
        if let stray { throw .missingManifest(file: manifestPath, found: path(stray)) }
    }

    private func isSegment(_ name: String) -> Bool {
        name.hasPrefix(fileName + ".") && (name.contains(".base.") || name.contains(".incr."))
    }

    /// Whether a file is the first segment of a log that got no further than its first mark.
    ///
    /// Effects are only written once the manifest names the segment, so nothing is lost.
    private func isStillborn(_ path: String) throws(SystemError) -> Bool {
        let file = try storage.open(path, writable: false)
        var head = ByteWriter()
        _ = try file.read(RequestScanner.maximumRemarkByteCount + 1, at: 0, into: &head)
        return Mark.mayBeginLog(head.bytes)
    }

    /// Replaces the manifest; a power cut leaves the old one or the new one.
    package func storeManifest(_ manifest: Manifest) throws(SystemError) {
        let temporary = path("\(temporaryPrefix)manifest")
        if try storage.exists(temporary) { try storage.remove(temporary) }
        var bytes = ByteWriter()
        manifest.serialize(to: &bytes)
        let file = try storage.create(temporary)
        try file.write(bytes.bytes, at: 0)
        try file.sync()
        // A power cut may keep the new manifest and lose the creation of a file that it names.
        // That log would not open.
        try storage.syncDirectory(folder)
        try storage.rename(temporary, to: manifestPath)
        // The rename itself lives in the folder. Without this a power cut can bring back the
        // old manifest after files that only it names are gone.
        try storage.syncDirectory(folder)
    }
}
