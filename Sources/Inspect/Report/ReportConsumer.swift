import Bytes
import RDB

/// Counts what a report shows, in one pass.
package struct ReportConsumer: SharedConsumer {
    /// Everything that a summary has.
    package private(set) var summary: Summary
    /// Keys by the size of their records.
    package private(set) var sizes = SizeHistogram()
    private var largest: [LargestKeys]

    /// How many keys are kept of each order.
    private static let largestCount = 250

    /// Counts nothing yet.
    package init(_ options: Summary.Options = Summary.Options(), memory: MemoryTally) {
        summary = Summary(options, memory: memory)
        let metrics: [KeyMetric] = [.memory, .bytes, .elements, .largest]
        largest = metrics.map { LargestKeys(Self.largestCount, by: $0) }
    }

    package mutating func begin(_ file: FileDescription) {
        summary.begin(file)
    }

    package mutating func key(
        _ record: KeyRecord,
        _ reader: inout FileReader
    ) throws(RDBError) {
        let row = try summary.count(record, &reader)
        add(reader.key, row)
    }

    private mutating func add(_ key: RawSpan, _ row: KeyRow) {
        sizes.add(row.byteCount)
        for index in largest.indices { largest[index].add(key, row) }
    }

    package func makePart(_ options: FileReader.Options) -> RunPart<MeasuredKeys> {
        summary.makePart(options)
    }

    package mutating func take(_ part: RunPart<MeasuredKeys>) {
        // Taken out while it counts.
        var counting = summary
        swap(&counting, &summary)
        counting.take(part) { key, row in add(key, row) }
        swap(&counting, &summary)
    }

    package mutating func record(
        _ record: Record,
        _ reader: inout FileReader
    ) throws(RDBError) {
        try summary.record(record, &reader)
    }

    package mutating func effects(_ requests: RawSpan, startsFile: Bool) {
        summary.effects(requests, startsFile: startsFile)
    }

    package mutating func end(_ file: FileSummary) {
        summary.end(file)
    }

    /// The keys that are among the largest by any measure, each once.
    var largestKeys: [LargestKeys.Entry] {
        var seen: Set<Int> = []
        var entries: [LargestKeys.Entry] = []
        for keys in largest {
            for entry in keys.sorted {
                var hasher = Hasher()
                hasher.combine(entry.key)
                hasher.combine(entry.row.database)
                hasher.combine(entry.row.offset)
                if seen.insert(hasher.finalize()).inserted { entries.append(entry) }
            }
        }
        return entries
    }
}

/// Counts and bytes by powers of four.
package struct SizeHistogram: Equatable, Sendable {
    /// How many keys, and their bytes, below each end.
    package private(set) var bands: [(end: Int, keyCount: Int, byteCount: Int)] = Self.ends.map {
        (end: $0, keyCount: 0, byteCount: 0)
    }

    private static let ends = (2...17).map { 1 << (2 * $0) }

    mutating func add(_ byteCount: Int) {
        // 16, 64, 256, and so on; the last band has all that is larger.
        let bits = Int.bitWidth - byteCount.leadingZeroBitCount
        let index = min(max(0, (bits + 1) / 2 - 2), bands.count - 1)
        bands[index].keyCount += 1
        bands[index].byteCount += byteCount
    }

    package static func == (one: SizeHistogram, other: SizeHistogram) -> Bool {
        one.bands.elementsEqual(other.bands) { $0 == $1 }
    }

    var json: JSON {
        .array(
            bands.map { band in
                .object([
                    ("band", .text("below \(Quantities.bytes(band.end))")),
                    ("keys", .count(band.keyCount)),
                    ("bytes", .count(band.byteCount)),
                ])
            }
        )
    }
}
