import Bytes

/// Writes a file record by record, to a sink.
///
///     var writer = try FileWriter(for: .neutral, to: sink)
///     try writer.auxiliary("redis-ver", "7.2.4")
///     try writer.database(0)
///     try writer.beginKey(key, deadline: nil)
///     _ = try writer.value.begin(.string)
///     try writer.value.string(.bytes(value))
///     try writer.value.end()
///     try writer.finish()
///
/// Memory does not grow with the file. What the target cannot hold is an error before a byte
/// of that record is written, and the file can go on with the next; after any other error it is
/// worthless.
public struct FileWriter: ~Copyable {
    /// Where the value of the key that was begun last goes.
    public var value: PayloadWriter
    /// Where parts go that are put aside.
    public var aside: PayloadWriter
    private let copier = OutputSink()

    /// What a writer does besides.
    public struct Options: Sendable {
        /// Whether strings are compressed where that makes them shorter.
        public var isCompressing = true
        /// Whether the file ends with a checksum, not with zeros.
        public var isWritingChecksum = true

        /// Compresses, and writes the checksum.
        public init() {}
    }

    private let options: Options

    init(_ value: consuming PayloadWriter, _ options: Options) {
        aside = PayloadWriter(for: value.target)
        self.value = value
        self.options = options
    }

    /// Begins a file for `target`.
    public init(
        for target: Target,
        to sink: any ByteSink,
        options: Options = Options()
    ) throws(RDBError) {
        var output = Output(sink, isCompressing: options.isCompressing)
        let magic = ByteString(target.format.description)
        try output.append(magic.bytes)
        self.init(PayloadWriter(for: target, output), options)
    }

    /// What is written for.
    public var target: Target { value.target }

    /// Bytes written so far.
    public var count: Int { value.output.count }

    /// Whether strings are compressed, from here on, where that makes them shorter.
    public var isCompressing: Bool {
        get { value.output.isCompressing }
        set { value.output.isCompressing = newValue }
    }

    /// Writes a fact about the file.
    public mutating func auxiliary(_ name: ByteString, _ text: ByteString) throws(RDBError) {
        value.output.append(Opcode.auxiliary)
        try value.output.append(string: name.bytes)
        try value.output.append(string: text.bytes)
    }

    /// Writes that the keys that follow belong to a database.
    public mutating func database(_ number: UInt64) throws(RDBError) {
        value.output.append(Opcode.database)
        value.output.append(number: number)
    }

    /// Writes how many keys, and keys with a deadline, the database has; a hint.
    public mutating func sizes(keys: UInt64, deadlines: UInt64) throws(RDBError) {
        value.output.append(Opcode.sizes)
        value.output.append(number: keys)
        value.output.append(number: deadlines)
    }

    /// Writes the source of a library of functions.
    public mutating func function(_ source: RawSpan) throws(RDBError) {
        guard target.holdsFunctions else {
            throw RDBError(.unsupportedByTarget, at: count, "\(target.name) has no functions")
        }
        value.output.append(Opcode.function)
        try value.output.append(string: source)
    }

    /// Begins a key; its value follows through `value`.
    ///
    /// A key that was begun without a value, or whose value threw that the target cannot hold it,
    /// leaves no trace.
    public mutating func beginKey(
        _ key: RawSpan,
        deadline: Int64?,
        idleSeconds: UInt64? = nil,
        frequency: UInt8? = nil
    ) throws(RDBError) {
        value.cancel()
        if let deadline {
            value.prefix.append(Opcode.deadlineMilliseconds)
            value.prefix.appendInteger(deadline)
        }
        if let idleSeconds {
            value.prefix.append(Opcode.idle)
            value.prefix.append(length: idleSeconds)
        }
        if let frequency {
            value.prefix.append(Opcode.frequency)
            value.prefix.append(frequency)
        }
        value.key.append(key)
        value.hasKey = true
    }

    /// Writes a key as `reader` has it: copied where the target takes the encoding, else rewritten.
    ///
    /// `record` is the last record of `reader`. What modules attached to the key is left out.
    public mutating func transfer(
        _ record: KeyRecord,
        from reader: inout FileReader
    ) throws(RDBError) {
        try beginKey(
            reader.key,
            deadline: record.deadline,
            idleSeconds: record.idleSeconds,
            frequency: record.frequency
        )
        guard target.accepts(record.encoding) else { return try reader.readValue(into: &value) }
        try value.open(record.encoding)
        try copy { sink, visitor throws(RDBError) in
            try reader.readValue(into: &visitor, copyingTo: sink)
        }
        try value.output.flushIfFull()
    }

