import Bytes
import RDB

/// Measures values: how many elements, the largest of them, and the memory they need.
///
/// One measure serves all keys of a file, one after the other.
package struct ValueMeasure: PayloadVisitor {
    /// Elements, members, fields or entries; the bytes of a string.
    package private(set) var elementCount = 0
    /// Bytes of the largest element, member, or field with its value; of a string, all.
    package private(set) var largestElement = 0
    /// Fields that have a deadline.
    package private(set) var fieldDeadlineCount = 0
    /// The module of a module value.
    package private(set) var module: ModuleID?
    /// What the memory model has been told of the value.
    package var memory: MemoryTally

    private var kind = ValueKind.string
    /// Bytes of what comes in parts: an element, or a field and its value.
    private var partial = (first: 0, second: 0)
    /// Whether the elements are of a node that was counted as a whole.
    private var isInLongNode = false
    /// Of the name of the next group or consumer, if it came in parts.
    private var longNameByteCount: Int?

    /// Measures for the target of `memory`.
    package init(memory: MemoryTally = MemoryTally()) {
        self.memory = memory
    }

    /// Forgets the value before.
    package mutating func begin(_ encoding: Encoding) -> Reporting {
        elementCount = 0
        largestElement = 0
        fieldDeadlineCount = 0
        module = nil
        kind = encoding.kind
        isInLongNode = false
        memory.begin(encoding)
        return .encoded
    }

    /// Longer strings come in parts, so that memory stays flat.
    package var largestWholeString: Int { 1 << 16 }

    /// Tells the model that the value ended.
    package mutating func end() {
        memory.end()
    }

    package mutating func string(_ value: PackedValue) {
        elementCount = value.byteCount
        largestElement = elementCount
        memory.string(value)
    }

    package mutating func stringPart(_ bytes: RawSpan, at offset: Int, of byteCount: Int) {
        guard offset == 0 else { return }
        elementCount = byteCount
        largestElement = byteCount
        memory.longString(byteCount)
    }

    package var largestWholeElement: Int { 1 << 16 }

    package mutating func elementPart(
        _ bytes: RawSpan,
        at offset: Int,
        of byteCount: Int,
        _ role: ElementRole
    ) {
        guard offset == 0 else { return }
        switch role {
        case .hashValue, .streamValue: partial.second = byteCount
        default: partial = (byteCount, 0)
        }
    }

    package mutating func endElement(score: Double?, deadline: Int64?) {
        if kind == .stream { return note(max(partial.first, partial.second)) }
        count(partial.first + partial.second)
        if isInLongNode { return }
        if deadline != nil { fieldDeadlineCount += 1 }
        memory.longElement(partial.first, value: partial.second, hasDeadline: deadline != nil)
    }

    package var largestWholePacked: Int { LongPacked.limit }

    package mutating func beginLongNode(byteCount: Int, master: StreamID?) {
        isInLongNode = true
        if let master {
            memory.streamNode(byteCount, master: master)
        } else {
            memory.listNode(byteCount)
        }
    }

    package mutating func endLongNode() {
        isInLongNode = false
    }

    package mutating func listElement(_ element: PackedValue) {
        count(element.byteCount)
        if !isInLongNode { memory.listElement(element) }
    }

    package mutating func listNode(_ listpack: RawSpan, count: Int) throws(RDBError) {
        let largest = try largestElement(of: listpack, stride: 1)
        elementCount += count
        largestElement = max(largestElement, largest)
        memory.listNode(listpack.byteCount)
    }

    package mutating func setMember(_ member: PackedValue) {
        count(member.byteCount)
        memory.setMember(member)
    }

    package mutating func sortedSetMember(_ member: PackedValue, score: Double) {
        count(member.byteCount)
        memory.sortedSetMember(member, score: score)
    }

    package mutating func hashField(_ field: PackedValue, value: PackedValue, deadline: Int64?) {
        count(field.byteCount + value.byteCount)
        if deadline != nil { fieldDeadlineCount += 1 }
        memory.hashField(field, value: value, deadline: deadline)
    }

    package mutating func listpack(_ bytes: RawSpan, count: Int) throws(RDBError) {
        elementCount = count
        largestElement = try largestElement(of: bytes, stride: kind == .hash ? 2 : 1)
        do {
            try memory.listpack(bytes, count: count, largest: largestElement)
        } catch {
            throw RDBError(.invalidListpack, at: error.offset, "listpack: \(error.reason)")
        }
    }

    package mutating func intset(_ bytes: RawSpan, count: Int) {
        elementCount = count
        // The ends of a sorted run of integers have the most digits.
        let members = IntsetMembers(bytes)
        if let first = members.first, let last = members.last {
            largestElement = max(DecimalText.byteCount(of: first), DecimalText.byteCount(of: last))
        }
        memory.intset(bytes, count: count)
    }

    package mutating func streamNode(
        _ listpack: RawSpan,
        master: StreamID,
        liveCount: Int
    ) throws(RDBError) {
        elementCount += liveCount
        largestElement = max(largestElement, try largestElement(of: listpack, stride: 1))
        memory.streamNode(listpack.byteCount, master: master)
    }

    package mutating func streamEntry(_ id: StreamID, fieldCount: Int) {
        elementCount += 1
    }

    package mutating func streamField(_ field: PackedValue, value: PackedValue) {
        note(max(field.byteCount, value.byteCount))
    }

    package var largestWholeName: Int { 1 << 16 }

    package mutating func streamNamePart(
        _ bytes: RawSpan,
        at offset: Int,
        of byteCount: Int,
        _ role: StreamNameRole
    ) {
        longNameByteCount = byteCount
    }

    package mutating func streamGroup(_ name: PackedValue, _ group: StreamGroup) {
        memory.streamGroup(longNameByteCount.take() ?? name.byteCount)
    }

    package mutating func pendingEntry(_ entry: PendingEntry) {
        memory.pendingEntry(entry.id)
    }

    package mutating func streamConsumer(_ name: PackedValue, _ consumer: StreamConsumer) {
        memory.streamConsumer(longNameByteCount.take() ?? name.byteCount)
    }

    package mutating func consumerPending(_ id: StreamID) {
        memory.consumerPending(id)
    }

    package mutating func module(_ module: ModuleID) {
        self.module = module
    }

    package mutating func moduleItem(_ item: ModuleItem) {
        elementCount += 1
        if case .string(let text) = item { largestElement = max(largestElement, text.byteCount) }
        memory.moduleItem(item)
    }

    @inline(__always)
    private mutating func count(_ byteCount: Int) {
        elementCount += 1
        note(byteCount)
    }

    @inline(__always)
    private mutating func note(_ byteCount: Int) {
        if byteCount > largestElement { largestElement = byteCount }
    }

    /// The largest run of `stride` elements, of which in a sorted set every second is a score.
    private func largestElement(of listpack: RawSpan, stride: Int) throws(RDBError) -> Int {
        let skipsSecond = kind == .sortedSet
        var largest = 0
        var reader = try ElementReader(listpack)
        while let element = try reader.next() {
            var byteCount = element.byteCount
            if stride == 2 { byteCount += try reader.require().byteCount }
            if skipsSecond { _ = try reader.require() }
            if byteCount > largest { largest = byteCount }
        }
        return largest
    }
}
