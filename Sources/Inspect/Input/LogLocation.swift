import AppendLog
import Platform

/// Where the files of an append-only log are.
package struct LogLocation {
    /// The log.
    package let directory: LogDirectory
    /// The directory that the names of its files start from.
    package let root: String

    private static let manifestSuffix = ".manifest"

    private init(_ root: String, folder: String, fileName: String) throws(SystemError) {
        self.root = root
        directory = LogDirectory(
            storage: try DiskStorage(path: root),
            folder: folder,
            fileName: fileName
        )
    }

    /// The append-only file at `path`, which may begin with an RDB.
    init(file path: String) throws(SystemError) {
        let (folder, name) = Paths.split(path)
        try self.init(folder, folder: "appendonlydir", fileName: name)
    }

    /// The log that a path leads to; nil if it leads to a file that is no manifest.
    ///
    /// The path is that of the folder with the files of the log, of the directory above it, or
    /// of the manifest.
    package init?(_ path: String) throws(InspectError) {
        var found: LogLocation?
        do throws(SystemError) {
            if Paths.isDirectory(path) {
                found = try Self.search(path)
            } else {
                guard path.hasSuffix(Self.manifestSuffix) else { return nil }
                let (folder, name) = Paths.split(path)
                found = try Self(folder, folder: ".", fileName: Self.stem(name))
            }
        } catch {
            throw InspectError(path, .system(error))
        }
        guard let found else { throw InspectError(path, .unknown(Self.nothingFound)) }
        self = found
    }

    private static let nothingFound =
        "no log is in this directory: expected a file *.manifest in it or in a folder of it, or "
        + "appendonly.aof. A dump in it has to be named: DIRECTORY/dump.rdb"

    private static func stem(_ name: String) -> String {
        String(name.dropLast(manifestSuffix.utf8.count))
    }

    private static func search(_ path: String) throws(SystemError) -> LogLocation? {
        let storage = try DiskStorage(path: path)
        let names = try storage.names(in: "").sorted()
        if let manifest = names.first(where: { $0.hasSuffix(manifestSuffix) }) {
            return try Self(path, folder: ".", fileName: stem(manifest))
        }
        for folder in names where Paths.isDirectory("\(path)/\(folder)") {
            let inside = try storage.names(in: folder).sorted()
            if let manifest = inside.first(where: { $0.hasSuffix(manifestSuffix) }) {
                return try Self(path, folder: folder, fileName: stem(manifest))
            }
        }
        guard names.contains("appendonly.aof") else { return nil }
        return try Self(path, folder: "appendonlydir", fileName: "appendonly.aof")
    }
}
