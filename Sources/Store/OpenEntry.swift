import Bytes
import Structures

/// One key of a keyspace, to be changed.
///
/// The only way to change a value: making one passes the door, where a running snapshot takes
/// what it has not seen yet. Valid until the keyspace changes by other means.
@safe
package struct OpenEntry {
    package let entry: Entry
    private let slot: OpenHashTableSlot

    init(_ entry: Entry) {
        self.init(entry, unsafe entry.keyspace.state.pointee.table.open(entry.slot))
    }

    init(_ entry: Entry, _ slot: OpenHashTableSlot) {
        self.entry = entry
        self.slot = slot
    }

    var keyspace: Keyspace { entry.keyspace }
    var arena: Arena { entry.keyspace.arena }
    var node: UnsafeMutableRawPointer { unsafe entry.node }

    private var snapshot: SnapshotWalk? { unsafe keyspace.environment.pointee.snapshot }

    /// Whether a running snapshot still reads the value, part by part.
    private var isBeingSaved: Bool {
        guard let snapshot, unsafe EntryNode.form(node) & EntryNode.pointerFlag != 0 else {
            return false
        }
        return unsafe snapshot.isReading(entry.valuePointer)
    }

    /// Lets a running snapshot have the bytes of a string in `range` before they change.
    func passDoor(_ range: Range<Int>) {
        guard let snapshot, isBeingSaved else { return }
        unsafe snapshot.takeBytes(range, of: entry.valuePointer)
    }

    /// Gives the value, which must be one run of bytes, another length.
    ///
    /// What it held stays, up to the shorter length; what is added is not initialised.
    @discardableResult
    func resizeValue(to count: Int) -> UnsafeMutableRawBufferPointer {
        let node = unsafe self.node
        let offset = unsafe EntryNode.valueOffset(node)
        let isInline = unsafe EntryNode.form(node) & EntryNode.pointerFlag == 0
        let inline = unsafe offset + ShortLength.byteCount(count) + count
        if unsafe inline <= EntryNode.largestInline {
            if isInline {
                unsafe resizeInline(node, offset, to: count)
            } else {
                unsafe bringInline(node, offset, count)
            }
        } else if isInline {
            unsafe sendOut(node, offset, count)
        } else {
            let old = unsafe entry.valuePointer
            let blob = unsafe Blob(address: old).resized(to: count, in: arena)
            if let snapshot { unsafe snapshot.follow(old, to: blob.address) }
            unsafe (node + offset).storeBytes(of: blob.address, as: UnsafeMutableRawPointer.self)
        }
        return unsafe entry.valueBytes
    }

    private func resizeInline(_ node: UnsafeMutableRawPointer, _ offset: Int, to count: Int) {
        let oldCount = unsafe ShortLength.bytes(at: node + offset).count
        let oldLength = unsafe ShortLength.byteCount(oldCount)
        let newLength = unsafe ShortLength.byteCount(count)
        // The bytes move by four when the length itself changes size: before the block
        // shrinks, or after it has grown.
        if newLength < oldLength {
            unsafe (node + offset + newLength).copyMemory(
                from: node + offset + oldLength,
                byteCount: count
            )
        }
        let moved = unsafe arena.reallocate(
            node,
            from: offset + oldLength + oldCount,
            to: offset + newLength + count
        )
        if newLength > oldLength {
            unsafe (moved + offset + newLength).copyMemory(
                from: moved + offset + oldLength,
                byteCount: oldCount
            )
        }
        unsafe ShortLength.write(count, to: moved + offset)
        if unsafe moved != node { unsafe slot.node = moved }
    }

    private func bringInline(_ node: UnsafeMutableRawPointer, _ offset: Int, _ count: Int) {
        let blob = unsafe Blob(address: entry.valuePointer)
        let length = unsafe ShortLength.byteCount(count)
        let moved = unsafe arena.reallocate(node, from: offset + 8, to: offset + length + count)
        unsafe ShortLength.write(count, to: moved + offset)
        let kept = unsafe min(count, blob.length)
        if kept > 0 {
            unsafe (moved + offset + length).copyMemory(
                from: blob.address + Blob.headerByteCount,
                byteCount: kept
            )
        }
        unsafe blob.free(in: arena)
        unsafe moved.storeBytes(
            of: EntryNode.form(moved) & ~EntryNode.pointerFlag,
            as: UInt8.self
        )
        unsafe slot.node = moved
    }

    private func sendOut(_ node: UnsafeMutableRawPointer, _ offset: Int, _ count: Int) {
        let old = unsafe ShortLength.bytes(at: node + offset)
        let blob = unsafe Blob.allocate(count, capacity: count, in: arena)
        let kept = min(count, old.count)
        if kept > 0 {
            unsafe (blob.address + Blob.headerByteCount).copyMemory(
                from: old.baseAddress.unsafelyUnwrapped,
                byteCount: kept
            )
        }
        let oldSize = unsafe offset + ShortLength.byteCount(old.count) + old.count
        let moved = unsafe arena.reallocate(node, from: oldSize, to: offset + 8)
        unsafe (moved + offset).storeBytes(of: blob.address, as: UnsafeMutableRawPointer.self)
        unsafe moved.storeBytes(
            of: EntryNode.form(moved) | EntryNode.pointerFlag,
            as: UInt8.self
        )
        unsafe slot.node = moved
    }

    /// Replaces `removed` bytes at `offset` of the value by `added` bytes, not initialised yet.
    ///
    /// Returns the whole value.
    @discardableResult
    func splice(
        at offset: Int,
        removing removed: Int,
        adding added: Int
    ) -> UnsafeMutableRawBufferPointer {
        let before = unsafe entry.valueBytes
        let tail = before.count - offset - removed
        if added < removed, tail > 0 {
            let base = unsafe before.baseAddress.unsafelyUnwrapped + offset
            unsafe (base + added).copyMemory(from: base + removed, byteCount: tail)
        }
        let after =
            added == removed
            ? unsafe before : unsafe resizeValue(to: before.count + added - removed)
        if added > removed, tail > 0 {
            let base = unsafe after.baseAddress.unsafelyUnwrapped + offset
            unsafe (base + added).copyMemory(from: base + removed, byteCount: tail)
        }
        return unsafe after
    }

    /// Replaces the value by bytes of another kind, not initialised yet.
    @discardableResult
    func replaceValue(_ encoding: Encoding, byteCount: Int) -> UnsafeMutableRawBufferPointer {
        if entry.encoding.isBytes, !isBeingSaved {
            setEncoding(encoding)
            return unsafe resizeValue(to: byteCount)
        }
        let blob = unsafe Blob.allocate(byteCount, capacity: byteCount, in: arena)
        unsafe replaceValue(encoding, pointer: blob.address)
        return unsafe resizeValue(to: byteCount)
    }

    /// Replaces the value by a structure or blob that the entry shall own.
    func replaceValue(_ encoding: Encoding, pointer: UnsafeMutableRawPointer) {
        let node = unsafe self.node
        unsafe keyspace.freeValue(of: node)
        let offset = unsafe EntryNode.valueOffset(node)
        let moved = unsafe arena.reallocate(
            node,
            from: EntryNode.byteCount(node),
            to: offset + 8
        )
        unsafe (moved + offset).storeBytes(of: pointer, as: UnsafeMutableRawPointer.self)
        unsafe moved.storeBytes(
            of: EntryNode.form(moved) & 0xF0 | EntryNode.pointerFlag | encoding.rawValue,
            as: UInt8.self
        )
        unsafe slot.node = moved
    }

    private func setEncoding(_ encoding: Encoding) {
        let form = unsafe EntryNode.form(node) & 0xF0 | encoding.rawValue
        unsafe node.storeBytes(of: form, as: UInt8.self)
    }

    /// Sets or takes away the deadline, in milliseconds since 1970.
    package func setDeadline(_ deadline: Int64?) {
        let node = unsafe self.node
        let hadDeadline = unsafe EntryNode.form(node) & EntryNode.deadlineFlag != 0
        if hadDeadline, let deadline {
            return unsafe node.storeBytes(
                of: deadline,
                toByteOffset: EntryNode.deadlineOffset,
                as: Int64.self
            )
        }
        guard hadDeadline || deadline != nil else { return }
        let oldSize = unsafe EntryNode.byteCount(node)
        let oldOffset = hadDeadline ? 12 : 4
        let newOffset = 16 - oldOffset
        let moved = unsafe arena.allocate(oldSize - oldOffset + newOffset)
        unsafe (moved + newOffset).copyMemory(
            from: node + oldOffset,
            byteCount: oldSize - oldOffset
        )
        let head = unsafe node.load(as: UInt32.self) ^ UInt32(EntryNode.deadlineFlag)
        unsafe moved.storeBytes(of: head, as: UInt32.self)
        if let deadline {
            unsafe moved.storeBytes(
                of: deadline,
                toByteOffset: EntryNode.deadlineOffset,
                as: Int64.self
            )
        }
        unsafe arena.free(node, oldSize)
        unsafe slot.node = moved
        slot.isMarked = deadline != nil
        unsafe keyspace.state.pointee.deadlineCount += deadline != nil ? 1 : -1
    }
}
