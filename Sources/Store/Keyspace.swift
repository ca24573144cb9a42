import Bytes
import Structures

/// One numbered database: keys and their entries.
///
/// The handle is one pointer and copies freely; the `DataSet` owns what it leads to. Entries
/// and spans that it gives out are valid until the keyspace next changes.
@safe
package struct Keyspace {
    let state: UnsafeMutablePointer<KeyspaceState>

    /// The number by which SELECT knows it.
    package var number: Int { unsafe state.pointee.number }

    /// How many keys.
    package var count: Int { unsafe state.pointee.table.count }

    /// How many keys have a deadline.
    package var deadlineCount: Int { unsafe state.pointee.deadlineCount }

    /// Bytes that the table of keys takes, without the entries.
    package var tableByteCount: Int { unsafe state.pointee.table.byteCount }

    var environment: UnsafeMutablePointer<Environment> { unsafe state.pointee.environment }
    var arena: Arena { unsafe environment.pointee.arena }

    /// The entry of `key`, expired or not.
    package func find(_ key: RawSpan) -> Entry? {
        let hash = unsafe state.pointee.table.hash(key)
        guard let slot = unsafe state.pointee.table.find(key, hash: hash) else { return nil }
        return Entry(slot: slot, keyHash: hash, keyspace: self)
    }

    /// Whether a core's own caches cannot hold it: then a lookup waits for memory longer than it works.
    ///
    /// To ask ahead pays from about a thousand small keys on; at ten thousand, GET takes a third
    /// less of the processor's time for it.
    package var isLargerThanCaches: Bool { count > 2000 }

    /// Asks the processor for the bucket of `key`; returns what `prefetchEntry` needs.
    package func prefetchBucket(_ key: RawSpan) -> UInt64 {
        let hash = unsafe state.pointee.table.hash(key)
        unsafe state.pointee.table.prefetchBucket(hash)
        return hash
    }

    /// Asks the processor for the entry of a key, once its bucket is there.
    package func prefetchEntry(_ hash: UInt64) {
        unsafe state.pointee.table.prefetchNode(hash)
    }

    /// Adds `key`, which must be absent, with a value of bytes that are not initialised yet.
    package func insert(
        _ key: RawSpan,
        _ encoding: Encoding,
        byteCount: Int,
        deadline: Int64? = nil
    ) -> OpenEntry {
        let inline =
            unsafe EntryNode.byteCount(
                key: key.byteCount,
                hasDeadline: deadline != nil,
                value: byteCount
            )
            + ShortLength.byteCount(byteCount)
        guard unsafe inline <= EntryNode.largestInline else {
            let blob = unsafe Blob.allocate(byteCount, capacity: byteCount, in: arena)
            return unsafe insert(key, encoding, pointer: blob.address, deadline: deadline)
        }
        let node = unsafe arena.allocate(inline)
        let offset = unsafe writeHead(node, form: encoding.rawValue, key, deadline)
        unsafe ShortLength.write(byteCount, to: node + offset)
        return unsafe place(node, key, deadline)
    }

    /// Adds `key`, which must be absent, with a structure or blob that it shall own.
    func insert(
        _ key: RawSpan,
        _ encoding: Encoding,
        pointer: UnsafeMutableRawPointer,
        deadline: Int64? = nil
    ) -> OpenEntry {
        let size = unsafe EntryNode.byteCount(
            key: key.byteCount,
            hasDeadline: deadline != nil,
            value: 8
        )
        let node = unsafe arena.allocate(size)
        let form = unsafe encoding.rawValue | EntryNode.pointerFlag
        let offset = unsafe writeHead(node, form: form, key, deadline)
        unsafe (node + offset).storeBytes(of: pointer, as: UnsafeMutableRawPointer.self)
        let open = unsafe place(node, key, deadline)
        noteDeadlines(of: open.entry)
        return open
    }

    private func writeHead(
        _ node: UnsafeMutableRawPointer,
        form: UInt8,
        _ key: RawSpan,
        _ deadline: Int64?
    ) -> Int {
        let access = unsafe environment.pointee.access.initial
        return unsafe key.withUnsafeBytes { key in
            unsafe EntryNode.writeHead(
                node,
                form: form,
                access: access,
                deadline: deadline,
                key: key
            )
        }
    }

    private func place(
        _ node: UnsafeMutableRawPointer,
        _ key: RawSpan,
        _ deadline: Int64?
    ) -> OpenEntry {
        let hash = unsafe state.pointee.table.hash(key)
        let slot = unsafe state.pointee.table.insert(node, hash: hash)
        if deadline != nil {
            slot.isMarked = true
            unsafe state.pointee.deadlineCount += 1
        }
        return OpenEntry(Entry(slot: slot.slot, keyHash: hash, keyspace: self), slot)
    }

    /// Makes room for so many keys in all, while there are none.
    package func reserve(_ count: Int) {
        unsafe state.pointee.table.reserve(count)
    }

    /// Removes an entry and frees its value, large ones in steps later.
    package func remove(_ entry: Entry) {
        let node = unsafe take(entry)
        unsafe free(node)
    }

    /// Takes an entry out without freeing it.
    func take(_ entry: Entry) -> UnsafeMutableRawPointer {
        if entry.slot.isMarked { unsafe state.pointee.deadlineCount -= 1 }
        return unsafe state.pointee.table.remove(entry.slot, hash: entry.keyHash)
    }

    func free(_ node: UnsafeMutableRawPointer) {
        unsafe freeValue(of: node)
        unsafe arena.free(node, EntryNode.byteCount(node))
    }

    /// Moves an entry to `key`, which must be absent in `destination`, with all it has.
    package func move(_ entry: Entry, to key: RawSpan, in destination: Keyspace) {
        let deadline = entry.deadline
        let old = unsafe take(entry)
        let valueOffset = unsafe EntryNode.valueOffset(old)
        let valueByteCount = unsafe EntryNode.byteCount(old) - valueOffset
        let size = unsafe EntryNode.byteCount(
            key: key.byteCount,
            hasDeadline: deadline != nil,
            value: valueByteCount
        )
        let node = unsafe arena.allocate(size)
        let offset = unsafe destination.writeHead(node, form: EntryNode.form(old), key, deadline)
        unsafe (node + offset).copyMemory(from: old + valueOffset, byteCount: valueByteCount)
        unsafe arena.free(old, EntryNode.byteCount(old))
        let open = unsafe destination.place(node, key, deadline)
        destination.noteDeadlines(of: open.entry)
    }

    /// Visits the entries at a cursor and returns the next cursor; 0 begins and ends a scan.
    ///
    /// Every key that is there during the whole scan is visited at least once.
    package func scan(_ cursor: UInt64, _ visit: (Entry) -> Void) -> UInt64 {
        unsafe state.pointee.table.scan(cursor) { visit(Entry(slot: $0, keyspace: self)) }
    }

    /// Visits every entry; the visit must not change the keyspace.
    package func forEachEntry(_ visit: (Entry) -> Void) {
        unsafe state.pointee.table.forEachSlot { visit(Entry(slot: $0, keyspace: self)) }
    }

    /// How many buckets the table of keys has; `forEach(inBucket:)` takes their numbers.
    package var bucketCount: Int { unsafe state.pointee.table.bucketCount }

    /// Visits the entries of one bucket; the visit must not change the keyspace.
    package func forEach(inBucket index: Int, _ visit: (Entry) -> Void) {
        unsafe state.pointee.table.forEachSlot(inBucket: index) {
            visit(Entry(slot: $0, keyspace: self))
        }
    }

    /// An entry by chance, each about equally likely; nil if there is none.
    package func randomEntry() -> Entry? {
        unsafe state.pointee.table.randomSlot(&environment.pointee.random)
            .map { Entry(slot: $0, keyspace: self) }
    }

    /// Removes every key; large tables are freed in steps later.
    package func removeAll() {
        let count = self.count
        guard count > 0 else { return }
        let detached = UnsafeMutablePointer<KeyspaceState>.allocate(capacity: 1)
        unsafe detached.moveInitialize(from: state, count: 1)
        unsafe state.initialize(
            to: KeyspaceState(
                number: detached.pointee.number,
                environment: environment
            )
        )
        unsafe environment.detach(Keyspace(state: detached))
        if unsafe count <= Graveyard.smallCount {
            unsafe environment.freeSome(Graveyard.smallCount)
        }
    }

    /// Frees what one bucket holds; for tables that nobody looks keys up in any more.
    func freeBucket(at index: Int) {
        unsafe state.pointee.table.clearBucket(at: index) { unsafe free($0) }
    }
}

