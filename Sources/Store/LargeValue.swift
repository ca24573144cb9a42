import Bytes
import Structures

/// From where on values are handed to a snapshot in parts.
///
/// A part is what one change shows: an element, a node, a block or a page. An element is never
/// divided.
package struct LargeValueLimits: Sendable {
    /// Most elements of a set, sorted set or hash that is handed over whole.
    package var elements = 512
    /// Most bytes of a collection that is handed over whole.
    package var bytes = 128 << 10
    /// Most bytes of a string that is handed over whole.
    package var stringBytes = 256 << 10
    /// Bytes of a page of a larger string.
    package var pageBytes = 64 << 10

    package init() {}
}

/// A value that a snapshot reads in parts, because it is too large for a slice.
///
/// Made when the bucket of its key is shown. Then it is the witness of its structure: what is
/// about to change is shown first, and `read` shows the rest.
@safe
package class LargeValue {
    /// What the record of the value says ahead of its parts.
    package enum Shape: Sendable {
        case string(byteCount: Int)
        case list(count: Int, blockCount: Int)
        case set(count: Int)
        case sortedSet(count: Int)
        case hash(count: Int, hasDeadlines: Bool)
        case stream(nodeCount: Int)
    }

    /// The number that the database had when the snapshot began.
    package let database: Int
    package let key: ByteString
    package let deadline: Int64?
    package let idleSeconds: Int
    package let frequency: Int
    package let shape: Shape
    /// Bytes of memory, about.
    let byteCount: Int

    let encoding: Encoding
    var structure: UnsafeMutableRawPointer
    let walk: SnapshotWalk
    /// No key leads to it any more.
    var isOrphan = false
    /// Everything was shown, and the structure is nobody's concern here any more.
    private(set) var isThrough = false

    init(
        _ entry: Entry,
        _ shape: Shape,
        byteCount: Int,
        database number: Int,
        for walk: SnapshotWalk
    ) {
        database = number
        key = ByteString(entry.key)
        deadline = entry.deadline
        idleSeconds = entry.idleSeconds
        frequency = entry.frequency
        self.shape = shape
        self.byteCount = byteCount
        encoding = entry.encoding
        unsafe structure = entry.valuePointer
        self.walk = walk
    }

    /// Whether its record is being written.
    var isCurrent: Bool { walk.current === self }

    /// Its record has begun.
    func begin() {}

    /// Shows the next part, or lets one follow that was put aside.
    func readNext() {}

    /// Whether its record has all parts.
    var isComplete: Bool { isThrough }

    func noteThrough() {
        guard !isThrough else { return }
        isThrough = true
        walk.release(self)
    }

    /// The entry as a large value that is now watched; nil if it can be handed over whole.
    static func cut(
        _ entry: Entry,
        database number: Int,
        for walk: SnapshotWalk
    ) -> LargeValue? {
        guard unsafe EntryNode.form(entry.node) & EntryNode.pointerFlag != 0 else { return nil }
        let limits = unsafe entry.keyspace.environment.pointee.largeValueLimits
        switch entry.encoding {
        case .string:
            guard entry.bytes.byteCount > limits.stringBytes else { return nil }
            return LargeString(entry, pageByteCount: limits.pageBytes, number, walk)
        case .blockList:
            let blocks = unsafe entry.valuePointer.assumingMemoryBound(to: BlockList.self)
            guard unsafe blocks.pointee.byteCount > limits.bytes else { return nil }
            return LargeList(entry, number, walk)
        case .tableSet:
            guard limits.areExceeded(by: entry, of: entry.set.count) else { return nil }
            return LargeSet(entry, number, walk)
        case .tableHash:
            guard limits.areExceeded(by: entry, of: entry.hash.count) else { return nil }
            return LargeHash(entry, number, walk)
        case .indexedSortedSet:
            guard limits.areExceeded(by: entry, of: entry.sortedSet.count) else { return nil }
            return LargeSortedSet(entry, number, walk)
        case .stream:
            guard unsafe entry.stream.stream.pointee.byteCount > limits.bytes else { return nil }
            return LargeStream(entry, number, walk)
        default:
            return nil
        }
    }
}

extension LargeValueLimits {
    /// The bytes are only counted where the elements are few.
    fileprivate func areExceeded(by entry: Entry, of count: Int) -> Bool {
        count > elements || entry.structureByteCount(samples: .max) > bytes
    }
}

/// A large value whose parts may come in any order.
///
/// Those that are put aside all go under one number.
class UnorderedLargeValue: LargeValue {
    private var number: Int?

