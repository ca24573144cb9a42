import Bytes
import Platform
import RDB

/// Compares two data sets key by key, in memory that does not grow with them.
///
///     var diff = DataSetDiff()
///     try diff.read(before, .before)
///     try diff.read(after, .after)
///     try diff.finish { change in print(change.key) }
///     print(diff.tally.counts)
///
/// The keys of both, with digests in the place of their values, are sorted in scratch files; where
/// a key stands once or its digests differ, something changed.
package struct DataSetDiff: ~Copyable {
    /// What is told apart.
    package struct Options: Sendable {
        /// Whether another deadline is no change.
        package var ignoresDeadlines = false
        /// What separates the parts of keys.
        package var separator = UInt8(ascii: ":")

        /// Tells everything apart.
        package init() {}
    }

    /// What was found.
    package private(set) var tally: DiffTally
    /// Keys of both.
    package private(set) var keyCounts = (before: 0, after: 0)
    /// Bytes of commands that follow a base and are not looked at.
    package private(set) var commandByteCount = 0

    private var sort = ExternalSort()

    /// Compares nothing yet.
    package init(_ options: Options = Options()) {
        tally = DiffTally(options)
    }

    /// Reads one of the two.
    package mutating func read(
        _ inspection: Inspection,
        isBefore: Bool
    ) throws(InspectError) {
        var empty = ExternalSort(limit: 0)
        swap(&empty, &sort)
        var collector = DiffCollector(isBefore ? .before : .after, empty)
        try inspection.read(into: &collector)
        commandByteCount += collector.commandByteCount
        if isBefore {
            keyCounts.before += collector.keyCount
        } else {
            keyCounts.after += collector.keyCount
        }
        sort = collector.takeSort()
    }

    /// Hands out the changes, by database and key.
    package mutating func finish(
        _ body: (KeyChange) throws(SystemError) -> Void
    ) throws(InspectError) {
        var sorted = ExternalSort(limit: 0)
        swap(&sorted, &sort)
        var tally = self.tally
        do throws(SystemError) {
            try sorted.finish { _, bytes throws(SystemError) in
                if let change = tally.add(bytes) { try body(change) }
            }
            if let change = tally.finishKey() { try body(change) }
        } catch {
            throw InspectError("the sorted keys", .system(error))
        }
        self.tally = tally
    }
}

/// Puts the keys of one data set into the sort.
private struct DiffCollector: SharedConsumer, ~Copyable {
    private(set) var keyCount = 0
    private(set) var commandByteCount = 0
    private let side: DiffSide
    private var sort: ExternalSort
    private var digest = ValueDigest()
    private var writer = ByteWriter()

    init(_ side: DiffSide, _ sort: consuming ExternalSort) {
        self.side = side
        self.sort = sort
    }

    mutating func takeSort() -> ExternalSort {
        var taken = ExternalSort(limit: 0)
        swap(&taken, &sort)
        return taken
    }

    func makePart(_ options: FileReader.Options) -> RunPart<DiffCollector> {
        RunPart(options, DiffCollector(side, ExternalSort(memoryByteCount: .max)))
    }

    mutating func take(_ part: RunPart<DiffCollector>) throws(RDBError) {
        keyCount += part.consumer.keyCount
        part.consumer.keyCount = 0
        do {
            try sort.take(&part.consumer.sort)
        } catch {
            throw RDBError(.transferFailed, at: 0, "cannot sort", cause: error)
        }
    }

    mutating func key(_ record: KeyRecord, _ reader: inout FileReader) throws(RDBError) {
        try reader.readValue(into: &digest)
        // Servers drop collections without elements.
        if digest.isEmpty { return }
        keyCount += 1
        let item = DiffItem(
            database: reader.database,
            key: ByteString(reader.key),
            side: side,
            encoding: record.encoding,
            deadline: record.deadline,
            digest: digest.value,
            byteCount: reader.offset - record.offset
        )
        var bytes = ByteWriter()
        swap(&bytes, &writer)
        defer { swap(&bytes, &writer) }
        bytes.removeAll()
        item.write(to: &bytes)
        do {
            try sort.add(item.rank, bytes.bytes)
        } catch {
            throw RDBError(.transferFailed, at: 0, "cannot sort", cause: error)
        }
    }

    mutating func effects(_ requests: RawSpan, startsFile: Bool) {
        commandByteCount += requests.byteCount
    }
}
