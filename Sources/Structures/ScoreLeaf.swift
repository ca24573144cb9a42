/// A leaf of a `ScoreIndex`: nodes in order, and 32 bits of each one's score.
///
///     0        8       10         12      13        14..15   16
///     | origin | count | capacity | shift | version | unused | deltas: capacity x 4 | nodes: x 6 |
///
/// The delta of an entry is `(key >> shift) - origin`, where the key is the score as
/// `ScoreOrder` has it. The scores in a leaf lie close together, so a window of 32 bits placed
/// where they are tells almost all of them apart: a search reads the deltas, which lie side by
/// side, and follows a pointer only where deltas tie. Scores that are far apart for once make
/// the window coarser (`fit`), and one that has become needlessly coarse is made finer when
/// it is in the way (`tighten`).
///
/// The lowest bit of a pointer, which no block's address has, flags an entry: `ScoreWitness`.
///
/// The block grows with its entries, in steps of 80 bytes, so that it is never half empty.
@safe
@usableFromInline
struct ScoreLeaf {
    @usableFromInline static let headerByteCount = 16
    /// What brings a block to 1016 bytes, within what an arena gives without overhead.
    static let largestCapacity = 100

    @usableFromInline let address: UnsafeMutableRawPointer

    @inlinable
    init(_ address: UnsafeMutableRawPointer) {
        unsafe self.address = unsafe address
    }

    init(capacity: Int, in arena: Arena) {
        unsafe address = arena.allocate(ScoreLeaf.byteCount(ofCapacity: capacity))
        unsafe address.storeBytes(of: 0, as: UInt64.self)
        unsafe address.storeBytes(of: 0, toByteOffset: 8, as: UInt64.self)
        unsafe address.storeBytes(of: UInt16(capacity), toByteOffset: 10, as: UInt16.self)
    }

    static func byteCount(ofCapacity capacity: Int) -> Int {
        headerByteCount + 10 * capacity
    }

    var byteCount: Int { ScoreLeaf.byteCount(ofCapacity: capacity) }

    var origin: UInt64 {
        get { unsafe address.load(as: UInt64.self) }
        nonmutating set { unsafe address.storeBytes(of: newValue, as: UInt64.self) }
    }

    @inlinable var count: Int {
        get { unsafe Int(address.load(fromByteOffset: 8, as: UInt16.self)) }
        nonmutating set {
            unsafe address.storeBytes(
                of: UInt16(truncatingIfNeeded: newValue),
                toByteOffset: 8,
                as: UInt16.self
            )
        }
    }

    @inlinable var capacity: Int { unsafe Int(address.load(fromByteOffset: 10, as: UInt16.self)) }

    var isFull: Bool { count == capacity }

    var shift: Int {
        get { unsafe Int(address.load(fromByteOffset: 12, as: UInt8.self)) }
        nonmutating set {
            unsafe address.storeBytes(of: UInt8(newValue), toByteOffset: 12, as: UInt8.self)
        }
    }

    /// For a walk that must see the leaf as it was: `ScoreWitness`.
    var version: UInt8 {
        get { unsafe address.load(fromByteOffset: 13, as: UInt8.self) }
        nonmutating set {
            unsafe address.storeBytes(of: newValue, toByteOffset: 13, as: UInt8.self)
        }
    }

    @inlinable
    func node(at index: Int) -> SortedSetNode {
        unsafe SortedSetNode(nodes.packedPointer(at: 6 &* index, mask: ~1))
    }

    private func lowByte(at index: Int) -> UnsafeMutablePointer<UInt8> {
        unsafe (nodes + 6 * index).assumingMemoryBound(to: UInt8.self)
    }

    func isFlagged(_ index: Int) -> Bool { unsafe lowByte(at: index).pointee & 1 != 0 }

    func flag(_ index: Int) { unsafe lowByte(at: index).pointee |= 1 }

    func clearFlags() {
        for index in 0..<count { unsafe lowByte(at: index).pointee &= ~1 }
    }

    func setNode(at index: Int, _ node: SortedSetNode) {
        unsafe nodes.storePackedPointer(node.address, at: 6 &* index)
    }

    @inlinable var nodes: UnsafeMutableRawPointer {
        unsafe address + (ScoreLeaf.headerByteCount &+ 4 &* capacity)
    }

    /// At the same place whatever the capacity: a search of a cold leaf need not wait for it.
    var deltas: UnsafeMutablePointer<UInt32> {
        unsafe (address + ScoreLeaf.headerByteCount).assumingMemoryBound(to: UInt32.self)
    }

