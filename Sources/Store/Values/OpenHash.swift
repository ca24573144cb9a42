import Bytes
import Structures

/// A hash to be changed.
@safe
package struct OpenHash {
    package let open: OpenEntry

    /// The same hash, to be read.
    package var value: HashValue { HashValue(entry: open.entry) }

    private var table: UnsafeMutablePointer<FieldTable>? { unsafe value.table }
    private var environment: UnsafeMutablePointer<Environment> {
        unsafe open.keyspace.environment
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
        let limits = unsafe environment.pointee.limits
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
        in table: UnsafeMutablePointer<FieldTable>
    ) -> Bool {
        if newDeadline != nil { unsafe environment.pointee.hasSeenFieldDeadlines = true }
        let earliest = unsafe table.pointee.due.earliest
        defer { unsafe noteEarlier(than: earliest, in: table) }
        let hash = unsafe table.pointee.fields.hash(field)
        guard let slot = unsafe table.pointee.fields.find(field, hash: hash) else {
            unsafe table.pointee.insert(field, value, deadline: newDeadline, hash: hash)
            return true
        }
        let wasGone = unsafe FieldNode.isExpired(slot.node, environment.pointee.fieldNow)
        let old = unsafe wasGone || !keepsDeadline ? nil : FieldNode.deadline(of: slot.node)
        unsafe table.pointee.replace(
            slot,
            field,
            value,
            deadline: keepsDeadline ? old : newDeadline,
            hash: hash
        )
        return wasGone
    }

    /// Sets or takes away the deadline of a field, which must be there.
    package func setDeadline(_ deadline: Int64?, of field: RawSpan) {
        guard deadline != nil || open.entry.encoding == .tableHash else { return }
        if deadline != nil { unsafe environment.pointee.hasSeenFieldDeadlines = true }
        let table = unsafe self.table ?? convertToTable()
        let earliest = unsafe table.pointee.due.earliest
        let hash = unsafe table.pointee.fields.hash(field)
        guard let slot = unsafe table.pointee.fields.find(field, hash: hash) else { return }
        unsafe table.pointee.setDeadline(deadline, slot, hash: hash)
        unsafe noteEarlier(than: earliest, in: table)
    }

    /// Tells the keyspace if a field is due earlier than any was.
    private func noteEarlier(
        than earliest: Int64?,
        in table: UnsafeMutablePointer<FieldTable>
    ) {
        guard let new = unsafe table.pointee.due.earliest, earliest.map({ new < $0 }) ?? true
        else { return }
        open.keyspace.noteDeadlines(of: open.entry)
    }

    /// Removes a field; returns whether it was there.
    ///
    /// A hash without fields must not stay: the caller removes its key.
    package func remove(_ field: RawSpan) -> Bool {
        if let table = unsafe table {
            let hash = unsafe table.pointee.fields.hash(field)
            guard let slot = unsafe table.pointee.fields.find(field, hash: hash),
                unsafe !FieldNode.isExpired(slot.node, environment.pointee.fieldNow)
            else { return false }
            unsafe table.pointee.remove(slot, hash: hash)
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

    /// Removes about `limit` fields whose deadline is past; each is visited before.
    ///
    /// Returns how many. A hash without fields must not stay: the caller removes its key.
    package func removeExpired(limit: Int, _ visit: (RawSpan) -> Void) -> Int {
        guard let table = unsafe table else { return 0 }
        let now = unsafe environment.pointee.now
        return unsafe table.pointee.removeExpired(now, limit: limit, visit)
    }

    /// Makes a packed hash that is larger than the limits into a table.
    func applyLimits() {
        guard open.entry.encoding == .packedHash else { return }
        let limits = unsafe environment.pointee.limits
        guard value.count > limits.hashEntries || open.entry.longestPackedElement > limits.hashValue
        else { return }
        unsafe convertToTable()
    }

    /// Chooses the encoding for `count` more fields, as Valkey does ahead of setting many.
    package func prepare(for count: Int) {
        let limit = unsafe environment.pointee.limits.hashEntries
        if count > limit, open.entry.encoding == .packedHash { unsafe convertToTable() }
    }

    /// Asks the processor for where `field` belongs, so that `set` finds it there.
    package func prefetch(_ field: RawSpan) {
        guard let table = unsafe table else { return }
        unsafe table.pointee.fields.prefetchBucket(table.pointee.fields.hash(field))
    }

    /// Makes room for so many fields in all, if they are more than a packed hash holds.
    package func reserve(_ count: Int) {
        prepare(for: count)
        unsafe table?.pointee.fields.reserve(count)
    }

    @discardableResult
    private func convertToTable() -> UnsafeMutablePointer<FieldTable> {
        let table = unsafe FieldTable.make(environment)
        var fieldText = TextBuffer()
        var valueText = TextBuffer()
        value.forEachField { field, value in
            let field = fieldText.text(of: field)
            let value = valueText.text(of: value)
            unsafe table.pointee.insert(field, value, deadline: nil)
        }
        unsafe open.replaceValue(.tableHash, pointer: UnsafeMutableRawPointer(table))
        return unsafe table
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