    /// Writes the last record of `reader`, a key whose encoding the target accepts, byte for byte.
    ///
    /// The reader keeps heads; the visitor sees the value.
    public mutating func copy(
        _ record: KeyRecord,
        from reader: inout FileReader,
        showing visitor: inout some PayloadVisitor & ~Copyable
    ) throws(RDBError) {
        precondition(target.accepts(record.encoding), "the target cannot read a copy")
        if value.hasKey { value.cancel() }
        if let count = try reader.wholeValueByteCount() {
            try value.output.append(reader.record(withValue: count))
            return try reader.readValue(into: &visitor)
        }
        try value.output.append(reader.head)
        try copyValue(from: &reader, showing: &visitor)
    }

    /// Writes the keys of a run, which `reader` comes to next, byte for byte.
    public mutating func copy(
        _ run: borrowing KeyRun,
        from reader: inout FileReader
    ) throws(RDBError) {
        if value.hasKey { value.cancel() }
        try value.output.append(reader.unreadBytes.part(from: 0, count: run.byteCount))
        reader.skip(run)
    }

    /// Writes the value of the last record of `reader` byte for byte, for the key that was begun.
    ///
    /// The target accepts its encoding; the visitor sees it.
    public mutating func copyValue(
        of record: KeyRecord,
        from reader: inout FileReader,
        showing visitor: inout some PayloadVisitor & ~Copyable
    ) throws(RDBError) {
        precondition(target.accepts(record.encoding), "the target cannot read a copy")
        try value.open(record.encoding)
        try copyValue(from: &reader, showing: &visitor)
    }

    private mutating func copyValue(
        from reader: inout FileReader,
        showing visitor: inout some PayloadVisitor & ~Copyable
    ) throws(RDBError) {
        swap(&copier.output, &value.output)
        defer { swap(&copier.output, &value.output) }
        try reader.readValue(into: &visitor, copyingTo: copier)
        try copier.output.flushIfFull()
    }

    /// Writes data of a module beyond its keys, as `reader` has it.
    public mutating func transfer(
        _ module: ModuleAuxiliary,
        from reader: inout FileReader
    ) throws(RDBError) {
        begin(module)
        try copy { sink, visitor throws(RDBError) in
            try reader.readValue(into: &visitor, copyingTo: sink)
        }
    }

    /// Writes data of a module beyond its keys, whose pieces are at hand.
    public mutating func moduleAuxiliary(
        _ module: ModuleAuxiliary,
        _ pieces: RawSpan
    ) throws(RDBError) {
        begin(module)
        try value.output.append(pieces)
        try value.output.flushIfFull()
    }

    private mutating func begin(_ module: ModuleAuxiliary) {
        value.output.append(Opcode.moduleAuxiliary)
        value.output.append(0x81)
        value.output.appendInteger(module.module.bits.bigEndian)
        value.output.append(number: 2)
        value.output.append(number: module.when)
    }

    private mutating func copy(
        _ body: (any ByteSink, inout SkippingVisitor) throws(RDBError) -> Void
    ) throws(RDBError) {
        swap(&copier.output, &value.output)
        defer { swap(&copier.output, &value.output) }
        var visitor = SkippingVisitor()
        try body(copier, &visitor)
    }

    /// Writes the end and the checksum, and hands everything to the sink; returns the checksum.
    @discardableResult
    public mutating func finish() throws(RDBError) -> UInt64 {
        value.output.append(Opcode.end)
        return try finish(checksum: value.output.currentChecksum)
    }

    private mutating func finish(checksum: UInt64) throws(RDBError) -> UInt64 {
        let checksum = options.isWritingChecksum ? checksum : 0
        value.output.appendInteger(checksum)
        try value.output.flush()
        return checksum
    }

    /// Writes the end of a file whose magic will be replaced by that of `format`.
    ///
    /// For whoever can tell only at the end that nothing in the file needs the target's own
    /// format. The checksum is that of the file with the new magic, which the owner of the
    /// sink puts over its first bytes.
    @discardableResult
    public mutating func finish(relabelled format: Format) throws(RDBError) -> UInt64 {
        value.output.append(Opcode.end)
        var checksum = value.output.currentChecksum
        // The checksum is linear: what two magics differ by is shifted past what follows them.
        let magics = zip(target.format.description.utf8, format.description.utf8).map(^)
        var difference = CRC64()
        difference.update(magics.bytes)
        difference.update(zeroByteCount: count - magics.count)
        checksum ^= difference.value
        return try finish(checksum: checksum)
    }
}
