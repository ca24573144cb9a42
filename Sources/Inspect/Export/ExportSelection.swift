import Bytes
import RDB

/// Which keys are exported.
///
/// Whether a key is large enough is known at its end only, and then it would have been written
/// already. Filters of that kind take a pass of their own, which leaves a bit for each key.
package struct ExportSelection {
    let filter: KeyFilter
    /// A bit for each key in the order of the files; empty if the filter tells at once.
    private var bits: [UInt64] = []
    private var position = 0

    /// Selects what `filter` admits of `inspection`, which is read if need be.
    package init(_ filter: KeyFilter, in inspection: Inspection) throws(InspectError) {
        self.filter = filter
        guard filter.looksAtValues else { return }
        if inspection.paths.contains("-") {
            throw InspectError("-", .unknown("filters by size read twice; give a file"))
        }
        var marks = SelectionMarks(filter)
        try inspection.read(into: &marks)
        bits = marks.bits
    }

    /// Whether the filter lets everything pass, so that what belongs to no key is exported, too.
    var isEverything: Bool { filter.admitsEverything }

    /// Whether it does not matter how many keys came before.
    var isShared: Bool { !filter.looksAtValues }

    /// Whether the next key is exported; to be asked once for each key.
    mutating func admits(_ key: RawSpan, _ record: KeyRecord, database: UInt64) -> Bool {
        guard filter.looksAtValues else {
            return filter.admits(key, record, database: database)
        }
        defer { position += 1 }
        return position / 64 < bits.count && bits[position / 64] >> (position % 64) & 1 == 1
    }
}

/// The pass that marks the keys a filter admits.
private struct SelectionMarks: RecordConsumer {
    private(set) var bits: [UInt64] = []
    private var position = 0
    private let filter: KeyFilter
    private var measure = ValueMeasure()

    init(_ filter: KeyFilter) {
        self.filter = filter
    }

    mutating func key(_ record: KeyRecord, _ reader: inout FileReader) throws(RDBError) {
        if position % 64 == 0 { bits.append(0) }
        defer { position += 1 }
        guard filter.admits(reader.key, record, database: reader.database) else { return }
        let row = try measure.measure(record, &reader)
        if filter.admits(row) { bits[position / 64] |= 1 << (position % 64) }
    }
}
