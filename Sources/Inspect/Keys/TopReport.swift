import Bytes
import RDB

/// The keys with most of each of several things.
package struct TopReport: SharedConsumer {
    private var lists: [(metric: KeyMetric, keys: LargestKeys)]
    private let filter: KeyFilter
    private var measure: ValueMeasure

    /// Keeps `limit` keys for each of `metrics`.
    package init(
        _ metrics: [KeyMetric],
        limit: Int,
        filter: KeyFilter = KeyFilter(),
        memory: MemoryTally = MemoryTally()
    ) {
        lists = metrics.map { ($0, LargestKeys(limit, by: $0)) }
        self.filter = filter
        measure = ValueMeasure(memory: memory)
    }

    package mutating func key(
        _ record: KeyRecord,
        _ reader: inout FileReader
    ) throws(RDBError) {
        guard filter.admits(reader.key, record, database: reader.database) else { return }
        let row = try measure.measure(record, &reader)
        guard filter.admits(row) else { return }
        add(reader.key, row)
    }

    private mutating func add(_ key: RawSpan, _ row: KeyRow) {
        for index in lists.indices { lists[index].keys.add(key, row) }
    }

    package func makePart(_ options: FileReader.Options) -> RunPart<MeasuredKeys> {
        RunPart(options, MeasuredKeys(measure, filter: filter))
    }

    package mutating func take(_ part: RunPart<MeasuredKeys>) {
        part.consumer.removeAll { key, row in add(key, row) }
    }

    /// The lists as JSON, by what they are sorted by.
    package var json: JSON {
        .object(lists.map { ($0.metric.rawValue, .array($0.keys.sorted.map(\.json))) })
    }

    /// Appends the lists as tables.
    package func append(to writer: inout ByteWriter, _ style: TextStyle) {
        for (index, list) in lists.enumerated() {
            if index > 0 { writer.append("\n") }
            writer.append(utf8: style.bold("Most \(list.metric.rawValue)") + "\n")
            LargestKeys.table(list.keys.sorted).append(to: &writer, style)
        }
    }
}

extension LargestKeys {
    /// Keys as a table.
    static func table(_ entries: [Entry]) -> TextTable {
        var table = TextTable([
            ">bytes", ">memory", ">elements", ">largest", "type", "db", "key",
        ])
        for entry in entries {
            table.add([
                Quantities.bytes(entry.row.byteCount),
                Quantities.bytes(entry.row.memory),
                Quantities.count(entry.row.elementCount),
                Quantities.bytes(entry.row.largestElement),
                entry.row.encoding.kind.commandName,
                "\(entry.row.database)",
                EscapedText.abbreviate(entry.key.bytes),
            ])
        }
        return table
    }
}
