import Bytes
import Platform
import RDB

/// Writes a data set as the requests that make it anew, as RESP: for `redis-cli --pipe`.
///
/// Collections come in requests of a few hundred elements, so that no server waits long. Keys
/// whose values commands cannot make (module data, streams with idempotent producers) come as
/// `RESTORE` with the bytes of the file, which only servers take that read the file itself; so
/// can all keys, with their idle times. What commands cannot say is left out and counted: when
/// consumers were seen last, pending entries that were deleted, data of modules beside their keys.
package struct RequestExport: KeyExport, ~Copyable {
    private var writer: RequestValueWriter
    package var selection: ExportSelection
    package var longText: LongText?
    private let isRestoringAll: Bool
    /// The selected one; nil in a part that has written nothing, whose first is selected already.
    private var database: UInt64? = 0

    /// Records that could not be expressed.
    package private(set) var lostCount = 0

    /// Exports what is selected to `printer`, all of it as `RESTORE` if `isRestoringAll`.
    package init(
        _ selection: ExportSelection,
        isRestoringAll: Bool = false,
        to printer: consuming Printer
    ) {
        self.selection = selection
        self.isRestoringAll = isRestoringAll
        writer = RequestValueWriter(to: printer)
    }

    package func makePart(_ options: FileReader.Options) -> RunPart<RequestExport> {
        var part = RequestExport(
            selection,
            isRestoringAll: isRestoringAll,
            to: Printer(keeping: ())
        )
        part.database = nil
        return RunPart(options, part)
    }

    package mutating func take(_ part: RunPart<RequestExport>) throws(RDBError) {
        if let database = part.consumer.database { select(database) }
        part.consumer.database = nil
        try writer.printer.take(&part.consumer.writer.printer)
    }

    package mutating func begin(_ file: FileDescription) {
        select(0)
    }

    package var printedByteCount: Int { writer.printer.byteCount }

    package mutating func takeBack(to byteCount: Int) {
        writer.printer.takeBack(to: byteCount)
    }

    package mutating func write(
        _ record: KeyRecord,
        _ reader: inout FileReader
    ) throws(RDBError) {
        select(reader.database)
        writer.beginKey(reader.key, longText)
        if isRestoringAll || !record.encoding.hasCommands {
            try restore(record, &reader)
        } else {
            try reader.readValue(into: &writer)
            if let deadline = record.deadline, !writer.isEmpty {
                writer.printer.buffer.append(request: 3, "PEXPIREAT")
                try writer.appendKey()
                writer.printer.buffer.append(word: deadline)
            }
        }
        try writer.printer.flushIfFull()
    }

    private mutating func select(_ number: UInt64) {
        defer { database = number }
        guard let database, number != database else { return }
        writer.printer.buffer.append(request: 2, "SELECT")
        writer.printer.buffer.append(word: Int64(clamping: number))
    }

    /// Writes a key with the bytes of its value, in a payload as `DUMP` makes it.
    private mutating func restore(
        _ record: KeyRecord,
        _ reader: inout FileReader
    ) throws(RDBError) {
        let payload = SpooledBytes()
        try payload.append(([record.encoding.typeByte] as [UInt8]).bytes)
        var visitor = SkippingVisitor()
        try reader.readValue(into: &visitor, copyingTo: payload)
        var footer = ByteWriter()
        footer.appendInteger(UInt16(reader.format?.version ?? 0))
        try payload.append(footer.bytes)
        footer.removeAll()
        footer.appendInteger(payload.checksumValue)
        try payload.append(footer.bytes)
        var extra: [ByteString] = []
        if let idle = record.idleSeconds { extra = ["IDLETIME", ByteString("\(idle)")] }
        if let frequency = record.frequency { extra = ["FREQ", ByteString("\(frequency)")] }
        writer.printer.buffer.append(request: 5 + extra.count, "RESTORE")
        try writer.appendKey()
        writer.printer.buffer.append(word: record.deadline ?? 0)
        writer.printer.buffer.beginWord(payload.byteCount)
        try payload.print(to: &writer.printer)
        writer.printer.buffer.append("\r\n")
        writer.printer.buffer.append(text: "ABSTTL")
        for word in extra { writer.printer.buffer.append(word: word.bytes) }
    }

    package mutating func record(
        _ record: Record,
        _ reader: inout FileReader
    ) throws(RDBError) {
        guard selection.isEverything else { return }
        switch record {
        case .function(let source):
            writer.printer.buffer.append(request: 4, "FUNCTION")
            writer.printer.buffer.append(text: "LOAD")
            writer.printer.buffer.append(text: "REPLACE")
            try writer.append(word: source.bytes, longText)
            try writer.printer.flushIfFull()
        case .moduleAuxiliary: lostCount += 1
        default: break
        }
    }

    package mutating func effects(_ requests: RawSpan, startsFile: Bool) throws(RDBError) {
        guard selection.isEverything else { return }
        if startsFile { select(0) }
        // Which database is selected afterwards is the log's business.
        database = .max
        writer.printer.buffer.append(requests)
        try writer.printer.flushIfFull()
    }

    /// Writes what there is.
    mutating func flush() throws(InspectError) {
        try writer.printer.flush()
    }

    /// Writes the rest.
    package mutating func finish() throws(InspectError) {
        try writer.printer.finish()
    }
}

extension Encoding {
    /// Whether there are commands that make a value of this encoding.
    fileprivate var hasCommands: Bool {
        switch self {
        case .module, .stream4, .stream5: false
        default: true
        }
    }
}

/// Requests as RESP: a count of words, then each word with its length.
extension ByteWriter {
    /// Begins a request of `count` words, the first of which is `name`.
    mutating func append(request count: Int, _ name: StaticString) {
        append("*")
        append(decimal: Int64(count))
        append("\r\n")
        append(text: name)
    }

    /// Appends a word of a request.
    mutating func append(text word: StaticString) {
        beginWord(word.utf8CodeUnitCount)
        append(word)
        append("\r\n")
    }

    /// Appends a word of a request.
    mutating func append(word: RawSpan) {
        beginWord(word.byteCount)
        append(word)
        append("\r\n")
    }

    /// Appends a word of a request.
    mutating func append(word: ByteString) {
        append(word: word.bytes)
    }

    /// Appends a number as a word of a request.
    mutating func append(word number: Int64) {
        beginWord(DecimalText.byteCount(of: number))
        append(decimal: number)
        append("\r\n")
    }

    /// Appends a value as a word of a request.
    mutating func append(word value: borrowing PackedValue) {
        switch value {
        case .integer(let number): append(word: number)
        case .bytes(let bytes): append(word: bytes)
        }
    }

    /// Appends an id as a word of a request.
    mutating func append(word id: StreamID) {
        append(word: ByteString(id.description).bytes)
    }

    /// Begins a word of `byteCount` bytes; they and the end of the line follow.
    mutating func beginWord(_ byteCount: Int) {
        append("$")
        append(decimal: Int64(byteCount))
        append("\r\n")
    }
}
