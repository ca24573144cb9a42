import Bytes
import RDB

/// A measure and a digest of the same value in one walk.
struct MeasureAndDigest: PayloadVisitor {
    var measure: ValueMeasure
    var digest = ValueDigest()

    mutating func begin(_ encoding: Encoding) -> Reporting {
        _ = measure.begin(encoding)
        return digest.begin(encoding)
    }

    mutating func end() {
        measure.end()
        digest.end()
    }

    var largestWholeString: Int { measure.largestWholeString }

    mutating func string(_ value: PackedValue) {
        measure.string(value)
        digest.string(value)
    }

    mutating func stringPart(_ bytes: RawSpan, at offset: Int, of byteCount: Int) {
        measure.stringPart(bytes, at: offset, of: byteCount)
        digest.stringPart(bytes, at: offset, of: byteCount)
    }

    var largestWholeElement: Int { measure.largestWholeElement }

    mutating func elementPart(
        _ bytes: RawSpan,
        at offset: Int,
        of byteCount: Int,
        _ role: ElementRole
    ) {
        measure.elementPart(bytes, at: offset, of: byteCount, role)
        digest.elementPart(bytes, at: offset, of: byteCount, role)
    }

    mutating func endElement(score: Double?, deadline: Int64?) {
        measure.endElement(score: score, deadline: deadline)
        digest.endElement(score: score, deadline: deadline)
    }

    var largestWholePacked: Int { measure.largestWholePacked }

    mutating func beginLongNode(byteCount: Int, master: StreamID?) {
        measure.beginLongNode(byteCount: byteCount, master: master)
    }

    mutating func endLongNode() {
        measure.endLongNode()
    }

    mutating func listElement(_ element: PackedValue) {
        measure.listElement(element)
        digest.listElement(element)
    }

    mutating func listNode(_ listpack: RawSpan, count: Int) throws(RDBError) {
        try measure.listNode(listpack, count: count)
        try digest.listNode(listpack, count: count)
    }

    mutating func setMember(_ member: PackedValue) {
        measure.setMember(member)
        digest.setMember(member)
    }

    mutating func sortedSetMember(_ member: PackedValue, score: Double) {
        measure.sortedSetMember(member, score: score)
        digest.sortedSetMember(member, score: score)
    }

    mutating func hashField(_ field: PackedValue, value: PackedValue, deadline: Int64?) {
        measure.hashField(field, value: value, deadline: deadline)
        digest.hashField(field, value: value, deadline: deadline)
    }

    mutating func listpack(_ bytes: RawSpan, count: Int) throws(RDBError) {
        try measure.listpack(bytes, count: count)
        try digest.listpack(bytes, count: count)
    }

    mutating func intset(_ bytes: RawSpan, count: Int) throws(RDBError) {
        measure.intset(bytes, count: count)
        try digest.intset(bytes, count: count)
    }

    mutating func streamNode(
        _ listpack: RawSpan,
        master: StreamID,
        liveCount: Int
    ) throws(RDBError) {
        try measure.streamNode(listpack, master: master, liveCount: liveCount)
        try digest.streamNode(listpack, master: master, liveCount: liveCount)
    }

    mutating func streamEntry(_ id: StreamID, fieldCount: Int) {
        measure.streamEntry(id, fieldCount: fieldCount)
        digest.streamEntry(id, fieldCount: fieldCount)
    }

    mutating func streamField(_ field: PackedValue, value: PackedValue) {
        measure.streamField(field, value: value)
        digest.streamField(field, value: value)
    }

    mutating func streamState(_ state: StreamState) {
        digest.streamState(state)
    }

    var largestWholeName: Int { measure.largestWholeName }

    mutating func streamNamePart(
        _ bytes: RawSpan,
        at offset: Int,
        of byteCount: Int,
        _ role: StreamNameRole
    ) {
        measure.streamNamePart(bytes, at: offset, of: byteCount, role)
        digest.streamNamePart(bytes, at: offset, of: byteCount, role)
    }

    mutating func streamGroup(_ name: PackedValue, _ group: StreamGroup) {
        measure.streamGroup(name, group)
        digest.streamGroup(name, group)
    }

    mutating func pendingEntry(_ entry: PendingEntry) {
        measure.pendingEntry(entry)
        digest.pendingEntry(entry)
    }

    mutating func streamConsumer(_ name: PackedValue, _ consumer: StreamConsumer) {
        measure.streamConsumer(name, consumer)
        digest.streamConsumer(name, consumer)
    }

    mutating func consumerPending(_ id: StreamID) {
        measure.consumerPending(id)
        digest.consumerPending(id)
    }

    mutating func producedEntry(producer: PackedValue, key: PackedValue, id: StreamID) {
        digest.producedEntry(producer: producer, key: key, id: id)
    }

    mutating func module(_ module: ModuleID) {
        measure.module(module)
        digest.module(module)
    }

    mutating func moduleItem(_ item: ModuleItem) {
        measure.moduleItem(item)
        digest.moduleItem(item)
    }
}
