import Structures

extension HashTable {
    /// Visits `count` slots by chance, no slot twice, each about equally likely.
    ///
    /// Few of many are drawn until enough are different. Otherwise the table is walked once, and
    /// each slot is taken with the odds that it is still needed (Knuth, "The Art of Computer
    /// Programming", volume 2, algorithm S).
    func forEachSample(
        _ wanted: Int,
        _ random: inout Xorshift,
        _ visit: (HashTableSlot) -> Void
    ) {
        guard wanted * 8 < count else {
            var sampler = Sampler(wanted, of: count)
            return forEachSlot { slot in
                if sampler.takes(&random) { visit(slot) }
            }
        }
        var seen = unsafe Set<UnsafeMutableRawPointer>(minimumCapacity: wanted)
        while unsafe seen.count < wanted, let slot = randomSlot(&random) {
            if unsafe seen.insert(slot.node).inserted { visit(slot) }
        }
    }
}

/// Chooses some of a sequence, each element with the same odds, in one pass.
struct Sampler {
    private var needed: Int
    private var remaining: Int

    /// Will take `needed` of `count` elements; all if there are fewer.
    init(_ needed: Int, of count: Int) {
        self.needed = min(needed, count)
        remaining = count
    }

    /// Whether all were taken.
    var isDone: Bool { needed == 0 }

    /// Whether the next element is one of them.
    mutating func takes(_ random: inout Xorshift) -> Bool {
        guard needed > 0 else { return false }
        let isTaken = Int(random.next() >> 1) % remaining < needed
        remaining -= 1
        if isTaken { needed -= 1 }
        return isTaken
    }
}
