import Bytes
import RDB

/// Shows a key with its value as people read it, a page of its elements.
///
///     user:17  db 0, hash (HASH_LISTPACK), 3 fields, 64 bytes, expires 2026-11-26 10:00:00 (in 9 h 2 min)
///       0  name   Ada
///       1  city   Stra\xdfe
///       2  visits 17
package struct KeyPage: RecordConsumer, ~Copyable {
    /// What is shown.
    package struct Options {
        /// The key.
        package var key: ByteString
        /// Its database; nil shows the key of each database that has one.
        package var database: UInt64?
        /// The first element.
        package var first = 0
        /// How many elements.
        package var count = 100
        /// The moment that deadlines are counted from.
        package var now: Int64

        /// Shows a key's first elements.
        package init(_ key: ByteString, now: Int64) {
            self.key = key
            self.now = now
        }
    }

    /// How many keys were shown.
    package private(set) var foundCount = 0

    private let options: Options
    private let style: TextStyle
    private var writer: PageWriter

    /// Shows on `printer`.
    package init(_ options: Options, _ style: TextStyle, to printer: consuming Printer) {
        self.options = options
        self.style = style
        writer = PageWriter(options.first, options.count, style, to: printer)
    }

    package mutating func key(
        _ record: KeyRecord,
        _ reader: inout FileReader
    ) throws(RDBError) {
        guard options.database ?? reader.database == reader.database,
            reader.key.equals(options.key.bytes)
        else { return }
        foundCount += 1
        try reader.readValue(into: &writer)
        var facts = [
            "db \(reader.database)",
            "\(record.encoding.kind.commandName) (\(record.encoding.name))",
            "\(Quantities.count(reader.offset - record.offset)) bytes in the file",
        ]
        if let deadline = record.deadline {
            let left = Moments.duration(deadline - options.now)
            facts.append("expires \(Moments.text(deadline)) UTC (in \(left))")
        }
        if let idle = record.idleSeconds {
            let milliseconds = Int64(clamping: idle).multipliedClamped(by: 1000)
            facts.append("idle for \(Moments.duration(milliseconds))")
        }
        if let frequency = record.frequency { facts.append("frequency \(frequency)") }
        try writer.finishKey(reader.key, facts)
        // Nothing more can be found.
        if options.database != nil { throw .stopped }
    }

    /// Reads `inspection` until everything that was asked for is found, and writes the rest.
    package mutating func show(_ inspection: Inspection) throws(InspectError) {
        do {
            try inspection.read(into: &self)
        } catch {
            guard case .rdb(let reason) = error.problem, reason.code == .stopped else {
                throw error
            }
        }
        try writer.printer.finish()
    }
}