    fileprivate func part(_ body: (any SnapshotSink) -> Void) {
        guard let sink = walk.sink else { return }
        if !isCurrent, number == nil { number = walk.nextNumber() }
        sink.beginPart(of: self, aside: isCurrent ? nil : number)
        body(sink)
        sink.endPart()
    }

    override func begin() {
        if let number { walk.sink?.fetch(number) }
    }
}

final class LargeSet: UnorderedLargeValue, SlotWitness {
    private var nextBucket = 0

    private var table: UnsafeMutablePointer<HashTable<MemberNode>> {
        unsafe structure.assumingMemoryBound(to: HashTable<MemberNode>.self)
    }

    fileprivate init(_ entry: Entry, _ number: Int, _ walk: SnapshotWalk) {
        let table = unsafe entry.set.table
        super.init(
            entry,
            .set(count: entry.set.count),
            byteCount: entry.structureByteCount(samples: 64),
            database: number,
            for: walk
        )
        unsafe table.pointee.beginWalk(self)
    }

    func take(_ slot: HashTableSlot) {
        part { unsafe $0.member(MemberNode.key(of: slot.node).bytes) }
    }

    override func readNext() {
        guard !isThrough else { return }
        if unsafe !table.pointee.walkNext(from: &nextBucket) { noteThrough() }
    }
}

final class LargeHash: UnorderedLargeValue, SlotWitness {
    private var nextBucket = 0

    private var table: UnsafeMutablePointer<FieldTable> {
        unsafe structure.assumingMemoryBound(to: FieldTable.self)
    }

    fileprivate init(_ entry: Entry, _ number: Int, _ walk: SnapshotWalk) {
        let table = unsafe entry.valuePointer.assumingMemoryBound(to: FieldTable.self)
        super.init(
            entry,
            .hash(count: entry.hash.count, hasDeadlines: entry.hasFieldDeadlines),
            byteCount: entry.structureByteCount(samples: 64),
            database: number,
            for: walk
        )
        unsafe table.pointee.fields.beginWalk(self)
    }

    func take(_ slot: HashTableSlot) {
        let node = unsafe slot.node
        let value = unsafe FieldNode.value(of: node)
        walk.note(value.count)
        part {
            unsafe $0.field(
                FieldNode.key(of: node).bytes,
                value: value.bytes,
                deadline: FieldNode.deadline(of: node)
            )
        }
    }

    override func readNext() {
        guard !isThrough else { return }
        if unsafe !table.pointee.fields.walkNext(from: &nextBucket) { noteThrough() }
    }
}

/// Read leaf by leaf, so that its members come in order but for those that were put aside:
/// whoever loads the file appends most of them.
final class LargeSortedSet: UnorderedLargeValue, ScoreWitness {
    /// Everything up to this member was shown.
    private var place: (score: Double, member: ByteString)?

    private var indexed: UnsafeMutablePointer<IndexedSortedSet> {
        unsafe structure.assumingMemoryBound(to: IndexedSortedSet.self)
    }

    fileprivate init(_ entry: Entry, _ number: Int, _ walk: SnapshotWalk) {
        let indexed = unsafe entry.valuePointer.assumingMemoryBound(to: IndexedSortedSet.self)
        super.init(
            entry,
            .sortedSet(count: entry.sortedSet.count),
            byteCount: entry.structureByteCount(samples: 64),
            database: number,
            for: walk
        )
        unsafe indexed.pointee.index.beginWalk(self)
    }

    func take(_ members: ScoreRun) {
        part { sink in members.visit { sink.member($0.member, score: $0.score) } }
    }

    override func readNext() {
        guard !isThrough else { return }
        // A leaf is as much work as so many bytes.
        walk.note(16 << 10)
        var rank = 0
        if let place {
            rank = unsafe indexed.pointee.index.firstRank(
                score: place.score,
                memberAtLeast: place.member.bytes
            )
            // The member itself, if it is still there, was shown.
            if unsafe rank < indexed.pointee.index.count,
                unsafe indexed.pointee.index.node(at: rank).score == place.score,
                unsafe indexed.pointee.index.node(at: rank).member.equals(place.member.bytes)
            {
                rank += 1
            }
        }
        if let last = unsafe indexed.pointee.index.walk(rank: rank) {
            place = (last.score, ByteString(last.member))
        } else {
            unsafe indexed.pointee.index.endWalk()
            noteThrough()
        }
    }
}

extension HashTable {
    /// Shows the next node from the bucket `next` on, or steps to the one behind; returns false
    /// once the walk has ended.
    fileprivate mutating func walkNext(from next: inout Int) -> Bool {
        guard next < bucketCount else {
            endWalk()
            return false
        }
        if walkNext(inBucket: next) { return true }
        next += 1
        prefetchNodes(inBucket: next + 1)
        return true
    }
}
