import Bytes
import RDB

/// Writes a page of a value's elements, one a line.
struct PageWriter: PayloadVisitor, ~Copyable {
    var printer: Printer
    private let first: Int
    private let count: Int
    private let style: TextStyle
    private var kind = ValueKind.string
    /// Elements so far.
    private var index = 0
    private var byteCount = 0
    private var isShowingEntry = false
    private var isShowingParts = false
    /// Whether the name of the next group or consumer came in parts.
    private var isNamed = false

    init(_ first: Int, _ count: Int, _ style: TextStyle, to printer: consuming Printer) {
        self.first = first
        self.count = count
        self.style = style
        self.printer = printer
    }

    mutating func begin(_ encoding: Encoding) -> Reporting {
        kind = encoding.kind
        index = 0
        byteCount = 0
        return .elements
    }

    var largestWholeString: Int { 1 << 16 }

    /// Writes what is known of the key below its value: how large it is is known only then.
    mutating func finishKey(_ key: RawSpan, _ facts: [String]) throws(RDBError) {
        var facts = facts
        switch kind {
        case .string: facts.insert("\(Quantities.count(byteCount)) bytes", at: 2)
        default: facts.insert("\(Quantities.count(index)) \(unit)", at: 2)
        }
        let last = min(index, first.addingReportingOverflow(count).partialValue)
        if kind != .string, first > 0 || last < index, index > 0 {
            let shown = first < last ? "\(first) to \(last - 1)" : "none"
            facts.append("shown: \(shown); --from and --count show others")
        }
        printer.buffer.append(
            utf8: "\(style.bold(EscapedText.abbreviate(key)))  \(facts.joined(separator: ", "))\n"
        )
        try printer.flushIfFull()
    }

    private var unit: String {
        switch kind {
        case .list: "elements"
        case .set, .sortedSet: "members"
        case .hash: "fields"
        case .stream: "entries"
        case .string, .module, .other: "items"
        }
    }

    /// Begins the line of the next element; false if it is on another page.
    private mutating func beginLine() throws(RDBError) -> Bool {
        defer { index += 1 }
        guard index >= first, index - first < count else { return false }
        try printer.flushIfFull()
        printer.buffer.append("  ")
        printer.buffer.append(index, width: 6)
        printer.buffer.append("  ")
        return true
    }

    mutating func string(_ value: PackedValue) {
        byteCount = value.byteCount
        printer.buffer.append("  ")
        printer.buffer.append(escaped: value)
        printer.buffer.append("\n")
    }

    mutating func stringPart(
        _ bytes: RawSpan,
        at offset: Int,
        of byteCount: Int
    ) throws(RDBError) {
        self.byteCount = byteCount
        if offset == 0 { printer.buffer.append("  ") }
        printer.buffer.append(escaped: bytes)
        if offset + bytes.byteCount == byteCount { printer.buffer.append("\n") }
        try printer.flushIfFull()
    }

    var largestWholeElement: Int { 1 << 16 }
    var largestWholePacked: Int { LongPacked.limit }

    mutating func elementPart(
        _ bytes: RawSpan,
        at offset: Int,
        of byteCount: Int,
        _ role: ElementRole
    ) throws(RDBError) {
        if offset == 0 { try beginPart(role) }
        guard isShowingParts else { return }
        printer.buffer.append(escaped: bytes)
        try printer.flushIfFull()
    }

    private mutating func beginPart(_ role: ElementRole) throws(RDBError) {
        switch role {
        case .hashValue, .streamValue:
            if isShowingParts { printer.buffer.append("  ") }
        case .streamField:
            isShowingParts = isShowingEntry
            if isShowingParts { printer.buffer.append(Self.fieldIndent) }
        default: isShowingParts = try beginLine()
        }
    }

    private static let fieldIndent: StaticString = "            "

    mutating func endElement(score: Double?, deadline: Int64?) throws(RDBError) {
        guard isShowingParts else { return }
        // What is short stands before what it belongs to, but here that is written already.
        if let score {
            printer.buffer.append("  ")
            printer.buffer.append(shortest: score)
        }
        if let deadline { append(deadline) }
        printer.buffer.append("\n")
    }