    func key(at index: Int) -> UInt64 {
        ScoreOrder.key(of: node(at: index).score)
    }

    // What a search finds.

    /// The entries whose delta is that of `key`; those before are less, those behind greater.
    func run(of key: UInt64) -> Range<Int> {
        let count = count
        let scaled = key &>> UInt64(truncatingIfNeeded: shift)
        let origin = origin
        guard scaled >= origin else { return unsafe Range(uncheckedBounds: (0, 0)) }
        guard let delta = UInt32(exactly: scaled &- origin) else {
            return unsafe Range(uncheckedBounds: (count, count))
        }
        let low = lowerCount(than: delta, of: count)
        let deltas = unsafe deltas
        var high = low
        while unsafe high < count && deltas[high] == delta { high &+= 1 }
        return unsafe Range(uncheckedBounds: (low, high))
    }

    /// How many of the first `count` deltas are less than `delta`.
    ///
    /// Reads them all, eight at once: a cold leaf's cache lines then arrive together, where
    /// halving would wait for one after the other.
    private func lowerCount(than delta: UInt32, of count: Int) -> Int {
        let deltas = unsafe UnsafeRawPointer(deltas)
        let wanted = SIMD8<UInt32>(repeating: delta)
        var counts = SIMD8<UInt32>(repeating: 0)
        var index = 0
        while index &+ 8 <= count {
            let eight = unsafe deltas.loadUnaligned(
                fromByteOffset: 4 &* index,
                as: SIMD8<UInt32>.self
            )
            counts.replace(with: counts &+ 1, where: eight .< wanted)
            index &+= 8
        }
        var sum = counts.wrappedSum()
        while index < count {
            sum &+= unsafe deltas.load(fromByteOffset: 4 &* index, as: UInt32.self) < delta ? 1 : 0
            index &+= 1
        }
        return Int(sum)
    }

    /// The index of the first entry that does not come before `target`.
    func position(of target: ScoreTarget) -> Int {
        var run = run(of: target.key)
        while !run.isEmpty {
            let middle = (run.lowerBound &+ run.upperBound) >> 1
            if target.follows(node(at: middle)) {
                run = unsafe Range(uncheckedBounds: (middle &+ 1, run.upperBound))
            } else {
                run = unsafe Range(uncheckedBounds: (run.lowerBound, middle))
            }
        }
        return run.lowerBound
    }

    /// `position(of:)`, on the way to a change: a window in the way is made finer.
    func insertionPosition(of target: ScoreTarget) -> Int {
        if shift > 0, canTighten, !run(of: target.key).isEmpty { tighten() }
        return position(of: target)
    }

    /// The index of the first entry whose key is `key` or more.
    func position(ofKey key: UInt64) -> Int {
        var run = run(of: key)
        guard shift > 0 else { return run.lowerBound }
        while !run.isEmpty {
            let middle = (run.lowerBound &+ run.upperBound) >> 1
            if self.key(at: middle) < key {
                run = unsafe Range(uncheckedBounds: (middle &+ 1, run.upperBound))
            } else {
                run = unsafe Range(uncheckedBounds: (run.lowerBound, middle))
            }
        }
        return run.lowerBound
    }

    /// Where `node` is; it must be here and have the score it came with.
    func index(of node: SortedSetNode, key: UInt64) -> Int {
        let run = run(of: key)
        // Mostly there is no other candidate, and nothing more to read.
        if run.count == 1 { return run.lowerBound }
        // Comparing pointers, even a hundred of them, costs less than following one.
        for index in run where self.node(at: index) == node { return index }
        preconditionFailure("a node is not where its score says")
    }

    // What changes the entries.

    /// Puts `node` before the entry at `index`; there is room.
    func insert(_ node: SortedSetNode, key: UInt64, at index: Int) {
        let count = count
        if count == 0 {
            shift = 0
            origin = key
        } else {
            fit(key)
        }
        moveEntries(from: index, to: index &+ 1, count: count &- index)
        setNode(at: index, node)
        let scaled = key &>> UInt64(truncatingIfNeeded: shift)
        unsafe deltas[index] = UInt32(truncatingIfNeeded: scaled &- origin)
        self.count = count &+ 1
    }

    /// Takes `removedCount` entries out.
    func remove(at index: Int, count removedCount: Int = 1) {
        let behind = index &+ removedCount
        moveEntries(from: behind, to: index, count: count &- behind)
        count &-= removedCount
    }

