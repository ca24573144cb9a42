import Bytes
import Structures

/// A consumer group of a stream; valid until the stream loses groups.
@safe
package struct ConsumerGroup {
    let head: UnsafeMutablePointer<Stream.GroupHead>

    package var name: RawSpan {
        @_lifetime(borrow self)
        get { unsafe _overrideLifetime(NamedList.name(of: head), borrowing: self) }
    }

    /// The last entry that was given to a consumer.
    package var lastDeliveredID: StreamEntryID { unsafe head.pointee.lastDeliveredID }

    /// How many entries were read up to that one; nil if not known.
    package var entriesRead: Int64? {
        let read = unsafe head.pointee.entriesRead
        return read == -1 ? nil : read
    }

    package var pendingCount: Int { unsafe head.pointee.pending.count }

    /// The first pending entry with this id or a greater one.
    package func pending(atOrAfter id: StreamEntryID) -> PendingDelivery? {
        unsafe head.pointee.pending.entry(atOrAfter: id.bits).map { PendingDelivery($0) }
    }

    /// The last pending entry.
    package var lastPending: PendingDelivery? {
        unsafe head.pointee.pending.last.map { PendingDelivery($0) }
    }

    /// The pending entry with this id.
    package func pending(at id: StreamEntryID) -> PendingDelivery? {
        unsafe head.pointee.pending.word(at: id.bits).map { PendingDelivery(id, $0) }
    }

    package var consumerCount: Int { unsafe head.pointee.consumers.count }

    /// The consumer at a place in the order of their names.
    package func consumer(at index: Int) -> Consumer {
        unsafe Consumer(head: head.pointee.consumers[index])
    }

    package func consumer(named name: RawSpan) -> Consumer? {
        unsafe head.pointee.consumers.find(name).map { unsafe Consumer(head: $0) }
    }
}

/// A consumer of a group; valid until the group loses consumers.
@safe
package struct Consumer: Equatable {
    let head: UnsafeMutablePointer<Stream.ConsumerHead>

    package var name: RawSpan {
        @_lifetime(borrow self)
        get { unsafe _overrideLifetime(NamedList.name(of: head), borrowing: self) }
    }

    /// When it asked last, in milliseconds since 1970.
    package var seenTime: Int64 { unsafe head.pointee.seenTime }

    /// When it was given an entry last; nil if never.
    package var activeTime: Int64? {
        let time = unsafe head.pointee.activeTime
        return time == -1 ? nil : time
    }

    package var pendingCount: Int { unsafe head.pointee.pending.count }

    /// The first of its pending entries with this id or a greater one.
    package func pending(atOrAfter id: StreamEntryID) -> PendingDelivery? {
        unsafe head.pointee.pending.entry(atOrAfter: id.bits).map { PendingDelivery($0) }
    }

    package static func == (one: Consumer, other: Consumer) -> Bool {
        unsafe one.head == other.head
    }
}

/// An entry that was delivered to a consumer and not acknowledged; it may be deleted since.
@safe
package struct PendingDelivery {
    package let id: StreamEntryID
    let pending: UnsafeMutablePointer<Stream.Pending>

    init(_ id: StreamEntryID, _ word: UInt64) {
        self.id = id
        unsafe pending = Stream.Pending.at(word)
    }

    init(_ entry: OrderedMap.Entry) {
        self.init(StreamEntryID(bits: entry.key), entry.word)
    }

    /// Who has it; nil only while a file is loaded.
    package var consumer: Consumer? {
        unsafe pending.pointee.consumer.map { unsafe Consumer(head: $0) }
    }

    /// When it was delivered last, in milliseconds since 1970.
    package var deliveryTime: Int64 { unsafe pending.pointee.deliveryTime }

    package var deliveryCount: UInt64 { unsafe pending.pointee.deliveryCount }
}

extension StreamValue {
    package var groupCount: Int { unsafe stream.pointee.groups.count }

    /// The group at a place in the order of their names.
    package func group(at index: Int) -> ConsumerGroup {
        unsafe ConsumerGroup(head: stream.pointee.groups[index])
    }

    package func group(named name: RawSpan) -> ConsumerGroup? {
        unsafe stream.pointee.groups.find(name).map { unsafe ConsumerGroup(head: $0) }
    }
}
