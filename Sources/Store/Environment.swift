import Structures

/// What every keyspace of one data set shares.
@unsafe
struct Environment: ~Copyable {
    let arena: Arena
    let seed: UInt64
    /// Milliseconds since 1970, set once a turn.
    var now: Int64 = 0 {
        didSet { unsafe fieldNow = now }
    }
    /// The moment by which fields of hashes count as gone.
    var fieldNow: Int64 = 0
    var access = AccessClock()
    var limits = EncodingLimits()
    /// Whether a field of any hash was ever given a deadline.
    var hasSeenFieldDeadlines = false
    var random: Xorshift
    var graveyard: Graveyard
    /// The running snapshot.
    var snapshot: SnapshotWalk?
    var largeValueLimits = LargeValueLimits()

    init(arena: Arena, seed: UInt64) {
        unsafe self.arena = arena
        unsafe self.seed = seed
        unsafe random = Xorshift(seed: seed)
        unsafe graveyard = Graveyard()
    }
}

/// Up to where values keep their packed encodings; the directives of the same names.
package struct EncodingLimits: Sendable {
    package var hashEntries = 512
    package var hashValue = 64
    /// Positive: elements of a list block; negative: -1 to -5 for 4 to 64 KiB.
    package var listSize = -2
    package var setIntegers = 512
    package var setEntries = 128
    package var setValue = 64
    package var sortedSetEntries = 128
    package var sortedSetValue = 64
    /// Bytes of a sparse HyperLogLog.
    package var sparseBytes = 3000
    package var streamBytes = 4096
    package var streamEntries = 100

    package init() {}

    /// The most bytes of a list block; where elements are counted, 8 KiB.
    var listBlockBytes: Int {
        listSize >= 0 ? 8192 : 4096 << (min(-listSize, 5) - 1)
    }

    /// The most elements of a list block.
    var listBlockElements: Int { listSize >= 0 ? max(listSize, 1) : .max }
}

/// The 24 bits by which eviction tells keys apart.
struct AccessClock {
    /// Whether the bits count accesses (LFU) rather than hold a time (LRU).
    var countsAccesses = false
    /// Seconds since 1970, in 24 bits.
    var seconds: UInt32 = 0
}
