import Bytes
import Structures

/// All the data of one server: its numbered databases and what they share.
@safe
package struct DataSet: ~Copyable {
    let environment: UnsafeMutablePointer<Environment>
    private let keyspaces: UnsafeMutablePointer<KeyspaceState>
    /// How many databases there are.
    package let databaseCount: Int
    /// Which keyspace each number leads to; SWAPDB exchanges two.
    private var order: [Int]
    /// Where commands build a value before it replaces another; empty between commands.
    package let scratch: Keyspace

    /// An empty data set; `seed` must be secret and different at every start.
    package init(databaseCount: Int, seed: UInt64) {
        unsafe environment = .allocate(capacity: 1)
        unsafe environment.initialize(to: Environment(arena: Arena(), seed: seed))
        unsafe keyspaces = .allocate(capacity: databaseCount)
        for number in 0..<databaseCount {
            unsafe (keyspaces + number).initialize(
                to: KeyspaceState(number: number, environment: environment)
            )
        }
        self.databaseCount = databaseCount
        order = Array(0..<databaseCount)
        let state = UnsafeMutablePointer<KeyspaceState>.allocate(capacity: 1)
        unsafe state.initialize(
            to: KeyspaceState(number: -1, environment: environment)
        )
        scratch = unsafe Keyspace(state: state)
    }

    deinit {
        cancelSnapshot()
        while isSnapshotActive { _ = advanceSnapshot(.max) }
        for number in 0..<databaseCount {
            unsafe Keyspace(state: keyspaces + number).removeAll()
        }
        scratch.removeAll()
        while hasGarbage { freeSome(.max) }
        unsafe scratch.state.deinitialize(count: 1)
        unsafe scratch.state.deallocate()
        unsafe keyspaces.deinitialize(count: databaseCount)
        unsafe keyspaces.deallocate()
        let arena = unsafe environment.pointee.arena
        unsafe environment.deinitialize(count: 1)
        unsafe environment.deallocate()
        arena.destroy()
    }

    /// The database with this number, which must be below `databaseCount`.
    package subscript(number: Int) -> Keyspace {
        unsafe Keyspace(state: keyspaces + order[number])
    }

    /// Exchanges what two numbers lead to.
    package mutating func swap(_ one: Int, _ other: Int) {
        order.swapAt(one, other)
        unsafe keyspaces[order[one]].number = one
        unsafe keyspaces[order[other]].number = other
    }

    /// Milliseconds since 1970; whoever runs the commands sets it once a turn.
    package var now: Int64 {
        get { unsafe environment.pointee.now }
        nonmutating set {
            unsafe environment.pointee.now = newValue
            unsafe environment.pointee.access.seconds =
                UInt32(truncatingIfNeeded: newValue / 1000) & 0xFF_FFFF
        }
    }

    /// Whether fields of hashes are there for readers after their deadline, as a replay needs it.
    package var showsExpiredFields: Bool {
        get { unsafe environment.pointee.fieldNow == .min }
        nonmutating set {
            unsafe environment.pointee.fieldNow = newValue ? .min : environment.pointee.now
        }
    }

    /// Whether keys keep a count of their uses (LFU) rather than the time of the last (LRU).
    package var countsAccesses: Bool {
        get { unsafe environment.pointee.access.countsAccesses }
        nonmutating set { unsafe environment.pointee.access.countsAccesses = newValue }
    }

    /// Up to where values keep their packed encodings.
    package var limits: EncodingLimits {
        get { unsafe environment.pointee.limits }
        nonmutating set { unsafe environment.pointee.limits = newValue }
    }

    /// A number by chance, for choices that need no secrecy.
    package func random() -> UInt64 { unsafe environment.pointee.random.next() }

    /// Whether a field of any hash may have a deadline.
    package var mayHaveFieldDeadlines: Bool {
        unsafe environment.pointee.hasSeenFieldDeadlines
    }

    /// Bytes of memory that all keys and values take.
    package var usedByteCount: Int {
        var bytes = unsafe environment.pointee.arena.usedByteCount
        for number in 0..<databaseCount {
            bytes += unsafe keyspaces[number].table.byteCountOutsideArena
        }
        return bytes
    }

    /// Bytes of memory beside `usedByteCount`, when `malloc` has given out so many: tables of
    /// sets and hashes, and all that is not data.
    package func otherByteCount(mallocByteCount: Int) -> Int {
        var known = unsafe environment.pointee.arena.largeByteCount
        for number in 0..<databaseCount {
            known += unsafe keyspaces[number].table.byteCountOutsideArena
        }
        return max(mallocByteCount + MappedTables.byteCount - known, 0)
    }

    /// Frees about `limit` elements of what was removed and is still in memory.
    package func freeSome(_ limit: Int) {
        unsafe environment.freeSome(limit)
    }

    /// Whether there are empty pages that the system could have back.
    package var hasEmptyPages: Bool { unsafe environment.pointee.arena.hasEmptyPages }

    /// Gives the system some pages back.
    package func releaseEmptyPages() {
        unsafe environment.pointee.arena.releaseEmptyPages()
    }

    /// Frees what was removed and gives empty pages back, in small steps, for so many
    /// microseconds of `clock`, which is not read if there is nothing to do.
    package func freeGarbage(within microseconds: Int64, of clock: () -> Int64) {
        guard hasGarbage || hasEmptyPages else { return }
        let end = clock() + microseconds
        while hasGarbage, clock() < end { freeSome(256) }
        while hasEmptyPages, clock() < end { releaseEmptyPages() }
    }

    /// Whether `freeSome` has work left.
    package var hasGarbage: Bool { unsafe !environment.pointee.graveyard.isEmpty }

    /// Large values and keys of flushed keyspaces that are still in memory.
    package var garbageCount: Int { unsafe environment.pointee.graveyard.count }

    /// How many of them were freed in steps; may be set back to 0.
    package var freedGarbageCount: Int {
        get { unsafe environment.pointee.graveyard.freedCount }
        nonmutating set { unsafe environment.pointee.graveyard.freedCount = newValue }
    }
}
