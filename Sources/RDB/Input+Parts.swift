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
        if case .integer(let number) = form {
            var text = ByteWriter(reserving: DecimalText.maximumIntegerByteCount)
            text.append(decimal: number)
            return try body(text.bytes, 0, text.count)
        }
        let byteCount = form.byteCount
        var parts = StringParts(form)
        var offset = 0
        while !parts.isAtEnd {
            try parts.next(in: &self) { part throws(RDBError) in
                if !part.isEmpty { try body(part, offset, byteCount) }
                offset += part.byteCount
            }
        }
    }
}

/// How much of a string that is no integer was read in parts.
struct StringParts: ~Copyable {
    /// Bytes of its data that are still in the input.
    private var left: Int
    private var expansion: LZFExpansion?
    /// Bytes that were expanded last, and how many of them were handed out.
    private var pieceByteCount = 0
    private var given = 0

    /// Stands before the data of a string.
    init(_ form: StringForm) {
        switch form {
        case .plain(let count): left = count
        case .integer: left = 0
        case .compressed(let count, let byteCount):
            left = count
            expansion = LZFExpansion(byteCount: byteCount)
        }
    }

    /// Whether everything was handed out.
    var isAtEnd: Bool { left == 0 && given == pieceByteCount }

    /// Hands out the next part, of `limit` bytes at the most.
    mutating func next(
        in input: inout Input,
        upTo limit: Int = .max,
        _ body: (RawSpan) throws(RDBError) -> Void
    ) throws(RDBError) {
        guard var expansion = expansion.take() else {
            try input.need(1)
            let count = min(input.available, left, limit)
            try body(input.window(at: 0, count: count))
            input.consume(count)
            left -= count
            return
        }
        if given == pieceByteCount { try expand(with: &expansion, &input) }
        let count = min(pieceByteCount - given, limit)
        try body(expansion.piece.part(from: given, count: count))
        given += count
        self.expansion = consume expansion
    }

    private mutating func expand(
        with expansion: inout LZFExpansion,
        _ input: inout Input
    ) throws(RDBError) {
        try input.need(min(left, LZFExpansion.longestInstruction))
        let part = min(left, input.available)
        let used: Int
        do {
            used = try expansion.expand(input.window(at: 0, count: part), isLast: part == left)
        } catch {
            throw RDBError(.invalidCompression, at: input.position, "LZF: \(error)")
        }
        input.consume(used)
        left -= used
        pieceByteCount = expansion.piece.byteCount
        given = 0
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
