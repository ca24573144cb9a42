import Bytes

/// Writes values as payloads of a target.
///
/// A visitor: what a walk reports, it writes, so that rewriting a value is a walk into a writer.
/// Whoever has a value of another origin makes the same calls: `begin` with the encoding it comes
/// closest to, `announce` with the count, the elements, `end`. Exactly as many elements must
/// come as were announced. Collections within the target's limits are held back until they are
/// complete and packed then; larger ones stream through.
///
/// What the target cannot hold is an error before a byte of the value is written.
public struct PayloadWriter: PayloadVisitor, ~Copyable {
    /// What is written for.
    public let target: Target
    /// What may be left out without an error.
    public var permittedLosses: Losses = []

    var output: Output
    /// What precedes the type byte: the deadline and hints of a key.
    var prefix = ByteWriter()
    /// What follows the type byte.
    var key = ByteWriter()
    /// Whether prefix and key are still to be written.
    var hasKey = false

    private var source = Encoding.string
    private var extent = Extent()
    private var phase = Phase.idle
    /// Elements that were announced and are still to come.
    private var remaining = 0

    /// Elements held back.
    private var held = ListpackWriter()
    private var isHoldingIntegersOnly = true
    private var isTooLarge = false
    private var heldDeadlines: [Int64] = []
    private var heldScores: [Double] = []

    /// Nothing, or consumers of a stream that may need one more.
    private var consumers = HeldConsumers()

    /// What may be left out without an error.
    public struct Losses: OptionSet, Sendable {
        /// The set as bits.
        public let rawValue: UInt8

        /// A set of the given bits.
        public init(rawValue: UInt8) {
            self.rawValue = rawValue
        }

        /// Ids of idempotent producers: duplicates are found anew from here on.
        public static let producers = Losses(rawValue: 1)
        /// That pending entries have no owner: a consumer called `unowned` gets them.
        public static let unownedPending = Losses(rawValue: 2)
    }

    private enum Phase {
        case idle
        /// Waiting for a string, an announcement or something whole.
        case begun
        /// Holding elements back.
        case holding
        /// Passing elements on.
        case streaming(DeadlineForm)
        /// Passing nodes on.
        case nodes
        /// A string in parts.
        case parts
    }

    private enum DeadlineForm {
        case none
        /// After each value.
        case absolute
        /// Before each field, from this base on.
        case relative(Int64)
    }

    /// A writer of payloads that are kept until `finishPayload`.
    public init(for target: Target, isCompressing: Bool = true) {
        self.target = target
        output = Output(nil, isCompressing: isCompressing)
    }

    init(for target: Target, _ output: consuming Output) {
        self.target = target
        self.output = output
    }

    /// Adds the footer to the value written last and hands the payload to `body`.
    public mutating func finishPayload<Failure: Error>(
        _ body: (RawSpan) throws(Failure) -> Void
    ) throws(Failure) {
        guard case .idle = phase else { preconditionFailure("the value has not ended") }
        output.appendInteger(UInt16(target.format.version))
        output.appendInteger(CRC64.checksum(output.buffer.bytes))
        defer { output.removeAll() }
        try body(output.buffer.bytes)
    }

    /// Forgets a value that was begun.
    public mutating func cancel() {
        phase = .idle
        held.removeAll()
        heldDeadlines.removeAll()
        heldScores.removeAll()
        prefix.removeAll()
        key.removeAll(keepingCapacityUpTo: Output.chunkByteCount)
        hasKey = false
    }

    // MARK: Beginning and ending

