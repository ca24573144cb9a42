import Glibc

/// A growing run of bytes with one owner.
///
/// Appending is amortised O(1). The memory is given back when the writer goes away, or by
/// `removeAll(keepingCapacityUpTo:)`.
@safe
public struct ByteWriter: ~Copyable, @unchecked Sendable {
    @usableFromInline var base: UnsafeMutableRawPointer?
    @usableFromInline var capacity = 0

    @usableFromInline var length = 0

    /// Bytes written.
    @inlinable public var count: Int { length }

    /// Starts empty and allocates nothing.
    @inlinable
    public init() {
        unsafe base = nil
    }

    /// Starts empty with room for `capacity` bytes.
    @inlinable
    public init(reserving capacity: Int) {
        unsafe base = nil
        reserve(capacity)
    }

    deinit {
        unsafe free(base)
    }

    /// Whether nothing was written.
    @inlinable public var isEmpty: Bool { count == 0 }

    /// Bytes of memory held.
    @inlinable public var capacityByteCount: Int { capacity }

    /// What was written so far.
    @inlinable public var bytes: RawSpan {
        @_lifetime(borrow self)
        get {
            guard let base = unsafe base else {
                return unsafe _overrideLifetime(RawSpan(), borrowing: self)
            }
            let whole = unsafe RawSpan(_unsafeStart: base, byteCount: length)
            return unsafe _overrideLifetime(whole, borrowing: self)
        }
    }

    /// Makes room for `more` bytes beyond `count`.
    @inlinable
    public mutating func reserve(_ more: Int) {
        if capacity - count < more { grow(by: more) }
    }

    /// The same, when it is known that no more than `expected` bytes will be added in all.
    ///
    /// Grows in the steps of `reserve`, but never beyond that.
    public mutating func reserve(_ more: Int, ofExpected expected: Int) {
        if capacity - count < more { grow(by: more, upTo: count + max(more, expected)) }
    }

    @usableFromInline
    mutating func grow(by more: Int, upTo limit: Int = .max) {
        let (needed, overflow) = count.addingReportingOverflow(more)
        precondition(!overflow, "a buffer cannot hold so many bytes")
        let newCapacity = max(needed, min(capacity * 2, capacity + 64 << 20, limit), 64)
        guard let moved = unsafe realloc(base, newCapacity) else {
            preconditionFailure("out of memory growing a buffer to \(newCapacity) bytes")
        }
        unsafe base = moved
        capacity = newCapacity
    }

    /// Appends one byte.
    @inlinable
    public mutating func append(_ byte: UInt8) {
        reserve(1)
        unsafe base.unsafelyUnwrapped.storeBytes(of: byte, toByteOffset: count, as: UInt8.self)
        length += 1
    }

    /// Appends an integer in little-endian order.
    @inlinable
    public mutating func appendInteger<T: FixedWidthInteger & BitwiseCopyable>(_ value: T) {
        let size = MemoryLayout<T>.size
        reserve(size)
        unsafe base.unsafelyUnwrapped.storeBytes(
            of: value.littleEndian,
            toByteOffset: count,
            as: T.self
        )
        length += size
    }

    /// Appends an integer in big-endian order.
    @inlinable
    public mutating func appendBigEndian<T: FixedWidthInteger & BitwiseCopyable>(_ value: T) {
        appendInteger(value.byteSwapped)
    }

    /// Appends a copy of `bytes`.
    @inlinable
    public mutating func append(_ bytes: RawSpan) {
        let size = bytes.byteCount
        guard size > 0 else { return }
        reserve(size)
        unsafe bytes.withUnsafeBytes { source in
            unsafe (base.unsafelyUnwrapped + count).copyMemory(
                from: source.baseAddress.unsafelyUnwrapped,
                byteCount: size
            )
        }
        length += size
    }

    /// Appends a literal's bytes.
    ///
    /// Inlined, because the copy of so many bytes as the literal has is a store or two then.
    @inlinable @inline(__always)
    public mutating func append(_ text: StaticString) {
        let size = text.utf8CodeUnitCount
        reserve(size)
        unsafe (base.unsafelyUnwrapped + count).copyMemory(
            from: text.utf8Start,
            byteCount: size
        )
        length += size
    }

    /// Appends the UTF-8 of `text`.
    public mutating func append(utf8 text: String) {
        var text = text
        text.withUTF8 { unsafe append(UnsafeRawBufferPointer($0).bytes) }
    }

    /// Appends `size` bytes that `fill` writes; `fill` returns how many it kept.
    ///
    /// `fill` is given exactly `size` bytes of uninitialised memory.
    @inlinable
    public mutating func append<Failure: Error>(
        upTo size: Int,
        _ fill: (UnsafeMutableRawBufferPointer) throws(Failure) -> Int
    ) throws(Failure) {
        reserve(size)
        let room = unsafe UnsafeMutableRawBufferPointer(
            start: base.map { unsafe $0 + count },
            count: size
        )
        let kept = unsafe try fill(room)
        precondition(kept >= 0 && kept <= size, "a fill kept more than its room")
        length += kept
    }

    /// Overwrites bytes already written, as for a length known only afterwards.
    @inlinable
    public mutating func overwrite<T: FixedWidthInteger & BitwiseCopyable>(
        at offset: Int,
        with value: T
    ) {
        precondition(offset >= 0 && offset + MemoryLayout<T>.size <= count, "not written yet")
        unsafe base.unsafelyUnwrapped.storeBytes(
            of: value.littleEndian,
            toByteOffset: offset,
            as: T.self
        )
    }

    /// Puts a copy of `bytes` at `offset` and moves what was there behind it.
    public mutating func insert(_ bytes: RawSpan, at offset: Int) {
        precondition(offset >= 0 && offset <= count, "cannot insert past the end")
        let size = bytes.byteCount
        guard size > 0 else { return }
        reserve(size)
        let place = unsafe base.unsafelyUnwrapped + offset
        unsafe memmove(place + size, place, count - offset)
        unsafe bytes.withUnsafeBytes { source in
            unsafe place.copyMemory(from: source.baseAddress.unsafelyUnwrapped, byteCount: size)
        }
        length += size
    }

    /// Forgets everything after the first `newCount` bytes.
    @inlinable
    public mutating func truncate(to newCount: Int) {
        precondition(newCount >= 0 && newCount <= count, "a writer only shrinks by truncating")
        length = newCount
    }

    /// Drops the first `dropped` bytes and moves the rest to the front.
    public mutating func removeFirst(_ dropped: Int) {
        precondition(dropped >= 0 && dropped <= count, "cannot drop more than there is")
        guard dropped > 0 else { return }
        length -= dropped
        if count > 0, let base = unsafe base {
            unsafe memmove(base, base + dropped, count)
        }
    }

    /// Forgets the bytes; keeps the memory unless it is larger than `limit`.
    @inlinable
    public mutating func removeAll(keepingCapacityUpTo limit: Int = .max) {
        length = 0
        if capacity > limit { release() }
    }

    @usableFromInline
    mutating func release() {
        unsafe free(base)
        unsafe base = nil
        capacity = 0
    }
}
