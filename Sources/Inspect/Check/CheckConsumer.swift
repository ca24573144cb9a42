import AppendLog
import Bytes
import RDB

/// Has every record and every element decoded and checked, and counts them.
package struct CheckConsumer: SharedConsumer, ~Copyable {
    /// What was sound so far.
    package private(set) var counts = CheckCounts()
    /// The files that were read to their end.
    package private(set) var files: [FileSummary] = []
    private var visitor = CheckVisitor()
    private var keys = DuplicateFinder()

    /// A consumer that has seen nothing.
    package init() {}

    package mutating func key(
        _ record: KeyRecord,
        _ reader: inout FileReader
    ) throws(RDBError) {
        try add(CheckedKey(record, &reader, &visitor))
    }

    private mutating func add(_ key: CheckedKey) throws(RDBError) {
        if let offset = try keys.add(key.digest, at: key.offset) {
            throw RDBError(.duplicate, at: offset, "the key came before in this database")
        }
        counts.keyCount += 1
        counts.byteCount = key.end
    }

    package func makePart(_ options: FileReader.Options) -> RunPart<CheckedKeys> {
        RunPart(options, CheckedKeys())
    }

    package mutating func take(_ part: RunPart<CheckedKeys>) throws(RDBError) {
        var keys = part.consumer.takeKeys()
        for key in keys { try add(key) }
        keys.removeAll(keepingCapacity: true)
        part.consumer.keys = keys
    }

    package mutating func record(
        _ record: Record,
        _ reader: inout FileReader
    ) throws(RDBError) {
        counts.otherCount += 1
        counts.byteCount = reader.offset
        if case .sizes(let keys, _) = record { counts.statedKeyCount += Int(clamping: keys) }
        switch record {
        case .moduleAuxiliary: try reader.readValue(into: &visitor)
        case .end:
            if let offset = try keys.finish() {
                throw RDBError(.duplicate, at: offset, "the key came before in this database")
            }
        default: break
        }
    }

    package mutating func effects(_ requests: RawSpan, startsFile: Bool) {
        counts.requestByteCount += requests.byteCount
    }

    package mutating func end(_ file: FileSummary) {
        files.append(file)
    }
}

/// The sound keys of a run.
package struct CheckedKeys: RecordConsumer, ~Copyable {
    fileprivate var keys: [CheckedKey] = []
    private var visitor = CheckVisitor()

    fileprivate mutating func takeKeys() -> [CheckedKey] {
        let taken = keys
        keys = []
        return taken
    }

    package mutating func key(
        _ record: KeyRecord,
        _ reader: inout FileReader
    ) throws(RDBError) {
        keys.append(try CheckedKey(record, &reader, &visitor))
    }
}

/// A key whose value is sound.
private struct CheckedKey {
    /// Of the database and the name.
    let digest: Digest128
    let offset: Int
    let end: Int

    /// Checks the value of the last key of `reader`.
    init(
        _ record: KeyRecord,
        _ reader: inout FileReader,
        _ visitor: inout CheckVisitor
    ) throws(RDBError) {
        do {
            try reader.readValue(into: &visitor)
        } catch {
            // The visitor does not know where in the file it is.
            let isOurs = error.code == .duplicate && error.offset == 0
            throw isOurs ? error.moved(by: reader.offset, keepingRecord: true) : error
        }
        digest = Digest128(Fingerprint(of: reader.key, in: reader.database))
        offset = record.offset
        end = reader.offset
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
