import Bytes

/// One member of a sorted set and its score, in one block.
///
///     0        8         9 or 13
///     | score  | length  | member |
///
/// The score is a little-endian double. The length is one byte up to 253; above, the byte 254
/// and a little-endian u32. A hash table finds the node by its member, a `ScoreIndex` by its
/// score; whoever owns the table owns the node.
@safe
public struct SortedSetNode: Equatable, HashTableNode {
    /// Where the block is.
    public let address: UnsafeMutableRawPointer

    @usableFromInline static let longLength: UInt8 = 254

    /// The node at `address`.
    @inlinable
    public init(_ address: UnsafeMutableRawPointer) {
        unsafe self.address = unsafe address
    }

    /// Makes a node in `arena`.
    @inlinable
    public init(score: Double, member: RawSpan, in arena: Arena) {
        precondition(!score.isNaN, "a score is a number")
        let count = member.byteCount
        let block = unsafe arena.allocate(SortedSetNode.byteCount(ofMemberOf: count))
        let headerByteCount: Int
        if count < Int(SortedSetNode.longLength) {
            unsafe block.storeBytes(of: UInt8(count), toByteOffset: 8, as: UInt8.self)
            headerByteCount = 9
        } else {
            unsafe block.storeBytes(
                of: SortedSetNode.longLength,
                toByteOffset: 8,
                as: UInt8.self
            )
            unsafe block.storeBytes(
                of: UInt32(count).littleEndian,
                toByteOffset: 9,
                as: UInt32.self
            )
            headerByteCount = 13
        }
        if count > 0 {
            unsafe member.withUnsafeBytes { source in
                unsafe (block + headerByteCount).copyMemory(
                    from: source.baseAddress.unsafelyUnwrapped,
                    byteCount: count
                )
            }
        }
        unsafe self.init(block)
        setScore(score)
    }

    /// Gives the block back to `arena`.
    @inlinable
    public func free(in arena: Arena) {
        unsafe arena.free(address, byteCount)
    }

    /// The bytes of a node for a member of `count` bytes.
    @inlinable
    public static func byteCount(ofMemberOf count: Int) -> Int {
        (count < Int(longLength) ? 9 : 13) + count
    }

    /// The bytes of this node.
    @inlinable public var byteCount: Int {
        unsafe SortedSetNode.byteCount(ofMemberOf: memberBuffer.count)
    }

    /// The score; never NaN.
    @inlinable public var score: Double {
        unsafe Double(
            bitPattern: UInt64(littleEndian: address.loadUnaligned(as: UInt64.self))
        )
    }

    /// Writes the score; only `ScoreIndex` may do it to a node that is in one.
    @inlinable
    public func setScore(_ score: Double) {
        unsafe address.storeBytes(of: score.bitPattern.littleEndian, as: UInt64.self)
    }

    /// The member, valid as long as the node.
    @inlinable public var member: RawSpan {
        @_lifetime(borrow self)
        get {
            let whole = unsafe memberBuffer.bytes
            return unsafe _overrideLifetime(whole, borrowing: self)
        }
    }

    /// The member as a buffer, valid as long as the node.
    @inlinable
    @unsafe public var memberBuffer: UnsafeRawBufferPointer {
        let count = unsafe address.load(fromByteOffset: 8, as: UInt8.self)
        if count < SortedSetNode.longLength {
            return unsafe UnsafeRawBufferPointer(start: address + 9, count: Int(count))
        }
        let long = unsafe address.loadUnaligned(fromByteOffset: 9, as: UInt32.self)
        return unsafe UnsafeRawBufferPointer(
            start: address + 13,
            count: Int(UInt32(littleEndian: long))
        )
    }

    /// The bytes that identify a node in a hash table: its member.
    @inlinable
    public static func key(of node: UnsafeMutableRawPointer) -> UnsafeRawBufferPointer {
        unsafe SortedSetNode(node).memberBuffer
    }

    /// Whether both are the same block.
    @inlinable
    public static func == (one: SortedSetNode, other: SortedSetNode) -> Bool {
        unsafe one.address == other.address
    }
}
