import Bytes
import Structures

/// Blocks that each begin with a head and end with a name, in the order of their names.
///
///     block:  | head | length 1 or 5 B | name |
///
/// The groups of a stream and the consumers of a group, of which there are few: finding one
/// takes O(log n), adding and removing move up to 8 n bytes. Files have them in this order, so
/// loading only appends.
@unsafe
struct NamedList<Head: ~Copyable>: ~Copyable {
    typealias Block = UnsafeMutablePointer<Head>

    private let arena: Arena
    private var blocks: UnsafeMutablePointer<Block>?
    private(set) var count = 0
    private var capacity = 0

    init(arena: Arena) {
        unsafe self.arena = arena
        unsafe blocks = nil
    }

    deinit {
        guard let blocks = unsafe blocks else { return }
        for index in unsafe 0..<count { unsafe Self.free(blocks[index], in: arena) }
        unsafe arena.free(blocks, capacity * 8)
    }

    subscript(index: Int) -> Block { unsafe blocks.unsafelyUnwrapped[index] }

    /// Bytes of memory, without what the heads own.
    var byteCount: Int {
        var bytes = unsafe capacity > 0 ? Arena.roundedByteCount(capacity * 8) : 0
        for index in unsafe 0..<count {
            unsafe bytes += Arena.roundedByteCount(Self.blockByteCount(self[index]))
        }
        return bytes
    }

    @_lifetime(immortal)
    static func name(of block: Block) -> RawSpan {
        let place = unsafe UnsafeMutableRawPointer(block) + MemoryLayout<Head>.stride
        let name = unsafe ShortLength.bytes(at: place)
        return unsafe _overrideLifetime(name.bytes, borrowing: ())
    }

    private static func blockByteCount(_ block: Block) -> Int {
        let count = unsafe name(of: block).byteCount
        return unsafe MemoryLayout<Head>.stride + ShortLength.byteCount(count) + count
    }

    /// Where `name` is or belongs.
    func search(_ name: RawSpan) -> (index: Int, isThere: Bool) {
        var low = 0
        var high = unsafe count
        while low < high {
            let middle = (low + high) / 2
            let order = unsafe Self.name(of: self[middle]).compared(to: name)
            if order == 0 { return (middle, true) }
            if order < 0 { low = middle + 1 } else { high = middle }
        }
        return (low, false)
    }

    func find(_ name: RawSpan) -> Block? {
        let (index, isThere) = unsafe search(name)
        return unsafe isThere ? self[index] : nil
    }

    /// Adds a block for a name that is not there.
    mutating func insert(_ name: RawSpan, _ head: consuming Head) -> Block {
        let index = unsafe search(name).index
        if unsafe count == capacity { unsafe grow() }
        let start = unsafe blocks.unsafelyUnwrapped
        if unsafe index < count {
            unsafe (start + index + 1).update(from: start + index, count: count - index)
        }
        let length = unsafe ShortLength.byteCount(name.byteCount)
        let headByteCount = MemoryLayout<Head>.stride
        let address = unsafe arena.allocate(headByteCount + length + name.byteCount)
        let block = unsafe address.bindMemory(to: Head.self, capacity: 1)
        unsafe block.initialize(to: head)
        unsafe ShortLength.write(name.byteCount, to: address + headByteCount)
        unsafe (address + headByteCount + length).store(name)
        unsafe start[index] = block
        unsafe count += 1
        return unsafe block
    }

    private mutating func grow() {
        let larger = unsafe capacity == 0 ? 2 : capacity * 2
        let moved =
            if let blocks = unsafe blocks {
                unsafe arena.reallocate(blocks, from: capacity * 8, to: larger * 8)
            } else {
                unsafe arena.allocate(larger * 8)
            }
        unsafe blocks = moved.bindMemory(to: Block.self, capacity: larger)
        unsafe capacity = larger
    }

    /// Takes a block out and frees it with what its head owns.
    mutating func removeBlock(at index: Int) {
        unsafe Self.free(take(at: index), in: arena)
    }

    private static func free(_ block: Block, in arena: Arena) {
        let byteCount = unsafe blockByteCount(block)
        unsafe block.deinitialize(count: 1)
        unsafe arena.free(block, byteCount)
    }

    /// Takes a block out, for another list of the same arena.
    mutating func take(at index: Int) -> Block {
        let block = unsafe self[index]
        let start = unsafe blocks.unsafelyUnwrapped
        unsafe count -= 1
        if unsafe index < count {
            unsafe (start + index).update(from: start + index + 1, count: count - index)
        }
        return unsafe block
    }

    /// Adds a block that another list gave up, behind all others.
    mutating func append(_ block: Block) {
        if unsafe count == capacity { unsafe grow() }
        unsafe blocks.unsafelyUnwrapped[count] = unsafe block
        unsafe count += 1
    }
}
