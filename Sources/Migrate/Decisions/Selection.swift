import Bytes
import RDB

/// Which keys go over, under which names and into which databases.
package struct Selection: Sendable {
    /// Patterns one of which a key must match, if there are any.
    package var included: [ByteString] = []
    /// Patterns none of which a key may match.
    package var excluded: [ByteString] = []
    /// The databases that go over; nil for all.
    package var databases: Set<UInt64>?
    /// The kinds of value that go over; nil for all.
    package var kinds: Set<ValueKind>?
    /// New names.
    package var renames: [Rename] = []
    /// New numbers of databases.
    package var databaseNumbers: [UInt64: UInt64] = [:]

    /// Everything, as it is.
    package init() {}

    /// Whether every key goes over.
    package var isEverything: Bool {
        included.isEmpty && excluded.isEmpty && databases == nil && kinds == nil
    }

    /// Whether keys are where they were.
    package var isIdentity: Bool {
        isEverything && renames.isEmpty && databaseNumbers.isEmpty
    }

    /// Whether a key goes over.
    package func contains(_ key: RawSpan, in database: UInt64, _ kind: ValueKind) -> Bool {
        if let databases, !databases.contains(database) { return false }
        if let kinds, !kinds.contains(kind) { return false }
        if !included.isEmpty, !Self.matches(key, included) { return false }
        return !Self.matches(key, excluded)
    }

    private static func matches(_ key: RawSpan, _ patterns: [ByteString]) -> Bool {
        patterns.contains { pattern in
            let pattern = GlobPattern(pattern.bytes)
            return pattern.matchesEverything || pattern.matches(key)
        }
    }

    /// The database that a database becomes.
    package func database(_ number: UInt64) -> UInt64 {
        databaseNumbers[number] ?? number
    }

    /// The name that a key gets; nil if it keeps its own.
    package func newName(of key: RawSpan) -> ByteString? {
        for rename in renames {
            if let name = rename.apply(to: key) { return name }
        }
        return nil
    }
}

/// A rule for new names: `user:*=u:*`.
///
/// One star at most on either side; what it stands for on the left is put in its place on the
/// right. Everything else is literal.
package struct Rename: Sendable {
    /// The rule as it was given.
    package let text: String
    private let before: Part
    private let after: Part

    private struct Part: Sendable {
        let prefix: ByteString
        /// What follows the star; nil without a star.
        let suffix: ByteString?

        init?(_ text: Substring) {
            let pieces = text.split(separator: "*", omittingEmptySubsequences: false)
            guard pieces.count <= 2, !text.isEmpty else { return nil }
            prefix = ByteString(String(pieces[0]))
            suffix = pieces.count == 2 ? ByteString(String(pieces[1])) : nil
        }
    }

    /// Reads a rule; nil if it is none.
    package init?(_ text: String) {
        let sides = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard sides.count == 2, let before = Part(sides[0]), let after = Part(sides[1]),
            before.suffix != nil || after.suffix == nil
        else { return nil }
        self.text = text
        self.before = before
        self.after = after
    }

    /// The new name; nil if the rule is not for this key.
    package func apply(to key: RawSpan) -> ByteString? {
        let count = before.prefix.byteCount + (before.suffix?.byteCount ?? 0)
        let middle = key.byteCount - count
        guard middle >= 0, before.suffix != nil || middle == 0,
            begins(key, with: before.prefix), ends(key, with: before.suffix)
        else { return nil }
        var writer = ByteWriter(reserving: key.byteCount + 16)
        writer.append(after.prefix.bytes)
        if let suffix = after.suffix {
            writer.append(key.part(from: before.prefix.byteCount, count: middle))
            writer.append(suffix.bytes)
        }
        return ByteString(writer.bytes)
    }

    private func begins(_ key: RawSpan, with prefix: ByteString) -> Bool {
        key.part(from: 0, count: prefix.byteCount).equals(prefix.bytes)
    }

    private func ends(_ key: RawSpan, with suffix: ByteString?) -> Bool {
        guard let suffix else { return true }
        let start = key.byteCount - suffix.byteCount
        return key.part(from: start, count: suffix.byteCount).equals(suffix.bytes)
    }
}
