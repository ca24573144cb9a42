import Bytes
import Structures

extension Stream {
    /// A stream in `arena` that holds the same, pending entries included.
    func copy(in arena: Arena) -> UnsafeMutablePointer<Stream> {
        let copy = unsafe Stream.allocate(in: arena)
        var next = unsafe nodes.first
        while let current = next {
            let listpack = unsafe UnsafeRawBufferPointer(StreamNode(bits: current.word).listpack)
            let node = unsafe StreamNode(copying: listpack.bytes, in: arena)
            unsafe copy.pointee.addNode(node, StreamEntryID(bits: current.key))
            next = unsafe nodes.entry(after: current.key)
        }
        unsafe copy.pointee.count = count
        unsafe copy.pointee.lastID = lastID
        unsafe copy.pointee.firstID = firstID
        unsafe copy.pointee.maximumDeletedID = maximumDeletedID
        unsafe copy.pointee.entriesAdded = entriesAdded
        for index in unsafe 0..<groups.count {
            unsafe Self.copy(groups[index], to: &copy.pointee, in: arena)
        }
        return unsafe copy
    }

    private static func copy(
        _ group: UnsafeMutablePointer<GroupHead>,
        to stream: inout Stream,
        in arena: Arena
    ) {
        let head = unsafe GroupHead(
            pending: OrderedMap(arena: arena),
            consumers: NamedList(arena: arena),
            lastDeliveredID: group.pointee.lastDeliveredID,
            entriesRead: group.pointee.entriesRead
        )
        let copy = unsafe stream.groups.insert(NamedList.name(of: group), head)
        for index in unsafe 0..<group.pointee.consumers.count {
            let consumer = unsafe group.pointee.consumers[index]
            let head = unsafe ConsumerHead(
                pending: OrderedMap(arena: arena),
                seenTime: consumer.pointee.seenTime,
                activeTime: consumer.pointee.activeTime
            )
            let name = unsafe NamedList.name(of: consumer)
            let copied = unsafe copy.pointee.consumers.insert(name, head)
            var next = unsafe consumer.pointee.pending.first
            while let current = next {
                let block = unsafe arena.allocate(Pending.byteCount)
                let pending = unsafe block.bindMemory(to: Pending.self, capacity: 1)
                unsafe pending.initialize(to: Pending.at(current.word).pointee)
                unsafe pending.pointee.consumer = copied
                unsafe pending.pointee.seen = stream.seen
                let word = UInt64(UInt(bitPattern: pending))
                unsafe copied.pointee.pending.set(word, at: current.key)
                unsafe copy.pointee.pending.set(word, at: current.key)
                next = unsafe consumer.pointee.pending.entry(after: current.key)
            }
        }
    }
}

extension Keyspace {
    func copyStream(_ entry: Entry, to key: RawSpan, in destination: Keyspace) {
        let copy = unsafe entry.stream.stream.pointee.copy(in: arena)
        _ = unsafe destination.insert(
            key,
            .stream,
            pointer: UnsafeMutableRawPointer(copy),
            deadline: entry.deadline
        )
    }
}
