/// Words of 64 bits by keys of 128 bits, in the order of the keys: a B+tree.
///
/// Streams live in it: their nodes by the id that a node begins with, and what is pending for
/// groups and consumers by its id. The word is a pointer or whatever its owner makes of it.
///
///     block:  | count u16 | capacity u16 | unused | keys: capacity x 16 | words: x 8 |
///
/// Leaves and branches have this one shape; the words of a branch are its children, its keys
/// what separates them: not greater than any key below the child, greater than all before. A
/// block grows with its entries up to 1016 bytes, so that a map of three entries takes 104.
///
/// A radix tree, which other servers use here, shares the leading bytes of ids, but ids differ
/// only in the last bytes of their clock and in a counter: each key costs it a node of its own
/// and an allocation of 30 to 50 bytes. Here keys that arrive in order cost 24.6 bytes each,
/// in random order about 29, and three or four cache lines away from the root.
///
/// Changes go down once and split or join on the way, as in `ScoreIndex`. Every operation
/// takes O(log n) unless it says otherwise.
@safe
public struct OrderedMap: ~Copyable {
    let arena: Arena
    var root: MapBlock?
    var entryCount = 0
    var blockByteCount = 0
    /// Branches on the way to a leaf.
    var height: Int32 = 0
    let blockCapacity: Int32

    /// One entry.
    public struct Entry: Equatable, Sendable {
        /// What orders it.
        public let key: UInt128
        /// What it holds.
        public let word: UInt64

        init(_ key: UInt128, _ word: UInt64) {
            self.key = key
            self.word = word
        }
    }

    /// An empty map that allocates nothing yet.
    public init(arena: Arena) {
        self.init(arena: arena, blockCapacity: MapBlock.largestCapacity)
    }

    /// A map of smaller blocks, so that a test reaches a deep tree with few entries.
    package init(arena: Arena, blockCapacity: Int) {
        precondition(4...MapBlock.largestCapacity ~= blockCapacity)
        self.arena = arena
        self.blockCapacity = Int32(blockCapacity)
    }

    deinit {
        var rest = MapBlocks(root: root, height: Int(height), arena: arena)
        while !rest.free(upTo: .max) {}
    }

    /// How many entries.
    public var count: Int { entryCount }

    /// Whether there are none.
    public var isEmpty: Bool { entryCount == 0 }

    /// Bytes of memory that the map takes.
    public var byteCount: Int { blockByteCount }

    // Lookup.

    /// The word at `key`.
    public func word(at key: UInt128) -> UInt64? {
        guard let (leaf, index) = leaf(for: key), index < leaf.count, leaf.key(at: index) == key
        else { return nil }
        return leaf.word(at: index)
    }

    /// The first entry.
    public var first: Entry? { entry(atOrAfter: 0) }

    /// The last entry.
    public var last: Entry? { entry(atOrBefore: .max) }

    /// The first entry whose key is `key` or more.
    public func entry(atOrAfter key: UInt128) -> Entry? {
        guard var block = root else { return nil }
        // The next subtree to the right, in case this one holds only lesser keys.
        var next: MapBlock?
        var nextLevel = 0
        for level in stride(from: Int(height), to: 0, by: -1) {
            let index = block.childIndex(for: key)
            if index + 1 < block.count {
                next = block.child(at: index + 1)
                nextLevel = level - 1
            }
            block = block.child(at: index)
        }
        let index = block.position(of: key)
        if index < block.count { return block.entry(at: index) }
        guard var first = next else { return nil }
        for _ in 0..<nextLevel { first = first.child(at: 0) }
        return first.entry(at: 0)
    }

    /// The last entry whose key is `key` or less.
    public func entry(atOrBefore key: UInt128) -> Entry? {
        guard var block = root else { return nil }
        var previous: MapBlock?
        var previousLevel = 0
        for level in stride(from: Int(height), to: 0, by: -1) {
            let index = block.childIndex(for: key)
            if index > 0 {
                previous = block.child(at: index - 1)
                previousLevel = level - 1
            }
            block = block.child(at: index)
        }
        let index = block.position(of: key)
        if index < block.count, block.key(at: index) == key { return block.entry(at: index) }
        if index > 0 { return block.entry(at: index - 1) }
        guard var last = previous else { return nil }
        for _ in 0..<previousLevel { last = last.child(at: last.count - 1) }
        return last.entry(at: last.count - 1)
    }

    /// The first entry whose key is more than `key`: the next step of a walk.
    ///
    /// A walk that goes by keys survives any change between its steps.
    public func entry(after key: UInt128) -> Entry? {
        key == .max ? nil : entry(atOrAfter: key + 1)
    }