    private mutating func append(_ deadline: Int64) {
        printer.buffer.append(utf8: style.dim("  expires \(Moments.text(deadline)) UTC"))
    }

    mutating func listElement(_ element: PackedValue) throws(RDBError) {
        guard try beginLine() else { return }
        printer.buffer.append(escaped: element)
        printer.buffer.append("\n")
    }

    mutating func setMember(_ member: PackedValue) throws(RDBError) {
        try listElement(member)
    }

    mutating func sortedSetMember(_ member: PackedValue, score: Double) throws(RDBError) {
        guard try beginLine() else { return }
        printer.buffer.append(shortest: score)
        printer.buffer.append("  ")
        printer.buffer.append(escaped: member)
        printer.buffer.append("\n")
    }

    mutating func hashField(
        _ field: PackedValue,
        value: PackedValue,
        deadline: Int64?
    ) throws(RDBError) {
        guard try beginLine() else { return }
        printer.buffer.append(escaped: field)
        printer.buffer.append("  ")
        printer.buffer.append(escaped: value)
        if let deadline { append(deadline) }
        printer.buffer.append("\n")
    }

    mutating func streamEntry(_ id: StreamID, fieldCount: Int) throws(RDBError) {
        isShowingEntry = try beginLine()
        guard isShowingEntry else { return }
        printer.buffer.append(id)
        printer.buffer.append("\n")
    }

    mutating func streamField(_ field: PackedValue, value: PackedValue) {
        guard isShowingEntry else { return }
        printer.buffer.append(Self.fieldIndent)
        printer.buffer.append(escaped: field)
        printer.buffer.append("  ")
        printer.buffer.append(escaped: value)
        printer.buffer.append("\n")
    }

    mutating func streamState(_ state: StreamState) {
        printer.buffer.append(
            utf8: "  last id \(state.lastID), \(state.entriesAdded) added, greatest deleted "
                + "\(state.maximumDeletedID)\n"
        )
    }

    var largestWholeName: Int { 1 << 16 }

    mutating func streamNamePart(
        _ bytes: RawSpan,
        at offset: Int,
        of byteCount: Int,
        _ role: StreamNameRole
    ) throws(RDBError) {
        if offset == 0 { beginName(role) }
        isNamed = true
        printer.buffer.append(escaped: bytes)
        try printer.flushIfFull()
    }

    private mutating func beginName(_ role: StreamNameRole) {
        switch role {
        case .group: printer.buffer.append("  group ")
        case .consumer: printer.buffer.append("    consumer ")
        }
    }

    /// Writes a name unless it came in parts.
    private mutating func append(_ name: PackedValue, _ role: StreamNameRole) {
        defer { isNamed = false }
        if isNamed { return }
        beginName(role)
        printer.buffer.append(escaped: name)
    }

    mutating func streamGroup(_ name: PackedValue, _ group: StreamGroup) {
        append(name, .group)
        let read = group.entriesRead.map { ", \($0) read" } ?? ""
        printer.buffer.append(
            utf8: ": last \(group.lastDeliveredID)\(read), \(group.pendingCount) pending\n"
        )
    }

    mutating func streamConsumer(_ name: PackedValue, _ consumer: StreamConsumer) {
        append(name, .consumer)
        printer.buffer.append(
            utf8: ": seen \(Moments.text(consumer.seenTime)), \(consumer.pendingCount) pending\n"
        )
    }

    mutating func module(_ module: ModuleID) {
        printer.buffer.append(utf8: "  module type \(module)\n")
    }

    mutating func moduleItem(_ item: ModuleItem) throws(RDBError) {
        guard try beginLine() else { return }
        switch item {
        case .signed(let value): printer.buffer.append(utf8: "\(value)")
        case .unsigned(let value): printer.buffer.append(utf8: "\(value)")
        case .float(let value): printer.buffer.append(shortest: Double(value))
        case .double(let value): printer.buffer.append(shortest: value)
        case .string(let text): printer.buffer.append(escaped: text)
        }
        printer.buffer.append("\n")
    }
}

extension ByteWriter {
    /// Appends the escaped form of a value.
    mutating func append(escaped value: borrowing PackedValue) {
        switch value {
        case .integer(let number): append(decimal: number)
        case .bytes(let bytes): append(escaped: bytes)
        }
    }
}
