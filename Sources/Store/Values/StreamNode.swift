import Bytes
import Structures

/// A node of a stream: entries with ids from the node's own on, in one listpack.
///
///     | room u32 | seen u32 | listpack ... | room to grow |
///
/// `room` counts the bytes that the listpack may have; `seen` is the business of `LargeStream`. The listpack is the one of RDB files,
/// byte for byte; its elements are
///
///     live count, deleted count, count of fields, the fields, 0
///     entries: flags, ms - node's ms, sequence - node's sequence
///         flag 2: a value for each of the node's fields; else: count, then field, value, ...
///         how many elements this entry had so far
///
/// Flag 1 marks a deleted entry, which stays until the whole node goes. The fields of the node
/// are those of its first entry. An entry can be walked from behind by its last element.
@unsafe
struct StreamNode {
    static let headerByteCount = 8
    static let deletedFlag: Int64 = 1
    static let sharedFieldsFlag: Int64 = 2

    let address: UnsafeMutableRawPointer

    /// The node whose address a map has as a word.
    init(bits: UInt64) {
        unsafe address = unsafe UnsafeMutableRawPointer(
            bitPattern: UInt(truncatingIfNeeded: bits)
        ).unsafelyUnwrapped
    }

    /// A node whose listpack has no elements, and room for `room` bytes of them.
    init(room: Int, in arena: Arena) {
        unsafe address = arena.allocate(StreamNode.headerByteCount + room)
        unsafe address.storeBytes(of: UInt64(room), as: UInt64.self)
        let listpack = unsafe address + StreamNode.headerByteCount
        unsafe listpack.storeBytes(of: UInt32(Listpack.emptyByteCount), as: UInt32.self)
        unsafe listpack.storeBytes(of: 0, toByteOffset: 4, as: UInt16.self)
        unsafe listpack.storeBytes(of: Listpack.end, toByteOffset: 6, as: UInt8.self)
    }

    /// A node with a copy of a listpack that was checked throughout.
    init(copying listpack: RawSpan, in arena: Arena) {
        unsafe address = arena.allocate(StreamNode.headerByteCount + listpack.byteCount)
        unsafe address.storeBytes(of: UInt64(listpack.byteCount), as: UInt64.self)
        unsafe (address + StreamNode.headerByteCount).store(listpack)
    }

    /// The address, as a word.
    var bits: UInt64 { unsafe UInt64(UInt(bitPattern: address)) }

    private var room: Int { unsafe Int(address.load(as: UInt32.self)) }

    /// For a walk that must see the node as it was.
    var seen: UInt {
        get { unsafe UInt(address.load(fromByteOffset: 4, as: UInt32.self)) }
        nonmutating set {
            unsafe address.storeBytes(of: UInt32(newValue), toByteOffset: 4, as: UInt32.self)
        }
    }

    /// Bytes of memory.
    var byteCount: Int {
        unsafe Arena.roundedByteCount(StreamNode.headerByteCount + room)
    }

    var listpack: UnsafeMutableRawBufferPointer {
        let start = unsafe address + StreamNode.headerByteCount
        let count = unsafe Int(start.load(as: UInt32.self))
        return unsafe UnsafeMutableRawBufferPointer(start: start, count: count)
    }

    private var head: PackedCursor { unsafe PackedCursor(listpack) }

    var liveCount: Int { unsafe Int(head.integer) }

    var deletedCount: Int {
        var cursor = unsafe head
        unsafe cursor.advance()
        return unsafe Int(cursor.integer)
    }

    func free(in arena: Arena) {
        unsafe arena.free(address, StreamNode.headerByteCount + room)
    }

    /// The node with room for exactly `room` bytes, which may lie elsewhere.
    func resized(toRoom room: Int, in arena: Arena) -> StreamNode {
        let moved = unsafe arena.reallocate(
            address,
            from: StreamNode.headerByteCount + self.room,
            to: StreamNode.headerByteCount + room
        )
        unsafe moved.storeBytes(of: UInt32(room), as: UInt32.self)
        return unsafe StreamNode(bits: UInt64(UInt(bitPattern: moved)))
    }

