import Bytes
import RDB

/// Writes a data set as comma-separated values (RFC 4180): a row for each element.
///
///     db,key,type,deadline,id,field,value,field_deadline
///     0,greeting,string,,,,hello,
///     0,queue,list,,0,,first,              id: the index
///     0,tags,set,,,,red,
///     0,board,zset,,,alice,1.5,            field: the member, value: its score
///     0,profile,hash,,,name,Ada,1893456000000
///     0,events,stream,,1-1,user,7,         id: of the entry; a row for each field
///
/// Bytes are escaped as keys are everywhere: `\xNN` and `\\`. What is no table is left out:
/// groups of streams, idle times, functions. JSON lines and requests have everything.
package struct CSVExport: KeyExport, ElementVisitor, ~Copyable {
    private var printer: Printer
    package var selection: ExportSelection
    package var longText: LongText?
    /// `db,key,type,deadline,` of the key being written, in two parts: a long key is between them.
    private var lead = (ByteString([]), ByteString([]))
    package private(set) var kind = ValueKind.string
    private var index = 0
    private var entry = StreamID.zero

    /// Exports what is selected to `printer`.
    package init(_ selection: ExportSelection, to printer: consuming Printer) {
        self.init(selection, printer)
        self.printer.buffer.append("db,key,type,deadline,id,field,value,field_deadline\n")
    }

    private init(_ selection: ExportSelection, _ printer: consuming Printer) {
        self.selection = selection
        self.printer = printer
    }

    package func makePart(_ options: FileReader.Options) -> RunPart<CSVExport> {
        RunPart(options, CSVExport(selection, Printer(keeping: ())))
    }

    package mutating func take(_ part: RunPart<CSVExport>) throws(RDBError) {
        try printer.take(&part.consumer.printer)
    }

    package var printedByteCount: Int { printer.byteCount }

    package mutating func takeBack(to byteCount: Int) {
        printer.takeBack(to: byteCount)
    }

    package mutating func write(
        _ record: KeyRecord,
        _ reader: inout FileReader
    ) throws(RDBError) {
        var lead = ByteWriter()
        lead.append(unsigned: reader.database)
        lead.append(",")
        if longText == nil { lead.append(csv: reader.key) }
        self.lead.0 = ByteString(lead.bytes)
        lead.removeAll()
        lead.append(utf8: ",\(record.encoding.kind.commandName),")
        if let deadline = record.deadline { lead.append(decimal: deadline) }
        lead.append(",")
        self.lead.1 = ByteString(lead.bytes)
        try reader.readValue(into: &self)
        try printer.flushIfFull()
    }

    /// Writes what there is.
    mutating func flush() throws(InspectError) {
        try printer.flush()
    }

    /// Writes the rest.
    package mutating func finish() throws(InspectError) {
        try printer.finish()
    }

    package mutating func begin(_ encoding: Encoding) -> Reporting {
        kind = encoding.kind
        index = 0
        return .encoded
    }

    package var largestWholeString: Int { 1 << 20 }

    private mutating func beginRow() throws(RDBError) {
        let lead = lead
        printer.buffer.append(lead.0.bytes)
        if let longText {
            printer.buffer.append("\"")
            try longText.bytes.forEachPiece { piece throws(RDBError) in
                printer.buffer.append(quoted: piece)
                try printer.flushIfFull()
            }
            printer.buffer.append("\"")
        }
        printer.buffer.append(lead.1.bytes)
    }

    private mutating func endRow() throws(RDBError) {
        printer.buffer.append("\n")
        try printer.flushIfFull()
    }

    package mutating func string(_ value: PackedValue) throws(RDBError) {
        try beginRow()
        printer.buffer.append(",,")
        printer.buffer.append(csv: value)
        printer.buffer.append(",")
        try endRow()
    }

    package mutating func stringPart(
        _ bytes: RawSpan,
        at offset: Int,
        of byteCount: Int
    ) throws(RDBError) {
        if offset == 0 {
            try beginRow()
            printer.buffer.append(",,\"")
        }
        printer.buffer.append(quoted: bytes)
        if offset + bytes.byteCount == byteCount {
            printer.buffer.append("\",")
            try endRow()
        } else {
            try printer.flushIfFull()
        }
    }

    package var largestWholeElement: Int { 1 << 20 }
    package var largestWholePacked: Int { LongPacked.limit }
    package var largestWholeName: Int { 1 << 16 }

    package mutating func elementPart(
        _ bytes: RawSpan,
        at offset: Int,
        of byteCount: Int,
        _ role: ElementRole
    ) throws(RDBError) {
        if role == .moduleString { return }
        if offset == 0 {
            if role != .hashValue, role != .streamValue { try beginRow() }
            if role == .streamField { printer.buffer.append(entry) }
            if role == .listElement {
                printer.buffer.append(decimal: Int64(index))
                index += 1
            }
            // Names of fields and members with a score stand a column before values.
            let isNamed = role != .listElement && role != .setMember
            printer.buffer.append(isNamed ? ",\"" : ",,\"")
        }
        printer.buffer.append(quoted: bytes)
        if offset + bytes.byteCount == byteCount { printer.buffer.append("\"") }
        try printer.flushIfFull()
    }

    package mutating func endElement(score: Double?, deadline: Int64?) throws(RDBError) {
        if kind == .module { return }
        printer.buffer.append(",")
        if let score {
            printer.buffer.append(shortest: score)
            printer.buffer.append(",")
        }
        if let deadline { printer.buffer.append(decimal: deadline) }
        try endRow()
    }

    package mutating func listElement(_ element: PackedValue) throws(RDBError) {
        try beginRow()
        printer.buffer.append(decimal: Int64(index))
        index += 1
        printer.buffer.append(",,")
        printer.buffer.append(csv: element)
        printer.buffer.append(",")
        try endRow()
    }

    package mutating func setMember(_ member: PackedValue) throws(RDBError) {
        try string(member)
    }

    package mutating func sortedSetMember(
        _ member: PackedValue,
        score: Double
    ) throws(RDBError) {
        try beginRow()
        printer.buffer.append(",")
        printer.buffer.append(csv: member)
        printer.buffer.append(",")
        printer.buffer.append(shortest: score)
        printer.buffer.append(",")
        try endRow()
    }

    package mutating func hashField(
        _ field: PackedValue,
        value: PackedValue,
        deadline: Int64?
    ) throws(RDBError) {
        try beginRow()
        printer.buffer.append(",")
        printer.buffer.append(csv: field)
        printer.buffer.append(",")
        printer.buffer.append(csv: value)
        printer.buffer.append(",")
        if let deadline { printer.buffer.append(decimal: deadline) }
        try endRow()
    }

    package mutating func streamEntry(_ id: StreamID, fieldCount: Int) {
        entry = id
    }

    package mutating func streamField(_ field: PackedValue, value: PackedValue) throws(RDBError) {
        try beginRow()
        printer.buffer.append(entry)
        printer.buffer.append(",")
        printer.buffer.append(csv: field)
        printer.buffer.append(",")
        printer.buffer.append(csv: value)
        printer.buffer.append(",")
        try endRow()
    }
}

extension ByteWriter {
    /// Appends the text of a value as a cell.
    mutating func append(csv value: borrowing PackedValue) {
        switch value {
        case .integer(let number): append(decimal: number)
        case .bytes(let bytes): append(csv: bytes)
        }
    }

    /// Appends a cell of a table of comma-separated values, escaped as keys are.
    mutating func append(csv bytes: RawSpan) {
        guard bytes.needsQuotes else { return append(escaped: bytes) }
        append("\"")
        append(quoted: bytes)
        append("\"")
    }

    /// Appends the inside of a cell in quotes.
    mutating func append(quoted bytes: RawSpan) {
        append(escaped: bytes, doublesQuotes: true)
    }
}

extension RawSpan {
    /// Whether there is a byte that a cell has in quotes only.
    fileprivate var needsQuotes: Bool {
        for offset in 0..<byteCount {
            switch byte(at: offset) {
            case UInt8(ascii: "\""), UInt8(ascii: ","): return true
            default: continue
            }
        }
        return false
    }
}
