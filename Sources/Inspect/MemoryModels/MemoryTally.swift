import Bytes
import RDB

/// Estimates what a server would take for the keys of a file once it has loaded it.
///
/// It is told of each value as that is walked, in the same pass as everything else, and keeps no
/// more of it than a few sums. The calls for one value are those of a walk that reports compact
/// encodings whole. The figures are the server's own (`used_memory`), for its default limits of
/// packed encodings. What finds the keys depends on how many there are, and is counted apart.
package struct MemoryTally: Sendable {
    /// What the estimate is for.
    package let target: MemoryTarget
    /// What that target gets its memory from.
    package let allocator: MemoryAllocator

    private let model: MemoryModel
    private var kind = ValueKind.string
    private var string = StringShape(byteCount: 0)
    private var collection = CollectionShape()
    private var list: ListShape
    private var stream: StreamShape
    private var moduleByteCount = 0

    /// Estimates for `target` on top of `allocator`, or of what it comes with.
    package init(_ target: MemoryTarget = .valkey91, _ allocator: MemoryAllocator? = nil) {
        self.target = target
        self.allocator = allocator ?? target.usualAllocator
        model = MemoryModel(target, self.allocator)
        list = ListShape(model.blocks)
        stream = StreamShape(model.emptyTree)
    }

    /// Bytes of memory that the key and its value take.
    package func byteCount(ofKey keyByteCount: Int, hasDeadline: Bool) -> Int {
        let key = ModelKey(length: keyByteCount, hasDeadline: hasDeadline)
        return switch kind {
        case .string: model.string(key, string)
        case .list: model.list(key, list)
        case .set: model.set(key, collection)
        case .sortedSet: model.sortedSet(key, collection)
        case .hash: model.hash(key, collection)
        case .stream: model.stream(key, stream)
        case .module, .other: model.module(key, moduleByteCount)
        }
    }

    /// Bytes of the tables that find the keys of one database, and those with a deadline.
    package func tableByteCount(keys: Int, deadlines: Int) -> Int {
        model.database(keys: keys, deadlines: deadlines)
    }

    mutating func begin(_ encoding: Encoding) {
        kind = encoding.kind
        string = StringShape(byteCount: 0)
        switch kind {
        case .string: break
        case .list: list = ListShape(model.blocks)
        case .stream: stream = StreamShape(model.emptyTree)
        case .module, .other: moduleByteCount = 0
        case .set, .sortedSet, .hash: collection = CollectionShape()
        }
    }

    /// The value ended.
    mutating func end() {
        switch kind {
        case .list: list.close()
        case .stream: stream.finish()
        default: break
        }
    }

    mutating func string(_ value: PackedValue) {
        string.byteCount = value.byteCount
        switch value {
        case .integer(let integer): string.integer = integer
        case .bytes(let bytes): string.integer = DecimalText.parseInteger(bytes)
        }
    }

    /// A string that is too long to be looked at whole.
    mutating func longString(_ byteCount: Int) {
        string.byteCount = byteCount
    }

    /// An element, member or field of which a string is too long to be looked at whole.
    mutating func longElement(_ byteCount: Int, value: Int, hasDeadline: Bool) {
        switch kind {
        case .list: list.addLongElement(byteCount, largeIsPlain: model.keepsLargeElementsPlain)
        case .module, .other: moduleByteCount += model.blocks(byteCount)
        default:
            collection.count += 1
            collection.largest = max(collection.largest, byteCount, value)
            collection.integerWidth = nil
            if hasDeadline { collection.deadlineCount += 1 }
            collection.partByteCount += partByteCount(byteCount, value, hasDeadline)
        }
    }

    private func partByteCount(_ byteCount: Int, _ value: Int, _ hasDeadline: Bool) -> Double {
        switch kind {
        case .set: Double(model.member(byteCount))
        case .sortedSet: model.scoredMember(byteCount)
        default: Double(model.field(byteCount, value: value, hasDeadline: hasDeadline))
        }
    }

    mutating func listElement(_ element: PackedValue) {
        list.addElement(element, largeIsPlain: model.keepsLargeElementsPlain)
    }

    mutating func listNode(_ byteCount: Int) {
        list.addNode(byteCount)
    }

    mutating func setMember(_ member: PackedValue) {
        note(member: member)
    }

    mutating func sortedSetMember(_ member: PackedValue, score: Double) {
        collection.count += 1
        collection.note(member)
        collection.partByteCount += model.scoredMember(member.byteCount)
        if collection.count <= ServerLayout.packedSortedSetLimit {
            collection.packedByteCount += Self.packedByteCount(ofScore: score)
        }
    }

    mutating func hashField(_ field: PackedValue, value: PackedValue, deadline: Int64?) {
        note(field: field, value: value, deadline: deadline)
    }

    /// All of a set, sorted set or hash; `largest` is its largest member, or field with value.
    mutating func listpack(_ bytes: RawSpan, count: Int, largest: Int) throws(ListpackError) {
        if largest <= ServerLayout.packedElementLimit, model.packs(kind, count: count) {
            // It will stay as it is, whatever is in it.
            collection.count = count
            collection.largest = largest
            collection.integerWidth = nil
        } else {
            try walk(bytes)
        }
        collection.packedByteCount = bytes.byteCount
    }

    mutating func intset(_ bytes: RawSpan, count: Int) {
        let members = IntsetMembers(bytes)
        collection.count = count
        collection.integerWidth = (bytes.byteCount - 8) / max(1, count)
        // Only a set beyond the limit needs to know how long its members are as text.
        guard count > ServerLayout.integerSetLimit else { return }
        for index in 0..<count {
            collection.partByteCount += Double(
                model.member(DecimalText.byteCount(of: members[index]))
            )
        }
    }
}

