import Bytes
import RDB

/// Writes values as JSON, element by element as they come.
struct JSONValueWriter: ElementVisitor, ~Copyable {
    var printer: Printer
    private(set) var kind = ValueKind.string
    /// Whether the next item of the innermost list is its first.
    private var isFirst = true
    private var isInParts = false
    /// Whether the name of the next group or consumer came in parts.
    private var isNamed = false
    private var stream = JSONStreamState()

    /// Longer strings are written in parts.
    private static let partByteCount = 1 << 20

    init(to printer: consuming Printer) {
        self.printer = printer
    }

    mutating func begin(_ encoding: Encoding) -> Reporting {
        kind = encoding.kind
        isFirst = true
        isInParts = false
        isNamed = false
        switch kind {
        case .string, .module, .other: break
        case .stream:
            stream = JSONStreamState()
            printer.buffer.append("{\"entries\":[")
        case .list, .set, .sortedSet, .hash: printer.buffer.append("[")
        }
        return .encoded
    }

    mutating func end() throws(RDBError) {
        switch kind {
        case .string:
            if isInParts { printer.buffer.append("]}") }
        case .stream: stream.end(&printer.buffer)
        case .module, .other: printer.buffer.append("]}")
        case .list, .set, .sortedSet, .hash: printer.buffer.append("]")
        }
    }

    var largestWholeString: Int { Self.partByteCount }

    mutating func string(_ value: PackedValue) {
        printer.buffer.append(json: value)
    }

    mutating func stringPart(
        _ bytes: RawSpan,
        at offset: Int,
        of byteCount: Int
    ) throws(RDBError) {
        isInParts = true
        if offset == 0 { printer.buffer.append("{\"parts\":[") }
        try writeParts(bytes, offset)
    }

    private mutating func writeParts(_ bytes: RawSpan, _ offset: Int) throws(RDBError) {
        var position = 0
        while position < bytes.byteCount {
            if offset + position > 0 { printer.buffer.append(",") }
            let count = min(Self.partByteCount, bytes.byteCount - position)
            printer.buffer.append(json: bytes.part(from: position, count: count))
            position += count
            try printer.flushIfFull()
        }
    }

    /// Writes a text, or the longer one that it stands for.
    mutating func append(_ text: RawSpan, _ longText: LongText?) throws(RDBError) {
        guard let longText else { return printer.buffer.append(json: text) }
        let isInParts = longText.bytes.byteCount > Self.partByteCount
        if isInParts { printer.buffer.append("{\"parts\":[") }
        var offset = 0
        try longText.bytes.forEachPiece { piece throws(RDBError) in
            try writeParts(piece, offset)
            offset += piece.byteCount
        }
        if isInParts { printer.buffer.append("]}") }
    }

    var largestWholeElement: Int { Self.partByteCount }
    var largestWholePacked: Int { LongPacked.limit }

    mutating func elementPart(
        _ bytes: RawSpan,
        at offset: Int,
        of byteCount: Int,
        _ role: ElementRole
    ) throws(RDBError) {
        if offset == 0 { beginElement(role) }
        try writePart(bytes, offset, byteCount)
    }

    private mutating func writePart(
        _ bytes: RawSpan,
        _ offset: Int,
        _ byteCount: Int
    ) throws(RDBError) {
        guard byteCount > Self.partByteCount else {
            return printer.buffer.append(json: bytes)
        }
        if offset == 0 { printer.buffer.append("{\"parts\":[") }
        try writeParts(bytes, offset)
        if offset + bytes.byteCount == byteCount { printer.buffer.append("]}") }
    }

    private mutating func beginElement(_ role: ElementRole) {
        switch role {
        case .hashValue, .streamValue: return printer.buffer.append(",")
        case .streamField: stream.separateField(&printer.buffer)
        case .listElement, .setMember: separate()
        case .sortedSetMember, .hashField:
            separate()
            printer.buffer.append("[")
        case .moduleString:
            separate()
            printer.buffer.append("[\"string\",")
        }
    }

    mutating func endElement(score: Double?, deadline: Int64?) throws(RDBError) {
        if let score {
            printer.buffer.append(",")
            printer.buffer.append(json: score)
        }
        if let deadline { printer.buffer.append(",", Int(deadline)) }
        switch kind {
        case .list, .set, .stream: break
        default: printer.buffer.append("]")
        }
        try printer.flushIfFull()
    }

    @inline(__always)
    private mutating func separate() {
        if isFirst {
            isFirst = false
        } else {
            printer.buffer.append(UInt8(ascii: ","))
        }
    }

    mutating func listElement(_ element: PackedValue) throws(RDBError) {
        separate()
        printer.buffer.append(json: element)
        try printer.flushIfFull()
    }