    /// The last entry whose key is less than `key`: the next step of a walk back.
    public func entry(before key: UInt128) -> Entry? {
        key == 0 ? nil : entry(atOrBefore: key - 1)
    }

    /// The leaf where `key` is or belongs, and the index there.
    func leaf(for key: UInt128) -> (leaf: MapBlock, index: Int)? {
        guard var block = root else { return nil }
        for _ in 0..<height { block = block.child(at: block.childIndex(for: key)) }
        return (block, block.position(of: key))
    }

    // Changes.

    /// Gives `key` a word; returns the one it had.
    @discardableResult
    public mutating func set(_ word: UInt64, at key: UInt128) -> UInt64? {
        if let (leaf, index) = leaf(for: key), index < leaf.count, leaf.key(at: index) == key {
            let old = leaf.word(at: index)
            leaf.setWord(at: index, word)
            return old
        }
        insert(word, at: key)
        return nil
    }

    /// Adds a key that is not there yet.
    private mutating func insert(_ word: UInt64, at key: UInt128) {
        var block = makeRoomAtRoot()
        var parent: (block: MapBlock, index: Int)?
        var isAtEnd = true
        for level in stride(from: Int(height), to: 0, by: -1) {
            var index = block.childIndex(for: key)
            let child = block.child(at: index)
            if child.count == Int(blockCapacity) {
                let isLast = isAtEnd && index == block.count - 1
                split(block, index, isBranch: level > 1, before: isLast ? key : nil)
                if key >= block.key(at: index + 1) { index += 1 }
            }
            isAtEnd = isAtEnd && index == block.count - 1
            parent = (block, index)
            block = block.child(at: index)
        }
        if block.count == block.capacity {
            block = resize(block, toCapacity: block.count + 8, below: parent)
        }
        block.insert(key, word, at: block.position(of: key))
        entryCount += 1
    }

    /// Sees to it that there is a root and that it is not full; returns it.
    private mutating func makeRoomAtRoot() -> MapBlock {
        guard let root else {
            let leaf = makeBlock(capacity: 4)
            self.root = leaf
            return leaf
        }
        guard root.count == Int(blockCapacity) else { return root }
        let branch = makeBlock(capacity: Int(blockCapacity))
        branch.insert(0, root.bits, at: 0)
        self.root = branch
        height += 1
        return branch
    }

    /// Moves the upper half of the full child at `index` to a new one behind it.
    ///
    /// At the end of the map, only what comes behind `key`, if anything does: keys that arrive
    /// in order leave full blocks behind.
    private mutating func split(
        _ parent: MapBlock,
        _ index: Int,
        isBranch: Bool,
        before key: UInt128?
    ) {
        let left = parent.child(at: index)
        let count = left.count
        var kept = count / 2
        if let key, left.key(at: count - 1) < key { kept = isBranch ? count - 1 : count }
        // A branch keeps room for all it may get; leaves grow.
        let capacity = isBranch ? Int(blockCapacity) : roomyCapacity(for: count - kept)
        let right = makeBlock(capacity: capacity)
        right.append(from: left, kept..<count)
        left.count = kept
        let separator = kept == count ? key ?? 0 : right.key(at: 0)
        parent.insert(separator, right.bits, at: index + 1)
        if !isBranch, kept < count {
            resize(left, toCapacity: roomyCapacity(for: kept), below: (parent, index))
        }
    }

    /// Takes `key` out; returns the word it had.
    @discardableResult
    public mutating func remove(_ key: UInt128) -> UInt64? {
        guard word(at: key) != nil, var block = root else { return nil }
        var parent: (block: MapBlock, index: Int)?
        for level in stride(from: Int(height), to: 0, by: -1) {
            var index = block.childIndex(for: key)
            if block.count > 1, block.child(at: index).count <= max(1, Int(blockCapacity) / 4) {
                fill(block, max(index - 1, 0), isBranch: level > 1)
                index = block.childIndex(for: key)
            }
            parent = (block, index)
            block = block.child(at: index)
        }
        let word = block.remove(at: block.position(of: key))
        entryCount -= 1
        if block.capacity - block.count >= 20 {
            resize(block, toCapacity: roomyCapacity(for: block.count), below: parent)
        }
        dropRootsWithOneChild()
        return word
    }

