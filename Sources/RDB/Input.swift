import Bytes

/// The bytes being read: a window that slides over the source.
///
/// Reading looks ahead first and consumes afterwards: `need` brings bytes into the window,
/// offsets into it count from the first unconsumed byte and stay right while the window
/// grows, and only `consume` moves on. So whatever a visitor is shown lies in one piece, and
/// a value longer than the window makes the window grow, with the bytes that really come.
struct Input: ~Copyable {
    private var source: (any ByteSource)?
    private var buffer: ByteWriter
    /// Consumed bytes at the start of the buffer.
    private var start = 0
    /// Where in the file the buffer begins.
    private var bufferOffset = 0

    private var checksum = CRC64()
    /// Bytes at the start of the buffer that are in the checksum.
    private var checksummed = 0
    private let isChecksumming: Bool

    private var tap: (any ByteSink)?
    /// Bytes at the start of the buffer that the tap has had.
    private var tapped = 0

    private var scratch = ByteWriter()
    private var otherScratch = ByteWriter()

    /// What one call asks of the source; also the memory that stays when nothing large is read.
    static let chunkByteCount = 128 << 10

    /// Reads from `source`.
    init(_ source: any ByteSource, isChecksumming: Bool) {
        self.source = source
        self.isChecksumming = isChecksumming
        buffer = ByteWriter(reserving: Self.chunkByteCount)
    }

    /// Reads a copy of `bytes`.
    init(copying bytes: RawSpan) {
        source = nil
        isChecksumming = false
        buffer = ByteWriter(reserving: bytes.byteCount)
        buffer.append(bytes)
    }

    /// Where in the file the next unconsumed byte is.
    var position: Int { bufferOffset + start }

    /// Bytes in the window.
    var available: Int { buffer.count - start }

    // MARK: The window

    /// Makes sure that the window has `count` bytes.
    @inline(__always)
    mutating func need(_ count: Int) throws(RDBError) {
        if buffer.count - start < count { try fill(count) }
    }

    /// Moves past `count` bytes of the window.
    @inline(__always)
    mutating func consume(_ count: Int) {
        assert(count <= available, "consumed what was not there")
        start += count
    }

    /// Bytes of the window.
    @inline(__always)
    @_lifetime(borrow self)
    func window(at offset: Int, count: Int) -> RawSpan {
        buffer.bytes.part(from: start + offset, count: count)
    }

    @inline(__always)
    private func byte(at offset: Int) -> UInt8 {
        buffer.bytes.byte(at: start + offset)
    }

    @inline(__always)
    private func integer<T: FixedWidthInteger & BitwiseCopyable>(
        at offset: Int,
        as type: T.Type
    ) -> T {
        T(
            littleEndian: unsafe buffer.bytes.unsafeLoadUnaligned(
                fromByteOffset: start + offset,
                as: type
            )
        )
    }

    @inline(never)
    private mutating func fill(_ count: Int) throws(RDBError) {
        let wanted = position
        try settle()
        guard count <= Int.max / 4, source != nil else { throw tooShort(wanted, count) }
        if let remaining = source?.remainingByteCount, count - available > remaining {
            throw tooShort(wanted, count)
        }
        shrink(toHold: count)
        while available < count {
            // Never more memory than twice what has come.
            let room = max(Self.chunkByteCount, min(count, buffer.count * 2)) - buffer.count
            guard try read(upTo: max(room, Self.chunkByteCount / 2)) > 0 else {
                throw tooShort(wanted, count)
            }
        }
    }

    private func tooShort(_ offset: Int, _ count: Int) -> RDBError {
        RDBError(
            .truncated,
            at: offset,
            "expected \(count) bytes, found \(available) before the end"
        )
    }

    private mutating func read(upTo count: Int) throws(RDBError) -> Int {
        let before = buffer.count
        do {
            unsafe try buffer.append(upTo: count) { room in
                var output = unsafe OutputRawSpan(buffer: room, initializedCount: 0)
                try source?.read(into: &output)
                return unsafe output.finalize(for: room)
            }
        } catch {
            throw RDBError(
                .transferFailed,
                at: bufferOffset + buffer.count,
                "cannot read on",
                cause: error
            )
        }
        return buffer.count - before
    }

    /// Gives the consumed bytes to the checksum and the tap, and forgets them.
    private mutating func settle() throws(RDBError) {
        takeChecksum()
        try drain()
        buffer.removeFirst(start)
        bufferOffset += start
        start = 0
        checksummed = 0
        tapped = 0
    }

    private mutating func takeChecksum() {
        if isChecksumming, start > checksummed {
            var updated = checksum
            updated.update(buffer.bytes.part(from: checksummed, count: start - checksummed))
            checksum = updated
            checksummed = start
        }
    }

    private mutating func drain() throws(RDBError) {
        guard let tap, start > tapped else { return }
        do {
            try tap.write(buffer.bytes.part(from: tapped, count: start - tapped))
        } catch {
            throw RDBError(.transferFailed, at: position, "cannot write a copy", cause: error)
        }
        tapped = start
    }

    /// Gives back the memory of a value that was larger than others are.
    private mutating func shrink(toHold count: Int) {
        let enough = Self.chunkByteCount * 2
        guard buffer.capacityByteCount > enough * 2, max(count, buffer.count) <= enough else {
            return
        }
        var smaller = ByteWriter(reserving: enough)
        smaller.append(buffer.bytes)
        buffer = smaller
    }

    /// The checksum of everything consumed.
    mutating func currentChecksum() -> UInt64 {
        takeChecksum()
        return checksum.value
    }

    /// Copies what is consumed from here on to `sink`; nil ends it.
    mutating func copy(to sink: (any ByteSink)?) throws(RDBError) {
        try drain()
        tap = sink
        tapped = start
    }

    /// Whether nothing is left, in the window or the source.
    mutating func isAtEnd() throws(RDBError) -> Bool {
        if available > 0 { return false }
        guard source != nil else { return true }
        try settle()
        return try read(upTo: Self.chunkByteCount / 2) == 0
    }

    // MARK: Reading and consuming

    /// Reads one byte.
    @inline(__always)
    mutating func readByte() throws(RDBError) -> UInt8 {
        try need(1)
        let value = byte(at: 0)
        start += 1
        return value
    }

    /// Reads a little-endian integer.
    @inline(__always)
    mutating func readInteger<T: FixedWidthInteger & BitwiseCopyable>(
        as type: T.Type = T.self
    ) throws(RDBError) -> T {
        try need(MemoryLayout<T>.size)
        let value = integer(at: 0, as: type)
        start += MemoryLayout<T>.size
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

    /// Moves past `count` bytes, however many.
    mutating func skip(_ count: Int) throws(RDBError) {
        if let remaining = source?.remainingByteCount, count - available > remaining {
            throw tooShort(position, count)
        }
        var left = count
        while left > available {
            left -= available
            start = buffer.count
            try need(1)
        }
        start += left
    }

    // MARK: Lengths

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

    // MARK: Strings

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
            return .compressed(count: Int(count), byteCount: Int(byteCount))
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