    mutating func setMember(_ member: PackedValue) throws(RDBError) {
        try listElement(member)
    }

    mutating func sortedSetMember(_ member: PackedValue, score: Double) throws(RDBError) {
        separate()
        printer.buffer.append("[")
        printer.buffer.append(json: member)
        printer.buffer.append(",")
        printer.buffer.append(json: score)
        printer.buffer.append("]")
        try printer.flushIfFull()
    }

    mutating func hashField(
        _ field: PackedValue,
        value: PackedValue,
        deadline: Int64?
    ) throws(RDBError) {
        separate()
        printer.buffer.append("[")
        printer.buffer.append(json: field)
        printer.buffer.append(",")
        printer.buffer.append(json: value)
        if let deadline { printer.buffer.append(",", Int(deadline)) }
        printer.buffer.append("]")
        try printer.flushIfFull()
    }
}

// Streams and modules.

extension JSONValueWriter {
    mutating func streamEntry(_ id: StreamID, fieldCount: Int) throws(RDBError) {
        stream.entry(id, &printer.buffer)
        try printer.flushIfFull()
    }

    mutating func streamField(_ field: PackedValue, value: PackedValue) {
        stream.field(field, value, &printer.buffer)
    }

    mutating func streamState(_ state: StreamState) {
        stream.state(state, &printer.buffer)
    }

    var largestWholeName: Int { Self.partByteCount }

    mutating func streamNamePart(
        _ bytes: RawSpan,
        at offset: Int,
        of byteCount: Int,
        _ role: StreamNameRole
    ) throws(RDBError) {
        if offset == 0 { stream.beginName(role, &printer.buffer) }
        isNamed = true
        try writePart(bytes, offset, byteCount)
    }

    /// Writes a name unless it came in parts.
    private mutating func append(_ name: PackedValue, _ role: StreamNameRole) {
        defer { isNamed = false }
        if isNamed { return }
        stream.beginName(role, &printer.buffer)
        printer.buffer.append(json: name)
    }

    mutating func streamGroup(_ name: PackedValue, _ group: StreamGroup) {
        append(name, .group)
        stream.group(group, &printer.buffer)
    }

    mutating func pendingEntry(_ entry: PendingEntry) throws(RDBError) {
        stream.pending(entry, &printer.buffer)
        try printer.flushIfFull()
    }

    mutating func streamConsumers(count: Int) {
        stream.consumers(&printer.buffer)
    }

    mutating func streamConsumer(_ name: PackedValue, _ consumer: StreamConsumer) {
        append(name, .consumer)
        stream.consumer(consumer, &printer.buffer)
    }

    mutating func consumerPending(_ id: StreamID) throws(RDBError) {
        stream.consumerPending(id, &printer.buffer)
        try printer.flushIfFull()
    }

    mutating func unownedPending(_ id: StreamID) throws(RDBError) {
        stream.unowned(id, &printer.buffer)
        try printer.flushIfFull()
    }

    mutating func streamProducers(_ limits: ProducerLimits) {
        stream.producers(limits, &printer.buffer)
    }

    mutating func producedEntry(
        producer: PackedValue,
        key: PackedValue,
        id: StreamID
    ) throws(RDBError) {
        stream.produced(producer, key, id, &printer.buffer)
        try printer.flushIfFull()
    }

    mutating func module(_ module: ModuleID) {
        begin(module)
        printer.buffer.append(",\"items\":[")
    }

    private mutating func begin(_ module: ModuleID) {
        printer.buffer.append("{\"name\":\"")
        printer.buffer.append(utf8: module.name)
        printer.buffer.append("\",\"version\":", module.version)
    }

    mutating func moduleItem(_ item: ModuleItem) throws(RDBError) {
        separate()
        switch item {
        case .signed(let value):
            printer.buffer.append("[\"signed\",", Int(value))
        case .unsigned(let value):
            printer.buffer.append("[\"unsigned\",")
            printer.buffer.append(utf8: String(value))
        case .float(let value):
            printer.buffer.append("[\"float\",")
            printer.buffer.append(json: Double(value))
        case .double(let value):
            printer.buffer.append("[\"double\",")
            printer.buffer.append(json: value)
        case .string(let text):
            printer.buffer.append("[\"string\",")
            printer.buffer.append(json: text)
        }
        printer.buffer.append("]")
        try printer.flushIfFull()
    }

    /// Writes data of a module beyond its keys.
    mutating func write(
        _ auxiliary: ModuleAuxiliary,
        _ reader: inout FileReader
    ) throws(RDBError) {
        begin(auxiliary.module)
        printer.buffer.append(",\"when\":", Int(clamping: auxiliary.when))
        printer.buffer.append(",\"items\":[")
        try reader.readValue(into: &self)
    }
}
