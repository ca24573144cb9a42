/// The bytes ended before what was asked for.
public struct Truncated: Error, Equatable, Sendable {
    /// Where the read began, in bytes from the start of what the reader was given.
    public let offset: Int
    /// How many more bytes it would have taken.
    public let missing: Int

    /// Describes a read at `offset` that ran `missing` bytes past the end.
    @inlinable
    public init(offset: Int, missing: Int) {
        self.offset = offset
        self.missing = missing
    }
}

/// A forward-only cursor over bytes somebody else owns.
///
/// Every read either advances past what it returns or throws without moving, so a caller
/// that ran short can wait for more input and try again.
public struct ByteReader: ~Escapable {
    @usableFromInline let bytes: RawSpan

    /// Bytes read so far: the offset of the next one.
    public var position: Int { @inlinable get { offset } }

    @usableFromInline var offset = 0

    /// Starts at the first of `bytes`.
    @inlinable
    @_lifetime(copy bytes)
    public init(_ bytes: RawSpan) {
        self.bytes = bytes
    }

    /// Bytes not yet read.
    @inlinable public var remaining: Int { bytes.byteCount - position }

    /// Whether every byte was read.
    @inlinable public var isAtEnd: Bool { position == bytes.byteCount }

    /// The bytes not yet read.
    @inlinable public var rest: RawSpan {
        @_lifetime(copy self)
        get { bytes.extracting(unchecked: position, count: remaining) }
    }

    /// Reads one byte.
    @inlinable
    @_lifetime(self: copy self)
    public mutating func readByte() throws(Truncated) -> UInt8 {
        guard position < bytes.byteCount else { throw Truncated(offset: position, missing: 1) }
        let byte = unsafe bytes.unsafeLoad(fromUncheckedByteOffset: position, as: UInt8.self)
        offset += 1
        return byte
    }

    /// The next byte, or nil at the end; does not advance.
    @inlinable
    public func peekByte() -> UInt8? {
        guard position < bytes.byteCount else { return nil }
        return unsafe bytes.unsafeLoad(fromUncheckedByteOffset: position, as: UInt8.self)
    }

    /// Reads a little-endian integer, the byte order of every fixed-width RDB field.
    @inlinable
    @_lifetime(self: copy self)
    public mutating func readInteger<T: FixedWidthInteger & BitwiseCopyable>(
        as type: T.Type = T.self
    ) throws(Truncated) -> T {
        let size = MemoryLayout<T>.size
        guard remaining >= size else {
            throw Truncated(offset: position, missing: size - remaining)
        }
        let value = unsafe bytes.unsafeLoadUnaligned(
            fromUncheckedByteOffset: position,
            as: T.self
        )
        offset += size
        return T(littleEndian: value)
    }

    /// Reads a big-endian integer, the byte order of RDB lengths and stream ids.
    @inlinable
    @_lifetime(self: copy self)
    public mutating func readBigEndian<T: FixedWidthInteger & BitwiseCopyable>(
        as type: T.Type = T.self
    ) throws(Truncated) -> T {
        try readInteger(as: T.self).byteSwapped
    }

    /// Reads `count` bytes without copying them.
    @inlinable
    @_lifetime(copy self)
    @_lifetime(self: copy self)
    public mutating func readBytes(_ count: Int) throws(Truncated) -> RawSpan {
        try skip(count)
        return bytes.extracting(unchecked: position - count, count: count)
    }

    /// Moves past `count` bytes.
    @inlinable
    @_lifetime(self: copy self)
    public mutating func skip(_ count: Int) throws(Truncated) {
        precondition(count >= 0, "a reader only moves forward")
        guard remaining >= count else {
            throw Truncated(offset: position, missing: count - remaining)
        }
        offset += count
    }
}

extension RawSpan {
    /// A part of the span whose bounds the caller has checked.
    @inlinable
    @_lifetime(copy self)
    func extracting(unchecked start: Int, count: Int) -> RawSpan {
        unsafe self.extracting(unchecked: start..<(start + count))
    }
}
