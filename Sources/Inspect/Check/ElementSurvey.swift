import Bytes
import RDB

/// Looks at the elements of a damaged set, sorted set, hash or list, before those that are sound
/// are written anew.
struct ElementSurvey: PayloadVisitor, ~Copyable {
    /// Elements so far, those included that were there before.
    private(set) var count = 0
    /// Which of them were there before, in order; known in the end.
    private(set) var duplicates: [Int] = []
    private var encoding = Encoding.string
    private var byteCount = 0
    private var earliestDeadline: Int64?
    private var finder = DuplicateFinder()

    /// What is less is held, to be sorted and packed.
    private static let smallByteCount = 1 << 20

    init() {}

    mutating func begin(_ encoding: Encoding) throws(RDBError) -> Reporting {
        self.encoding = encoding
        try encoding.requireElements()
        return .elements
    }

    var largestWholePacked: Int { LongPacked.limit }

    mutating func listElement(_ element: PackedValue) {
        count += 1
        byteCount += element.byteCount
    }

    mutating func setMember(_ member: PackedValue) throws(RDBError) {
        let digest = DuplicateFinder.digest(of: member)
        if let index = try finder.add(digest, at: count) { duplicates.append(index) }
        count += 1
        byteCount += member.byteCount
    }

    mutating func sortedSetMember(_ member: PackedValue, score: Double) throws(RDBError) {
        try setMember(member)
    }

    mutating func hashField(
        _ field: PackedValue,
        value: PackedValue,
        deadline: Int64?
    ) throws(RDBError) {
        try setMember(field)
        byteCount += value.byteCount
        if let deadline { earliestDeadline = min(earliestDeadline ?? deadline, deadline) }
    }

    /// There are no more elements.
    mutating func finish() throws(RDBError) {
        duplicates += try finder.finishAll()
        duplicates.sort()
    }

    /// Whether the elements are few and short enough to be held.
    var isSmall: Bool { byteCount + count * 32 < Self.smallByteCount }

    /// Begins the value of the elements that are kept, in a layout that asks for no order.
    func begin(_ writer: inout FileWriter) throws(RDBError) {
        var extent = Extent(count: count - duplicates.count)
        extent.hasFieldDeadlines = encoding.hasFieldDeadlines
        extent.earliestDeadline = earliestDeadline
        guard encoding.kind == .list else { return try writer.beginParts(encoding, extent) }
        _ = try writer.value.begin(encoding)
        try writer.value.announce(extent)
    }

    /// Ends the value.
    func end(_ writer: inout FileWriter) throws(RDBError) {
        if encoding.kind == .list { try writer.value.end() } else { try writer.endParts() }
    }
}

/// Writes the first elements of a value, without those that were there before.
struct SurveyedElements: PayloadVisitor, ~Copyable {
    var writer: FileWriter
    private let count: Int
    private let duplicates: [Int]
    private var index = 0
    private var duplicateIndex = 0

    /// Writes the first `count` elements to `writer`, but not the `duplicates`.
    init(_ count: Int, _ duplicates: [Int], to writer: consuming FileWriter) {
        self.count = count
        self.duplicates = duplicates
        self.writer = writer
    }

    mutating func begin(_ encoding: Encoding) -> Reporting { .elements }

    var largestWholePacked: Int { LongPacked.limit }

    /// Whether all elements have come.
    var isComplete: Bool { index == count }

    private mutating func takesNext() -> Bool {
        defer { index += 1 }
        guard duplicateIndex < duplicates.count, duplicates[duplicateIndex] == index else {
            return true
        }
        duplicateIndex += 1
        return false
    }

    mutating func listElement(_ element: PackedValue) throws(RDBError) {
        if takesNext() { try writer.value.listElement(element) }
    }

    mutating func setMember(_ member: PackedValue) throws(RDBError) {
        if takesNext() { try writer.value.setMember(member) }
    }

    mutating func sortedSetMember(_ member: PackedValue, score: Double) throws(RDBError) {
        if takesNext() { try writer.value.sortedSetMember(member, score: score) }
    }

    mutating func hashField(
        _ field: PackedValue,
        value: PackedValue,
        deadline: Int64?
    ) throws(RDBError) {
        if takesNext() { try writer.value.hashField(field, value: value, deadline: deadline) }
    }
}

extension Encoding {
    /// Throws unless values in this layout have elements that can be written anew.
    func requireElements() throws(RDBError) {
        switch kind {
        case .list, .set, .sortedSet, .hash: return
        case .string, .stream, .module, .other:
            throw RDBError(.unsupportedByTarget, at: 0, "nothing that can be packed anew")
        }
    }
}
