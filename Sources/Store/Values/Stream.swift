import Bytes
import Structures

/// A stream of any size: nodes in the order of their ids, counters, and consumer groups.
///
/// An entry that was delivered and not acknowledged is one block of 24 bytes, to which two
/// maps lead by its id: that of the group, and that of the consumer who has it.
///
/// What holds between any two calls: the ids of nodes and of the entries in them rise; `count`
/// is the number of live entries; every pending block of a group is in the map of exactly the
/// consumer that it names.
@unsafe
struct Stream: ~Copyable {
    let arena: Arena
    /// Addresses of nodes by the id that each begins with.
    var nodes: OrderedMap
    var nodeByteCount = 0
    /// Live entries.
    var count = 0
    var lastID = StreamEntryID.zero
    /// The first live entry; zero if there is none.
    var firstID = StreamEntryID.zero
    var maximumDeletedID = StreamEntryID.zero
    var entriesAdded: UInt64 = 0
    var groups: NamedList<GroupHead>
    /// Who sees nodes and pending entries before they change; nil but during a walk.
    var reader: LargeStream?
    /// What nodes and pending entries have that were seen, 0 or 1; all, when nobody watches.
    var seen: UInt = 0

    /// A consumer group, its name aside.
    @unsafe
    struct GroupHead: ~Copyable {
        /// Addresses of pending blocks by id.
        var pending: OrderedMap
        var consumers: NamedList<ConsumerHead>
        var lastDeliveredID: StreamEntryID
        /// -1 where it is not known.
        var entriesRead: Int64
    }

    /// A consumer, its name aside.
    struct ConsumerHead: ~Copyable {
        var pending: OrderedMap
        var seenTime: Int64
        /// -1 for one that was never given an entry.
        var activeTime: Int64
    }

    /// An entry that was delivered and not acknowledged.
    @unsafe
    struct Pending {
        /// The address of the consumer, and in its lowest bit, which no address has, `seen`.
        private var consumerAndSeen: UInt
        var deliveryTime: Int64
        var deliveryCount: UInt64

        static let byteCount = 24

        init(
            consumer: UnsafeMutablePointer<ConsumerHead>?,
            deliveryTime: Int64,
            deliveryCount: UInt64,
            seen: UInt
        ) {
            unsafe consumerAndSeen = UInt(bitPattern: consumer) | seen
            unsafe self.deliveryTime = deliveryTime
            unsafe self.deliveryCount = deliveryCount
        }

        /// Nil only while a file is loaded.
        var consumer: UnsafeMutablePointer<ConsumerHead>? {
            get { unsafe UnsafeMutablePointer(bitPattern: consumerAndSeen & ~1) }
            set { unsafe consumerAndSeen = UInt(bitPattern: newValue) | seen }
        }

        /// For a walk that must see the entry as it was.
        var seen: UInt {
            get { unsafe consumerAndSeen & 1 }
            set { unsafe consumerAndSeen = consumerAndSeen & ~1 | newValue }
        }

        static func at(_ bits: UInt64) -> UnsafeMutablePointer<Pending> {
            unsafe UnsafeMutablePointer(
                bitPattern: UInt(truncatingIfNeeded: bits)
            ).unsafelyUnwrapped
        }
    }

    static func allocate(in arena: Arena) -> UnsafeMutablePointer<Stream> {
        let block = unsafe arena.allocate(MemoryLayout<Stream>.size)
        let stream = unsafe block.bindMemory(to: Stream.self, capacity: 1)
        unsafe stream.initialize(
            to: Stream(
                arena: arena,
                nodes: OrderedMap(arena: arena),
                groups: NamedList(arena: arena)
            )
        )
        return unsafe stream
    }

    // Nodes.

    func node(at word: UInt64) -> StreamNode { unsafe StreamNode(bits: word) }

    /// Puts a node in the place of the one at `key`, whose memory it may have taken over.
    mutating func replace(_ old: UInt64, oldByteCount: Int, with node: StreamNode, at key: UInt128)
    {
        unsafe nodeByteCount += node.byteCount - oldByteCount
        if unsafe node.bits != old { unsafe nodes.set(node.bits, at: key) }
    }

    mutating func addNode(_ node: StreamNode, _ master: StreamEntryID) {
        unsafe noteSeen(node)
        unsafe nodes.set(node.bits, at: master.bits)
        unsafe nodeByteCount += node.byteCount
    }

    mutating func removeNode(at key: UInt128) {
        guard let word = unsafe nodes.remove(key) else { return }
        let node = unsafe node(at: word)
        unsafe passDoor(node, at: key)
        unsafe nodeByteCount -= node.byteCount
        unsafe node.free(in: arena)
    }

    // Groups.

    /// Forgets a pending entry of a group and of the consumer who has it.
    func removePending(_ id: StreamEntryID, of group: UnsafeMutablePointer<GroupHead>) -> Bool {
        guard let word = unsafe group.pointee.pending.remove(id.bits) else { return false }
        let pending = unsafe Pending.at(word)
        unsafe passDoor(pending, id, of: group)
        if let consumer = unsafe pending.pointee.consumer {
            unsafe consumer.pointee.pending.remove(id.bits)
        }
        unsafe arena.free(pending, Pending.byteCount)
        return true
    }

