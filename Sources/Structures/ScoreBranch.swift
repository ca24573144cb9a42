/// An inner block of a `ScoreIndex`: children, and what separates and counts them.
///
///     0       2          4        8
///     | count | capacity | unused | keys: 8 each | nodes: 6 each | children: 6 each | counts: 4 each |
///
/// The key and node at `i` are those of the least entry below child `i`; both are kept exact
/// for all but the first child, whose place its own parent separates. A search compares keys
/// here and follows the node's pointer only when the keys tie. The count is that of all
/// entries below the child.
@safe
@usableFromInline
struct ScoreBranch {
    static let headerByteCount = 8
    /// What brings a block to 1016 bytes, within what an arena gives without overhead.
    static let largestCapacity = 42

    @usableFromInline let address: UnsafeMutableRawPointer

    @inlinable
    init(_ address: UnsafeMutableRawPointer) {
        unsafe self.address = unsafe address
    }

    init(capacity: Int, in arena: Arena) {
        unsafe address = arena.allocate(ScoreBranch.byteCount(ofCapacity: capacity))
        unsafe address.storeBytes(of: 0, as: UInt64.self)
        unsafe address.storeBytes(of: UInt16(capacity), toByteOffset: 2, as: UInt16.self)
    }

    static func byteCount(ofCapacity capacity: Int) -> Int {
        headerByteCount + 24 * capacity
    }

    var byteCount: Int { ScoreBranch.byteCount(ofCapacity: capacity) }

    var count: Int {
        get { unsafe Int(address.load(as: UInt16.self)) }
        nonmutating set { unsafe address.storeBytes(of: UInt16(newValue), as: UInt16.self) }
    }

    var capacity: Int { unsafe Int(address.load(fromByteOffset: 2, as: UInt16.self)) }

    var isFull: Bool { count == capacity }

    var keys: UnsafeMutablePointer<UInt64> {
        unsafe (address + ScoreBranch.headerByteCount).assumingMemoryBound(to: UInt64.self)
    }

    var counts: UnsafeMutablePointer<UInt32> {
        unsafe (address + (ScoreBranch.headerByteCount &+ 20 &* capacity))
            .assumingMemoryBound(to: UInt32.self)
    }

    func node(at index: Int) -> SortedSetNode {
        let offset = ScoreBranch.headerByteCount &+ 8 &* capacity &+ 6 &* index
        return unsafe SortedSetNode(address.packedPointer(at: offset))
    }

    func child(at index: Int) -> UnsafeMutableRawPointer {
        let offset = ScoreBranch.headerByteCount &+ 14 &* capacity &+ 6 &* index
        return unsafe address.packedPointer(at: offset)
    }

    func setChild(at index: Int, _ child: UnsafeMutableRawPointer) {
        let offset = ScoreBranch.headerByteCount &+ 14 &* capacity &+ 6 &* index
        unsafe address.storePackedPointer(child, at: offset)
    }

    /// Says what the least entry below a child is.
    func setSeparator(at index: Int, key: UInt64, node: SortedSetNode) {
        unsafe keys[index] = key
        let offset = ScoreBranch.headerByteCount &+ 8 &* capacity &+ 6 &* index
        unsafe address.storePackedPointer(node.address, at: offset)
    }

    /// Entries below a child.
    func entryCount(at index: Int) -> Int {
        unsafe Int(counts[index])
    }

    func add(_ difference: Int, at index: Int) {
        unsafe counts[index] = UInt32(truncatingIfNeeded: Int(counts[index]) &+ difference)
    }

    /// Entries below the children before `index`.
    func entryCount(before index: Int) -> Int {
        let counts = unsafe counts
        var sum: UInt32 = 0
        for child in 0..<index { sum &+= unsafe counts[child] }
        return Int(sum)
    }

    /// Entries below all children.
    var totalEntryCount: Int { entryCount(before: count) }

    // What a search finds.

    /// How many children but the first begin with a key less than `key`.
    ///
    /// That is the child in which the first entry with `key` or more is, or behind whose
    /// last entry it is.
    func childIndex(ofKey key: UInt64) -> Int {
        // All of them, not by halves: no branch to guess wrong, and the cache lines of a cold
        // block arrive together.
        let keys = unsafe keys
        let count = count
        var less = 0
        var index = 1
        while index < count {
            less &+= unsafe keys[index] < key ? 1 : 0
            index &+= 1
        }
        return less
    }

    /// The child where `target` is or belongs.
    func childIndex(of target: ScoreTarget) -> Int {
        let index = childIndex(ofKey: target.key)
        guard index &+ 1 < count, unsafe keys[index &+ 1] == target.key else { return index }
        return childIndex(of: target, from: index)
    }

    /// Continues a search among the children from `start` + 1 on that begin with this very key.
    private func childIndex(of target: ScoreTarget, from start: Int) -> Int {
        var low = start + 1
        var high = count
        while low < high {
            let middle = (low + high) >> 1
            if isAtOrBefore(middle, target) { low = middle + 1 } else { high = middle }
        }
        return low - 1
    }

    private func isAtOrBefore(_ index: Int, _ target: ScoreTarget) -> Bool {
        let key = unsafe keys[index]
        if key != target.key { return key < target.key }
        return unsafe ScoreTarget.compare(node(at: index).memberBuffer, target.member) <= 0
    }

    /// The child that holds the entry of this rank, and its rank there.
    func child(ofRank rank: Int) -> (index: Int, rank: Int) {
        let counts = unsafe counts
        let last = count &- 1
        var index = 0
        var rest = rank
        while index < last {
            let count = unsafe Int(counts[index])
            if rest < count { break }
            rest &-= count
            index &+= 1
        }
        return (index, rest)
    }

    // What changes the children.

    /// Puts a child before the one at `index`; its separator is still to be set.
    func insert(_ child: UnsafeMutableRawPointer, entryCount: Int, at index: Int) {
        moveEntries(from: index, to: index + 1, count: count - index)
        unsafe setChild(at: index, child)
        unsafe counts[index] = UInt32(entryCount)
        count += 1
    }

    func remove(at index: Int) {
        moveEntries(from: index + 1, to: index, count: count - index - 1)
        count -= 1
    }

    /// Moves children within the block; does not change the count.
    func moveEntries(from source: Int, to target: Int, count: Int) {
        copyEntries(from: self, at: source, count: count, to: target)
    }

    /// Copies children of `other`, which has the same capacity; does not change the count.
    func copyEntries(from other: ScoreBranch, at source: Int, count moved: Int, to target: Int) {
        let capacity = capacity
        var start = ScoreBranch.headerByteCount
        func copyColumn(_ width: Int) {
            unsafe (address + (start + width * target)).copyMemory(
                from: other.address + (start + width * source),
                byteCount: width * moved
            )
            start += width * capacity
        }
        copyColumn(8)
        copyColumn(6)
        copyColumn(6)
        copyColumn(4)
    }

    func free(in arena: Arena) {
        unsafe arena.free(address, byteCount)
    }
}
