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

    private var entry: PackedEntry { unsafe PackedEntry(at: place) }

    var isAtEnd: Bool { unsafe place.load(as: UInt8.self) == Listpack.end }

    /// All the bytes of the entry.
    @inline(__always)
    var byteCount: Int { unsafe entry.byteCount }

    @inline(__always)
    mutating func advance() {
        unsafe place += byteCount
    }

    /// Steps to the entry before, which must exist.
    mutating func retreat() {
        unsafe place = unsafe PackedEntry(before: place).place
    }

    /// The element; its bytes are valid as long as the listpack stays.
    @_lifetime(immortal)
    @inline(__always)
    func value() -> PackedValue {
        unsafe entry.value
    }

    /// Whether the element's text is that of `needle`.
    @inline(__always)
    func matches(_ needle: borrowing PackedNeedle) -> Bool {
        unsafe entry.matches(needle)
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