    /// Begins a value of the kind of `encoding`.
    ///
    /// Throws if the target has nothing of that kind, or no place for what the encoding is there
    /// for: a hash whose deadlines are to be left out begins as `.hash`.
    public mutating func begin(_ encoding: Encoding) throws(RDBError) -> Reporting {
        guard case .idle = phase else { preconditionFailure("the value before has not ended") }
        switch encoding {
        case .moduleBeforeRelease, .array, .rateLimiter:
            throw unsupported("\(encoding.name) values")
        case .stream4, .stream5:
            if !target.accepts(.stream4), !permittedLosses.contains(.producers) {
                throw unsupported("ids of stream producers")
            }
            if encoding == .stream5, !permittedLosses.contains(.unownedPending) {
                throw unsupported("pending entries without an owner")
            }
        case _ where encoding.hasFieldDeadlines && !target.holdsFieldDeadlines:
            throw unsupported("deadlines of hash fields")
        default: break
        }
        source = encoding
        extent = Extent()
        phase = .begun
        isHoldingIntegersOnly = true
        consumers = HeldConsumers(isOn: encoding == .stream5)
        return .encoded
    }

    /// Takes how large the value is, and decides whether to hold its elements back.
    public mutating func announce(_ extent: Extent) throws(RDBError) {
        guard case .begun = phase else { preconditionFailure("announced after it began") }
        self.extent = extent
        remaining = extent.count ?? 0
        let limit: Int
        switch source.kind {
        case .string, .module, .other: return
        case .stream:
            try open(streamEncoding)
            output.append(count: extent.nodeCount ?? 0)
            phase = .nodes
            return
        case .list:
            if let nodes = extent.nodeCount {
                try open(target.hasListpacks ? .listQuicklist2 : .listQuicklist)
                output.append(count: nodes)
                remaining = nodes
                phase = .nodes
                return
            }
            limit = Target.maximumListNodeByteCount
        case .set: limit = Target.maximumIntsetMembers
        case .sortedSet: limit = Target.maximumPackedScores
        case .hash: limit = Target.maximumPackedFields
        }
        // Larger ones stream, but not before it is known that they do not come whole.
        isTooLarge = remaining > limit
        phase = .holding
    }

    /// Ends the value.
    public mutating func end() throws(RDBError) {
        switch phase {
        case .holding:
            precondition(remaining == 0, "fewer elements than were announced")
            try finishHeld()
        case .streaming, .nodes:
            precondition(remaining == 0, "fewer elements or nodes than were announced")
            if source.kind == .stream { try finishConsumers() }
        case .begun where source.kind == .module:
            output.append(0)
        case .begun, .parts:
            break
        case .idle:
            preconditionFailure("no value has begun")
        }
        phase = .idle
        heldDeadlines.removeAll()
        try output.flushIfFull()
    }

    /// Writes what precedes a value: from here on there is no way back.
    mutating func open(_ encoding: Encoding) throws(RDBError) {
        guard hasKey else { return output.append(encoding.typeByte) }
        hasKey = false
        // Taken out while the output changes.
        var taken = ByteWriter()
        swap(&taken, &prefix)
        try output.append(taken.bytes)
        output.append(encoding.typeByte)
        swap(&taken, &prefix)
        swap(&taken, &key)
        try output.append(string: taken.bytes)
        swap(&taken, &key)
    }

    private func unsupported(_ what: String) -> RDBError {
        RDBError(.unsupportedByTarget, at: output.count, "\(target.name) has no \(what)")
    }

    // MARK: Strings

    /// A string may come in parts.
    public var largestWholeString: Int { Output.chunkByteCount * 16 }

    /// Writes a string value.
    public mutating func string(_ value: PackedValue) throws(RDBError) {
        try open(.string)
        try output.append(string: value)
    }

    /// Writes a part of a string value, uncompressed.
    public mutating func stringPart(
        _ bytes: RawSpan,
        at offset: Int,
        of byteCount: Int
    ) throws(RDBError) {
        if offset == 0, bytes.byteCount == byteCount { return try string(.bytes(bytes)) }
        if offset == 0 {
            try open(.string)
            output.append(count: byteCount)
        }
        phase = .parts
        try output.append(bytes)
    }

    // MARK: Elements

    /// Writes an element of a list.
    public mutating func listElement(_ element: PackedValue) throws(RDBError) {
        try beginElement()
        switch phase {
        case .nodes: try writeLargeElement(element)
        case .holding:
            hold(element)
            if held.byteCount > Target.maximumListNodeByteCount { try stream() }
        default: try output.append(string: element)
        }
    }

