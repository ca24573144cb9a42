import Bytes
import Structures

/// The block of one key: everything about it in one allocation.
///
///     0       1         4               12
///     | form  | access  | deadline      | key length | key | value
///     | 1 B   | 3 B     | 8 B, if any   | 1 or 5 B   |     |
///
///     form      bits 0-3 the encoding, 4 a deadline follows, 5 the value is a pointer,
///               6-7 of a string how it came to be
///     access    24 bits that eviction reads: a clock or a counter
///     deadline  milliseconds since 1970
///     value     a length of 1 or 5 bytes and that many bytes, or a pointer of 8 bytes
///
/// A length takes one byte up to 253; 254 says that four bytes follow. Where the value is a
/// pointer, it leads to a `Blob` for the encodings that are bytes, else to the structure.
///
/// Example: the key `k` with the value `hello`, no deadline: `00 ...... 01 6B 05 68 65 6C 6C 6F`.
@unsafe
enum EntryNode: HashTableNode {
    static let deadlineFlag: UInt8 = 0x10
    static let pointerFlag: UInt8 = 0x20
    static let deadlineOffset = 4

    /// The largest block whose value lies inside; beyond it, the value gets a blob.
    static let largestInline = Arena.largestSlabBlock

    @inline(__always)
    static func form(_ node: UnsafeMutableRawPointer) -> UInt8 {
        unsafe node.load(as: UInt8.self)
    }

    @inline(__always)
    static func keyOffset(_ node: UnsafeMutableRawPointer) -> Int {
        unsafe form(node) & deadlineFlag == 0 ? 4 : 12
    }

    @inline(__always)
    static func key(of node: UnsafeMutableRawPointer) -> UnsafeRawBufferPointer {
        unsafe ShortLength.bytes(at: node + keyOffset(node))
    }

    /// Where the value begins: its length, or the pointer.
    @inline(__always)
    static func valueOffset(_ node: UnsafeMutableRawPointer) -> Int {
        let key = unsafe key(of: node)
        return unsafe key.baseAddress.unsafelyUnwrapped - UnsafeRawPointer(node) + key.count
    }

    static func byteCount(key: Int, hasDeadline: Bool, value: Int) -> Int {
        unsafe (hasDeadline ? 12 : 4) + ShortLength.byteCount(key) + key + value
    }

    /// The size of the block, as it was allocated.
    static func byteCount(_ node: UnsafeMutableRawPointer) -> Int {
        let offset = unsafe valueOffset(node)
        if unsafe form(node) & pointerFlag != 0 { return offset + 8 }
        let value = unsafe ShortLength.bytes(at: node + offset)
        return unsafe offset + ShortLength.byteCount(value.count) + value.count
    }

    /// Writes everything before the value; returns the value's offset.
    static func writeHead(
        _ node: UnsafeMutableRawPointer,
        form: UInt8,
        access: UInt32,
        deadline: Int64?,
        key: UnsafeRawBufferPointer
    ) -> Int {
        let flagged = unsafe deadline == nil ? form & ~deadlineFlag : form | deadlineFlag
        unsafe node.storeBytes(of: UInt32(flagged) | access << 8, as: UInt32.self)
        var offset = 4
        if let deadline {
            unsafe node.storeBytes(of: deadline, toByteOffset: 4, as: Int64.self)
            offset = 12
        }
        offset += unsafe ShortLength.write(key.count, to: node + offset)
        if key.count > 0 {
            unsafe (node + offset).copyMemory(
                from: key.baseAddress.unsafelyUnwrapped,
                byteCount: key.count
            )
        }
        return offset + key.count
    }
}

/// A length of one byte up to 253, else 254 and four bytes; the bytes follow.
@unsafe
enum ShortLength {
    @inline(__always)
    static func byteCount(_ length: Int) -> Int { length < 254 ? 1 : 5 }

    @inline(__always)
    static func bytes(at place: UnsafeMutableRawPointer) -> UnsafeRawBufferPointer {
        let first = unsafe place.load(as: UInt8.self)
        if first < 254 { return unsafe UnsafeRawBufferPointer(start: place + 1, count: Int(first)) }
        let length = unsafe place.loadUnaligned(fromByteOffset: 1, as: UInt32.self)
        return unsafe UnsafeRawBufferPointer(start: place + 5, count: Int(length))
    }

    @discardableResult
    static func write(_ length: Int, to place: UnsafeMutableRawPointer) -> Int {
        if length < 254 {
            unsafe place.storeBytes(of: UInt8(length), as: UInt8.self)
            return 1
        }
        unsafe place.storeBytes(of: 254, as: UInt8.self)
        unsafe place.storeBytes(of: UInt32(length), toByteOffset: 1, as: UInt32.self)
        return 5
    }
}
