import Glibc

/// Which nodes of a hash table become due, and when, in eight bytes a node.
///
///     bit 63                    24 23          0
///     | milliseconds since 2020  | low hash bits |
///
/// A heap of these words, the earliest on top; four children a place. A word says that around
/// this moment a node with such a hash is worth a look, not that it is due: a node whose
/// deadline was put off keeps its word, and is looked at once too early. So most changes of a
/// deadline cost nothing, and no node has to know its place in the heap. What must hold: every
/// node with a deadline has a word that is not later than it.
///
/// Moments after September 2054 are not kept, for want of bits.
@safe
public struct DueIndex: ~Copyable {
    /// How many low bits of the hash a word keeps.
    public static let hashBitCount = 24
    private static let timeBitCount = 64 - hashBitCount
    /// 2020 began so many milliseconds after 1970.
    private static let epoch: Int64 = 1_577_836_800_000

    private let arena: Arena
    private var words: UnsafeMutablePointer<UInt64>?
    /// How many words there are, stale ones too.
    public private(set) var count = 0
    private var capacity = 0

    /// An empty index.
    public init(arena: Arena) {
        self.arena = arena
        unsafe words = nil
    }

    deinit {
        if let words = unsafe words { unsafe arena.free(words, capacity * 8) }
    }

    /// Bytes of memory that the words take.
    public var byteCount: Int { capacity * 8 }

    /// A moment before which nothing is due; nil if nothing ever is.
    public var earliest: Int64? {
        guard count > 0, let words = unsafe words else { return nil }
        return unsafe DueIndex.epoch + Int64(words[0] >> UInt64(DueIndex.hashBitCount))
    }

    /// The moment that a word says for `deadline`; nil if it is too late to be kept.
    public static func moment(of deadline: Int64) -> Int64? {
        guard deadline < epoch + 1 << Int64(timeBitCount) else { return nil }
        return max(deadline, epoch)
    }

    /// Notes that the node with `hash` is due at `deadline`.
    public mutating func insert(_ deadline: Int64, hash: UInt64) {
        guard let moment = DueIndex.moment(of: deadline) else { return }
        let span = moment - DueIndex.epoch
        let low = hash & (1 << UInt64(DueIndex.hashBitCount) - 1)
        if count == capacity { grow() }
        guard let words = unsafe words else { return }
        let word = UInt64(span) << UInt64(DueIndex.hashBitCount) | low
        var place = count
        count += 1
        while place > 0 {
            let parent = (place - 1) >> 2
            guard unsafe word < words[parent] else { break }
            unsafe words[place] = words[parent]
            place = parent
        }
        unsafe words[place] = word
    }

    /// Takes the earliest word out if its moment has come; returns its bits of the hash.
    public mutating func popDue(_ now: Int64) -> UInt64? {
        guard let earliest, earliest <= now, let words = unsafe words else { return nil }
        let first = unsafe words[0]
        count -= 1
        let last = unsafe words[count]
        var place = 0
        while true {
            let firstChild = place << 2 + 1
            guard firstChild < count else { break }
            var least = firstChild
            for child in firstChild..<min(firstChild + 4, count)
            where unsafe words[child] < words[least] {
                least = child
            }
            guard unsafe words[least] < last else { break }
            unsafe words[place] = words[least]
            place = least
        }
        unsafe words[place] = last
        return first & (1 << UInt64(DueIndex.hashBitCount) - 1)
    }

    /// Forgets all words and gives their memory back.
    public mutating func removeAll() {
        if let words = unsafe words { unsafe arena.free(words, capacity * 8) }
        unsafe words = nil
        capacity = 0
        count = 0
    }

    private mutating func grow() {
        let newCapacity = max(4, capacity + capacity / 2)
        let block: UnsafeMutableRawPointer
        if let words = unsafe words {
            unsafe block = arena.reallocate(words, from: capacity * 8, to: newCapacity * 8)
        } else {
            unsafe block = arena.allocate(newCapacity * 8)
        }
        unsafe words = block.bindMemory(to: UInt64.self, capacity: newCapacity)
        capacity = newCapacity
    }

    /// Checks what must hold between any two calls; tests call it after every step.
    public func checkInvariants() {
        guard let words = unsafe words else { return precondition(count == 0) }
        for place in 1..<max(count, 1) {
            unsafe precondition(words[(place - 1) >> 2] <= words[place], "not in heap order")
        }
    }
}

extension HashTable {
    /// Visits the buckets in which a node may be whose hash ends in the bits of a `DueIndex`.
    ///
    /// That is one bucket, unless there are more of them than such bits tell apart.
    public func forEachBucket(ofLowHash low: UInt64, _ visit: (Int) -> Void) {
        var high: UInt64 = 0
        var previous = -1
        repeat {
            let index = bucketIndex(of: low | high << UInt64(DueIndex.hashBitCount))
            if index != previous { visit(index) }
            previous = index
            high += 1
        } while high << UInt64(DueIndex.hashBitCount) < UInt64(bucketCount)
    }
}
