import Bytes
import RDB

/// The keys of a run with their rows: the part of a consumer that counts keys once they are measured.
package struct MeasuredKeys: RecordConsumer, ~Copyable {
    private let filter: KeyFilter
    private let isFiltering: Bool
    private var visitor: MeasureAndDigest
    /// The digest of what was measured, if it is wanted.
    private(set) var digest: ContentDigest?
    /// Values of modules.
    private(set) var modules: [ModuleID: Int] = [:]
    /// Keys that modules have attached something to.
    private(set) var metadataKeyCount = 0
    private var rows: [Row] = []
    private var names = ByteWriter()
    private var longName: LongText?

    private struct Row: BitwiseCopyable {
        var row: KeyRow
        var nameEnd: Int
    }

    /// Measures the keys that `filter` admits.
    init(_ measure: ValueMeasure, filter: KeyFilter? = nil, isDigesting: Bool = false) {
        visitor = MeasureAndDigest(measure: measure)
        self.filter = filter ?? KeyFilter()
        isFiltering = filter != nil
        digest = isDigesting ? ContentDigest() : nil
    }

    package mutating func longText(_ text: LongText?) {
        longName = text
    }

    package mutating func key(
        _ record: KeyRecord,
        _ reader: inout FileReader
    ) throws(RDBError) {
        if isFiltering, !filter.admits(reader.key, record, database: reader.database) { return }
        let row = try visitor.measure(record, &reader, longName, addingTo: &digest)
        if isFiltering, !filter.admits(row) { return }
        if let module = visitor.measure.module { modules[module, default: 0] += 1 }
        if record.metadata != nil { metadataKeyCount += 1 }
        names.append(reader.key)
        rows.append(Row(row: row, nameEnd: names.count))
    }

    /// Hands out the keys in order, and forgets everything.
    mutating func removeAll(_ body: (RawSpan, KeyRow) -> Void) {
        var start = 0
        for row in rows {
            body(names.bytes.part(from: start, count: row.nameEnd - start), row.row)
            start = row.nameEnd
        }
        rows.removeAll(keepingCapacity: true)
        names.removeAll()
        modules.removeAll()
        metadataKeyCount = 0
        if digest != nil { digest = ContentDigest() }
    }
}

extension MeasureAndDigest {
    /// Measures the value of the last key of `reader`, and adds the key to a digest if there is one.
    mutating func measure(
        _ record: KeyRecord,
        _ reader: inout FileReader,
        _ longName: LongText?,
        addingTo contents: inout ContentDigest?
    ) throws(RDBError) -> KeyRow {
        guard contents != nil else { return try measure.measure(record, &reader) }
        try reader.readValue(into: &self)
        if !digest.isEmpty { contents?.add(record, reader, longName, digest.value) }
        return measure.row(record, reader)
    }
}
