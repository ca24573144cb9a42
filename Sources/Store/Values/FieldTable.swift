import Bytes
import Structures

/// A hash that is not packed: fields by name, and which of them become due.
///
/// The slots of fields with a deadline are marked in the table.
@unsafe
struct FieldTable: ~Copyable {
    let arena: Arena
    var fields: HashTable<FieldNode>
    var due: DueIndex
    /// How many fields have a deadline.
    private(set) var deadlineCount = 0

    /// An empty table.
    init(_ environment: UnsafeMutablePointer<Environment>) {
        unsafe arena = environment.pointee.arena
        unsafe fields = HashTable(arena: arena, seed: environment.pointee.seed)
        unsafe due = DueIndex(arena: arena)
    }

    /// A table on the heap, which the caller owns.
    static func make(
        _ environment: UnsafeMutablePointer<Environment>
    ) -> UnsafeMutablePointer<FieldTable> {
        let table = UnsafeMutablePointer<FieldTable>.allocate(capacity: 1)
        unsafe table.initialize(to: FieldTable(environment))
        return unsafe table
    }

    /// Where a field is.
    func find(_ field: RawSpan) -> HashTableSlot? {
        unsafe fields.find(field, hash: fields.hash(field))
    }

    /// Adds a field, which must be absent.
    mutating func insert(_ field: RawSpan, _ value: RawSpan, deadline: Int64?) {
        unsafe insert(field, value, deadline: deadline, hash: fields.hash(field))
    }

    /// Adds a field, which must be absent.
    mutating func insert(
        _ field: RawSpan,
        _ value: RawSpan,
        deadline: Int64?,
        hash: UInt64
    ) {
        let node = unsafe FieldNode.make(field, value, deadline: deadline, in: arena)
        let slot = unsafe fields.insert(node, hash: hash)
        guard let deadline else { return }
        slot.isMarked = true
        unsafe deadlineCount += 1
        unsafe due.insert(deadline, hash: hash)
    }

    /// Puts another value and deadline in the place of those that a field has.
    mutating func replace(
        _ slot: HashTableSlot,
        _ field: RawSpan,
        _ value: RawSpan,
        deadline: Int64?,
        hash: UInt64
    ) {
        let slot = unsafe fields.open(slot)
        let old = unsafe slot.node
        let oldDeadline = unsafe FieldNode.deadline(of: old)
        let node = unsafe FieldNode.make(field, value, deadline: deadline, in: arena)
        unsafe slot.node = node
        unsafe arena.free(old, FieldNode.byteCount(old))
        unsafe noteDeadline(deadline, insteadOf: oldDeadline, slot, hash)
    }

    /// Sets or takes away the deadline of a field.
    mutating func setDeadline(_ deadline: Int64?, _ slot: HashTableSlot, hash: UInt64) {
        let oldDeadline = unsafe FieldNode.deadline(of: slot.node)
        guard deadline != oldDeadline else { return }
        let slot = unsafe fields.open(slot)
        unsafe slot.node = FieldNode.setDeadline(deadline, slot.node, in: arena)
        unsafe noteDeadline(deadline, insteadOf: oldDeadline, slot, hash)
    }

    private mutating func noteDeadline(
        _ deadline: Int64?,
        insteadOf old: Int64?,
        _ slot: OpenHashTableSlot,
        _ hash: UInt64
    ) {
        guard let deadline else {
            slot.isMarked = false
            if old != nil { unsafe forgetDeadline() }
            return
        }
        slot.isMarked = true
        if old == nil { unsafe deadlineCount += 1 }
        // A later deadline has the word of the earlier one.
        if let old, old <= deadline { return }
        unsafe due.insert(deadline, hash: hash)
        if unsafe due.count > 2 * deadlineCount + 16 { unsafe rebuildDue() }
    }

    private mutating func forgetDeadline() {
        unsafe deadlineCount -= 1
        if unsafe deadlineCount == 0 { unsafe due.removeAll() }
    }

    /// Drops the words of fields that are gone or were put off.
    private mutating func rebuildDue() {
        unsafe due.removeAll()
        for index in 0..<(unsafe fields.bucketCount) {
            unsafe fields.forEachSlot(inBucket: index) { slot in
                guard slot.isMarked, let deadline = unsafe FieldNode.deadline(of: slot.node) else {
                    return
                }
                let hash = unsafe fields.hash(FieldNode.key(of: slot.node).bytes)
                unsafe due.insert(deadline, hash: hash)
            }
        }
    }

    /// Removes a field.
    mutating func remove(_ slot: HashTableSlot, hash: UInt64) {
        let hadDeadline = slot.isMarked
        let node = unsafe fields.remove(slot, hash: hash)
        unsafe arena.free(node, FieldNode.byteCount(node))
        if hadDeadline { unsafe forgetDeadline() }
    }

    /// Removes up to `limit` fields whose deadline is past; each is visited before.
    ///
    /// Returns how many.
    mutating func removeExpired(_ now: Int64, limit: Int, _ visit: (RawSpan) -> Void) -> Int {
        var removed = 0
        while removed < limit, let low = unsafe due.popDue(now) {
            while let slot = unsafe firstDue(now, low) {
                let field = unsafe FieldNode.key(of: slot.node).bytes
                visit(field)
                unsafe remove(slot, hash: fields.hash(field))
                removed += 1
            }
        }
        return removed
    }

    /// A field around `low` whose deadline is past; those that were put off get a new word.
    private mutating func firstDue(_ now: Int64, _ low: UInt64) -> HashTableSlot? {
        var found: HashTableSlot?
        var putOff: [Int64] = []
        unsafe fields.forEachBucket(ofLowHash: low) { index in
            unsafe fields.forEachSlot(inBucket: index) { slot in
                guard slot.isMarked, found == nil,
                    let deadline = unsafe FieldNode.deadline(of: slot.node)
                else { return }
                if deadline <= now {
                    found = slot
                } else if unsafe fields.hash(FieldNode.key(of: slot.node).bytes) & 0xFF_FFFF == low
                {
                    putOff.append(deadline)
                }
            }
        }
        guard found == nil else { return found }
        for deadline in putOff { unsafe due.insert(deadline, hash: low) }
        return nil
    }

    /// Bytes of memory that the table and its fields take, told from `samples` of them.
    func byteCount(samples: Int) -> Int {
        let bytes = unsafe fields.byteCount + due.byteCount + MemoryLayout<FieldTable>.size
        return unsafe bytes
            + fields.nodeByteCount(samples: samples) { unsafe FieldNode.byteCount($0.node) }
    }

    /// Checks what must hold between any two calls; tests call it after every step.
    func checkInvariants() {
        unsafe fields.checkInvariants()
        unsafe due.checkInvariants()
        var count = 0
        var earliest: Int64?
        unsafe fields.forEachSlot { slot in
            let deadline = unsafe FieldNode.deadline(of: slot.node)
            precondition(slot.isMarked == (deadline != nil), "a mark does not tell the deadline")
            guard let deadline else { return }
            count += 1
            guard let moment = DueIndex.moment(of: deadline) else { return }
            earliest = min(earliest ?? moment, moment)
        }
        unsafe precondition(count == deadlineCount, "deadlines are counted wrongly")
        if let earliest {
            unsafe precondition(due.earliest.map { $0 <= earliest } ?? false, "one comes too late")
        }
    }
}