    /// The node without room to grow.
    func shrunk(in arena: Arena) -> StreamNode {
        let used = unsafe listpack.count
        return unsafe used == room ? self : resized(toRoom: used, in: arena)
    }

    /// The node with room for `more` bytes, and some to spare for what comes next.
    private func grown(by more: Int, in arena: Arena) -> StreamNode {
        let needed = unsafe listpack.count + more
        guard unsafe needed > room else { return unsafe self }
        return unsafe resized(toRoom: needed + min(needed / 2, 1024), in: arena)
    }

    /// The node with its first two elements changed by so much.
    func counting(live: Int, deleted: Int, in arena: Arena) -> StreamNode {
        let counted = unsafe replacingInteger(
            at: Listpack.headerByteCount,
            with: Int64(liveCount + live),
            in: arena
        )
        guard deleted != 0 else { return unsafe counted }
        let second = unsafe Listpack.headerByteCount + counted.head.byteCount
        return unsafe counted.replacingInteger(
            at: second,
            with: Int64(counted.deletedCount + deleted),
            in: arena
        )
    }

    private func replacingInteger(at offset: Int, with value: Int64, in arena: Arena) -> StreamNode
    {
        let old = unsafe PackedCursor(listpack, at: offset).byteCount
        let new = Listpack.entryByteCount(of: value)
        var node = unsafe self
        if new != old {
            unsafe node = grown(by: max(new - old, 0), in: arena)
            let bytes = unsafe node.listpack
            let start = unsafe bytes.baseAddress.unsafelyUnwrapped
            unsafe (start + offset + new).copyMemory(
                from: start + offset + old,
                byteCount: bytes.count - offset - old
            )
            unsafe start.storeBytes(of: UInt32(bytes.count + new - old), as: UInt32.self)
        }
        let place = unsafe node.listpack.baseAddress.unsafelyUnwrapped + offset
        unsafe Listpack.writeEntry(value, to: place)
        return unsafe node
    }

    /// The node with `count` more elements of `byteCount` bytes, which `write` writes.
    func appending(
        _ count: Int,
        byteCount: Int,
        in arena: Arena,
        _ write: (UnsafeMutableRawPointer) -> Void
    ) -> StreamNode {
        let node = unsafe grown(by: byteCount, in: arena)
        let bytes = unsafe node.listpack
        let start = unsafe bytes.baseAddress.unsafelyUnwrapped
        unsafe write(start + (bytes.count - 1))
        unsafe start.storeBytes(
            of: Listpack.end,
            toByteOffset: bytes.count - 1 + byteCount,
            as: UInt8.self
        )
        unsafe start.storeBytes(of: UInt32(bytes.count + byteCount), as: UInt32.self)
        let before = unsafe Int(start.load(fromByteOffset: 4, as: UInt16.self))
        let after = min(before + count, Listpack.unknownCount)
        unsafe start.storeBytes(of: UInt16(after), toByteOffset: 4, as: UInt16.self)
        return unsafe node
    }
}

extension PackedCursor {
    /// The element, which is known to be an integer.
    var integer: Int64 {
        guard case .integer(let integer) = unsafe value() else {
            preconditionFailure("a stream's node has a string where a number belongs")
        }
        return integer
    }

    mutating func advance(by count: Int) {
        for _ in 0..<count { unsafe advance() }
    }

    /// Sets a flag of the element, an integer below 64, where it lies.
    func setFlag(_ flag: Int64) {
        let first = unsafe place.load(as: UInt8.self)
        // All longer encodings have their lowest byte second.
        let lowest = unsafe first < 0x80 ? place : place + 1
        unsafe lowest.storeBytes(
            of: lowest.load(as: UInt8.self) | UInt8(flag),
            as: UInt8.self
        )
    }
}
