import Bytes
import Structures

/// A stream that a snapshot reads node by node, and then pending entry by pending entry.
///
/// What there is once, and names, are noted when the stream is cut. Nodes have an order: one that
/// changes before its turn is put aside under a number of its own, and fetched before the walk
/// passes its id. The pending entries of a group have none; and since each is in the file twice,
/// with its group and with its consumer, what belongs to consumers is always put aside.
///
/// A group that is destroyed meanwhile is kept until its pending entries were shown.
@safe
package final class LargeStream: LargeValue {
    /// What the file says of a stream besides its nodes.
    package struct State {
        package let count: Int
        package let lastID: StreamEntryID
        package let firstID: StreamEntryID
        package let maximumDeletedID: StreamEntryID
        package let entriesAdded: UInt64
        package let groupCount: Int
    }

    /// A consumer group when the stream was cut, its pending entries aside.
    @safe
    package final class Group {
        package let name: ByteString
        package let lastDeliveredID: StreamEntryID
        package let entriesRead: Int64?
        package let pendingCount: Int
        package let consumers: [Consumer]
        fileprivate let head: UnsafeMutablePointer<Stream.GroupHead>
        /// Pending entries that were put aside.
        fileprivate let number: Int
        /// All pending entries before were shown.
        fileprivate var next = StreamEntryID.zero
        fileprivate var isThrough = false
        /// What owns the group since it was destroyed.
        fileprivate var remains: UnsafeMutablePointer<Stream>?

        fileprivate init(_ group: ConsumerGroup, _ walk: SnapshotWalk) {
            name = ByteString(group.name)
            lastDeliveredID = group.lastDeliveredID
            entriesRead = group.entriesRead
            pendingCount = group.pendingCount
            unsafe head = group.head
            number = walk.nextNumber()
            unsafe remains = nil
            var consumers: [Consumer] = []
            for index in 0..<group.consumerCount {
                consumers.append(Consumer(group.consumer(at: index), walk.nextNumber()))
            }
            self.consumers = consumers
        }
    }

    /// A consumer when the stream was cut.
    package struct Consumer {
        package let name: ByteString
        package let seenTime: Int64
        package let activeTime: Int64?
        package let pendingCount: Int
        /// The ids of its pending entries, which were put aside.
        fileprivate let number: Int
        fileprivate let address: UInt

        fileprivate init(_ consumer: Store.Consumer, _ number: Int) {
            name = ByteString(consumer.name)
            seenTime = consumer.seenTime
            activeTime = consumer.activeTime
            pendingCount = consumer.pendingCount
            self.number = number
            unsafe address = UInt(bitPattern: consumer.head)
        }
    }

    private let state: State
    private let groups: [Group]
    /// Groups, and the numbers of consumers, by the address of their heads.
    private var groupIndices: [UInt: Int] = [:]
    private var consumerNumbers: [UInt: Int] = [:]
    /// No node before this id is left to show.
    private var nextNode: UInt128? = 0
    /// Nodes that were put aside and not fetched, in order, from `fetchedCount` on.
    private var aside: [(key: UInt128, number: Int)] = []
    private var fetchedCount = 0
    /// What of the record is written next.
    private var stage = Stage.nodes

    private enum Stage: Equatable {
        case nodes
        /// The pending entries of this group, whose head is written.
        case group(Int)
        case complete
    }

    private var stream: UnsafeMutablePointer<Stream> {
        unsafe structure.assumingMemoryBound(to: Stream.self)
    }

    init(_ entry: Entry, _ number: Int, _ walk: SnapshotWalk) {
        let value = entry.stream
        state = State(
            count: value.count,
            lastID: value.lastID,
            firstID: value.firstID,
            maximumDeletedID: value.maximumDeletedID,
            entriesAdded: value.entriesAdded,
            groupCount: value.groupCount
        )
        groups = (0..<value.groupCount).map { Group(value.group(at: $0), walk) }
        super.init(
            entry,
            .stream(nodeCount: value.nodeCount),
            byteCount: entry.structureByteCount(samples: 64),
            database: number,
            for: walk
        )
        for (index, group) in groups.enumerated() {
            unsafe groupIndices[UInt(bitPattern: group.head)] = index
            for consumer in group.consumers {
                consumerNumbers[consumer.address] = consumer.number
            }
        }
        unsafe stream.pointee.beginWalk(self)
    }

    override var isComplete: Bool { isThrough && (walk.sink == nil || stage == .complete) }

    override func readNext() {
        guard isCurrent, let sink = walk.sink else { return showNext() }
        switch stage {
        case .nodes: writeNextNode(to: sink)
        case .group(let index): writeNextPending(of: index, to: sink)
        case .complete: break
        }
    }

    // What the stream shows before it changes.

    /// Puts a node aside that is about to change.
    func take(_ node: StreamNode, at key: UInt128) {
        guard walk.sink != nil else { return }
        let number = walk.nextNumber()
        var low = fetchedCount
        var high = aside.count
        while low < high {
            let middle = (low + high) / 2
            if aside[middle].key < key { low = middle + 1 } else { high = middle }
        }
        aside.insert((key, number), at: low)
        unsafe show(node, at: key, aside: number)
    }

    /// Puts a pending entry aside that is about to change.
    func take(
        _ pending: UnsafeMutablePointer<Stream.Pending>,
        _ id: StreamEntryID,
        of group: UnsafeMutablePointer<Stream.GroupHead>
    ) {
        guard let index = groupIndices[UInt(bitPattern: group)] else { return }
        // What was put aside was fetched when the group began.
        let isBeingWritten = isCurrent && stage == .group(index)
        unsafe show(pending, id, aside: isBeingWritten ? nil : groups[index].number)
    }

    /// Keeps a group that was destroyed until it was shown; returns false if it need not be.
    func keep(
        _ remains: UnsafeMutablePointer<Stream>,
        of group: UnsafeMutablePointer<Stream.GroupHead>
    ) -> Bool {
        guard let index = groupIndices.removeValue(forKey: UInt(bitPattern: group)),
            !groups[index].isThrough
        else { return false }
        unsafe groups[index].remains = unsafe remains
        return true
    }

    private func show(_ node: StreamNode, at key: UInt128, aside number: Int?) {
        let listpack = unsafe UnsafeRawBufferPointer(node.listpack)
        walk.note(listpack.count)
        part(aside: number) {
            unsafe $0.node(
                listpack.bytes,
                master: StreamEntryID(bits: key),
                liveCount: node.liveCount
            )
        }
    }

    private func show(
        _ pending: UnsafeMutablePointer<Stream.Pending>,
        _ id: StreamEntryID,
        aside number: Int?
    ) {
        part(aside: number) {
            unsafe $0.pending(
                id,
                deliveryTime: pending.pointee.deliveryTime,
                deliveryCount: pending.pointee.deliveryCount
            )
        }
        let consumer = unsafe UInt(bitPattern: pending.pointee.consumer)
        guard let number = consumerNumbers[consumer] else { return }
        part(aside: number) { $0.pending(id) }
    }

    private func part(aside number: Int?, _ body: (any SnapshotSink) -> Void) {
        guard let sink = walk.sink else { return }
        sink.beginPart(of: self, aside: number)
        body(sink)
        sink.endPart()
    }

    // The walk.

    /// Shows the next part, while the record is not being written.
    private func showNext() {
        if let next = unsafe nextUnseenNode() {
            return unsafe take(next.node, at: next.key)
        }
        for group in groups where !group.isThrough {
            if let next = unsafe nextUnseenPending(of: group) {
                unsafe show(next.pending, next.id, aside: group.number)
            }
            return
        }
        finish()
    }

    /// The next node that was not shown, which now counts as such.
    private func nextUnseenNode() -> (key: UInt128, node: StreamNode)? {
        guard let place = unseenPlace() else { return nil }
        nextNode = place.key == .max ? nil : place.key + 1
        let node = unsafe stream.pointee.node(at: place.word)
        unsafe stream.pointee.noteSeen(node)
        return unsafe (place.key, node)
    }

    /// Where the next node is that was not shown; steps over those that were.
    private func unseenPlace() -> OrderedMap.Entry? {
        while let next = nextNode {
            guard let place = unsafe stream.pointee.nodes.entry(atOrAfter: next) else {
                nextNode = nil
                return nil
            }
            if unsafe !stream.pointee.isSeen(stream.pointee.node(at: place.word)) { return place }
            nextNode = place.key == .max ? nil : place.key + 1
        }
        return nil
    }

    /// The next pending entry of a group that was not shown, which now counts as such; nil at
    /// the end of the group, and after one that was shown.
    private func nextUnseenPending(
        of group: Group
    ) -> (id: StreamEntryID, pending: UnsafeMutablePointer<Stream.Pending>)? {
        // A group that is destroyed keeps its head.
        guard let entry = unsafe group.head.pointee.pending.entry(atOrAfter: group.next.bits)
        else {
            endGroup(group)
            return nil
        }
        let id = StreamEntryID(bits: entry.key)
        let pending = unsafe Stream.Pending.at(entry.word)
        if let next = id.next { group.next = next } else { endGroup(group) }
        guard unsafe stream.pointee.noteSeen(pending) else { return nil }
        return unsafe (id, pending)
    }

    private func endGroup(_ group: Group) {
        group.isThrough = true
        if let remains = unsafe group.remains {
            unsafe walk.environment.bury(.stream, UnsafeMutableRawPointer(remains))
            unsafe group.remains = nil
        }
    }

    private func finish() {
        guard !isThrough else { return }
        unsafe stream.pointee.endWalk()
        noteThrough()
    }

    // The record.

    private func writeNextNode(to sink: any SnapshotSink) {
        let place = isThrough ? nil : unseenPlace()
        if fetchedCount < aside.count, place.map({ aside[fetchedCount].key < $0.key }) ?? true {
            sink.fetch(aside[fetchedCount].number)
            fetchedCount += 1
            return
        }
        if place != nil, let next = unsafe nextUnseenNode() {
            return unsafe show(next.node, at: next.key, aside: nil)
        }
        part(aside: nil) { $0.state(state) }
        begin(group: 0, of: sink)
    }

    private func begin(group index: Int, of sink: any SnapshotSink) {
        guard index < groups.count else {
            stage = .complete
            return finish()
        }
        let group = groups[index]
        part(aside: nil) { $0.group(group) }
        sink.fetch(group.number)
        stage = .group(index)
    }

    private func writeNextPending(of index: Int, to sink: any SnapshotSink) {
        let group = groups[index]
        if !group.isThrough {
            guard let next = unsafe nextUnseenPending(of: group) else { return }
            return unsafe show(next.pending, next.id, aside: nil)
        }
        part(aside: nil) { $0.consumers(group.consumers.count) }
        for consumer in group.consumers {
            part(aside: nil) { $0.consumer(consumer) }
            sink.fetch(consumer.number)
        }
        begin(group: index + 1, of: sink)
    }
}