@unsafe
struct KeyspaceState: ~Copyable {
    /// By which SELECT knows it; SWAPDB exchanges two.
    var number: Int
    let environment: UnsafeMutablePointer<Environment>
    var table: HashTable<EntryNode>
    var deadlineCount = 0
    /// Which hashes have fields that become due.
    var dueHashes: DueIndex
    /// The pass of a running snapshot over the table, until it is through.
    var pass: KeyspacePass?

    init(number: Int, environment: UnsafeMutablePointer<Environment>) {
        unsafe self.number = number
        unsafe self.environment = unsafe environment
        unsafe table = HashTable(
            arena: environment.pointee.arena,
            seed: environment.pointee.seed
        )
        unsafe dueHashes = DueIndex(arena: environment.pointee.arena)
    }
}

extension Keyspace {
    /// Frees what the value of `node` owns outside its block; large structures later.
    func freeValue(of node: UnsafeMutableRawPointer) {
        guard unsafe EntryNode.form(node) & EntryNode.pointerFlag != 0 else { return }
        let pointer = unsafe (node + EntryNode.valueOffset(node)).loadUnaligned(
            as: UnsafeMutableRawPointer.self
        )
        guard let encoding = unsafe Encoding(rawValue: EntryNode.form(node) & 0x0F) else {
            preconditionFailure("an entry of unknown encoding")
        }
        if let snapshot = unsafe environment.pointee.snapshot, unsafe snapshot.adopt(pointer) {
            return
        }
        unsafe environment.bury(encoding, pointer)
    }
}
