import Bytes

// Strings that are too long to be held, in parts.
extension Input {
    /// Whether the string `cursor` bytes ahead has more than `limit` bytes.
    @inline(__always)
    mutating func isLong(at cursor: Int, limit: Int) throws(RDBError) -> Bool {
        if limit == .max { return false }
        try need(cursor + 1)
        // Most are of a length that a prefix of one byte or two can say.
        let first = byte(at: cursor)
        if first < 0x40, limit >= 1 << 6 { return false }
        if first < 0x80, limit >= 1 << 14 { return false }
        var ahead = cursor
        return try peekStringForm(at: &ahead).byteCount > limit
    }

    /// Reads how a string begins; its data is next.
    mutating func readStringForm() throws(RDBError) -> StringForm {
        var cursor = 0
        let form = try peekStringForm(at: &cursor)
        consume(cursor)
        return form
    }

    /// Hands out the text of a string whose data is next, in parts and in order, with where each
    /// begins and how many bytes the whole has.
    mutating func readParts(
        _ form: StringForm,
        _ body: (RawSpan, Int, Int) throws(RDBError) -> Void
    ) throws(RDBError) {
        switch form {
        case .plain(let count): try readPlainParts(count, body)
        case .compressed(let count, let byteCount):
            try readExpandedParts(count, byteCount, body)
        case .integer(let number):
            var text = ByteWriter(reserving: DecimalText.maximumIntegerByteCount)
            text.append(decimal: number)
            try body(text.bytes, 0, text.count)
        }
    }

    private mutating func readPlainParts(
        _ count: Int,
        _ body: (RawSpan, Int, Int) throws(RDBError) -> Void
    ) throws(RDBError) {
        var offset = 0
        while offset < count {
            try need(1)
            let part = min(available, count - offset)
            try body(window(at: 0, count: part), offset, count)
            consume(part)
            offset += part
        }
    }

    private mutating func readExpandedParts(
        _ count: Int,
        _ byteCount: Int,
        _ body: (RawSpan, Int, Int) throws(RDBError) -> Void
    ) throws(RDBError) {
        var expansion = LZFExpansion(byteCount: byteCount)
        var left = count
        var offset = 0
        while left > 0 {
            try need(min(left, LZFExpansion.longestInstruction))
            let part = min(left, available)
            let used: Int
            do {
                used = try expansion.expand(window(at: 0, count: part), isLast: part == left)
            } catch {
                throw RDBError(.invalidCompression, at: position, "LZF: \(error)")
            }
            if !expansion.piece.isEmpty { try body(expansion.piece, offset, byteCount) }
            offset += expansion.piece.byteCount
            consume(used)
            left -= used
        }
    }
}

extension StringForm {
    /// How many bytes the text has.
    var byteCount: Int {
        switch self {
        case .plain(let count), .compressed(_, let count): count
        case .integer(let number): DecimalText.byteCount(of: number)
        }
    }
}
