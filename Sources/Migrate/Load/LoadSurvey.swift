import Bytes
import Inspect
import Platform
import RDB

/// What is in the files of a load: a first pass, so that damage is found before anything is sent.
package struct LoadSurvey: RecordConsumer {
    /// Bytes of the dumps, decompressed, one for each file, and their checksums.
    package private(set) var files: [LoadedFile] = []
    /// Keys in all files.
    package private(set) var keyCount = 0
    /// The highest database with a key.
    package private(set) var highestDatabase: UInt64 = 0
    /// Keys by how their values are laid out.
    package private(set) var encodings: [Encoding: Int] = [:]
    /// Libraries of functions.
    package private(set) var functionCount = 0
    /// Whether commands follow a dump.
    package private(set) var hasCommands = false
    /// The first keys of each encoding that were met.
    package private(set) var samples: [Encoding: [ByteString]] = [:]
    /// Values that are too long for one request.
    private var largeValues: Set<LoadPosition> = []
    private let splitByteCount: Int
    private let now = SystemTime().wallTime.milliseconds

    static let sampleCount = 5

    /// Notes which values take more than `splitByteCount` bytes.
    package init(splitByteCount: Int) {
        self.splitByteCount = splitByteCount
    }

    /// Whether the value of the key at `position` has to be sent in parts.
    func isLarge(at position: LoadPosition) -> Bool { largeValues.contains(position) }

    package mutating func begin(_ file: FileDescription) throws(RDBError) {
        files.append(LoadedFile(path: file.path))
    }

    package mutating func key(
        _ record: KeyRecord,
        _ reader: inout FileReader
    ) throws(RDBError) {
        keyCount += 1
        highestDatabase = max(highestDatabase, reader.database)
        let name = ByteString(reader.key)
        let start = reader.offset
        let encoding = try layout(of: record, &reader)
        encodings[encoding, default: 0] += 1
        if samples[encoding, default: []].count < Self.sampleCount {
            samples[encoding, default: []].append(name)
        }
        if reader.offset - start > splitByteCount {
            largeValues.insert(LoadPosition(file: files.count - 1, offset: record.offset))
        }
    }

    /// How a value is laid out, which is read; a hash of which no field has a deadline any more is
    /// a plain one to every server.
    private func layout(
        of record: KeyRecord,
        _ reader: inout FileReader
    ) throws(RDBError) -> Encoding {
        guard record.encoding.hasFieldDeadlines else {
            try reader.skipValue()
            return record.encoding
        }
        var deadlines = DeadlineSearch(now: now)
        try reader.readValue(into: &deadlines)
        return deadlines.isSuccessful ? record.encoding : .hash
    }

    package mutating func record(
        _ record: Record,
        _ reader: inout FileReader
    ) throws(RDBError) {
        if case .function = record { functionCount += 1 }
    }

    package mutating func effects(_ requests: RawSpan, startsFile: Bool) throws(RDBError) {
        hasCommands = true
    }

    package mutating func end(_ file: FileSummary) throws(RDBError) {
        files[files.count - 1].byteCount = file.byteCount
        files[files.count - 1].checksum = file.checksum
    }
}

/// Finds out whether a field of a hash still has a deadline.
private struct DeadlineSearch: PayloadVisitor {
    let now: Int64
    private(set) var isSuccessful = false

    init(now: Int64) {
        self.now = now
    }

    mutating func begin(_ encoding: Encoding) -> Reporting { .elements }

    mutating func hashField(_ field: PackedValue, value: PackedValue, deadline: Int64?) {
        if let deadline, deadline > now { isSuccessful = true }
    }
}

/// What tells one file of a load from another.
package struct LoadedFile: Equatable, Sendable {
    /// What the user called it.
    package var path: String
    /// Bytes of its dump, decompressed.
    package var byteCount = 0
    /// Its checksum, if it has one.
    package var checksum: UInt64?

    /// Describes a file.
    package init(path: String, byteCount: Int = 0, checksum: UInt64? = nil) {
        self.path = path
        self.byteCount = byteCount
        self.checksum = checksum
    }
}
