import Glibc

/// Scores as integers that sort as the scores do.
///
/// -0.0 and 0.0 are one value; minus infinity is the least, infinity the greatest. Between
/// neighbouring doubles the integers differ by one.
@usableFromInline
enum ScoreOrder {
    @inlinable
    static func key(of score: Double) -> UInt64 {
        // Adding zero turns -0.0 into 0.0 and leaves everything else.
        let bits = (score + 0.0).bitPattern
        // All ones for a negative number, whose order is the reverse of its bits; else the sign.
        let flip = UInt64(bitPattern: Int64(bitPattern: bits) >> 63) | 1 << 63
        return bits ^ flip
    }
}

/// A place in the order by score, then member: what a search looks for.
@safe
struct ScoreTarget {
    let key: UInt64
    let member: UnsafeRawBufferPointer

    init(_ node: SortedSetNode) {
        key = ScoreOrder.key(of: node.score)
        unsafe member = node.memberBuffer
    }

    init(key: UInt64, member: UnsafeRawBufferPointer) {
        self.key = key
        unsafe self.member = unsafe member
    }

    /// Whether `node` comes before this place.
    func follows(_ node: SortedSetNode) -> Bool {
        let other = ScoreOrder.key(of: node.score)
        return other == key ? followsMember(of: node) : other < key
    }

    /// Whether `node`, which has the same score, comes before this place.
    func followsMember(of node: SortedSetNode) -> Bool {
        unsafe ScoreTarget.compare(node.memberBuffer, member) < 0
    }

    /// Negative, zero or positive as `one` sorts before, with or after `other`.
    static func compare(_ one: UnsafeRawBufferPointer, _ other: UnsafeRawBufferPointer) -> Int {
        let shared = min(one.count, other.count)
        if shared > 0 {
            let order = unsafe memcmp(
                one.baseAddress.unsafelyUnwrapped,
                other.baseAddress.unsafelyUnwrapped,
                shared
            )
            if order != 0 { return Int(order) }
        }
        return one.count - other.count
    }
}

extension UnsafeMutableRawPointer {
    /// Reads a pointer of 6 bytes; 2 bytes before it must belong to the block too.
    ///
    /// `mask` leaves bits out that mean something else.
    @inlinable
    func packedPointer(at offset: Int, mask: UInt64 = .max) -> UnsafeMutableRawPointer {
        let bits = unsafe loadUnaligned(fromByteOffset: offset &- 2, as: UInt64.self)
        return unsafe UnsafeMutableRawPointer(
            bitPattern: UInt(truncatingIfNeeded: UInt64(littleEndian: bits) >> 16 & mask)
        ).unsafelyUnwrapped
    }

    /// Writes the low 6 bytes of a pointer: all that user space has.
    @inlinable
    func storePackedPointer(_ pointer: UnsafeMutableRawPointer, at offset: Int) {
        let bits = UInt64(UInt(bitPattern: pointer))
        unsafe storeBytes(
            of: UInt32(truncatingIfNeeded: bits),
            toByteOffset: offset,
            as: UInt32.self
        )
        unsafe storeBytes(
            of: UInt16(truncatingIfNeeded: bits >> 32),
            toByteOffset: offset + 4,
            as: UInt16.self
        )
    }
}
