/// The bytes of a radix tree, as Redis and Valkey keep streams and pending entries in, from
/// its keys in ascending order.
///
///     node   | 4 B header | n characters | padding to 8 | n pointers | value 8 B, if any |
///
/// A run of characters without a branch is one node with one pointer. Consecutive keys tell where
/// branches are: at the end of what they have in common. The branches between the root and the
/// last key are on a stack, which is all that has to be remembered.
package struct RadixTreeSize: Sendable {
    private struct Branch: Sendable {
        let depth: Int
        var childCount: Int
    }

    private let blocks: BlockSizes
    /// Above the root, which has no node of its own, and then ever deeper ones.
    private var branches = [Branch(depth: -1, childCount: 0)]
    private var last: (UInt64, UInt64)?
    private var nodeByteCount = 0
    private(set) var keyCount = 0

    private static let keyByteCount = 16

    private let headerByteCount: Int

    /// A tree without keys, whose own structure takes `header` bytes.
    package init(_ blocks: BlockSizes, header: Int) {
        self.blocks = blocks
        headerByteCount = header
    }

    /// The bytes of the tree once it has no more keys.
    package func byteCount() -> Int {
        let tree = blocks(headerByteCount)
        guard keyCount > 0 else { return tree + blocks(8) }
        var whole = self
        whole.close(downTo: -1)
        return tree + whole.nodeByteCount
    }

    /// Adds a key of 16 bytes: two big-endian integers.
    package mutating func add(_ high: UInt64, _ low: UInt64) {
        if let last {
            let common = Self.commonByteCount(last, (high, low))
            guard common < Self.keyByteCount else { return }
            close(downTo: common)
        }
        keyCount += 1
        last = (high, low)
    }

    /// Takes the path to the last key, as far as it is deeper than `depth`, off the stack.
    private mutating func close(downTo depth: Int) {
        var below = Self.keyByteCount
        while let branch = branches.last, branch.depth > depth {
            branches.removeLast()
            addPath(from: branch.depth, to: below)
            addBranch(childCount: branch.childCount + 1)
            below = branch.depth
        }
        addPath(from: depth, to: below)
        if branches[branches.count - 1].depth < depth {
            branches.append(Branch(depth: depth, childCount: 0))
        }
        branches[branches.count - 1].childCount += 1
    }

    /// What follows the character by which a branch at `start` leads on: a run up to the next
    /// branch, or to the key's own node.
    private mutating func addPath(from start: Int, to end: Int) {
        let run = end - start - 1
        if run > 0 { nodeByteCount += blocks((4 + run + 7) / 8 * 8 + 8) }
        if end == Self.keyByteCount { nodeByteCount += blocks(16) }
    }

    private mutating func addBranch(childCount: Int) {
        nodeByteCount += blocks((4 + childCount + 7) / 8 * 8 + 8 * childCount)
    }

    private static func commonByteCount(_ one: (UInt64, UInt64), _ other: (UInt64, UInt64)) -> Int {
        let high = one.0 ^ other.0
        if high != 0 { return high.leadingZeroBitCount / 8 }
        let low = one.1 ^ other.1
        return low == 0 ? keyByteCount : 8 + low.leadingZeroBitCount / 8
    }
}
