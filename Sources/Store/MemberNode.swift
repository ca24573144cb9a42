import Bytes
import Structures

/// A node that knows its own size.
protocol SizedNode: HashTableNode {
    static func byteCount(_ node: UnsafeMutableRawPointer) -> Int
}

/// A member of a set: its length and its bytes.
@unsafe
enum MemberNode: SizedNode {
    @inline(__always)
    static func key(of node: UnsafeMutableRawPointer) -> UnsafeRawBufferPointer {
        unsafe ShortLength.bytes(at: node)
    }

    static func byteCount(_ node: UnsafeMutableRawPointer) -> Int {
        let count = unsafe key(of: node).count
        return unsafe ShortLength.byteCount(count) + count
    }

    static func make(_ member: RawSpan, in arena: Arena) -> UnsafeMutableRawPointer {
        let length = unsafe ShortLength.byteCount(member.byteCount)
        let node = unsafe arena.allocate(length + member.byteCount)
        unsafe ShortLength.write(member.byteCount, to: node)
        unsafe (node + length).store(member)
        return unsafe node
    }
}

/// A field of a hash and its value.
///
///     | form 1 B | deadline 8 B, if any | length | field | length | value |
///
/// Bit 0 of the form says that a deadline follows, in milliseconds since 1970.
@unsafe
enum FieldNode: SizedNode {
    static let deadlineFlag: UInt8 = 1

    @inline(__always)
    private static func fieldOffset(_ node: UnsafeMutableRawPointer) -> Int {
        unsafe node.load(as: UInt8.self) & deadlineFlag == 0 ? 1 : 9
    }

    @inline(__always)
    static func key(of node: UnsafeMutableRawPointer) -> UnsafeRawBufferPointer {
        unsafe ShortLength.bytes(at: node + fieldOffset(node))
    }

    @inline(__always)
    static func valueOffset(_ node: UnsafeMutableRawPointer) -> Int {
        let key = unsafe key(of: node)
        return unsafe key.baseAddress.unsafelyUnwrapped - UnsafeRawPointer(node) + key.count
    }

    @inline(__always)
    static func value(of node: UnsafeMutableRawPointer) -> UnsafeRawBufferPointer {
        unsafe ShortLength.bytes(at: node + valueOffset(node))
    }

    static func deadline(of node: UnsafeMutableRawPointer) -> Int64? {
        guard unsafe node.load(as: UInt8.self) & deadlineFlag != 0 else { return nil }
        return unsafe node.loadUnaligned(fromByteOffset: 1, as: Int64.self)
    }

    static func byteCount(_ node: UnsafeMutableRawPointer) -> Int {
        let count = unsafe value(of: node).count
        return unsafe valueOffset(node) + ShortLength.byteCount(count) + count
    }

    static func make(
        _ field: RawSpan,
        _ value: RawSpan,
        deadline: Int64?,
        in arena: Arena
    ) -> UnsafeMutableRawPointer {
        let head = deadline == nil ? 1 : 9
        let fieldLength = unsafe ShortLength.byteCount(field.byteCount)
        let valueLength = unsafe ShortLength.byteCount(value.byteCount)
        let size = head + fieldLength + field.byteCount + valueLength + value.byteCount
        let node = unsafe arena.allocate(size)
        unsafe node.storeBytes(of: deadline == nil ? 0 : deadlineFlag, as: UInt8.self)
        if let deadline {
            unsafe node.storeBytes(of: deadline, toByteOffset: 1, as: Int64.self)
        }
        var place = unsafe node + head
        unsafe ShortLength.write(field.byteCount, to: place)
        unsafe place += fieldLength
        unsafe place.store(field)
        unsafe place += field.byteCount
        unsafe ShortLength.write(value.byteCount, to: place)
        unsafe (place + valueLength).store(value)
        return unsafe node
    }
}

extension FieldNode {
    /// The node with another deadline, which may lie elsewhere.
    static func setDeadline(
        _ deadline: Int64?,
        _ node: UnsafeMutableRawPointer,
        in arena: Arena
    ) -> UnsafeMutableRawPointer {
        let hadDeadline = unsafe node.load(as: UInt8.self) & deadlineFlag != 0
        if let deadline, hadDeadline {
            unsafe node.storeBytes(of: deadline, toByteOffset: 1, as: Int64.self)
            return unsafe node
        }
        let size = unsafe byteCount(node)
        let oldHead = hadDeadline ? 9 : 1
        let newHead = deadline == nil ? 1 : 9
        let moved = unsafe arena.allocate(size - oldHead + newHead)
        unsafe moved.storeBytes(of: deadline == nil ? 0 : deadlineFlag, as: UInt8.self)
        if let deadline { unsafe moved.storeBytes(of: deadline, toByteOffset: 1, as: Int64.self) }
        unsafe (moved + newHead).copyMemory(from: node + oldHead, byteCount: size - oldHead)
        unsafe arena.free(node, size)
        return unsafe moved
    }

    /// Whether the field counts as gone at `now`.
    @inline(__always)
    static func isExpired(_ node: UnsafeMutableRawPointer, _ now: Int64) -> Bool {
        guard unsafe node.load(as: UInt8.self) & deadlineFlag != 0 else { return false }
        return unsafe node.loadUnaligned(fromByteOffset: 1, as: Int64.self) <= now
    }
}

extension UnsafeMutableRawPointer {
    /// Writes a copy of `bytes` here.
    @unsafe
    func store(_ bytes: RawSpan) {
        guard bytes.byteCount > 0 else { return }
        unsafe bytes.withUnsafeBytes {
            unsafe copyMemory(from: $0.baseAddress.unsafelyUnwrapped, byteCount: $0.count)
        }
    }
}
