import Bytes
import Store

/// Which keys go when memory is short: `maxmemory-policy`.
package enum EvictionPolicy: String, CaseIterable, Sendable {
    case volatileLRU = "volatile-lru"
    case volatileLFU = "volatile-lfu"
    case volatileRandom = "volatile-random"
    case volatileTTL = "volatile-ttl"
    case allKeysLRU = "allkeys-lru"
    case allKeysLFU = "allkeys-lfu"
    case allKeysRandom = "allkeys-random"
    case noEviction = "noeviction"

    /// Whether only keys with a deadline may go.
    var needsDeadline: Bool {
        switch self {
        case .volatileLRU, .volatileLFU, .volatileRandom, .volatileTTL: true
        case .allKeysLRU, .allKeysLFU, .allKeysRandom, .noEviction: false
        }
    }

    /// Whether keys count their uses.
    var countsAccesses: Bool { self == .volatileLFU || self == .allKeysLFU }

    var isRandom: Bool { self == .volatileRandom || self == .allKeysRandom }

    /// How much a key deserves to go.
    func rank(_ entry: Entry) -> UInt64 {
        switch self {
        case .volatileLRU, .allKeysLRU: UInt64(entry.idleSeconds)
        case .volatileLFU, .allKeysLFU: UInt64(255 - entry.frequency)
        case .volatileTTL: .max - UInt64(bitPattern: max(entry.deadline ?? .max, 0))
        case .volatileRandom, .allKeysRandom, .noEviction: 0
        }
    }
}

/// The keys that deserve most to go, of all that were looked at so far.
///
/// As Redis does it since 3.0: each choice looks at a few keys by chance and keeps the best of
/// them for later choices, which comes close to having looked at all.
struct EvictionPool {
    struct Candidate {
        let database: Int
        let keyHash: UInt64
        let rank: UInt64
    }

    private static let capacity = 16
    /// The one that deserves most at the end.
    private var candidates: [Candidate] = []

    mutating func offer(_ candidate: Candidate) {
        if candidates.count == EvictionPool.capacity {
            guard candidate.rank > candidates[0].rank else { return }
        }
        let isKnown = candidates.contains {
            $0.keyHash == candidate.keyHash && $0.database == candidate.database
        }
        guard !isKnown else { return }
        let place = candidates.firstIndex { $0.rank > candidate.rank } ?? candidates.count
        candidates.insert(candidate, at: place)
        if candidates.count > EvictionPool.capacity { candidates.removeFirst() }
    }

    mutating func takeBest() -> Candidate? {
        candidates.popLast()
    }

    mutating func removeAll() {
        candidates.removeAll(keepingCapacity: true)
    }
}

extension Engine {
    /// Sets how much memory the server may take, 0 for no limit, and which keys go then.
    package mutating func setMemoryLimit(
        _ byteCount: Int,
        policy: EvictionPolicy,
        samples: Int
    ) {
        settings.maximumMemory = byteCount
        if settings.evictionPolicy != policy { evictionPool.removeAll() }
        settings.evictionPolicy = policy
        settings.evictionSamples = max(samples, 1)
        dataSet.countsAccesses = policy.countsAccesses
        if byteCount > 0 { gates.insert(.limitedMemory) } else { gates.remove(.limitedMemory) }
    }

    /// Bytes that count against the limit.
    ///
    /// What only a running snapshot still needs goes by itself; evicting more would not hasten it.
    package var countedMemory: Int {
        dataSet.usedByteCount - dataSet.snapshotByteCount + settings.otherMemory
    }

    /// Makes room below the limit of memory; false if there is none to make.
    ///
    /// What takes longer than the tenacity allows is left to the next request.
    mutating func evict() -> Bool {
        let limit = settings.maximumMemory
        guard limit > 0, countedMemory > limit else { return true }
        guard !isPaused else { return false }
        let end = host.microseconds + settings.evictionTime
        var evicted = 0
        while countedMemory > limit {
            if dataSet.hasGarbage {
                dataSet.freeSome(64)
            } else {
                guard settings.evictionPolicy != .noEviction, let entry = nextToEvict() else {
                    recountMemory()
                    return countedMemory <= limit
                }
                evict(entry)
                evicted += 1
            }
            // Time is told once in a while: it costs as much as a small key.
            if evicted % 16 == 0, host.microseconds >= end { break }
        }
        return true
    }

    /// Looks again at what is counted only now and then, before a request is refused for it.
    private mutating func recountMemory() {
        settings.otherMemory = host.memory(self).used - dataSet.usedByteCount
    }

    /// Evicts what the policy allows until the data is below the limit again.
    ///
    /// For data that comes from a file; without a policy, all of it stays.
    package mutating func makeRoom() {
        guard settings.maximumMemory > 0, settings.evictionPolicy != .noEviction else { return }
        while countedMemory > settings.maximumMemory, evict() {}
    }

    private mutating func evict(_ entry: Entry) {
        let keyspace = entry.keyspace
        let key = ByteString(entry.key)
        if effects.begin(2, database: keyspace.number) {
            effects.argument("UNLINK")
            effects.argument(key.bytes)
        }
        keyspace.remove(entry)
        statistics.evictedKeys += 1
        announce(key.bytes, .evicted, "evicted", in: keyspace, isOwn: false)
    }

    /// The key that shall go next, if any may.
    private mutating func nextToEvict() -> Entry? {
        let policy = settings.evictionPolicy
        if policy.isRandom { return anyToEvict() }
        fillEvictionPool()
        while let best = evictionPool.takeBest() {
            guard let entry = dataSet[best.database].find(keyHash: best.keyHash),
                !policy.needsDeadline || entry.deadline != nil
            else { continue }
            // Who was used since it was looked at has to compare with the others again.
            let rank = policy.rank(entry)
            if rank >= best.rank { return entry }
            evictionPool.offer(
                EvictionPool.Candidate(
                    database: best.database,
                    keyHash: best.keyHash,
                    rank: rank
                )
            )
        }
        return nil
    }

    private mutating func fillEvictionPool() {
        let policy = settings.evictionPolicy
        let samples = settings.evictionSamples
        for number in 0..<dataSet.databaseCount {
            let keyspace = dataSet[number]
            keyspace.sample(samples, havingDeadline: policy.needsDeadline) { entry in
                evictionPool.offer(
                    EvictionPool.Candidate(
                        database: number,
                        keyHash: entry.keyHash,
                        rank: policy.rank(entry)
                    )
                )
            }
        }
    }

    /// A key by chance, from the databases in turn.
    private mutating func anyToEvict() -> Entry? {
        for _ in 0..<dataSet.databaseCount {
            evictionDatabase = (evictionDatabase + 1) % dataSet.databaseCount
            let found = dataSet[evictionDatabase].randomEntry(
                havingDeadline: settings.evictionPolicy.needsDeadline
            )
            if let found { return found }
        }
        return nil
    }
}
