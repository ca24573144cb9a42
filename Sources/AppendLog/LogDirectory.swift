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

    /// Whether there is a log, in this form or as the single file of older servers.
    package func holdsLog() throws(LogError) -> Bool {
        do throws(SystemError) {
            if try storage.exists(manifestPath) { return true }
            if try storage.exists(fileName) { return true }
            return try storage.exists(path(fileName))
        } catch {
            throw .storage(error)
        }
    }

    /// Reads the manifest; nil if there is no log.
    ///
    /// A single `appendonly.aof` of an older server is moved into the folder and becomes the
    /// base, as Redis 7 does it.
    package func loadManifest() throws(LogError) -> Manifest? {
        var text = ByteWriter()
        do throws(SystemError) {
            try storage.createFolder(folder)
            if try storage.exists(manifestPath) {
                let file = try storage.open(manifestPath, writable: false)
                _ = try file.read(try file.byteCount(), at: 0, into: &text)
            } else if let manifest = try adoptSingleFile() {
                return manifest
            }
        } catch {
            throw .storage(error)
        }
        if text.isEmpty, try !holdsLog() {
            try refuseStrayFiles()
            return nil
        }
        return try parseManifest(text.bytes)
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

    private func refuseStrayFiles() throws(LogError) {
        let names: [String]
        do throws(SystemError) {
            names = try storage.names(in: folder)
        } catch {
            throw .storage(error)
        }
        if let found = names.sorted().first(where: isSegment) {
            throw .missingManifest(file: manifestPath, found: path(found))
        }
    }

    private func adoptSingleFile() throws(SystemError) -> Manifest? {
        // The file moves first: a power cut between the two steps then leaves a file in the
        // folder without a manifest, which is how this is recognised next time.
        if try storage.exists(fileName) {
            try storage.rename(fileName, to: path(fileName))
            try storage.syncDirectory(folder)
            try storage.syncDirectory("")
        }
        guard try storage.exists(path(fileName)) else { return nil }
        var manifest = Manifest()
        manifest.base = Manifest.Entry(name: fileName, sequence: 1)
        try storeManifest(manifest)
        return manifest
    }

    private func isSegment(_ name: String) -> Bool {
        name.hasPrefix(fileName + ".") && (name.contains(".base.") || name.contains(".incr."))
    }

    /// Replaces the manifest; a power cut leaves the old one or the new one.
    package func storeManifest(_ manifest: Manifest) throws(SystemError) {
        let temporary = path("temp-\(fileName).manifest")
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
