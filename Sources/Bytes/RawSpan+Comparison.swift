import Glibc

extension RawSpan {
    /// Whether both hold the same bytes.
    @inlinable
    public func equals(_ other: RawSpan) -> Bool {
        guard byteCount == other.byteCount else { return false }
        guard byteCount > 0 else { return true }
        return unsafe withUnsafeBytes { one in
            unsafe other.withUnsafeBytes { other in
                unsafe memcmp(
                    one.baseAddress.unsafelyUnwrapped,
                    other.baseAddress.unsafelyUnwrapped,
                    one.count
                ) == 0
            }
        }
    }

    /// Negative, zero or positive as this sorts before, with or after `other`.
    ///
    /// By byte values; the shorter first when one is the other's prefix.
    @inlinable
    public func compared(to other: RawSpan) -> Int {
        let shared = min(byteCount, other.byteCount)
        if shared > 0 {
            let order = unsafe withUnsafeBytes { one in
                unsafe other.withUnsafeBytes { other in
                    unsafe memcmp(
                        one.baseAddress.unsafelyUnwrapped,
                        other.baseAddress.unsafelyUnwrapped,
                        shared
                    )
                }
            }
            if order != 0 { return Int(order) }
        }
        return byteCount - other.byteCount
    }

    /// Whether the bytes are those of `text`, with ASCII letters compared without case.
    ///
    /// `text` must be written in lower case.
    @inlinable
    public func equalsIgnoringCase(_ text: StaticString) -> Bool {
        guard byteCount == text.utf8CodeUnitCount else { return false }
        for index in 0..<byteCount {
            var byte = unsafe unsafeLoad(fromUncheckedByteOffset: index, as: UInt8.self)
            if byte >= 0x41 && byte <= 0x5A { byte |= 0x20 }
            if unsafe byte != text.utf8Start[index] { return false }
        }
        return true
    }

    /// Whether the first bytes are those of `text`.
    public func starts(with text: StaticString) -> Bool {
        guard byteCount >= text.utf8CodeUnitCount else { return false }
        for index in 0..<text.utf8CodeUnitCount {
            let byte = unsafe unsafeLoad(fromUncheckedByteOffset: index, as: UInt8.self)
            if unsafe byte != text.utf8Start[index] { return false }
        }
        return true
    }

    /// The byte at `offset`, which must be inside.
    @inlinable
    public func byte(at offset: Int) -> UInt8 {
        unsafe unsafeLoad(fromByteOffset: offset, as: UInt8.self)
    }

    /// `count` bytes from `offset` on, which must be inside.
    @inlinable
    @_lifetime(copy self)
    public func part(from offset: Int, count: Int) -> RawSpan {
        extracting(offset..<(offset + count))
    }

    /// The bytes as text, invalid UTF-8 replaced: for messages, never for data.
    public var text: String {
        unsafe withUnsafeBytes { unsafe String(decoding: $0, as: UTF8.self) }
    }
}
