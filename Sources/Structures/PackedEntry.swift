import Bytes
import Glibc

/// One entry of a listpack that is known to be sound, where it lies.
///
/// `Listpack` tells the format. Nothing here looks at bounds: what comes from outside passes
/// `ListpackReader` with all its checks first.
@unsafe
public struct PackedEntry {
    /// Where the entry begins.
    public let place: UnsafeMutableRawPointer

    /// The entry at `place`.
    @inlinable
    public init(at place: UnsafeMutableRawPointer) {
        unsafe self.place = unsafe place
    }

    /// The entry that ends where `end` begins.
    @inlinable
    public init(before end: UnsafeMutableRawPointer) {
        var size = 0
        var shift = 0
        var back = unsafe end - 1
        while true {
            let byte = unsafe back.load(as: UInt8.self)
            size |= Int(byte & 0x7F) << shift
            if byte & 0x80 == 0 { break }
            shift += 7
            unsafe back -= 1
        }
        unsafe place = unsafe end - (size + Listpack.backLengthByteCount(size))
    }

    @inlinable var first: UInt8 { unsafe place.load(as: UInt8.self) }

    /// The bytes of the encoding, without the back length.
    @inlinable public var encodingByteCount: Int {
        @inline(__always) get {
            let first = unsafe self.first
            if first < 0x80 { return 1 }
            if first < 0xC0 { return 1 + Int(first & 0x3F) }
            if first < 0xE0 { return 2 }
            if first < 0xF0 {
                let low = unsafe place.load(fromByteOffset: 1, as: UInt8.self)
                return 2 + (Int(first & 0x0F) << 8 | Int(low))
            }
            switch first {
            case 0xF0:
                let count = unsafe place.loadUnaligned(fromByteOffset: 1, as: UInt32.self)
                return 5 + Int(UInt32(littleEndian: count))
            case 0xF1: return 3
            case 0xF2: return 4
            case 0xF3: return 5
            default: return 9
            }
        }
    }

    /// All the bytes of the entry.
    @inlinable public var byteCount: Int {
        @inline(__always) get {
            let size = unsafe encodingByteCount
            return size + Listpack.backLengthByteCount(size)
        }
    }

    /// The element; its bytes are valid as long as the entry stays.
    @inlinable public var value: PackedValue {
        @_lifetime(immortal)
        @inline(__always) get {
            let first = unsafe self.first
            if first < 0x80 { return .integer(Int64(first)) }
            if first < 0xC0 { return unsafe .bytes(span(1, Int(first & 0x3F))) }
            if first < 0xE0 {
                let low = unsafe Int64(place.load(fromByteOffset: 1, as: UInt8.self))
                let bits = Int64(first & 0x1F) << 8 | low
                return .integer(bits >= 4096 ? bits - 8192 : bits)
            }
            if first < 0xF0 { return unsafe .bytes(span(2, encodingByteCount - 2)) }
            switch first {
            case 0xF0: return unsafe .bytes(span(5, encodingByteCount - 5))
            case 0xF1: return unsafe .integer(Int64(load(Int16.self)))
            case 0xF2:
                let low = unsafe Int64(load(UInt16.self))
                let high = unsafe Int64(place.load(fromByteOffset: 3, as: Int8.self))
                return .integer(high << 16 | low)
            case 0xF3: return unsafe .integer(Int64(load(Int32.self)))
            default: return unsafe .integer(load(Int64.self))
            }
        }
    }

    @inlinable
    func load<T: FixedWidthInteger & BitwiseCopyable>(_: T.Type) -> T {
        unsafe T(littleEndian: place.loadUnaligned(fromByteOffset: 1, as: T.self))
    }

    @inlinable
    @_lifetime(immortal)
    func span(_ offset: Int, _ count: Int) -> RawSpan {
        unsafe _overrideLifetime(
            RawSpan(_unsafeStart: place + offset, byteCount: count),
            borrowing: ()
        )
    }

    /// Whether the element's text is that of `needle`.
    @inlinable
    public func matches(_ needle: borrowing PackedNeedle) -> Bool {
        let first = unsafe self.first
        if first >= 0x80, first < 0xC0 {
            let count = Int(first & 0x3F)
            guard count == needle.text.byteCount else { return false }
            return unsafe needle.text.withUnsafeBytes { text in
                guard count > 0 else { return true }
                return unsafe memcmp(place + 1, text.baseAddress.unsafelyUnwrapped, count) == 0
            }
        }
        return unsafe needle.matches(value)
    }

    /// Writes `value` at `place`, which has room for it.
    @inlinable
    static func write(_ value: borrowing PackedValue, to place: UnsafeMutableRawPointer) {
        switch value {
        case .integer(let integer): unsafe Listpack.writeEntry(integer, to: place)
        case .bytes(let bytes): unsafe Listpack.writeEntry(bytes, to: place)
        }
    }
}

/// What is looked for among packed elements: a text, and the integer it would spell.
public struct PackedNeedle: ~Escapable {
    /// The text.
    public let text: RawSpan
    /// The integer that the text spells canonically, if any.
    public let integer: Int64?

    /// Looks for `text`.
    @inlinable
    @_lifetime(copy text)
    public init(_ text: RawSpan) {
        self.text = text
        integer = DecimalText.parseInteger(text)
    }

    /// The text as an element holds it.
    @inlinable public var value: PackedValue {
        @_lifetime(copy self)
        get {
            if let integer { return .integer(integer) }
            return .bytes(text)
        }
    }

    /// Whether the text of `value` is the one looked for.
    @inlinable
    public func matches(_ value: borrowing PackedValue) -> Bool {
        switch value {
        case .integer(let integer): integer == self.integer
        case .bytes(let bytes): bytes.equals(text)
        }
    }
}