    /// Joins the child at `index` with the one behind it, or lets the two share evenly.
    private mutating func fill(_ parent: MapBlock, _ index: Int, isBranch: Bool) {
        let left = parent.child(at: index)
        let right = parent.child(at: index + 1)
        let total = left.count + right.count
        // Of a branch, the first key is vacant: what separates it stands in the parent.
        if isBranch { right.setKey(at: 0, parent.key(at: index + 1)) }
        if total <= Int(blockCapacity) * 3 / 4 {
            var target = left
            if target.capacity < total {
                target = resize(
                    target,
                    toCapacity: roomyCapacity(for: total),
                    below: (parent, index)
                )
            }
            target.append(from: right, 0..<right.count)
            parent.remove(at: index + 1)
            return free(right)
        }
        let half = total / 2
        let capacity = isBranch ? Int(blockCapacity) : roomyCapacity(for: total - half)
        let newLeft = makeBlock(capacity: capacity)
        let newRight = makeBlock(capacity: capacity)
        newLeft.append(from: left, 0..<min(half, left.count))
        if left.count < half {
            newLeft.append(from: right, 0..<(half - left.count))
            newRight.append(from: right, (half - left.count)..<right.count)
        } else {
            newRight.append(from: left, half..<left.count)
            newRight.append(from: right, 0..<right.count)
        }
        parent.setWord(at: index, newLeft.bits)
        parent.setWord(at: index + 1, newRight.bits)
        parent.setKey(at: index + 1, newRight.key(at: 0))
        free(left)
        free(right)
    }

    private mutating func dropRootsWithOneChild() {
        while height > 0, let root, root.count == 1 {
            self.root = root.child(at: 0)
            height -= 1
            free(root)
        }
        if entryCount == 0, let root {
            free(root)
            self.root = nil
        }
    }

    // Blocks.

    private func roomyCapacity(for count: Int) -> Int {
        min((count + 6) & ~1, Int(blockCapacity))
    }

    private mutating func makeBlock(capacity: Int) -> MapBlock {
        let block = MapBlock(capacity: min(capacity, Int(blockCapacity)), in: arena)
        blockByteCount += Arena.roundedByteCount(block.byteCount)
        return block
    }

    private mutating func free(_ block: MapBlock) {
        blockByteCount -= Arena.roundedByteCount(block.byteCount)
        block.free(in: arena)
    }

    @discardableResult
    private mutating func resize(
        _ block: MapBlock,
        toCapacity capacity: Int,
        below parent: (block: MapBlock, index: Int)?
    ) -> MapBlock {
        let resized = makeBlock(capacity: capacity)
        resized.append(from: block, 0..<block.count)
        free(block)
        if let (branch, index) = parent {
            branch.setWord(at: index, resized.bits)
        } else {
            root = resized
        }
        return resized
    }

    // The end.

    /// Frees at most `limit` blocks; true once there are none.
    ///
    /// Once begun, nothing else may be asked of the map, which is empty at the end.
    public mutating func destroy(upTo limit: Int) -> Bool {
        var rest = MapBlocks(root: root, height: Int(height), arena: arena)
        let isDone = rest.free(upTo: limit)
        root = rest.root
        if isDone {
            height = 0
            entryCount = 0
            blockByteCount = 0
        }
        return isDone
    }

    /// Checks what must hold between any two calls; tests call it after every step.
    public func checkInvariants() {
        guard let root else {
            precondition(entryCount == 0 && height == 0 && blockByteCount == 0)
            return
        }
        var bytes = 0
        let count = checkBlock(root, level: Int(height), 0, nil, bytes: &bytes)
        precondition(count == entryCount, "the count is stale")
        precondition(bytes == blockByteCount, "the memory account is stale")
    }

    private func checkBlock(
        _ block: MapBlock,
        level: Int,
        _ least: UInt128,
        _ end: UInt128?,
        bytes: inout Int
    ) -> Int {
        precondition(block.count > 0 && block.count <= block.capacity)
        precondition(block.capacity <= Int(blockCapacity))
        bytes += Arena.roundedByteCount(block.byteCount)
        for index in (level == 0 ? 0 : 1)..<block.count {
            let key = block.key(at: index)
            precondition(key >= least, "a key is before what separates it")
            if let end { precondition(key < end, "a key is behind what separates it") }
            let isFirst = index == 0 || level > 0 && index == 1
            precondition(isFirst || block.key(at: index - 1) < key, "keys are not in order")
        }
        if level == 0 { return block.count }
        var count = 0
        for index in 0..<block.count {
            count += checkBlock(
                block.child(at: index),
                level: level - 1,
                index == 0 ? least : block.key(at: index),
                index + 1 < block.count ? block.key(at: index + 1) : end,
                bytes: &bytes
            )
        }
        return count
    }
}
