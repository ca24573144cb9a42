import Bytes

extension PayloadWalk {
    /// STRING: one encoded string.
    mutating func walkString<Visitor: PayloadVisitor & ~Copyable>(
        _ visitor: inout Visitor,
        _ reporting: Reporting
    ) throws(RDBError) {
        if reporting == .nothing { return try input.skipString() }
        var cursor = 0
        let limit = visitor.largestWholeString
        if limit < .max {
            var ahead = 0
            if case .plain(let count) = try input.peekStringForm(at: &ahead), count > limit {
                input.consume(ahead)
                try visitor.announce(Extent(byteCount: count))
                return try walkStringParts(count, &visitor)
            }
        }
        let located = try input.locateString(at: &cursor)
        try reportString(located, limit, &visitor)
        input.consume(cursor)
    }

    private mutating func reportString<Visitor: PayloadVisitor & ~Copyable>(
        _ located: Located,
        _ limit: Int,
        _ visitor: inout Visitor
    ) throws(RDBError) {
        let value = input.value(located)
        try visitor.announce(Extent(byteCount: value.byteCount))
        guard case .bytes(let bytes) = value, bytes.byteCount > limit else {
            return try visitor.string(value)
        }
        try visitor.stringPart(bytes, at: 0, of: bytes.byteCount)
    }

    private mutating func walkStringParts<Visitor: PayloadVisitor & ~Copyable>(
        _ count: Int,
        _ visitor: inout Visitor
    ) throws(RDBError) {
        var offset = 0
        while offset < count {
            try input.need(1)
            let part = min(input.available, count - offset)
            try visitor.stringPart(input.window(at: 0, count: part), at: offset, of: count)
            input.consume(part)
            offset += part
        }
    }
}
