import Bytes
import RDB

/// Checks a value: asks for packed encodings whole, which the reader checks throughout before it
/// hands them over, and looks at the members of the others for one that is there twice.
struct CheckVisitor: PayloadVisitor, ~Copyable {
    private var members = DuplicateFinder()
    private var index = 0
    /// Whether the reader sees to it that members ascend, so that none is there twice.
    private var isSorted = false
    /// The member or field name that comes in parts.
    private var part = SipHash128()

    init() {}

    mutating func begin(_ encoding: Encoding) throws(RDBError) -> Reporting {
        // What is left of a value that ended before its end.
        if index > 0 { _ = try members.finishAll() }
        index = 0
        isSorted = encoding == .setIntset
        return .encoded
    }

    var largestWholeString: Int { 1 << 16 }

    mutating func setMember(_ member: PackedValue) throws(RDBError) {
        if !isSorted { try add(member) }
    }

    mutating func sortedSetMember(_ member: PackedValue, score: Double) throws(RDBError) {
        try add(member)
    }

    mutating func hashField(
        _ field: PackedValue,
        value: PackedValue,
        deadline: Int64?
    ) throws(RDBError) {
        try add(field)
    }

    var largestWholeElement: Int { 1 << 16 }
    var largestWholePacked: Int { LongPacked.limit }
    var largestWholeName: Int { 1 << 16 }

    mutating func elementPart(
        _ bytes: RawSpan,
        at offset: Int,
        of byteCount: Int,
        _ role: ElementRole
    ) throws(RDBError) {
        switch role {
        case .setMember, .sortedSetMember, .hashField:
            if offset == 0 {
                part = SipHash128()
                part.combine(UInt64(byteCount))
            }
            part.combine(bytes)
            if offset + bytes.byteCount == byteCount { try add(part.finish()) }
        case .listElement, .hashValue, .streamField, .streamValue, .moduleString: break
        }
    }

    private mutating func add(_ member: PackedValue) throws(RDBError) {
        try add(DuplicateFinder.digest(of: member))
    }

    private mutating func add(_ digest: Digest128) throws(RDBError) {
        if try members.add(digest, at: index) != nil { throw duplicate(index) }
        index += 1
    }

    mutating func end() throws(RDBError) {
        guard index > 0 else { return }
        index = 0
        if let index = try members.finish() { throw duplicate(index) }
    }

    /// The visitor does not know where in the file it is: whoever does puts it right.
    private func duplicate(_ index: Int) -> RDBError {
        RDBError(.duplicate, at: 0, "member \(index) was there before")
    }
}