    /// Writes a member of a set.
    public mutating func setMember(_ member: PackedValue) throws(RDBError) {
        try beginElement()
        guard case .holding = phase else { return try output.append(string: member) }
        hold(member)
        let isPackable =
            target.hasSetListpacks && (extent.count ?? 0) <= Target.maximumPackedMembers
            && member.byteCount <= Target.maximumPackedElement
        // Integers are short enough for a listpack, should another member not be one.
        if !isHoldingIntegersOnly, !isPackable { try stream() }
    }

    /// Writes a member of a sorted set.
    public mutating func sortedSetMember(
        _ member: PackedValue,
        score: Double
    ) throws(RDBError) {
        try beginElement()
        guard case .holding = phase else {
            try output.append(string: member)
            return output.appendInteger(score.bitPattern)
        }
        hold(member)
        heldScores.append(score)
        if member.byteCount > Target.maximumPackedElement { try stream() }
    }

    /// Writes a field of a hash.
    public mutating func hashField(
        _ field: PackedValue,
        value: PackedValue,
        deadline: Int64?
    ) throws(RDBError) {
        try beginElement()
        guard case .holding = phase else {
            return try write(field, value, deadline ?? Self.noDeadline)
        }
        if deadline != nil { try checkDeadline(deadline) }
        hold(field)
        hold(value)
        // Zero means none to some servers and long ago to others.
        heldDeadlines.append(deadline.map { max($0, 1) } ?? Self.noDeadline)
        if max(field.byteCount, value.byteCount) > Target.maximumPackedElement { try stream() }
    }

    private static let noDeadline: Int64 = -1

    private func checkDeadline(_ deadline: Int64?) throws(RDBError) {
        guard target.holdsFieldDeadlines else { throw unsupported("deadlines of hash fields") }
        if target.format.dialect == .redis, let deadline, deadline >= 1 << 48 {
            throw unsupported("deadlines of hash fields as late as \(deadline)")
        }
    }

    private mutating func beginElement() throws(RDBError) {
        precondition(remaining > 0, "more elements than were announced")
        if case .holding = phase, isTooLarge { try stream() }
        remaining -= 1
    }

    private mutating func hold(_ value: PackedValue) {
        switch value {
        case .integer(let integer): held.append(integer: integer)
        case .bytes(let bytes):
            if let integer = DecimalText.parseInteger(bytes) {
                held.append(integer: integer)
            } else {
                held.append(string: bytes)
                isHoldingIntegersOnly = false
            }
        }
    }

    /// Writes what was held back in the plain layout, and lets the rest follow.
    private mutating func stream() throws(RDBError) {
        let form = try deadlineForm()
        switch source.kind {
        case .list: try open(.list)
        case .set: try open(.set)
        case .sortedSet: try open(.sortedSet)
        default:
            switch form {
            case .none: try open(.hash)
            case .absolute: try open(.hashDeadlines)
            case .relative(let base):
                try open(.hashRelativeDeadlines)
                output.appendInteger(base)
            }
        }
        output.append(count: extent.count ?? 0)
        phase = .streaming(form)
        if held.count > 0 { try writeHeld() }
    }

    private func deadlineForm() throws(RDBError) -> DeadlineForm {
        let isNeeded =
            extent.hasFieldDeadlines
            && (remaining > 0 || heldDeadlines.contains { $0 != Self.noDeadline })
        guard source.kind == .hash, isNeeded else { return .none }
        try checkDeadline(nil)
        if target.format.dialect == .valkey { return .absolute }
        // A base of 1 leaves every deadline as it is.
        return .relative(max(extent.earliestDeadline ?? 1, 1))
    }

    private mutating func writeHeld() throws(RDBError) {
        var taken = ListpackWriter()
        swap(&taken, &held)
        try taken.finish { bytes throws(RDBError) in
            var reader = try PackedReader(bytes, offset: 0, checks: .bounds)
            var index = 0
            while let element = try reader.next() {
                switch source.kind {
                case .sortedSet:
                    try output.append(string: element)
                    output.appendInteger(heldScores[index].bitPattern)
                case .hash:
                    let value = try reader.require(.oddCount)
                    try write(element, value, heldDeadlines[index])
                default:
                    try output.append(string: element)
                }
                index += 1
            }
        }
        heldScores.removeAll()
        heldDeadlines.removeAll()
    }

