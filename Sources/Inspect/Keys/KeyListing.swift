import Bytes
import Platform
import RDB

/// Lists keys with their rows, in the order of the file or sorted, in memory that does not grow.
package struct KeyListing: SharedConsumer, ~Copyable {
    /// How a key is written.
    package enum Form: String, Sendable, CaseIterable {
        case table, csv, json
    }

    /// What is listed.
    package struct Options {
        package var filter = KeyFilter()
        package var form = Form.table
        /// Most first; nil lists in the order of the file.
        package var order: KeyMetric?
        /// Least first.
        package var isAscending = false
        package var limit = Int.max

        /// Lists every key in the order of the file.
        package init() {}
    }

    private let options: Options
    private var printer: Printer
    private var measure: ValueMeasure
    private var sort: ExternalSort
    private var content = ByteWriter()
    private var count = 0

    /// Lists to `printer`.
    package init(
        _ options: Options,
        memory: MemoryTally = MemoryTally(),
        to printer: consuming Printer
    ) {
        self.options = options
        self.printer = printer
        measure = ValueMeasure(memory: memory)
        sort = ExternalSort(limit: options.limit)
        KeyRow.writeHeader(options.form, to: &self.printer.buffer)
    }

    package func makePart(_ options: FileReader.Options) -> RunPart<KeyListing> {
        RunPart(options, KeyListing(partOf: self))
    }

    private init(partOf whole: borrowing KeyListing) {
        options = whole.options
        printer = Printer(keeping: ())
        measure = whole.measure
        sort = ExternalSort(memoryByteCount: .max)
    }

    package mutating func take(_ part: RunPart<KeyListing>) throws(RDBError) {
        do {
            try sort.take(&part.consumer.sort)
        } catch {
            throw RDBError(.transferFailed, at: 0, "cannot sort", cause: error)
        }
        // A row is a line.
        if count + part.consumer.count > options.limit {
            part.consumer.printer.buffer.truncate(toLines: options.limit - count)
        }
        count = min(count + part.consumer.count, options.limit)
        part.consumer.count = 0
        try printer.take(&part.consumer.printer)
    }

    package mutating func key(
        _ record: KeyRecord,
        _ reader: inout FileReader
    ) throws(RDBError) {
        guard options.filter.admits(reader.key, record, database: reader.database) else { return }
        let row = try measure.measure(record, &reader)
        guard options.filter.admits(row) else { return }
        guard let order = options.order else {
            guard count < options.limit else { return }
            count += 1
            row.write(reader.key, options.form, to: &printer.buffer)
            return try printer.flushIfFull()
        }
        // Taken out while it is sorted in.
        var line = ByteWriter()
        swap(&line, &content)
        defer { swap(&line, &content) }
        line.removeAll()
        line.append(reader.key)
        line.append(imageOf: row)
        // The rank is unsigned and ascends.
        let value = UInt64(bitPattern: Int64(order.value(of: row))) ^ 1 << 63
        do {
            try sort.add(options.isAscending ? value : ~value, line.bytes)
        } catch {
            throw RDBError(.transferFailed, at: 0, "cannot sort", cause: error)
        }
    }

    /// Writes the rows of the keys before a fault, if they are not sorted.
    package mutating func flush() throws(InspectError) {
        try printer.flush()
    }

    /// Writes what is sorted, and the rest.
    package mutating func finish() throws(InspectError) {
        // Taken out while its items are printed.
        var sorted = ExternalSort(limit: 0)
        swap(&sorted, &sort)
        do throws(SystemError) {
            try sorted.finish { _, item throws(SystemError) in
                item.rowOfItem.write(item.keyOfItem, options.form, to: &printer.buffer)
                try printer.writeIfFull()
            }
        } catch {
            throw InspectError("the sorted keys", .system(error))
        }
        try printer.finish()
    }
}

extension ByteWriter {
    /// Keeps so many of the first lines.
    fileprivate mutating func truncate(toLines count: Int) {
        var end = 0
        for _ in 0..<count {
            end = (bytes.firstIndex(of: UInt8(ascii: "\n"), from: end) ?? bytes.byteCount - 1) + 1
        }
        truncate(to: end)
    }
}

// A key that is sorted: its name, so that those of equal rank come in its order, and its row as
// it lies in memory. It never leaves the process.

extension ByteWriter {
    fileprivate mutating func append(imageOf row: KeyRow) {
        unsafe withUnsafeBytes(of: row) { unsafe append($0.bytes) }
    }
}

extension RawSpan {
    fileprivate var rowOfItem: KeyRow {
        let offset = byteCount - MemoryLayout<KeyRow>.size
        return unsafe unsafeLoadUnaligned(fromByteOffset: offset, as: KeyRow.self)
    }

    fileprivate var keyOfItem: RawSpan {
        @_lifetime(copy self)
        get { part(from: 0, count: byteCount - MemoryLayout<KeyRow>.size) }
    }
}
