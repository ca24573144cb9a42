/// What is wrong with a listpack.
public struct ListpackError: Error, Equatable, Sendable {
    /// The kinds of damage.
    public enum Reason: Sendable {
        /// Shorter than a header and an end.
        case tooShort
        /// The byte count in the header is not the size.
        case wrongByteCount
        /// The last byte is not the end.
        case missingEnd
        /// The end comes before the last byte.
        case earlyEnd
        /// A first byte that no encoding has.
        case unknownEncoding
        /// An entry reaches over the end.
        case overrun
        /// A back length does not give its entry's size.
        case wrongBackLength
        /// The header counts more or fewer elements than there are.
        case wrongCount
    }

    /// What is wrong.
    public let reason: Reason
    /// Where, in bytes from the start of the listpack.
    public let offset: Int

    /// Describes `reason` at `offset`.
    @inlinable
    public init(_ reason: Reason, at offset: Int) {
        self.reason = reason
        self.offset = offset
    }
}

/// A cursor over the elements of a listpack from an untrusted source.
///
/// No byte outside the listpack is ever read, whatever the bytes say.
public struct ListpackReader: ~Escapable {
    /// How much a reader distrusts.
    public enum Checks: Sendable {
        /// Bounds and encodings: enough to read forward.
        case bounds
        /// Back lengths and the count of the header too: what others rely on who take the
        /// bytes as they are.
        case everything
    }

    @usableFromInline let bytes: RawSpan
    @usableFromInline let checks: Checks
    @usableFromInline var offset = Listpack.headerByteCount
    @usableFromInline var elements = 0

    /// Checks header and end, and stands before the first element.
    @inlinable
    @_lifetime(copy bytes)
    public init(_ bytes: RawSpan, checks: Checks = .bounds) throws(ListpackError) {
        guard bytes.byteCount >= Listpack.emptyByteCount else {
            throw ListpackError(.tooShort, at: 0)
        }
        let total = unsafe bytes.unsafeLoadUnaligned(
            fromUncheckedByteOffset: 0,
            as: UInt32.self
        )
        guard UInt32(littleEndian: total) == bytes.byteCount else {
            throw ListpackError(.wrongByteCount, at: 0)
        }
        guard bytes.byte(at: bytes.byteCount - 1) == Listpack.end else {
            throw ListpackError(.missingEnd, at: bytes.byteCount - 1)
        }
        self.bytes = bytes
        self.checks = checks
    }

    /// Where the next entry begins, in bytes from the start of the listpack.
    @inlinable public var position: Int { offset }

    /// How many elements were read.
    @inlinable public var readCount: Int { elements }

    /// The number of elements as the header has it; nil if only a walk can tell.
    @inlinable public var statedCount: Int? {
        let count = Int(
            UInt16(
                littleEndian: unsafe bytes.unsafeLoadUnaligned(
                    fromUncheckedByteOffset: 4,
                    as: UInt16.self
                )
            )
        )
        return count == Listpack.unknownCount ? nil : count
    }

    /// Whether every element was read.
    @inlinable public var isAtEnd: Bool { offset == bytes.byteCount - 1 }

