import Bytes

/// One command line: its arguments, borrowed where they arrived.
///
/// The first argument is the command's name. Nothing is copied: an argument is a view of the
/// connection's input, valid until the next request is parsed.
///
/// `count` and the subscript are inlinable against the habit of this module: each command
/// reads three or four arguments, and the calls cost as much as parsing them did.
public struct Request: ~Escapable {
    @usableFromInline let bytes: RawSpan
    @usableFromInline let ranges: Span<ArgumentRange>
    /// Whether `bytes` are what `encode` would write.
    ///
    /// An array of bulk strings always is: a length with a sign or a leading zero is refused.
    private let isEncoded: Bool

    @_lifetime(copy bytes, copy ranges)
    init(bytes: RawSpan, ranges: Span<ArgumentRange>, isEncoded: Bool = false) {
        self.bytes = bytes
        self.ranges = ranges
        self.isEncoded = isEncoded
    }

    /// How many arguments, the name included; never zero.
    @inlinable public var count: Int { ranges.count }

    /// The argument at `index`.
    @inlinable
    public subscript(index: Int) -> RawSpan {
        @_lifetime(copy self)
        get {
            let range = ranges[index]
            return bytes.extracting(range.offset..<(range.offset + range.count))
        }
    }

    /// Bytes in all arguments together.
    public var byteCount: Int {
        var total = 0
        for index in ranges.indices { total += ranges[index].count }
        return total
    }

    /// Bytes of the request in the form clients send it.
    public var encodedByteCount: Int {
        if isEncoded { return bytes.byteCount }
        var writer = ByteWriter(reserving: byteCount + 32 * (count + 1))
        encode(into: &writer)
        return writer.count
    }

    /// Appends the request in the form clients send it: an array of bulk strings.
    public func encode(into writer: inout ByteWriter) {
        if isEncoded { return writer.append(bytes) }
        writer.append(UInt8(ascii: "*"))
        writer.append(decimal: Int64(count))
        writer.append("\r\n")
        for index in 0..<count {
            writer.append(bulk: self[index])
        }
    }
}

/// Where an argument lies, counted from the first byte of its request.
@usableFromInline
struct ArgumentRange {
    @usableFromInline let offset: Int
    @usableFromInline let count: Int
}

/// The arguments found so far; its memory serves one request after the other.
@safe
struct ArgumentTable: ~Copyable, @unchecked Sendable {
    private var base: UnsafeMutablePointer<ArgumentRange>?
    private var capacity = 0
    private(set) var count = 0

    /// A table that grew beyond this for one long request is not kept for the next.
    private static let keptCapacity = 1024

    init() {
        unsafe base = nil
    }

    deinit {
        unsafe base?.deallocate()
    }

    var ranges: Span<ArgumentRange> {
        @_lifetime(borrow self)
        get {
            let whole = unsafe Span(
                _unsafeElements: UnsafeBufferPointer(start: base, count: count)
            )
            return unsafe _overrideLifetime(whole, borrowing: self)
        }
    }

    mutating func append(offset: Int, count byteCount: Int) {
        reserve(1)
        appendReserved(offset: offset, count: byteCount)
    }

    /// Makes room for `more` arguments, to be added by `appendReserved`.
    mutating func reserve(_ more: Int) {
        if capacity - count < more { resize(to: max(capacity * 2, count + more, 8)) }
    }

    /// Appends where `reserve` has made room.
    mutating func appendReserved(offset: Int, count byteCount: Int) {
        assert(count < capacity, "no room was reserved")
        unsafe (base.unsafelyUnwrapped + count).initialize(
            to: ArgumentRange(offset: offset, count: byteCount)
        )
        count += 1
    }

    mutating func removeAll() {
        count = 0
        if capacity > Self.keptCapacity { resize(to: 0) }
    }

    private mutating func resize(to newCapacity: Int) {
        let old = unsafe base
        unsafe base = newCapacity == 0 ? nil : .allocate(capacity: newCapacity)
        if let old = unsafe old {
            if let base = unsafe base { unsafe base.update(from: old, count: count) }
            unsafe old.deallocate()
        }
        capacity = newCapacity
    }
}
