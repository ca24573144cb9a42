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

    var source = Encoding.string
    var extent = Extent()
    var phase = Phase.idle
    /// Elements that were announced and are still to come.
    var remaining = 0

    /// For a target that packs so.
    var ziplist = ZiplistWriter()

    /// Elements held back.
    var held = ListpackWriter()
    var isHoldingIntegersOnly = true
    var isTooLarge = false
    var heldDeadlines: [Int64] = []
    var heldScores: [Double] = []

    /// Nothing, or consumers of a stream that may need one more.
    var consumers = HeldConsumers()

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

    enum Phase {
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

    enum DeadlineForm {
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

    /// Writes a value whose bytes behind the type byte are at hand, as they are.
    public mutating func copy(_ encoding: Encoding, _ bytes: RawSpan) throws(RDBError) {
        guard case .idle = phase else { preconditionFailure("the value before has not ended") }
        guard target.accepts(encoding) else { throw unsupported("\(encoding.name) values") }
        try open(encoding)
        try output.append(bytes)
        try output.flushIfFull()
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
        // Larger ones stream, but not before it is known that they do not come whole; so do those
        // that are known to have what only a plain layout holds.
        isTooLarge = remaining > limit
        if target.format.dialect == .valkey, extent.hasFieldDeadlines,
            extent.earliestDeadline ?? 0 > 0
        {
            isTooLarge = true
        }
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

    func unsupported(_ what: String) -> RDBError {
        RDBError(.unsupportedByTarget, at: output.count, "\(target.name) has no \(what)")
    }

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
}
