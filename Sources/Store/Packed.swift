import Bytes
import Glibc
import Structures

/// A walk over a listpack that is known to be sound.
///
/// The store checks a listpack when it takes one in and keeps it sound itself, so this walk
/// looks at nothing but what it needs.
@unsafe
struct PackedCursor {
    /// Where the entry begins.
    var place: UnsafeMutableRawPointer

    init(_ bytes: UnsafeMutableRawBufferPointer) {
        unsafe place = bytes.baseAddress.unsafelyUnwrapped + Listpack.headerByteCount
    }

    init(_ bytes: UnsafeMutableRawBufferPointer, at offset: Int) {
        unsafe place = bytes.baseAddress.unsafelyUnwrapped + offset
    }

    private var first: UInt8 { unsafe place.load(as: UInt8.self) }

    var isAtEnd: Bool { unsafe first == Listpack.end }

    /// E of the entry, the bytes of its encoding.
    @inline(__always)
    private var encodingByteCount: Int {
        let first = unsafe self.first
        if first < 0x80 { return 1 }
        if first < 0xC0 { return 1 + Int(first & 0x3F) }
        if first < 0xE0 { return 2 }
        if first < 0xF0 {
            return unsafe 2 + Int(first & 0x0F) << 8
                + Int(place.load(fromByteOffset: 1, as: UInt8.self))
        }
        switch first {
        case 0xF0: return unsafe 5 + Int(place.loadUnaligned(fromByteOffset: 1, as: UInt32.self))
        case 0xF1: return 3
        case 0xF2: return 4
        case 0xF3: return 5
        default: return 9
        }
    }

    /// All the bytes of the entry.
    @inline(__always)
    var byteCount: Int {
        let size = unsafe encodingByteCount
        return size + Listpack.backLengthByteCount(size)
    }

    @inline(__always)
    mutating func advance() {
        unsafe place += byteCount
    }

    /// Steps to the entry before, which must exist.
    mutating func retreat() {
        var size = 0
        var shift = 0
        var back = unsafe place - 1
        while true {
            let byte = unsafe back.load(as: UInt8.self)
            size |= Int(byte & 0x7F) << shift
            if byte & 0x80 == 0 { break }
            shift += 7
            unsafe back -= 1
        }
        unsafe place -= size + Listpack.backLengthByteCount(size)
    }

    /// The element; its bytes are valid as long as the listpack stays.
    @_lifetime(immortal)
    @inline(__always)
    func value() -> PackedValue {
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
        case 0xF1: return unsafe .integer(load(Int16.self))
        case 0xF2:
            let low = unsafe Int64(place.loadUnaligned(fromByteOffset: 1, as: UInt16.self))
            let high = unsafe Int64(place.load(fromByteOffset: 3, as: Int8.self))
            return .integer(high << 16 | low)
        case 0xF3: return unsafe .integer(load(Int32.self))
        default: return unsafe .integer(load(Int64.self))
        }
    }

    private func load<T: FixedWidthInteger & BitwiseCopyable>(_: T.Type) -> Int64 {
        unsafe Int64(place.loadUnaligned(fromByteOffset: 1, as: T.self))
    }

    @_lifetime(immortal)
    private func span(_ offset: Int, _ count: Int) -> RawSpan {
        unsafe _overrideLifetime(
            RawSpan(_unsafeStart: place + offset, byteCount: count),
            borrowing: ()
        )
    }

    /// Whether the element's text is that of `needle`.
    @inline(__always)
    func matches(_ needle: borrowing PackedNeedle) -> Bool {
        let first = unsafe self.first
        if first >= 0x80, first < 0xC0 {
            let count = Int(first & 0x3F)
            guard count == needle.text.byteCount else { return false }
            return unsafe needle.text.withUnsafeBytes { text in
                guard count > 0 else { return true }
                return unsafe memcmp(place + 1, text.baseAddress.unsafelyUnwrapped, count) == 0
            }
        }
        switch unsafe value() {
        case .integer(let integer): return integer == needle.integer
        case .bytes(let bytes): return bytes.equals(needle.text)
        }
    }

    /// Steps on to the first element that matches, over `stride` elements at a time.
    mutating func find(_ needle: borrowing PackedNeedle, stride: Int) -> Bool {
        while unsafe !isAtEnd {
            if unsafe matches(needle) { return true }
            for _ in 0..<stride { unsafe advance() }
        }
        return false
    }

    /// Where the entry begins, in bytes from the start of `bytes`.
    func offset(in bytes: UnsafeMutableRawBufferPointer) -> Int {
        unsafe place - bytes.baseAddress.unsafelyUnwrapped
    }
}

extension Entry {
    /// The number of elements of a packed value.
    var packedCount: Int {
        let bytes = unsafe valueBytes
        let count = unsafe Int(bytes.loadUnaligned(fromByteOffset: 4, as: UInt16.self))
        guard count == Listpack.unknownCount else { return count }
        var cursor = unsafe PackedCursor(bytes)
        var walked = 0
        while unsafe !cursor.isAtEnd {
            walked += 1
            unsafe cursor.advance()
        }
        return walked
    }
}

extension OpenEntry {
    /// Makes the value an empty listpack.
    func clearPacked(_ encoding: Encoding) {
        let bytes = unsafe replaceValue(encoding, byteCount: Listpack.emptyByteCount)
        unsafe bytes.storeBytes(of: UInt32(Listpack.emptyByteCount), as: UInt32.self)
        unsafe bytes.storeBytes(of: 0, toByteOffset: 4, as: UInt16.self)
        unsafe bytes[6] = Listpack.end
    }

    /// Inserts one element at `offset` of the listpack.
    func insertPacked(_ value: borrowing PackedValue, at offset: Int) {
        replacePacked(at: offset, removing: 0, 0, with: value)
    }

    /// Appends one element to the listpack.
    func appendPacked(_ value: borrowing PackedValue) {
        insertPacked(value, at: unsafe entry.valueBytes.count - 1)
    }

    /// Removes `elements` elements that take `byteCount` bytes from `offset` on.
    func removePacked(at offset: Int, _ byteCount: Int, elements: Int) {
        let bytes = unsafe splice(at: offset, removing: byteCount, adding: 0)
        unsafe patchHeader(bytes, elements: -elements)
    }

    /// Puts one element in the place of `elements` that take `byteCount` bytes.
    func replacePacked(
        at offset: Int,
        removing byteCount: Int,
        _ elements: Int,
        with value: borrowing PackedValue
    ) {
        let size = Listpack.entryByteCount(of: value)
        let bytes = unsafe splice(at: offset, removing: byteCount, adding: size)
        let room = unsafe bytes.baseAddress.unsafelyUnwrapped + offset
        switch value {
        case .integer(let integer): unsafe Listpack.writeEntry(integer, to: room)
        case .bytes(let text): unsafe Listpack.writeEntry(text, to: room)
        }
        unsafe patchHeader(bytes, elements: 1 - elements)
    }

    private func patchHeader(_ bytes: UnsafeMutableRawBufferPointer, elements: Int) {
        unsafe bytes.storeBytes(of: UInt32(bytes.count), as: UInt32.self)
        let count = unsafe Int(bytes.loadUnaligned(fromByteOffset: 4, as: UInt16.self))
        guard count != Listpack.unknownCount else { return }
        let newCount = min(count + elements, Listpack.unknownCount)
        unsafe bytes.storeBytes(of: UInt16(newCount), toByteOffset: 4, as: UInt16.self)
    }
}
