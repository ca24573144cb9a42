import Bytes
import Inspect
import RDB

/// What the files that were read say about themselves.
package struct SourceFacts: Sendable {
    /// One file.
    package struct File: Sendable {
        /// What it was called.
        package let name: String
        /// Its magic.
        package var format: Format?
        /// How long it is.
        package var byteCount = 0
        /// Its checksum, if it has one.
        package var checksum: UInt64?
        /// `redis-ver`, `valkey-ver`, `ctime`, `used-mem`.
        package var auxiliary: [String: String] = [:]
        /// The highest database with a key.
        package var highestDatabase: UInt64?
        /// Whether anything in it had to be changed for the destination.
        package var hasChanges = false
    }

    /// The files, in order.
    package private(set) var files: [File] = []

    /// The server that wrote the file, if it says so: `redis 8.2.3`.
    package var producer: String? {
        guard let facts = files.last?.auxiliary else { return nil }
        if let version = facts["valkey-ver"] { return "Valkey \(version)" }
        return facts["redis-ver"].map { "Redis \($0)" }
    }

    /// Memory that the source's data took there, by its own account.
    package var usedMemory: Int? {
        let all = files.compactMap { file in file.auxiliary["used-mem"].flatMap { Int($0) } }
        return all.isEmpty ? nil : all.reduce(0, +)
    }

    /// The highest database with a key in any of the files.
    package var highestDatabase: UInt64? { files.compactMap(\.highestDatabase).max() }

    mutating func beginFile(_ name: String) {
        files.append(File(name: name))
    }

    mutating func endFile(_ summary: FileSummary, hasChanges: Bool) {
        files[files.count - 1].hasChanges = hasChanges
        files[files.count - 1].format = summary.format
        files[files.count - 1].byteCount = summary.byteCount
        files[files.count - 1].checksum = summary.checksum
    }

    /// The last file was damaged: what was read is not all of it, and no checksum is its own.
    mutating func noteDamaged(byteCount: Int?) {
        files[files.count - 1].checksum = nil
        if let byteCount { files[files.count - 1].byteCount = byteCount }
    }

    /// The number of the file being read.
    var index: Int { files.count - 1 }

    mutating func note(_ name: String, _ value: ByteString) {
        files[files.count - 1].auxiliary[name] = value.text
    }

    mutating func noteKey(in database: UInt64) {
        let highest = files[files.count - 1].highestDatabase
        if highest.map({ database > $0 }) ?? true {
            files[files.count - 1].highestDatabase = database
        }
    }
}

/// The most elements that a compact collection had, by kind.
///
/// A server whose thresholds are lower unpacks such collections while it loads them, and needs
/// more memory then than the source did.
package struct PackingExtremes: Equatable, Sendable {
    package var hashFields = 0
    package var sortedSetMembers = 0
    package var setMembers = 0
    package var intsetMembers = 0
}
