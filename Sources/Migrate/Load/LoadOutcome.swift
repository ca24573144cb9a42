import Bytes
import RDB

/// What a load came to.
package struct LoadOutcome: Sendable {
    /// The server that was loaded.
    package internal(set) var server = ""
    /// Keys in the files.
    package internal(set) var keyCount = 0
    /// Keys that the server took.
    package internal(set) var loaded = 0
    /// Of these, keys that were sent as commands.
    package internal(set) var loadedByCommands = 0
    /// Keys that an earlier, interrupted load had dealt with.
    package internal(set) var doneBefore = 0
    /// Keys whose deadline is past.
    package internal(set) var expired = 0
    /// Keys that were there already and stayed as they were.
    package internal(set) var skipped = 0
    /// Libraries of functions that the server took.
    package internal(set) var functions = 0
    /// Libraries of functions that it has no place for.
    package internal(set) var functionsLeftOut = 0
    /// Commands of a log that the server has done.
    package internal(set) var commands = 0
    /// Commands of a log that it has no place for.
    package internal(set) var commandsLeftOut = 0
    /// Keys that the server has no place for, by how their values are laid out.
    package internal(set) var unsupported: [Encoding: Int] = [:]
    /// How many keys the server refused.
    package internal(set) var failedCount = 0
    /// The first of them.
    package internal(set) var failed: [FailedKey] = []
    /// Bytes that were sent.
    package internal(set) var byteCount = 0

    /// A key that the server refused, and why.
    package struct FailedKey: Sendable {
        package let key: ByteString
        package let database: Int
        package let reason: ByteString
    }

    /// How many of the keys that failed are named.
    static let namedFailures = 100

    /// Whether something of the files is not in the server by choice of the user.
    package var hasLosses: Bool {
        skipped > 0 || functionsLeftOut > 0 || commandsLeftOut > 0 || !unsupported.isEmpty
    }

    mutating func fail(_ key: LoadedKey, _ reason: ByteString) {
        failedCount += 1
        guard failed.count < Self.namedFailures else { return }
        failed.append(FailedKey(key: key.name, database: key.database, reason: reason))
    }
}

/// How far a load has come.
package struct LoadProgress: Sendable {
    /// Bytes of the files read, and all of them, decompressed.
    package let byteCount, totalByteCount: Int
    /// Keys read, and all of them.
    package let keyCount, totalKeyCount: Int
}
