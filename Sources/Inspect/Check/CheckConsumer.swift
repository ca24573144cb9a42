import AppendLog
import Bytes
import RDB

/// Has every record and every element decoded and checked, and counts them.
package struct CheckConsumer: RecordConsumer {
    /// What was sound so far.
    package private(set) var counts = CheckCounts()
    /// The files that were read to their end.
    package private(set) var files: [FileSummary] = []
    private var visitor = CheckVisitor()

    /// A consumer that has seen nothing.
    package init() {}

    package mutating func key(
        _ record: KeyRecord,
        _ reader: inout FileReader
    ) throws(RDBError) {
        try reader.readValue(into: &visitor)
        counts.keyCount += 1
        counts.byteCount = reader.offset
    }

    package mutating func record(
        _ record: Record,
        _ reader: inout FileReader
    ) throws(RDBError) {
        counts.otherCount += 1
        counts.byteCount = reader.offset
        if case .sizes(let keys, _) = record { counts.statedKeyCount += Int(clamping: keys) }
        if case .moduleAuxiliary = record { try reader.readValue(into: &visitor) }
    }

    package mutating func effects(_ requests: RawSpan, startsFile: Bool) {
        counts.requestByteCount += requests.byteCount
    }

    package mutating func end(_ file: FileSummary) {
        files.append(file)
    }
}

/// What was found to be sound.
package struct CheckCounts: Equatable, Sendable {
    package var keyCount = 0
    /// Records that are no keys.
    package var otherCount = 0
    /// Where the last sound record of the last file ends.
    package var byteCount = 0
    /// Keys that the files say they have.
    package var statedKeyCount = 0
    /// Bytes of commands.
    package var requestByteCount = 0
}

/// Asks for packed encodings whole, which the reader checks throughout before it hands them over.
struct CheckVisitor: PayloadVisitor {
    mutating func begin(_ encoding: Encoding) -> Reporting { .encoded }
    var largestWholeString: Int { 1 << 16 }
}
