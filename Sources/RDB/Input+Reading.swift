import Bytes

extension Input {
    /// Reads one byte.
    @inline(__always)
    mutating func readByte() throws(RDBError) -> UInt8 {
        try need(1)
        let value = byte(at: 0)
        consume(1)
        return value
    }

    /// Reads a little-endian integer.
    @inline(__always)
    mutating func readInteger<T: FixedWidthInteger & BitwiseCopyable>(
        as type: T.Type = T.self
    ) throws(RDBError) -> T {
        try need(MemoryLayout<T>.size)
        let value = integer(at: 0, as: type)
        consume(MemoryLayout<T>.size)
        return value
    }

    /// Reads a little-endian integer `cursor` bytes ahead, without consuming it.
    @inline(__always)
    mutating func peekInteger<T: FixedWidthInteger & BitwiseCopyable>(
        at cursor: inout Int,
        as type: T.Type = T.self
    ) throws(RDBError) -> T {
        try need(cursor + MemoryLayout<T>.size)
        let value = integer(at: cursor, as: type)
        cursor += MemoryLayout<T>.size
        return value
    }

    /// Reads a length prefix `cursor` bytes ahead, without consuming it.
    @inline(__always)
    mutating func peekLength(at cursor: inout Int) throws(RDBError) -> Length {
        try need(cursor + 1)
        let first = byte(at: cursor)
        if first < 0x40 {
            cursor += 1
            return .count(UInt64(first))
        }
        return try peekLongLength(first, at: &cursor)
    }

    private mutating func peekLongLength(
        _ first: UInt8,
        at cursor: inout Int
    ) throws(RDBError) -> Length {
        if first >= 0xC0 {
            cursor += 1
            return .special(first & 0x3F)
        }
        if first < 0x80 {
            try need(cursor + 2)
            let value = UInt64(first & 0x3F) << 8 | UInt64(byte(at: cursor + 1))
            cursor += 2
            return .count(value)
        }
        switch first {
        case 0x80:
            try need(cursor + 5)
            let value = integer(at: cursor + 1, as: UInt32.self).byteSwapped
            cursor += 5
            return .count(UInt64(value))
        case 0x81:
            try need(cursor + 9)
            let value = integer(at: cursor + 1, as: UInt64.self).byteSwapped
            cursor += 9
            return .count(value)
        default:
            throw RDBError(
                .invalidLength,
                at: position + cursor,
                "no length begins with byte \(first)"
            )
        }
    }

    /// Reads a number that is kept as a length prefix, `cursor` bytes ahead.
    @inline(__always)
    mutating func peekNumber(at cursor: inout Int) throws(RDBError) -> UInt64 {
        let offset = cursor
        switch try peekLength(at: &cursor) {
        case .count(let value): return value
        case .special:
            throw RDBError(
                .invalidLength,
                at: position + offset,
                "expected a number, found a special string encoding"
            )
        }
    }

    /// Reads a number that is kept as a length prefix.
    @inline(__always)
    mutating func readNumber() throws(RDBError) -> UInt64 {
        var cursor = 0
        let value = try peekNumber(at: &cursor)
        consume(cursor)
        return value
    }

    /// Reads how many things follow.
    mutating func readCount() throws(RDBError) -> Int {
        var cursor = 0
        let value = try peekNumber(at: &cursor)
        guard let count = Int(exactly: value), count <= Int.max / 4 else {
            throw RDBError(.invalidLength, at: position, "\(value) is no possible count")
        }
        consume(cursor)
        return count
    }

    /// Reads the beginning of a string `cursor` bytes ahead; its data follows the new cursor.
    @inline(__always)
    mutating func peekStringForm(at cursor: inout Int) throws(RDBError) -> StringForm {
        let offset = cursor
        switch try peekLength(at: &cursor) {
        case .count(let count):
            guard count <= UInt64(Int.max / 4) else {
                throw RDBError(
                    .invalidLength,
                    at: position + offset,
                    "\(count) is no possible length"
                )
            }
            return .plain(count: Int(count))
        case .special(let kind):
            return try peekSpecialForm(kind, at: &cursor, from: offset)
        }
    }