    private mutating func write(
        _ field: PackedValue,
        _ value: PackedValue,
        _ deadline: Int64
    ) throws(RDBError) {
        guard case .streaming(let form) = phase else {
            preconditionFailure("a field before its hash was announced")
        }
        switch form {
        case .none:
            precondition(deadline == Self.noDeadline, "a deadline that was not announced")
            try output.append(string: field)
            try output.append(string: value)
        case .absolute:
            try output.append(string: field)
            try output.append(string: value)
            output.appendInteger(deadline == 0 ? 1 : deadline)
        case .relative(let base):
            if deadline == Self.noDeadline {
                output.append(number: 0)
            } else {
                try checkDeadline(deadline)
                output.append(number: UInt64(max(deadline - base + 1, 1)))
            }
            try output.append(string: field)
            try output.append(string: value)
        }
    }

    // MARK: Packed collections

    /// Writes a whole set, sorted set or hash.
    public mutating func listpack(_ bytes: RawSpan, count: Int) throws(RDBError) {
        precondition(remaining == count, "not as many elements as were announced")
        switch source.kind {
        case .set where !target.hasSetListpacks:
            return try writeMembers(of: bytes)
        case .set:
            try open(.setListpack)
        case .sortedSet:
            try open(target.hasListpacks ? .sortedSetListpack : .sortedSetZiplist)
        default:
            try open(target.hasListpacks ? .hashListpack : .hashZiplist)
        }
        try writePacked(bytes)
        remaining = 0
        phase = .streaming(.none)
    }

    /// Writes a whole set of integers.
    public mutating func intset(_ bytes: RawSpan, count: Int) throws(RDBError) {
        precondition(remaining == count, "not as many members as were announced")
        try open(.setIntset)
        try output.append(string: bytes)
        remaining = 0
        phase = .streaming(.none)
    }

    private mutating func writeMembers(of listpack: RawSpan) throws(RDBError) {
        var reader = try PackedReader(listpack, offset: 0, checks: .bounds)
        while let member = try reader.next() { try setMember(member) }
    }

    /// Writes a listpack as the target packs its collections.
    private mutating func writePacked(_ listpack: RawSpan) throws(RDBError) {
        if target.hasListpacks { return try output.append(string: listpack) }
        var reader = try PackedReader(listpack, offset: 0, checks: .bounds)
        var writer = ZiplistWriter()
        while let element = try reader.next() { writer.append(element) }
        try writer.finish { bytes throws(RDBError) in try output.append(string: bytes) }
    }

    /// Writes elements that were held back to the end as the target packs them.
    private mutating func finishHeld() throws(RDBError) {
        switch source.kind {
        case .list where held.count > 0:
            try open(target.hasListpacks ? .listQuicklist2 : .listQuicklist)
            output.append(count: 1)
            if target.hasListpacks { output.append(count: 2) }
        case .set where held.count > 0 && isHoldingIntegersOnly:
            return try finishIntset()
        case .set where held.count > 0 && target.hasSetListpacks:
            try open(.setListpack)
        case .sortedSet where held.count > 0:
            return try finishSortedSet()
        case .hash where held.count > 0:
            if heldDeadlines.contains(where: { $0 != Self.noDeadline }) {
                return try finishDeadlines()
            }
            try open(target.hasListpacks ? .hashListpack : .hashZiplist)
        default:
            // Nothing: the plain layouts can be empty.
            return try stream()
        }
        var taken = ListpackWriter()
        swap(&taken, &held)
        try taken.finish { bytes throws(RDBError) in try writePacked(bytes) }
    }

