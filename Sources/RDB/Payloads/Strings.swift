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
        if try input.isLong(at: 0, limit: limit) { return try walkLongString(&visitor) }
        let located = try input.locateString(at: &cursor)
        try visitor.announce(Extent(byteCount: input.value(located).byteCount))
        try visitor.string(input.value(located))
        input.consume(cursor)
    }

    private mutating func walkLongString<Visitor: PayloadVisitor & ~Copyable>(
        _ visitor: inout Visitor
    ) throws(RDBError) {
        let form = try input.readStringForm()
        try visitor.announce(Extent(byteCount: form.byteCount))
        try input.readParts(form) { bytes, offset, byteCount throws(RDBError) in
            try visitor.stringPart(bytes, at: offset, of: byteCount)
        }
    }

    /// Reports the string that comes next in parts, as what it is in the value.
    mutating func walkParts<Visitor: PayloadVisitor & ~Copyable>(
        _ role: ElementRole,
        _ visitor: inout Visitor
    ) throws(RDBError) {
        let form = try input.readStringForm()
        try input.readParts(form) { bytes, offset, byteCount throws(RDBError) in
            try visitor.elementPart(bytes, at: offset, of: byteCount, role)
        }
    }

    /// Reports a short string as the only part of itself, beside another that is long.
    func reportWhole<Visitor: PayloadVisitor & ~Copyable>(
        _ value: borrowing PackedValue,
        _ role: ElementRole,
        _ visitor: inout Visitor
    ) throws(RDBError) {
        switch value {
        case .bytes(let bytes):
            try visitor.elementPart(bytes, at: 0, of: bytes.byteCount, role)
        case .integer(let number):
            var text = ByteWriter(reserving: DecimalText.maximumIntegerByteCount)
            text.append(decimal: number)
            try visitor.elementPart(text.bytes, at: 0, of: text.count, role)
        }
    }
}
