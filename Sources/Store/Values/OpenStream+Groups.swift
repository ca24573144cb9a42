import Bytes
import Structures

extension OpenStream {
    /// Adds a group; nil if the name is taken.
    @discardableResult
    package func addGroup(
        _ name: RawSpan,
        after id: StreamEntryID,
        entriesRead: Int64?
    ) -> ConsumerGroup? {
        guard value.group(named: name) == nil else { return nil }
        let head = unsafe Stream.GroupHead(
            pending: OrderedMap(arena: open.arena),
            consumers: NamedList(arena: open.arena),
            lastDeliveredID: id,
            entriesRead: entriesRead ?? -1
        )
        return unsafe ConsumerGroup(head: stream.pointee.groups.insert(name, head))
    }

    /// Removes a group with what is pending for it, much of it in steps later; false if it is
    /// not there.
    package func removeGroup(_ name: RawSpan) -> Bool {
        let (index, isThere) = unsafe stream.pointee.groups.search(name)
        guard isThere else { return false }
        // Buried as a stream that has nothing else.
        let remains = unsafe Stream.allocate(in: open.arena)
        let group = unsafe stream.pointee.groups.take(at: index)
        unsafe remains.pointee.groups.append(group)
        if let reader = unsafe stream.pointee.reader, unsafe reader.keep(remains, of: group) {
            return true
        }
        unsafe open.keyspace.environment.bury(.stream, UnsafeMutableRawPointer(remains))
        return true
    }

    /// Sets what a group has been given.
    package func setPosition(
        of group: ConsumerGroup,
        _ id: StreamEntryID,
        entriesRead: Int64?
    ) {
        unsafe group.head.pointee.lastDeliveredID = id
        unsafe group.head.pointee.entriesRead = entriesRead ?? -1
    }

    /// Notes that a group was given the entry `id` and all before.
    package func advance(_ group: ConsumerGroup, to id: StreamEntryID) {
        guard id > group.lastDeliveredID else { return }
        var read = group.entriesRead
        let last = group.lastDeliveredID
        // Where entries behind the last one went, the count so far is of no use.
        if let known = read, last >= value.firstID, !value.mayHaveGaps(from: last) {
            read = known &+ 1
        } else if value.entriesAdded > 0 {
            read = value.entriesAdded(upTo: id)
        }
        setPosition(of: group, id, entriesRead: read)
    }

    /// Adds a consumer, whose name is not taken.
    package func addConsumer(
        _ name: RawSpan,
        to group: ConsumerGroup,
        seenTime: Int64,
        activeTime: Int64? = nil
    ) -> Consumer {
        let head = Stream.ConsumerHead(
            pending: OrderedMap(arena: open.arena),
            seenTime: seenTime,
            activeTime: activeTime ?? -1
        )
        return unsafe Consumer(head: group.head.pointee.consumers.insert(name, head))
    }

    /// Removes a consumer with what is pending for it; returns how many entries that were.
    package func removeConsumer(_ consumer: Consumer, from group: ConsumerGroup) -> Int {
        let count = consumer.pendingCount
        while let first = consumer.pending(atOrAfter: .zero) {
            _ = unsafe stream.pointee.removePending(first.id, of: group.head)
        }
        let index = unsafe group.head.pointee.consumers.search(consumer.name).index
        unsafe group.head.pointee.consumers.removeBlock(at: index)
        return count
    }

    package func setSeenTime(of consumer: Consumer, _ time: Int64) {
        unsafe consumer.head.pointee.seenTime = time
    }

    package func setActiveTime(of consumer: Consumer, _ time: Int64) {
        unsafe consumer.head.pointee.activeTime = time
    }

    /// Makes `id` pending for a consumer, whoever had it before.
    package func assign(
        _ id: StreamEntryID,
        to consumer: Consumer?,
        of group: ConsumerGroup,
        deliveryTime: Int64,
        deliveryCount: UInt64
    ) {
        let head = unsafe consumer?.head
        if let known = group.pending(at: id) {
            let pending = unsafe known.pending
            unsafe stream.pointee.passDoor(pending, id, of: group.head)
            let owner = unsafe pending.pointee.consumer
            unsafe pending.pointee.deliveryTime = deliveryTime
            unsafe pending.pointee.deliveryCount = deliveryCount
            guard unsafe owner != head else { return }
            unsafe owner?.pointee.pending.remove(id.bits)
            unsafe pending.pointee.consumer = head
            unsafe head?.pointee.pending.set(UInt64(UInt(bitPattern: pending)), at: id.bits)
            return
        }
        let block = unsafe open.arena.allocate(Stream.Pending.byteCount)
        let pending = unsafe block.bindMemory(to: Stream.Pending.self, capacity: 1)
        unsafe pending.initialize(
            to: Stream.Pending(
                consumer: head,
                deliveryTime: deliveryTime,
                deliveryCount: deliveryCount,
                seen: stream.pointee.seen
            )
        )
        let word = UInt64(UInt(bitPattern: pending))
        unsafe group.head.pointee.pending.set(word, at: id.bits)
        unsafe head?.pointee.pending.set(word, at: id.bits)
    }

    /// Lets an entry be pending no longer; false if it was not.
    package func acknowledge(_ id: StreamEntryID, in group: ConsumerGroup) -> Bool {
        unsafe stream.pointee.removePending(id, of: group.head)
    }
}
