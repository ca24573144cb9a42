import Bytes
import RDB

/// The keys of a run with their rows: the part of a consumer that counts keys once they are measured.
package struct MeasuredKeys: RecordConsumer, ~Copyable {
    private let filter: KeyFilter
    private let isFiltering: Bool
    private var measure: ValueMeasure
    private var valueDigest = ValueDigest()
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
        self.measure = measure
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
        let row = try row(record, &reader)
        if isFiltering, !filter.admits(row) { return }
        if let module = measure.module { modules[module, default: 0] += 1 }
        if record.metadata != nil { metadataKeyCount += 1 }
        names.append(reader.key)
        rows.append(Row(row: row, nameEnd: names.count))
    }

    private mutating func row(
        _ record: KeyRecord,
        _ reader: inout FileReader
    ) throws(RDBError) -> KeyRow {
        guard digest != nil else { return try measure.measure(record, &reader) }
        return try measure.measure(record, &reader, longName, &valueDigest, addingTo: &digest)
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

extension ValueMeasure {
    /// Measures the value of the last key of `reader`, and adds the key to a digest.
    mutating func measure(
        _ record: KeyRecord,
        _ reader: inout FileReader,
        _ longName: LongText?,
        _ valueDigest: inout ValueDigest,
        addingTo digest: inout ContentDigest?
    ) throws(RDBError) -> KeyRow {
        var both = MeasureAndDigest(measure: self, digest: valueDigest)
        try reader.readValue(into: &both)
        self = both.measure
        valueDigest = both.digest
        if !valueDigest.isEmpty {
            digest?.add(record, reader, longName, valueDigest.value)
        }
        return row(record, reader)
    }
}
