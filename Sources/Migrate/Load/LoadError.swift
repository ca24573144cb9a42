import Bytes
import Platform
import RDB

/// Why a load stopped before its end.
package enum LoadError: Error, Sendable {
    /// The server, or one of its cluster.
    case server(ServerError)
    /// The file cannot be read.
    case file(path: String, RDBError)
    /// The file of the state of an earlier load, or another file, cannot be used.
    case system(SystemError)
    /// A key is there already, and nobody said what to do then.
    case occupied(key: ByteString, database: Int)
    /// The file and the server do not go together, or options do not; the text says what to do.
    case unsuitable(String)
    /// The server refused for longer than was to be waited.
    case impatient(server: String, seconds: Int, ByteString)
    /// Somebody asked for the end after something was sent; the file says how far the load came.
    case interrupted(note: String)
}

extension LoadError {
    /// Whether somebody asked for the end.
    var isInterruption: Bool {
        switch self {
        case .system(let error): error.isInterruption
        case .server(let error): error.isInterruption
        default: false
        }
    }
}

extension LoadError: CustomStringConvertible {
    /// What happened, and what to do where that is known.
    package var description: String {
        switch self {
        case .server(let error): "\(error)"
        case .file(let path, let error): "\(path): \(error)"
        case .system(let error): "\(error)"
        case .occupied(let key, let database):
            "key \"\(key)\" of database \(database) is there already; "
                + "choose --replace or --skip-existing"
        case .unsuitable(let text): text
        case .impatient(let server, let seconds, let text):
            "\(server) has said for \(seconds) seconds: \(text.text)"
        case .interrupted(let note):
            "\(SystemError.interruption); the same command goes on where \(note) says"
        }
    }
}