    /// The next element, or nil after the last.
    @inlinable
    @_lifetime(copy self)
    @_lifetime(self: copy self)
    public mutating func next() throws(ListpackError) -> PackedValue? {
        let start = offset
        // The end byte stays out of reach of every entry.
        let room = bytes.byteCount - 1 - start
        guard room > 0 else {
            try checkEnd()
            return nil
        }
        let first = load(start, as: UInt8.self)
        let size: Int
        if first < 0x80 {
            try finishEntry(start, size: 1, room: room)
            return .integer(Int64(first))
        }
        if first < 0xC0 {
            size = 1 + Int(first & 0x3F)
            try finishEntry(start, size: size, room: room)
            return .bytes(bytes.extracting(unchecked: start + 1, count: size - 1))
        }
        // The longest header is 9 bytes; whoever is near the end takes the careful way.
        guard room > 9 || headerFits(first, room) else {
            throw ListpackError(first == Listpack.end ? .earlyEnd : .overrun, at: start)
        }
        switch first {
        case 0xC0..<0xE0:
            let bits = Int64(first & 0x1F) << 8 | Int64(load(start + 1, as: UInt8.self))
            try finishEntry(start, size: 2, room: room)
            return .integer(bits >= 4096 ? bits - 8192 : bits)
        case 0xE0..<0xF0:
            let count = Int(first & 0x0F) << 8 | Int(load(start + 1, as: UInt8.self))
            try finishEntry(start, size: 2 + count, room: room)
            return .bytes(bytes.extracting(unchecked: start + 2, count: count))
        case 0xF0:
            let count = Int(UInt32(littleEndian: load(start + 1, as: UInt32.self)))
            try finishEntry(start, size: 5 + count, room: room)
            return .bytes(bytes.extracting(unchecked: start + 5, count: count))
        case 0xF1:
            let value = Int16(littleEndian: load(start + 1, as: Int16.self))
            try finishEntry(start, size: 3, room: room)
            return .integer(Int64(value))
        case 0xF2:
            let low = UInt16(littleEndian: load(start + 1, as: UInt16.self))
            let high = load(start + 3, as: Int8.self)
            try finishEntry(start, size: 4, room: room)
            return .integer(Int64(high) << 16 | Int64(low))
        case 0xF3:
            let value = Int32(littleEndian: load(start + 1, as: Int32.self))
            try finishEntry(start, size: 5, room: room)
            return .integer(Int64(value))
        case 0xF4:
            let value = Int64(littleEndian: load(start + 1, as: Int64.self))
            try finishEntry(start, size: 9, room: room)
            return .integer(value)
        default:
            throw ListpackError(first == Listpack.end ? .earlyEnd : .unknownEncoding, at: start)
        }
    }

    /// Reads on to the end.
    ///
    /// With `Checks.everything`, a listpack that passes is safe for whoever walks it in
    /// either direction without looking.
    @inlinable
    @_lifetime(self: copy self)
    public mutating func skipToEnd() throws(ListpackError) {
        while try next() != nil {}
    }

    @inlinable
    func load<T: BitwiseCopyable>(_ position: Int, as type: T.Type) -> T {
        unsafe bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: position, as: type)
    }

    @usableFromInline
    func headerFits(_ first: UInt8, _ room: Int) -> Bool {
        switch first {
        case 0xC0..<0xF0: room >= 2
        case 0xF0, 0xF3: room >= 5
        case 0xF1: room >= 3
        case 0xF2: room >= 4
        case 0xF4: room >= 9
        // Has no encoding; the caller finds that out.
        default: first != Listpack.end
        }
    }

    /// Moves past an entry of E bytes and its back length.
    @inlinable
    @_lifetime(self: copy self)
    mutating func finishEntry(_ start: Int, size: Int, room: Int) throws(ListpackError) {
        let backLength = Listpack.backLengthByteCount(size)
        guard size + backLength <= room else { throw ListpackError(.overrun, at: start) }
        if checks == .everything, !backLengthMatches(size, at: start + size) {
            throw ListpackError(.wrongBackLength, at: start + size)
        }
        offset = start + size + backLength
        elements += 1
    }

    @inlinable
    func backLengthMatches(_ size: Int, at position: Int) -> Bool {
        if size < 128 { return load(position, as: UInt8.self) == UInt8(size) }
        let count = Listpack.backLengthByteCount(size)
        var value = 0
        for index in 0..<count {
            let byte = load(position + index, as: UInt8.self)
            guard (byte & 0x80 != 0) == (index > 0) else { return false }
            value = value << 7 | Int(byte & 0x7F)
        }
        return value == size
    }

    @usableFromInline
    func checkEnd() throws(ListpackError) {
        if checks == .everything, let stated = statedCount, stated != elements {
            throw ListpackError(.wrongCount, at: 4)
        }
    }
}
