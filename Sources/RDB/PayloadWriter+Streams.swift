import Bytes

/// Streams and module values.
extension PayloadWriter {
    var streamEncoding: Encoding {
        if target.accepts(.stream3) { return .stream3 }
        return target.accepts(.stream2) ? .stream2 : .stream1
    }

    /// Writes a node of a stream.
    public mutating func streamNode(
        _ listpack: RawSpan,
        master: StreamID,
        liveCount: Int
    ) throws(RDBError) {
        output.append(count: 16)
        append(raw: master)
        try output.append(string: listpack)
        countNode()
    }

    private mutating func countNode() {
        extent.nodeCount = (extent.nodeCount ?? 0) - 1
    }

    /// Writes the counters of a stream, as far as the target has them.
    public mutating func streamState(_ state: StreamState) throws(RDBError) {
        // Parts that were put aside are not counted.
        if case .nodes = phase {
            precondition(extent.nodeCount ?? 0 == 0, "not as many nodes as were announced")
        }
        output.append(number: state.length)
        append(state.lastID)
        if target.holdsStreamCounters {
            append(state.firstID)
            append(state.maximumDeletedID)
            output.append(number: state.entriesAdded)
        }
        output.append(count: state.groupCount)
    }

    /// Writes a consumer group.
    public mutating func streamGroup(
        _ name: PackedValue,
        _ group: StreamGroup
    ) throws(RDBError) {
        try finishConsumers()
        try output.append(string: name)
        append(group.lastDeliveredID)
        if target.holdsStreamCounters { output.append(number: group.entriesRead ?? .max) }
        output.append(count: group.pendingCount)
    }

    /// Writes a pending entry.
    public mutating func pendingEntry(_ entry: PendingEntry) throws(RDBError) {
        append(raw: entry.id)
        output.appendInteger(entry.deliveryTime)
        output.append(number: entry.deliveryCount)
        try output.flushIfFull()
    }

    /// Writes how many consumers the group has.
    public mutating func streamConsumers(count: Int) throws(RDBError) {
        if consumers.isOn {
            consumers.begin(count: count)
        } else {
            output.append(count: count)
        }
    }

    /// Writes a consumer.
    public mutating func streamConsumer(
        _ name: PackedValue,
        _ consumer: StreamConsumer
    ) throws(RDBError) {
        if consumers.isOn { return consumers.append(name.byteString, consumer) }
        try write(name, consumer)
    }

    private mutating func write(
        _ name: PackedValue,
        _ consumer: StreamConsumer
    ) throws(RDBError) {
        try output.append(string: name)
        output.appendInteger(consumer.seenTime)
        if target.holdsActiveTimes { output.appendInteger(consumer.activeTime ?? -1) }
        output.append(count: consumer.pendingCount)
    }

    /// Writes that a consumer owns a pending entry.
    public mutating func consumerPending(_ id: StreamID) throws(RDBError) {
        if consumers.isOn { return consumers.append(pending: id) }
        append(raw: id)
        try output.flushIfFull()
    }

    /// Gives a pending entry without an owner to a consumer made for that.
    public mutating func unownedPending(_ id: StreamID) throws(RDBError) {
        consumers.append(unowned: id)
    }

    mutating func finishConsumers() throws(RDBError) {
        guard let held = consumers.finish() else { return }
        output.append(count: held.count)
        for (name, consumer, pending) in held {
            try write(.bytes(name.bytes), consumer)
            for id in pending { append(raw: id) }
        }
    }

    private mutating func append(_ id: StreamID) {
        output.append(number: id.milliseconds)
        output.append(number: id.sequence)
    }

    private mutating func append(raw id: StreamID) {
        output.appendInteger(id.milliseconds.bigEndian)
        output.appendInteger(id.sequence.bigEndian)
    }

    /// Begins a module value.
    public mutating func module(_ module: ModuleID) throws(RDBError) {
        try open(.module)
        // Servers write the longest form, whatever the number.
        output.append(0x81)
        output.appendInteger(module.bits.bigEndian)
    }

    /// Writes a piece of a module value.
    public mutating func moduleItem(_ item: ModuleItem) throws(RDBError) {
        switch item {
        case .signed(let value):
            output.append(number: 1)
            output.append(number: UInt64(bitPattern: value))
        case .unsigned(let value):
            output.append(number: 2)
            output.append(number: value)
        case .float(let value):
            output.append(number: 3)
            output.appendInteger(value.bitPattern)
        case .double(let value):
            output.append(number: 4)
            output.appendInteger(value.bitPattern)
        case .string(let value):
            output.append(number: 5)
            try output.append(string: value)
        }
        try output.flushIfFull()
    }
}

/// The consumers of a group whose entries without an owner come after them in the file.
struct HeldConsumers {
    let isOn: Bool
    private var isOpen = false
    private var consumers: [(ByteString, StreamConsumer, [StreamID])] = []
    private var unowned: [StreamID] = []

    init(isOn: Bool = false) {
        self.isOn = isOn
    }

    mutating func begin(count: Int) {
        isOpen = true
    }

    mutating func append(_ name: ByteString, _ consumer: StreamConsumer) {
        consumers.append((name, consumer, []))
    }

    mutating func append(pending id: StreamID) {
        consumers[consumers.count - 1].2.append(id)
    }

    mutating func append(unowned id: StreamID) {
        unowned.append(id)
    }

    /// The consumers of the group, with one for what had no owner; nil outside a group.
    mutating func finish() -> [(ByteString, StreamConsumer, [StreamID])]? {
        guard isOpen else { return nil }
        isOpen = false
        var all = consumers
        if !unowned.isEmpty {
            let consumer = StreamConsumer(
                seenTime: 0,
                activeTime: nil,
                pendingCount: unowned.count
            )
            all.append(("unowned", consumer, unowned))
        }
        consumers.removeAll()
        unowned.removeAll()
        return all
    }
}