    private mutating func finishIntset() throws(RDBError) {
        var members: [Int64] = []
        try held.finish { bytes throws(RDBError) in
            var reader = try PackedReader(bytes, offset: 0, checks: .bounds)
            for _ in 0..<reader.remainingCount {
                members.append(try reader.requireInteger(.invalidIntset))
            }
        }
        members.sort()
        let smallest = members.first ?? 0
        let greatest = members.last ?? 0
        var intset = ByteWriter(reserving: Intset.headerByteCount + members.count * 8)
        let width: UInt32 =
            Int16(exactly: smallest) != nil && Int16(exactly: greatest) != nil
            ? 2 : Int32(exactly: smallest) != nil && Int32(exactly: greatest) != nil ? 4 : 8
        intset.appendInteger(width)
        intset.appendInteger(UInt32(members.count))
        for member in members {
            switch width {
            case 2: intset.appendInteger(Int16(truncatingIfNeeded: member))
            case 4: intset.appendInteger(Int32(truncatingIfNeeded: member))
            default: intset.appendInteger(member)
            }
        }
        try open(.setIntset)
        try output.append(string: intset.bytes)
    }

    private mutating func finishSortedSet() throws(RDBError) {
        var members: [(score: Double, member: ByteString)] = []
        let scores = heldScores
        heldScores.removeAll()
        try held.finish { bytes throws(RDBError) in
            var reader = try PackedReader(bytes, offset: 0, checks: .bounds)
            while let member = try reader.next() {
                members.append((scores[members.count], member.byteString))
            }
        }
        members.sort { ($0.score, $0.member) < ($1.score, $1.member) }
        var listpack = ListpackWriter()
        var text = ByteWriter()
        for (score, member) in members {
            listpack.append(member.bytes)
            text.removeAll()
            text.append(shortest: score)
            listpack.append(text.bytes)
        }
        try open(target.hasListpacks ? .sortedSetListpack : .sortedSetZiplist)
        try listpack.finish { bytes throws(RDBError) in try writePacked(bytes) }
    }

    /// A small hash with deadlines: a listpack for Redis; Valkey has none for them.
    private mutating func finishDeadlines() throws(RDBError) {
        guard target.format.dialect == .redis else { return try stream() }
        let deadlines = heldDeadlines
        var fields: [(deadline: Int64, field: ByteString, value: ByteString)] = []
        try held.finish { bytes throws(RDBError) in
            var reader = try PackedReader(bytes, offset: 0, checks: .bounds)
            for deadline in deadlines {
                let field = try reader.require(.oddCount).byteString
                let value = try reader.require(.oddCount).byteString
                fields.append((deadline, field, value))
            }
        }
        // As unsigned numbers, no deadline is the latest.
        fields.sort { UInt64(bitPattern: $0.deadline) < UInt64(bitPattern: $1.deadline) }
        var listpack = ListpackWriter()
        for (deadline, field, value) in fields {
            listpack.append(field.bytes)
            listpack.append(value.bytes)
            listpack.append(integer: max(deadline, 0))
        }
        try open(.hashListpackDeadlines)
        output.appendInteger(fields[0].deadline)
        try listpack.finish { bytes throws(RDBError) in try output.append(string: bytes) }
    }

    // MARK: Nodes of lists

    /// Writes a node of a list.
    public mutating func listNode(_ listpack: RawSpan, count: Int) throws(RDBError) {
        guard case .nodes = phase else { preconditionFailure("nodes were not announced") }
        try beginElement()
        if target.hasListpacks { output.append(count: 2) }
        try writePacked(listpack)
    }

    /// Writes an element that is a node of its own.
    private mutating func writeLargeElement(_ element: PackedValue) throws(RDBError) {
        if target.hasListpacks {
            output.append(count: 1)
            return try output.append(string: element)
        }
        var writer = ZiplistWriter()
        writer.append(element)
        try writer.finish { bytes throws(RDBError) in try output.append(string: bytes) }
    }

    // MARK: Streams

    private var streamEncoding: Encoding {
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
        precondition(extent.nodeCount ?? 0 == 0, "not as many nodes as were announced")
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

    private mutating func finishConsumers() throws(RDBError) {
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

    // MARK: Modules

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
private struct HeldConsumers {
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