extension MemoryTally {
    private mutating func walk(_ listpack: RawSpan) throws(ListpackError) {
        var reader = try ListpackReader(listpack)
        while let first = try reader.next() {
            switch kind {
            case .set:
                note(member: first)
            case .sortedSet:
                collection.count += 1
                collection.note(first)
                collection.partByteCount += model.scoredMember(first.byteCount)
                _ = try reader.next()
            default:
                guard let value = try reader.next() else { return }
                note(field: first, value: value, deadline: nil)
            }
        }
    }

    private mutating func note(member: borrowing PackedValue) {
        collection.count += 1
        collection.note(member)
        collection.partByteCount += Double(model.member(member.byteCount))
        guard let width = collection.integerWidth else { return }
        switch member {
        case .integer(let integer):
            collection.integerWidth = max(width, IntsetSize.width(of: integer))
        case .bytes(let bytes):
            collection.integerWidth = DecimalText.parseInteger(bytes).map {
                max(width, IntsetSize.width(of: $0))
            }
        }
    }

    private mutating func note(
        field: borrowing PackedValue,
        value: borrowing PackedValue,
        deadline: Int64?
    ) {
        collection.count += 1
        collection.note(field)
        collection.note(value)
        if deadline != nil { collection.deadlineCount += 1 }
        collection.partByteCount += Double(
            model.field(field.byteCount, value: value.byteCount, hasDeadline: deadline != nil)
        )
    }

    /// A score as a listpack has it: an integer, or the shortest text of a double.
    private static func packedByteCount(ofScore score: Double) -> Int {
        if let integer = Int64(exactly: score) { return Listpack.entryByteCount(of: integer) }
        var text = ByteWriter(reserving: 32)
        text.append(shortest: score)
        return Listpack.entryByteCount(ofStringOf: text.count)
    }

    // Streams and modules.

    mutating func streamNode(_ byteCount: Int, master: StreamID) {
        stream.nodes.add(master.milliseconds, master.sequence)
        stream.nodeCount += 1
        stream.nodeByteCount += model.blocks(byteCount)
    }

    mutating func streamGroup(_ nameByteCount: Int) {
        stream.beginGroup()
        stream.groupByteCount += model.group(nameByteCount)
    }

    mutating func pendingEntry(_ id: StreamID) {
        stream.addPending(id.milliseconds, id.sequence)
    }

    mutating func streamConsumer(_ nameByteCount: Int) {
        stream.beginConsumer()
        stream.groupByteCount += model.consumer(nameByteCount)
    }

    mutating func consumerPending(_ id: StreamID) {
        stream.addConsumerPending(id.milliseconds, id.sequence)
    }

    mutating func moduleItem(_ item: ModuleItem) {
        moduleByteCount += model.moduleItem(item)
    }
}
