import Bytes
import RDB

/// Which keys are wanted.
package struct KeyFilter {
    /// A pattern as `KEYS` takes it.
    package var pattern: ByteString?
    /// A regular expression that is found in the key's text.
    package var expression: Regex<AnyRegexOutput>?
    /// This key alone.
    package var name: ByteString?
    /// The kinds of value; any if empty.
    package var kinds: Set<ValueKind> = []
    /// The databases; any if empty.
    package var databases: Set<UInt64> = []
    /// Bytes of the record in the file.
    package var byteCounts = 0...Int.max
    /// Elements, or bytes of a string.
    package var elementCounts = 0...Int.max
    /// Whether there is a deadline; nil if it does not matter.
    package var hasDeadline: Bool?
    /// When the key expires; keys without a deadline do not.
    package var deadlines: ClosedRange<Int64>?

    /// Wants every key.
    package init() {}

    /// Whether a key may be wanted, before its value is looked at.
    package func admits(_ key: RawSpan, _ record: KeyRecord, database: UInt64) -> Bool {
        if !databases.isEmpty, !databases.contains(database) { return false }
        if !kinds.isEmpty, !kinds.contains(record.encoding.kind) { return false }
        if let hasDeadline, hasDeadline != (record.deadline != nil) { return false }
        if let deadlines {
            guard let deadline = record.deadline, deadlines.contains(deadline) else { return false }
        }
        if let name, !name.bytes.equals(key) { return false }
        if let pattern {
            let glob = GlobPattern(pattern.bytes)
            guard glob.matchesEverything || glob.matches(key) else { return false }
        }
        if let expression {
            return (try? expression.firstMatch(in: key.text)) != nil
        }
        return true
    }

    /// Whether nothing is asked of a key.
    package var admitsEverything: Bool {
        pattern == nil && expression == nil && name == nil && kinds.isEmpty && databases.isEmpty
            && hasDeadline == nil && deadlines == nil && !looksAtValues
    }

    /// Whether the value has to be measured to tell.
    package var looksAtValues: Bool {
        byteCounts != 0...Int.max || elementCounts != 0...Int.max
    }

    /// Whether a key that may be wanted is, once its value was measured.
    package func admits(_ row: KeyRow) -> Bool {
        byteCounts.contains(row.byteCount) && elementCounts.contains(row.elementCount)
    }
}
