import Bytes
import Structures

/// A hash to be read: fields and their values.
@safe
package struct HashValue {
    package let entry: Entry

    private var table: UnsafeMutablePointer<HashTable<FieldNode>>? {
        guard entry.encoding == .tableHash else { return nil }
        return unsafe entry.valuePointer.assumingMemoryBound(to: HashTable<FieldNode>.self)
    }

    /// How many fields.
    package var count: Int {
        guard let table = unsafe table else { return entry.packedCount / 2 }
        return unsafe table.pointee.count
    }

    /// Whether no field is left.
    package var isEmpty: Bool { count == 0 }

    /// Whether a field may have a deadline.
    package var hasDeadlines: Bool { unsafe table != nil }

    /// Takes the hash through the door, so that it may be changed.
    package func open() -> OpenHash { OpenHash(open: entry.open()) }

    /// The value of `field`.
    @_lifetime(borrow self)
    package func get(_ field: RawSpan) -> PackedValue? {
        guard let table = unsafe table else {
            var cursor = unsafe PackedCursor(entry.valueBytes)
            guard unsafe cursor.find(PackedNeedle(field), stride: 2) else { return nil }
            unsafe cursor.advance()
            return unsafe _overrideLifetime(cursor.value(), borrowing: self)
        }
        let hash = unsafe table.pointee.hash(field)
        guard let slot = unsafe table.pointee.find(field, hash: hash) else { return nil }
        return unsafe _overrideLifetime(
            .bytes(FieldNode.value(of: slot.node).bytes),
            borrowing: self
        )
    }

    /// The deadline of `field`, if it has one.
    package func deadline(of field: RawSpan) -> Int64? {
        guard let table = unsafe table else { return nil }
        let hash = unsafe table.pointee.hash(field)
        guard let slot = unsafe table.pointee.find(field, hash: hash) else { return nil }
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
        unsafe table.pointee.forEachSlot { slot in
            unsafe visit(
                .bytes(FieldNode.key(of: slot.node).bytes),
                .bytes(FieldNode.value(of: slot.node).bytes)
            )
        }
    }

    /// Visits every field with its value and its deadline.
    package func forEachWithDeadline(_ visit: (PackedValue, PackedValue, Int64?) -> Void) {
        guard let table = unsafe table else { return forEachField { visit($0, $1, nil) } }
        unsafe table.pointee.forEachSlot { slot in
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
        return unsafe table.pointee.scan(cursor) { slot in
            unsafe visit(
                .bytes(FieldNode.key(of: slot.node).bytes),
                .bytes(FieldNode.value(of: slot.node).bytes)
            )
        }
    }

    /// Visits one field by chance, each about equally likely.
    package func random(_ visit: (PackedValue, PackedValue) -> Void) {
        guard let table = unsafe table else {
            let choice = Int(unsafe environment.pointee.random.next() >> 1) % count
            var cursor = unsafe PackedCursor(entry.valueBytes)
            for _ in 0..<(2 * choice) { unsafe cursor.advance() }
            let field = unsafe cursor.value()
            unsafe cursor.advance()
            return unsafe visit(field, cursor.value())
        }
        guard let slot = unsafe table.pointee.randomSlot(&environment.pointee.random) else {
            return
        }
        unsafe visit(
            .bytes(FieldNode.key(of: slot.node).bytes),
            .bytes(FieldNode.value(of: slot.node).bytes)
        )
    }

    /// Visits `wanted` different fields by chance, each about equally likely.
    package func sample(_ wanted: Int, _ visit: (PackedValue, PackedValue) -> Void) {
        guard let table = unsafe table else {
            var sampler = Sampler(wanted, of: count)
            return forEachField { field, value in
                if unsafe sampler.takes(&environment.pointee.random) { visit(field, value) }
            }
        }
        unsafe table.pointee.forEachSample(wanted, &environment.pointee.random) { slot in
            unsafe visit(
                .bytes(FieldNode.key(of: slot.node).bytes),
                .bytes(FieldNode.value(of: slot.node).bytes)
            )
        }
    }

    private var environment: UnsafeMutablePointer<Environment> {
        unsafe entry.keyspace.environment
    }
}

/// A hash to be changed.
@safe
package struct OpenHash {
    package let open: OpenEntry

    /// The same hash, to be read.
    package var value: HashValue { HashValue(entry: open.entry) }

    private var table: UnsafeMutablePointer<HashTable<FieldNode>>? {
        guard open.entry.encoding == .tableHash else { return nil }
        return unsafe open.entry.valuePointer.assumingMemoryBound(to: HashTable<FieldNode>.self)
    }

    /// Sets a field; returns whether it is new.
    ///
    /// A deadline that the field had goes away, unless it is kept.
    @discardableResult
    package func set(
        _ field: RawSpan,
        _ value: RawSpan,
        deadline: Int64? = nil,
        keepingDeadline: Bool = false
    ) -> Bool {
        if let table = unsafe table {
            return unsafe set(field, value, deadline, keepingDeadline, in: table)
        }
        let limits = unsafe open.keyspace.environment.pointee.limits
        guard deadline == nil, field.byteCount <= limits.hashValue,
            value.byteCount <= limits.hashValue
        else {
            return unsafe set(field, value, deadline, false, in: convertToTable())
        }
        let bytes = unsafe open.entry.valueBytes
        var cursor = unsafe PackedCursor(bytes)
        let needle = PackedNeedle(field)
        if unsafe cursor.find(needle, stride: 2) {
            unsafe cursor.advance()
            open.replacePacked(
                at: unsafe cursor.offset(in: bytes),
                removing: unsafe cursor.byteCount,
                1,
                with: PackedValue(packing: value)
            )
            return false
        }
        guard open.entry.packedCount / 2 < limits.hashEntries else {
            return unsafe set(field, value, deadline, false, in: convertToTable())
        }
        open.appendPacked(needle.value)
        open.appendPacked(PackedValue(packing: value))
        return true
    }

    private func set(
        _ field: RawSpan,
        _ value: RawSpan,
        _ newDeadline: Int64?,
        _ keepsDeadline: Bool,
        in table: UnsafeMutablePointer<HashTable<FieldNode>>
    ) -> Bool {
        if newDeadline != nil {
            unsafe open.keyspace.environment.pointee.hasSeenFieldDeadlines = true
        }
        let hash = unsafe table.pointee.hash(field)
        if let slot = unsafe table.pointee.find(field, hash: hash) {
            let old = unsafe slot.node
            let deadline = unsafe keepsDeadline ? FieldNode.deadline(of: old) : newDeadline
            unsafe slot.node = FieldNode.make(field, value, deadline: deadline, in: open.arena)
            slot.isMarked = deadline != nil
            unsafe open.arena.free(old, FieldNode.byteCount(old))
            return false
        }
        let node = unsafe FieldNode.make(field, value, deadline: newDeadline, in: open.arena)
        let slot = unsafe table.pointee.insert(node, hash: hash)
        slot.isMarked = newDeadline != nil
        return true
    }

    /// Removes a field; returns whether it was there.
    ///
    /// A hash without fields must not stay: the caller removes its key.
    package func remove(_ field: RawSpan) -> Bool {
        if let table = unsafe table {
            let hash = unsafe table.pointee.hash(field)
            guard let slot = unsafe table.pointee.find(field, hash: hash) else { return false }
            let node = unsafe table.pointee.remove(slot, hash: hash)
            unsafe open.arena.free(node, FieldNode.byteCount(node))
            return true
        }
        let bytes = unsafe open.entry.valueBytes
        var cursor = unsafe PackedCursor(bytes)
        guard unsafe cursor.find(PackedNeedle(field), stride: 2) else { return false }
        let offset = unsafe cursor.offset(in: bytes)
        unsafe cursor.advance()
        unsafe cursor.advance()
        open.removePacked(at: offset, unsafe cursor.offset(in: bytes) - offset, elements: 2)
        return true
    }

    /// Makes a packed hash that is larger than the limits into a table.
    func applyLimits() {
        guard open.entry.encoding == .packedHash else { return }
        let limits = unsafe open.keyspace.environment.pointee.limits
        guard value.count > limits.hashEntries || open.entry.longestPackedElement > limits.hashValue
        else { return }
        unsafe convertToTable()
    }

    /// Chooses the encoding for `count` more fields, as Valkey does ahead of setting many.
    package func prepare(for count: Int) {
        let limit = unsafe open.keyspace.environment.pointee.limits.hashEntries
        if count > limit, open.entry.encoding == .packedHash { unsafe convertToTable() }
    }

    @discardableResult
    private func convertToTable() -> UnsafeMutablePointer<HashTable<FieldNode>> {
        let arena = open.arena
        let table = UnsafeMutablePointer<HashTable<FieldNode>>.allocate(capacity: 1)
        let seed = unsafe open.keyspace.environment.pointee.seed
        unsafe table.initialize(to: HashTable(arena: arena, seed: seed))
        var fieldText = TextBuffer()
        var valueText = TextBuffer()
        value.forEachField { field, value in
            let field = fieldText.text(of: field)
            let value = valueText.text(of: value)
            let node = unsafe FieldNode.make(field, value, deadline: nil, in: arena)
            unsafe table.pointee.insert(node, hash: table.pointee.hash(field))
        }
        unsafe open.replaceValue(.tableHash, pointer: UnsafeMutableRawPointer(table))
        return unsafe table
    }
}

extension Entry {
    /// The value as a hash, which it must be.
    package var hash: HashValue {
        precondition(kind == .hash, "not a hash")
        return HashValue(entry: self)
    }
}

extension OpenEntry {
    /// The value as a hash, which it must be.
    package var hash: OpenHash {
        precondition(entry.kind == .hash, "not a hash")
        return OpenHash(open: self)
    }
}

extension Keyspace {
    /// Adds `key`, which must be absent, with a hash without fields.
    package func insertHash(_ key: RawSpan) -> OpenHash {
        let open = insert(key, .packedHash, byteCount: Listpack.emptyByteCount)
        open.clearPacked(.packedHash)
        return OpenHash(open: open)
    }
}
