import Bytes
import Glibc
import Structures

/// A small sorted set: members and scores in turn in one listpack, in order.
@unsafe
struct PackedSortedSet {
    let bytes: UnsafeMutableRawBufferPointer

    /// Where a member lies with its score, in bytes from the start of the listpack.
    struct Found {
        let offset: Int
        let byteCount: Int
        let score: Double
    }

    private var start: PackedCursor { unsafe PackedCursor(bytes) }

    func find(_ member: RawSpan) -> Found? {
        var cursor = unsafe start
        guard unsafe cursor.find(PackedNeedle(member), stride: 2) else { return nil }
        let offset = unsafe cursor.offset(in: bytes)
        unsafe cursor.advance()
        let score = unsafe cursor.score
        unsafe cursor.advance()
        return unsafe Found(
            offset: offset,
            byteCount: cursor.offset(in: bytes) - offset,
            score: score
        )
    }

    func rank(of member: RawSpan) -> (rank: Int, score: Double)? {
        let needle = PackedNeedle(member)
        var cursor = unsafe start
        var rank = 0
        while unsafe !cursor.isAtEnd {
            let matches = unsafe cursor.matches(needle)
            unsafe cursor.advance()
            if matches { return unsafe (rank, cursor.score) }
            unsafe cursor.advance()
            rank += 1
        }
        return nil
    }

    func ranks(of range: ScoreRange) -> Range<Int> {
        var cursor = unsafe start
        var rank = 0
        var lower: Int?
        while unsafe !cursor.isAtEnd {
            unsafe cursor.advance()
            let score = unsafe cursor.score
            if range.isPassed(by: score) { break }
            if lower == nil, range.isReached(by: score) { lower = rank }
            unsafe cursor.advance()
            rank += 1
        }
        return (lower ?? rank)..<rank
    }

    /// How many members come before `member`, itself included if `passesEqual`.
    func firstRank(_ member: RawSpan, passesEqual: Bool) -> Int {
        var cursor = unsafe start
        var rank = 0
        while unsafe !cursor.isAtEnd {
            let order = unsafe cursor.compared(to: member)
            if order > 0 || (order == 0 && !passesEqual) { break }
            unsafe cursor.advance()
            unsafe cursor.advance()
            rank += 1
        }
        return rank
    }

    /// Where a member with this score belongs.
    func offset(forInserting member: RawSpan, _ score: Double) -> Int {
        var cursor = unsafe start
        while unsafe !cursor.isAtEnd {
            let here = unsafe cursor
            unsafe cursor.advance()
            let other = unsafe cursor.score
            let isBehind =
                other == score ? unsafe here.compared(to: member) > 0 : other > score
            if isBehind { return unsafe here.offset(in: bytes) }
            unsafe cursor.advance()
        }
        return unsafe bytes.count - 1
    }

    /// The bytes that these ranks, which are not empty, take.
    func place(of ranks: Range<Int>) -> (offset: Int, byteCount: Int) {
        var cursor = unsafe start
        for _ in 0..<(2 * ranks.lowerBound) { unsafe cursor.advance() }
        let offset = unsafe cursor.offset(in: bytes)
        for _ in 0..<(2 * ranks.count) { unsafe cursor.advance() }
        return unsafe (offset, cursor.offset(in: bytes) - offset)
    }

    func forEach(
        in ranks: Range<Int>,
        isReversed: Bool,
        _ visit: (PackedValue, Double) -> Void
    ) {
        var cursor = unsafe start
        for _ in 0..<(2 * (isReversed ? ranks.upperBound : ranks.lowerBound)) {
            unsafe cursor.advance()
        }
        for _ in ranks {
            if isReversed {
                unsafe cursor.retreat()
                let score = unsafe cursor.score
                unsafe cursor.retreat()
                unsafe visit(cursor.value(), score)
            } else {
                let member = unsafe cursor
                unsafe cursor.advance()
                unsafe visit(member.value(), cursor.score)
                unsafe cursor.advance()
            }
        }
    }

    /// The integer that a score is kept as, where its text is that of one.
    ///
    /// The same scores as in Valkey: the bytes are those of its files.
    static func wholeNumber(_ score: Double) -> Int64? {
        guard abs(score) <= 4_611_686_018_427_387_904, score.rounded(.towardZero) == score else {
            return nil
        }
        return Int64(score)
    }
}

extension PackedCursor {
    /// The element as a score.
    var score: Double {
        switch unsafe value() {
        case .integer(let integer): return Double(integer)
        case .bytes(let text):
            guard let score = DecimalText.parseDouble(text) else {
                preconditionFailure("a sorted set has a score that is no number")
            }
            return score
        }
    }

    /// Negative, zero or positive as the element's text sorts before, with or after `other`.
    func compared(to other: RawSpan) -> Int {
        switch unsafe value() {
        case .bytes(let bytes): return bytes.compared(to: other)
        case .integer(let integer):
            return unsafe withUnsafeTemporaryAllocation(
                byteCount: DecimalText.maximumIntegerByteCount,
                alignment: 8
            ) { room in
                let count = unsafe DecimalText.write(
                    integer,
                    to: room.baseAddress.unsafelyUnwrapped
                )
                let text = unsafe UnsafeRawBufferPointer(rebasing: room[0..<count])
                return unsafe text.bytes.compared(to: other)
            }
        }
    }
}