extension Stream {
    /// Lets `reader` have every node and pending entry as it is now, before it changes.
    mutating func beginWalk(_ reader: LargeStream) {
        unsafe seen ^= 1
        unsafe self.reader = reader
    }

    mutating func endWalk() {
        unsafe reader = nil
    }

    func isSeen(_ node: StreamNode) -> Bool { unsafe node.seen == seen }

    func noteSeen(_ node: StreamNode) {
        unsafe node.seen = seen
    }

    /// Notes that a pending entry was shown; returns false if it was before.
    func noteSeen(_ pending: UnsafeMutablePointer<Pending>) -> Bool {
        guard unsafe pending.pointee.seen != seen else { return false }
        unsafe pending.pointee.seen = seen
        return true
    }

    /// Shows a node that is about to change, unless it was shown.
    func passDoor(_ node: StreamNode, at key: UInt128) {
        guard let reader = unsafe reader, unsafe !isSeen(node) else { return }
        unsafe noteSeen(node)
        unsafe reader.take(node, at: key)
    }

    /// Shows a pending entry that is about to change, unless it was shown.
    func passDoor(
        _ pending: UnsafeMutablePointer<Pending>,
        _ id: StreamEntryID,
        of group: UnsafeMutablePointer<GroupHead>
    ) {
        guard let reader = unsafe reader, unsafe noteSeen(pending) else { return }
        unsafe reader.take(pending, id, of: group)
    }
}