    private mutating func peekSpecialForm(
        _ kind: UInt8,
        at cursor: inout Int,
        from offset: Int
    ) throws(RDBError) -> StringForm {
        switch kind {
        case 0: return .integer(Int64(try peekInteger(at: &cursor, as: Int8.self)))
        case 1: return .integer(Int64(try peekInteger(at: &cursor, as: Int16.self)))
        case 2: return .integer(Int64(try peekInteger(at: &cursor, as: Int32.self)))
        case 3:
            let count = try peekNumber(at: &cursor)
            let byteCount = try peekNumber(at: &cursor)
            guard count <= UInt64(Int.max / 128), byteCount <= UInt64(Int.max / 4),
                Int(byteCount) <= LZF.maximumByteCount(ofCompressed: Int(count))
            else {
                throw RDBError(
                    .invalidCompression,
                    at: position + offset,
                    "\(count) bytes cannot expand to \(byteCount)"
                )
            }
            hasCompressedStrings = true
            return .compressed(count: Int(count), byteCount: Int(byteCount))
        case StringForm.elementKind where isElements:
            return .integer(try peekInteger(at: &cursor, as: Int64.self))
        default:
            throw RDBError(
                .invalidString,
                at: position + offset,
                "special string encoding \(kind) does not exist"
            )
        }
    }

    /// Brings a whole string into the window, `cursor` bytes ahead.
    ///
    /// Two strings can be in use at a time, if one is located with `other`.
    @inline(__always)
    mutating func locateString(
        at cursor: inout Int,
        other: Bool = false
    ) throws(RDBError) -> Located {
        switch try peekStringForm(at: &cursor) {
        case .plain(let count):
            try need(cursor + count)
            cursor += count
            return .window(offset: cursor - count, count: count)
        case .integer(let value):
            return .integer(value)
        case .compressed(let count, let byteCount):
            try need(cursor + count)
            cursor += count
            try expand(at: cursor - count, count: count, byteCount: byteCount, other: other)
            return other ? .otherScratch : .scratch
        }
    }

    private mutating func expand(
        at offset: Int,
        count: Int,
        byteCount: Int,
        other: Bool
    ) throws(RDBError) {
        // Taken out while it is filled: the window stays borrowed.
        var output = ByteWriter()
        if other { swap(&output, &otherScratch) } else { swap(&output, &scratch) }
        output.removeAll(keepingCapacityUpTo: Self.chunkByteCount * 2)
        do {
            let data = window(at: offset, count: count)
            try LZF.decompress(data, byteCount: byteCount, to: &output)
        } catch {
            throw RDBError(.invalidCompression, at: position + offset, "LZF: \(error)")
        }
        if other { swap(&output, &otherScratch) } else { swap(&output, &scratch) }
    }

    /// A located string; valid until the next is located or something is consumed.
    @inline(__always)
    @_lifetime(borrow self)
    func value(_ located: Located) -> PackedValue {
        switch located {
        case .integer(let value): .integer(value)
        case .window(let offset, let count): .bytes(window(at: offset, count: count))
        case .scratch: .bytes(scratch.bytes)
        case .otherScratch: .bytes(otherScratch.bytes)
        }
    }

    /// Moves past a string without expanding it.
    @inline(__always)
    mutating func skipString() throws(RDBError) {
        var cursor = 0
        let form = try peekStringForm(at: &cursor)
        consume(cursor)
        switch form {
        case .integer: return
        case .plain(let count), .compressed(let count, _):
            if count <= available { consume(count) } else { try skip(count) }
        }
    }

    /// Reads a string into memory of its own.
    mutating func readByteString() throws(RDBError) -> ByteString {
        var cursor = 0
        let located = try locateString(at: &cursor)
        defer { consume(cursor) }
        return value(located).byteString
    }
}

/// Where a string that was brought into memory lies.
enum Located {
    /// It is the text of this number.
    case integer(Int64)
    /// In the window, `offset` bytes from the first unconsumed one.
    case window(offset: Int, count: Int)
    /// Expanded.
    case scratch
    /// Expanded, while `scratch` is in use.
    case otherScratch
}
