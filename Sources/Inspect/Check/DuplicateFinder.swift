import Bytes
import Platform
import RDB

/// Finds what comes twice among any number of keys or members, in little memory.
///
/// What is compared are digests of 128 bits: that two that differ are taken for one is less
/// likely than that the machine errs.
struct DuplicateFinder: ~Copyable {
    private var sort = ExternalSort()
    private var count = 0

    /// Remembers something that was found at `offset`.
    @inline(__always)
    mutating func add(_ digest: Digest128, at offset: Int) throws(RDBError) {
        count += 1
        var content = ByteWriter()
        content.appendBigEndian(digest.low)
        content.appendBigEndian(UInt64(offset))
        do {
            try sort.add(digest.high, content.bytes)
        } catch {
            throw RDBError(.transferFailed, at: offset, "cannot sort", cause: error)
        }
    }

    /// Where the second of two that are the same was found, and forgets everything.
    ///
    /// Of several, the one that comes first.
    mutating func finish() throws(RDBError) -> Int? {
        guard count > 1 else {
            if count == 1 { sort = ExternalSort() }
            count = 0
            return nil
        }
        count = 0
        var first: Int?
        var last: (UInt64, UInt64)?
        do {
            try sort.finish { rank, content throws(SystemError) in
                let other = content.word(at: 0)
                if let last, last == (rank, other) {
                    let offset = Int(content.word(at: 8).byteSwapped)
                    first = min(first ?? offset, offset)
                }
                last = (rank, other)
            }
        } catch {
            throw RDBError(.transferFailed, at: 0, "cannot sort", cause: error)
        }
        return first
    }
}

/// Checks a value: asks for packed encodings whole, which the reader checks throughout before it
/// hands them over, and looks at the members of the others for one that is there twice.
struct CheckVisitor: PayloadVisitor, ~Copyable {
    private var members = DuplicateFinder()
    private var index = 0

    init() {}

    mutating func begin(_ encoding: Encoding) -> Reporting {
        index = 0
        return .encoded
    }

    var largestWholeString: Int { 1 << 16 }

    mutating func setMember(_ member: PackedValue) throws(RDBError) {
        try add(member)
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

    private mutating func add(_ member: PackedValue) throws(RDBError) {
        var hash = SipHash128()
        hash.combine(text: member)
        try members.add(hash.finish(), at: index)
        index += 1
    }

    mutating func end() throws(RDBError) {
        if let index = try members.finish() {
            throw RDBError(.duplicate, at: 0, "member \(index) was there before")
        }
    }
}
