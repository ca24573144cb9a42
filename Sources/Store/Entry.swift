import Bytes
import Structures

/// One key of a keyspace, to be read.
///
/// Valid until the keyspace next changes. To change the value, `open` it.
@safe
package struct Entry {
    let slot: HashTableSlot
    /// The hash of the key in its table.
    package let keyHash: UInt64
    package let keyspace: Keyspace

    init(slot: HashTableSlot, keyHash: UInt64, keyspace: Keyspace) {
        self.slot = slot
        self.keyHash = keyHash
        self.keyspace = keyspace
    }

    init(slot: HashTableSlot, keyspace: Keyspace) {
        self.slot = slot
        self.keyspace = keyspace
        keyHash = unsafe SeededHash.hash(
            EntryNode.key(of: slot.node),
            seed: keyspace.environment.pointee.seed
        )
    }

    var node: UnsafeMutableRawPointer { unsafe slot.node }

    /// The key.
    package var key: RawSpan {
        @_lifetime(borrow self)
        get {
            let key = unsafe EntryNode.key(of: node)
            return unsafe _overrideLifetime(key.bytes, borrowing: self)
        }
    }

    /// How the value lies in memory.
    package var encoding: Encoding {
        let bits = unsafe EntryNode.form(node) & 0x0F
        guard let encoding = Encoding(rawValue: bits) else {
            preconditionFailure("an entry with the unknown encoding \(bits)")
        }
        return encoding
    }

    /// What the value is to whoever uses it.
    package var kind: Kind { encoding.kind }

    /// Whether the value is of this kind; cheaper than to compare outside of this module.
    package func isKind(_ kind: Kind) -> Bool { encoding.kind == kind }

    /// The moment at which the key goes away, in milliseconds since 1970.
    package var deadline: Int64? {
        guard unsafe EntryNode.form(node) & EntryNode.deadlineFlag != 0 else { return nil }
        return unsafe node.loadUnaligned(
            fromByteOffset: EntryNode.deadlineOffset,
            as: Int64.self
        )
    }

    /// Whether the deadline is past.
    package var isExpired: Bool {
        guard let deadline else { return false }
        return unsafe deadline <= keyspace.environment.pointee.now
    }

    /// Whether a field of the hash that the value is has a deadline; false for other kinds.
    package var hasFieldDeadlines: Bool { HashValue(entry: self).hasDeadlines }

    /// The value, for the encodings that are one run of bytes.
    package var bytes: RawSpan {
        @_lifetime(borrow self)
        get {
            let bytes = unsafe UnsafeRawBufferPointer(valueBytes)
            return unsafe _overrideLifetime(bytes.bytes, borrowing: self)
        }
    }

    /// Bytes of memory that the entry and what it owns take, without its share of the table.
    package var byteCount: Int { byteCount(samples: .max) }

    /// The same, told from at least `samples` elements of a value that has many.
    package func byteCount(samples: Int) -> Int {
        let own = unsafe Arena.roundedByteCount(EntryNode.byteCount(node))
        guard unsafe EntryNode.form(node) & EntryNode.pointerFlag != 0 else { return own }
        guard encoding.isBytes else { return own + structureByteCount(samples: samples) }
        return unsafe own + Blob.headerByteCount + Blob(address: valuePointer).capacity
    }

    /// Takes the entry through the door, so that it may be changed.
    package func open() -> OpenEntry {
        OpenEntry(self)
    }

    /// Notes that the key was used, for eviction; no change of the data.
    package func touch() {
        let clock = unsafe keyspace.environment.pointee.access
        let head = unsafe node.load(as: UInt32.self)
        let access = unsafe clock.updated(head >> 8, &keyspace.environment.pointee.random)
        if access != head >> 8 {
            unsafe node.storeBytes(of: head & 0xFF | access << 8, as: UInt32.self)
        }
    }

    var valuePointer: UnsafeMutableRawPointer {
        unsafe (node + EntryNode.valueOffset(node)).loadUnaligned(
            as: UnsafeMutableRawPointer.self
        )
    }

    var valueBytes: UnsafeMutableRawBufferPointer {
        let node = unsafe self.node
        let place = unsafe node + EntryNode.valueOffset(node)
        if unsafe EntryNode.form(node) & EntryNode.pointerFlag != 0 {
            return unsafe Blob(address: place.loadUnaligned(as: UnsafeMutableRawPointer.self)).bytes
        }
        return unsafe UnsafeMutableRawBufferPointer(mutating: ShortLength.bytes(at: place))
    }
}