    /// Bytes of memory of everything.
    var byteCount: Int {
        var bytes = unsafe Arena.roundedByteCount(MemoryLayout<Stream>.size)
        unsafe bytes += nodes.byteCount + nodeByteCount + groups.byteCount
        for index in unsafe 0..<groups.count {
            let group = unsafe groups[index]
            unsafe bytes += group.pointee.pending.byteCount + group.pointee.consumers.byteCount
            unsafe bytes += group.pointee.pending.count * Pending.byteCount
            for index in unsafe 0..<group.pointee.consumers.count {
                unsafe bytes += group.pointee.consumers[index].pointee.pending.byteCount
            }
        }
        return bytes
    }

    // The end.

    /// Frees about `limit` nodes and pending entries; returns how many were freed.
    ///
    /// Once begun, nothing else may be asked of the stream; it is gone when less than `limit`
    /// is returned.
    mutating func destroy(upTo limit: Int) -> Int {
        var freed = 0
        while freed < limit, let last = unsafe nodes.last {
            unsafe removeNode(at: last.key)
            freed += 1
        }
        while freed < limit, unsafe groups.count > 0 {
            let group = unsafe groups[groups.count - 1]
            while freed < limit, let last = unsafe group.pointee.pending.last {
                unsafe group.pointee.pending.remove(last.key)
                unsafe arena.free(Pending.at(last.word), Pending.byteCount)
                freed += 1
            }
            guard freed < limit else { break }
            unsafe Self.destroyConsumers(of: group, upTo: limit, &freed)
            guard freed < limit else { break }
            unsafe groups.removeBlock(at: groups.count - 1)
            freed += 1
        }
        return freed
    }

    private static func destroyConsumers(
        of group: UnsafeMutablePointer<GroupHead>,
        upTo limit: Int,
        _ freed: inout Int
    ) {
        while freed < limit, unsafe group.pointee.consumers.count > 0 {
            let last = unsafe group.pointee.consumers.count - 1
            let consumer = unsafe group.pointee.consumers[last]
            guard unsafe consumer.pointee.pending.destroy(upTo: limit - freed) else {
                freed = limit
                return
            }
            unsafe group.pointee.consumers.removeBlock(at: last)
            freed += 1
        }
    }

    // What holds.

    /// Checks what must hold between any two calls; tests call it after every step.
    func checkInvariants() {
        unsafe nodes.checkInvariants()
        var live = 0
        var bytes = 0
        var first: StreamEntryID?
        var last: StreamEntryID?
        var next = unsafe nodes.first
        while let current = next {
            let node = unsafe node(at: current.word)
            unsafe precondition(reader != nil || isSeen(node), "a walk has left out a node")
            unsafe bytes += node.byteCount
            var cursor = unsafe StreamNodeCursor(node, StreamEntryID(bits: current.key))
            var counts = (live: 0, deleted: 0)
            while let entry = unsafe cursor.next() {
                if let last { precondition(last < entry.id, "ids do not rise") }
                precondition(entry.id.bits >= current.key, "an entry is before its node")
                last = entry.id
                if entry.isDeleted {
                    counts.deleted += 1
                } else {
                    counts.live += 1
                    first = first ?? entry.id
                }
            }
            unsafe precondition(
                counts.live == node.liveCount && counts.deleted == node.deletedCount,
                "the counts of a node are stale"
            )
            live += counts.live
            next = unsafe nodes.entry(after: current.key)
        }
        unsafe precondition(live == count, "the count is stale")
        unsafe precondition(bytes == nodeByteCount, "the memory account is stale")
        unsafe precondition(firstID == first ?? .zero, "the first id is stale")
        if let last { unsafe precondition(last <= lastID, "an entry is behind the last id") }
        for index in unsafe 0..<groups.count { unsafe check(groups[index]) }
    }

    private func check(_ group: UnsafeMutablePointer<GroupHead>) {
        unsafe group.pointee.pending.checkInvariants()
        var owned = 0
        for index in unsafe 0..<group.pointee.consumers.count {
            let consumer = unsafe group.pointee.consumers[index]
            unsafe consumer.pointee.pending.checkInvariants()
            unsafe owned += consumer.pointee.pending.count
            var next = unsafe consumer.pointee.pending.first
            while let pending = next {
                unsafe precondition(
                    group.pointee.pending.word(at: pending.key) == pending.word,
                    "a consumer has what its group does not"
                )
                unsafe precondition(
                    Pending.at(pending.word).pointee.consumer == consumer,
                    "a pending entry names another consumer"
                )
                unsafe precondition(
                    reader != nil || Pending.at(pending.word).pointee.seen == seen,
                    "a walk has left out a pending entry"
                )
                next = unsafe consumer.pointee.pending.entry(after: pending.key)
            }
        }
        unsafe precondition(owned == group.pointee.pending.count, "a pending entry has no owner")
    }
}
