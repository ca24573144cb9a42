/// A block of an `OrderedMap`, which draws it.
@safe
struct MapBlock: Equatable {
    static let headerByteCount = 8
    /// What brings a block to 1016 bytes, within what an arena gives without overhead.
    static let largestCapacity = 42

    private let address: UnsafeMutableRawPointer

    /// The block whose address a branch has as a word.
    init(bits: UInt64) {
        unsafe address = unsafe UnsafeMutableRawPointer(
            bitPattern: UInt(truncatingIfNeeded: bits)
        ).unsafelyUnwrapped
    }

    init(capacity: Int, in arena: Arena) {
        unsafe address = arena.allocate(MapBlock.byteCount(ofCapacity: capacity))
        unsafe address.storeBytes(of: 0, as: UInt64.self)
        unsafe address.storeBytes(of: UInt16(capacity), toByteOffset: 2, as: UInt16.self)
    }

    static func byteCount(ofCapacity capacity: Int) -> Int {
        headerByteCount + 24 * capacity
    }

    static func == (one: MapBlock, other: MapBlock) -> Bool {
        unsafe one.address == other.address
    }

    /// The address, as a word.
    var bits: UInt64 { unsafe UInt64(UInt(bitPattern: address)) }

    var byteCount: Int { MapBlock.byteCount(ofCapacity: capacity) }

    var count: Int {
        get { unsafe Int(address.load(as: UInt16.self)) }
        nonmutating set {
            unsafe address.storeBytes(of: UInt16(truncatingIfNeeded: newValue), as: UInt16.self)
        }
    }

    var capacity: Int { unsafe Int(address.load(fromByteOffset: 2, as: UInt16.self)) }

    private func keyOffset(_ index: Int) -> Int { MapBlock.headerByteCount &+ 16 &* index }

    private func wordOffset(_ index: Int) -> Int {
        MapBlock.headerByteCount &+ 16 &* capacity &+ 8 &* index
    }

    func key(at index: Int) -> UInt128 {
        unsafe address.loadUnaligned(fromByteOffset: keyOffset(index), as: UInt128.self)
    }

    func setKey(at index: Int, _ key: UInt128) {
        unsafe address.storeBytes(of: key, toByteOffset: keyOffset(index), as: UInt128.self)
    }

    func word(at index: Int) -> UInt64 {
        unsafe address.load(fromByteOffset: wordOffset(index), as: UInt64.self)
    }

    func setWord(at index: Int, _ word: UInt64) {
        unsafe address.storeBytes(of: word, toByteOffset: wordOffset(index), as: UInt64.self)
    }

    func entry(at index: Int) -> OrderedMap.Entry {
        OrderedMap.Entry(key(at: index), word(at: index))
    }

    func child(at index: Int) -> MapBlock { MapBlock(bits: word(at: index)) }

    /// The index of the first key that is `key` or more.
    func position(of key: UInt128) -> Int {
        var low = 0
        var high = count
        while low < high {
            let middle = (low &+ high) >> 1
            if self.key(at: middle) < key { low = middle &+ 1 } else { high = middle }
        }
        return low
    }

    /// The child below which `key` is or belongs.
    func childIndex(for key: UInt128) -> Int {
        var low = 1
        var high = count
        while low < high {
            let middle = (low &+ high) >> 1
            if self.key(at: middle) <= key { low = middle &+ 1 } else { high = middle }
        }
        return low &- 1
    }

    func insert(_ key: UInt128, _ word: UInt64, at index: Int) {
        moveEntries(from: index, to: index &+ 1, count: count &- index)
        setKey(at: index, key)
        setWord(at: index, word)
        count &+= 1
    }

    @discardableResult
    func remove(at index: Int) -> UInt64 {
        let word = word(at: index)
        moveEntries(from: index &+ 1, to: index, count: count &- index &- 1)
        count &-= 1
        return word
    }

    private func moveEntries(from source: Int, to target: Int, count: Int) {
        unsafe (address + keyOffset(target)).copyMemory(
            from: address + keyOffset(source),
            byteCount: 16 &* count
        )
        unsafe (address + wordOffset(target)).copyMemory(
            from: address + wordOffset(source),
            byteCount: 8 &* count
        )
    }

    /// Copies entries of `other` behind those of this block.
    func append(from other: MapBlock, _ range: Range<Int>) {
        unsafe (address + keyOffset(count)).copyMemory(
            from: other.address + other.keyOffset(range.lowerBound),
            byteCount: 16 &* range.count
        )
        unsafe (address + wordOffset(count)).copyMemory(
            from: other.address + other.wordOffset(range.lowerBound),
            byteCount: 8 &* range.count
        )
        count &+= range.count
    }

    func free(in arena: Arena) {
        unsafe arena.free(address, byteCount)
    }
}

/// The blocks of a map that nobody searches any more.
struct MapBlocks: ~Copyable {
    var root: MapBlock?
    let height: Int
    let arena: Arena

    /// Frees at most `limit` blocks, last leaf first; true once there are none.
    mutating func free(upTo limit: Int) -> Bool {
        var rest = limit
        while let root {
            guard rest > 0 else { return false }
            rest -= 1
            var parent: MapBlock?
            var block = root
            var level = height
            while level > 0, block.count > 0 {
                parent = block
                block = block.child(at: block.count - 1)
                level -= 1
            }
            block.free(in: arena)
            if let parent { parent.count -= 1 } else { self.root = nil }
        }
        return true
    }
}
