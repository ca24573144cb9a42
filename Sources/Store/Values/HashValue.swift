import Bytes
import Structures

/// A hash to be read: fields and their values.
///
/// A field whose deadline is past counts as gone for everybody who reads, whether or not it
/// was removed already; `count` alone still counts it.
@safe
package struct HashValue {
    package let entry: Entry

    var table: UnsafeMutablePointer<FieldTable>? {
        guard entry.encoding == .tableHash else { return nil }
        return unsafe entry.valuePointer.assumingMemoryBound(to: FieldTable.self)
    }

    private var environment: UnsafeMutablePointer<Environment> {
        unsafe entry.keyspace.environment
    }

    /// How many fields.
    package var count: Int {
        guard let table = unsafe table else { return entry.packedCount / 2 }
        return unsafe table.pointee.fields.count
    }

    /// Whether no field is left.
    package var isEmpty: Bool { count == 0 }

    /// Whether a field has a deadline.
    package var hasDeadlines: Bool {
        guard let table = unsafe table else { return false }
        return unsafe table.pointee.deadlineCount > 0
    }

    /// Whether a field may have a deadline that is past.
    package var mayHaveExpired: Bool {
        guard let earliest = unsafe table?.pointee.due.earliest else { return false }
        return unsafe earliest <= environment.pointee.now
    }

    /// Takes the hash through the door, so that it may be changed.
    package func open() -> OpenHash { OpenHash(open: entry.open()) }

    /// Where a field is that is not gone.
    private func find(
        _ field: RawSpan,
        in table: UnsafeMutablePointer<FieldTable>
    ) -> HashTableSlot? {
        guard let slot = unsafe table.pointee.find(field),
            unsafe !FieldNode.isExpired(slot.node, environment.pointee.fieldNow)
        else { return nil }
        return slot
    }

    /// The value of `field`.
    @_lifetime(borrow self)
    package func get(_ field: RawSpan) -> PackedValue? {
        guard let table = unsafe table else {
            var cursor = unsafe PackedCursor(entry.valueBytes)
            guard unsafe cursor.find(PackedNeedle(field), stride: 2) else { return nil }
            unsafe cursor.advance()
            return unsafe _overrideLifetime(cursor.value(), borrowing: self)
        }
        guard let slot = unsafe find(field, in: table) else { return nil }
        return unsafe _overrideLifetime(
            .bytes(FieldNode.value(of: slot.node).bytes),
            borrowing: self
        )
    }

    /// Whether `field` is there.
    package func contains(_ field: RawSpan) -> Bool {
        if let table = unsafe table { return unsafe find(field, in: table) != nil }
        var cursor = unsafe PackedCursor(entry.valueBytes)
        return unsafe cursor.find(PackedNeedle(field), stride: 2)
    }

    /// The deadline of `field`, if it has one.
    package func deadline(of field: RawSpan) -> Int64? {
        guard let table = unsafe table, let slot = unsafe find(field, in: table) else {
            return nil
        }
        return unsafe FieldNode.deadline(of: slot.node)
    }

    /// Visits every field with its value.
    package func forEachField(_ visit: (PackedValue, PackedValue) -> Void) {
        guard let table = unsafe table else {
            var cursor = unsafe PackedCursor(entry.valueBytes)
            while unsafe !cursor.isAtEnd {
                let field = unsafe cursor.value()
                unsafe cursor.advance()
                unsafe visit(field, cursor.value())
                unsafe cursor.advance()
            }
            return
        }
        unsafe table.pointee.fields.forEachSlot { visitIfThere($0, visit) }
    }

    private func visitIfThere(
        _ slot: HashTableSlot,
        _ visit: (PackedValue, PackedValue) -> Void
    ) {
        let node = unsafe slot.node
        guard unsafe !FieldNode.isExpired(node, environment.pointee.fieldNow) else { return }
        unsafe visit(.bytes(FieldNode.key(of: node).bytes), .bytes(FieldNode.value(of: node).bytes))
    }

    /// Visits every field with its value and its deadline, those that are past too.
    package func forEachWithDeadline(_ visit: (PackedValue, PackedValue, Int64?) -> Void) {
        guard let table = unsafe table else { return forEachField { visit($0, $1, nil) } }
        unsafe table.pointee.fields.forEachSlot { slot in
            unsafe visit(
                .bytes(FieldNode.key(of: slot.node).bytes),
                .bytes(FieldNode.value(of: slot.node).bytes),
                FieldNode.deadline(of: slot.node)
            )
        }
    }

    /// Visits the fields at a cursor and returns the next; a packed hash is visited at once.
    package func scan(_ cursor: UInt64, _ visit: (PackedValue, PackedValue) -> Void) -> UInt64 {
        guard let table = unsafe table else {
            forEachField(visit)
            return 0
        }
        return unsafe table.pointee.fields.scan(cursor) { visitIfThere($0, visit) }
    }

    /// Visits one field by chance, each about equally likely; none if all are gone.
    package func random(_ visit: (PackedValue, PackedValue) -> Void) {
        guard let table = unsafe table else {
            let choice = Int(unsafe environment.pointee.random.next() >> 1) % count
            var cursor = unsafe PackedCursor(entry.valueBytes)
            for _ in 0..<(2 * choice) { unsafe cursor.advance() }
            let field = unsafe cursor.value()
            unsafe cursor.advance()
            return unsafe visit(field, cursor.value())
        }
        for _ in 0..<64 {
            let slot = unsafe table.pointee.fields.randomSlot(&environment.pointee.random)
            guard let slot else { return }
            if unsafe FieldNode.isExpired(slot.node, environment.pointee.fieldNow) { continue }
            return visitIfThere(slot, visit)
        }
        // Nearly all are gone: one of those that are left.
        var left = 0
        forEachField { _, _ in left += 1 }
        guard left > 0 else { return }
        var choice = Int(unsafe environment.pointee.random.next() >> 1) % left
        forEachField { field, value in
            if choice == 0 { visit(field, value) }
            choice -= 1
        }
    }

    /// Visits `wanted` different fields by chance, each about equally likely; less those that
    /// are gone.
    package func sample(_ wanted: Int, _ visit: (PackedValue, PackedValue) -> Void) {
        guard let table = unsafe table else {
            var sampler = Sampler(wanted, of: count)
            return forEachField { field, value in
                if unsafe sampler.takes(&environment.pointee.random) { visit(field, value) }
            }
        }
        unsafe table.pointee.fields.forEachSample(wanted, &environment.pointee.random) { slot in
            visitIfThere(slot, visit)
        }
    }

    /// Checks what must hold between any two calls; tests call it after every step.
    package func checkInvariants() {
        unsafe table?.pointee.checkInvariants()
    }
}

extension Entry {
    /// The value as a hash, which it must be.
    package var hash: HashValue {
        precondition(kind == .hash, "not a hash")
        return HashValue(entry: self)
    }
}