    private func moveEntries(from source: Int, to target: Int, count: Int) {
        guard count > 0 else { return }
        let nodes = unsafe nodes
        unsafe (nodes + 6 &* target).copyMemory(from: nodes + 6 &* source, byteCount: 6 &* count)
        let deltas = unsafe UnsafeMutableRawPointer(deltas)
        unsafe (deltas + 4 &* target).copyMemory(from: deltas + 4 &* source, byteCount: 4 &* count)
    }

    /// A copy with another capacity; this block goes back to the arena.
    func resized(toCapacity newCapacity: Int, in arena: Arena) -> ScoreLeaf {
        let copy = ScoreLeaf(capacity: newCapacity, in: arena)
        copy.origin = origin
        copy.shift = shift
        copy.version = version
        copy.append(from: self, 0..<count)
        free(in: arena)
        return copy
    }

    func free(in arena: Arena) {
        unsafe arena.free(address, byteCount)
    }

    // The window.

    /// Moves the window so that it covers `key` too.
    private func fit(_ key: UInt64) {
        let scaled = key &>> UInt64(truncatingIfNeeded: shift)
        if scaled >= origin, scaled &- origin <= UInt64(UInt32.max) { return }
        rescale(low: min(lowest, scaled), high: max(highest, scaled))
    }

    /// The first entry's key and the last one's, as far as the deltas tell.
    private var lowest: UInt64 { unsafe origin &+ UInt64(deltas[0]) }
    private var highest: UInt64 { unsafe origin &+ UInt64(deltas[count &- 1]) }

    /// Lets the window begin at `low` and reach `high`, both in units of the current shift.
    private func rescale(low: UInt64, high: UInt64) {
        let more = ScoreLeaf.shift(toCover: low, high)
        let newOrigin = low >> UInt64(more)
        let origin = origin
        let deltas = unsafe deltas
        for index in 0..<count {
            let scaled = unsafe (UInt64(deltas[index]) &+ origin) >> UInt64(more)
            unsafe deltas[index] = UInt32(truncatingIfNeeded: scaled &- newOrigin)
        }
        self.origin = newOrigin
        shift += more
    }

    /// The fewest bits to drop so that the distance takes 32.
    private static func shift(toCover low: UInt64, _ high: UInt64) -> Int {
        var shift = max(0, 32 - (high - low).leadingZeroBitCount)
        if (high >> UInt64(shift)) - (low >> UInt64(shift)) > UInt64(UInt32.max) { shift += 1 }
        return shift
    }

    /// Whether a window made anew would tell apart at least sixteen times as much.
    private var canTighten: Bool { count > 0 && highest &- lowest < 1 << 28 }

    /// Makes the window as fine as the scores allow; reads every node.
    private func tighten() {
        let first = key(at: 0)
        shift = ScoreLeaf.shift(toCover: first, key(at: count - 1))
        origin = first >> UInt64(shift)
        for index in 0..<count {
            let scaled = key(at: index) >> UInt64(shift)
            unsafe deltas[index] = UInt32(truncatingIfNeeded: scaled &- origin)
        }
    }

    // What passes entries between leaves.

    /// Copies entries of `other` behind those of this leaf, whose window covers them.
    func append(from other: ScoreLeaf, _ range: Range<Int>) {
        let start = count
        let source = unsafe other.nodes + 6 * range.lowerBound
        unsafe (nodes + 6 * start).copyMemory(from: source, byteCount: 6 * range.count)
        let more = UInt64(shift - other.shift)
        let deltas = unsafe deltas
        let others = unsafe other.deltas + range.lowerBound
        for index in 0..<range.count {
            let scaled = unsafe (UInt64(others[index]) &+ other.origin) >> more
            unsafe deltas[start + index] = UInt32(truncatingIfNeeded: scaled &- origin)
        }
        count = start + range.count
    }

    /// Gives this empty leaf a window that covers `left` and, behind it, `right`.
    func cover(_ left: ScoreLeaf, _ right: ScoreLeaf) {
        let coarser = max(left.shift, right.shift)
        let low = left.lowest >> UInt64(coarser - left.shift)
        let high = right.highest >> UInt64(coarser - right.shift)
        let more = ScoreLeaf.shift(toCover: low, high)
        shift = coarser + more
        origin = low >> UInt64(more)
    }

    func checkInvariants() {
        precondition(count <= capacity)
        for index in 0..<count {
            let scaled = key(at: index) >> UInt64(shift)
            precondition(scaled >= origin)
            precondition(unsafe scaled - origin == UInt64(deltas[index]), "a delta is stale")
            guard index > 0 else { continue }
            let target = ScoreTarget(node(at: index))
            precondition(target.follows(node(at: index - 1)), "entries are not in order")
        }
    }
}
