import Bytes
import Platform
import RDB

/// Where a conversion writes: a file or several, or the directory of a log, and what lies beside.
///
/// Files have no name before `publish`. Of a log, the manifest comes last: a directory without
/// one is no log.
final class MigrationOutput {
    /// What is written there.
    let form: Form
    private let path: String
    private var files: [any Destinable] = []
    private var isNewDirectory = false
    private let tail: LogTail

    private static let logName = "appendonly.aof"

    /// What an output may be.
    enum Form {
        /// A file, or several.
        case dump
        /// The directory of a log.
        case directory
        /// A log in one file, as servers before Redis 7.0 have it.
        case oneFile
    }

    /// Where `path` leads; a log if it ends in a slash or in `.aof`.
    init(_ path: String) throws(MigrationError) {
        form = path.hasSuffix("/") ? .directory : path.hasSuffix(".aof") ? .oneFile : .dump
        var path = path[...]
        while path.count > 1, path.hasSuffix("/") { path.removeLast() }
        self.path = String(path)
        tail = LogTail(name: self.path)
        guard form == .directory else { return }
        do throws(SystemError) {
            isNewDirectory = try Paths.createDirectory(self.path)
            if !isNewDirectory { try checkIsFree() }
        } catch {
            throw .system(error)
        }
    }

    private func checkIsFree() throws(SystemError) {
        let manifest = "\(Self.logName).manifest"
        guard try !DiskStorage(path: path).exists(manifest) else {
            // As a call that creates a file anew would say it.
            throw SystemError("open", "\(path)/\(manifest)", code: SystemError.exists)
        }
    }

    /// A snapshot; the suffix tells it from others.
    func snapshot(_ suffix: String) throws(MigrationError) -> any Destinable {
        if form == .directory { return try create("\(path)/\(Self.logName).1.base.rdb") }
        let file = try create(Self.name(path, suffix))
        tail.file = file
        return file
    }

    /// The commands of a log.
    func commands() throws(MigrationError) -> any Destinable {
        form == .oneFile ? tail : try create("\(path)/\(Self.logName).1.incr.aof")
    }

    /// A file that lies beside the output.
    func besides(_ suffix: String) throws(MigrationError) -> any Destinable {
        try create("\(path).\(suffix)")
    }

    private func create(_ path: String) throws(MigrationError) -> any Destinable {
        do {
            let file = try OutputFile(path: path)
            files.append(file)
            return file
        } catch {
            throw .system(error)
        }
    }

    /// Writes text to a file.
    func write(_ text: String, to file: any Destinable) throws(MigrationError) {
        let bytes = ByteString(text)
        do {
            try file.write(bytes.bytes)
        } catch {
            throw error as? MigrationError ?? .impossible("\(error)")
        }
    }

    /// Gives everything its name; an export that nothing went into gets none.
    func publish() throws(MigrationError) {
        if form == .directory {
            let manifest = try create("\(path)/\(Self.logName).manifest")
            let lines = [("base.rdb", "b"), ("incr.aof", "i")].map { ending, type in
                "file \(Self.logName).1.\(ending) seq 1 type \(type)\n"
            }
            try write(lines.joined(), to: manifest)
        }
        do throws(SystemError) {
            for file in files where file.byteCount > 0 || file.name.hasSuffix(".aof") {
                try file.publish()
            }
        } catch {
            throw .system(error)
        }
    }

    /// Takes back what was made before the first file got a name.
    func abandon() {
        guard isNewDirectory else { return }
        do {
            try Paths.removeEmptyDirectory(path)
        } catch {
            // Somebody put something there meanwhile.
            return
        }
    }

    /// `dump.rdb` and `0-5460` make `dump.0-5460.rdb`.
    static func name(_ path: String, _ suffix: String) -> String {
        guard !suffix.isEmpty else { return path }
        let (_, file) = Paths.split(path)
        guard let dot = path.lastIndex(of: "."), file.dropFirst().contains(".") else {
            return "\(path).\(suffix)"
        }
        return "\(path[..<dot]).\(suffix)\(path[dot...])"
    }
}
