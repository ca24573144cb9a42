import Bytes

// Files in chunks, and values that come in parts while others are written.
extension FileWriter {
    /// Writes the records of a file, whose magic and facts come from elsewhere, in chunks.
    ///
    /// The checksum is left to whoever finishes the chunks.
    public init(recordsFor target: Target, to sink: any ChunkSink, isCompressing: Bool) {
        self.init(
            PayloadWriter(for: target, Output(chunks: sink, isCompressing: isCompressing)),
            Options()
        )
    }

    /// Writes records of which others make a file.
    package init(recordsFor target: Target, to sink: any ByteSink) {
        self.init(PayloadWriter(for: target, Output(sink, isCompressing: true)), Options())
    }

    /// Writes keys that were written for the same target elsewhere.
    package mutating func keys(_ records: RawSpan) throws(RDBError) {
        if value.hasKey { value.cancel() }
        try value.output.append(records)
    }

    /// Writes that there are no more records, and hands the last chunk over.
    public mutating func endRecords() throws(RDBError) {
        value.output.append(Opcode.end)
        try value.output.flush()
    }

    /// Hands everything that was written to the sink.
    public mutating func flush() throws(RDBError) {
        try value.output.flush()
    }

    /// Begins the value of the key that was begun last; its parts go to `value`, in any number,
    /// or are fetched.
    public mutating func beginParts(_ encoding: Encoding, _ extent: Extent) throws(RDBError) {
        try value.beginParts(encoding, extent, writesHead: true)
    }

    /// Ends the value that came in parts, all of it.
    public mutating func endParts() throws(RDBError) {
        try value.endParts()
    }

    /// Lets what was put aside under `number` follow.
    public mutating func fetch(_ number: Int) {
        value.output.note(.fetch(number))
    }

    /// Begins parts of a value that are put aside under `number`; they go to `aside`.
    public mutating func beginAside(
        _ number: Int,
        of encoding: Encoding,
        _ extent: Extent
    ) throws(RDBError) {
        swap(&aside.output, &value.output)
        aside.output.note(.aside(number))
        try aside.beginParts(encoding, extent, writesHead: false)
    }

    /// Ends what is put aside.
    public mutating func endAside() throws(RDBError) {
        try aside.endParts()
        aside.output.note(.file)
        swap(&aside.output, &value.output)
    }

    /// Writes a key whose value is a string.
    public mutating func string(
        _ text: RawSpan,
        at key: RawSpan,
        deadline: Int64?,
        idleSeconds: UInt64? = nil,
        frequency: UInt8? = nil
    ) throws(RDBError) {
        if let deadline {
            value.output.append(Opcode.deadlineMilliseconds)
            value.output.appendInteger(deadline)
        }
        if let idleSeconds {
            value.output.append(Opcode.idle)
            value.output.append(number: idleSeconds)
        }
        if let frequency {
            value.output.append(Opcode.frequency)
            value.output.append(frequency)
        }
        value.output.append(Encoding.string.typeByte)
        try value.output.append(string: key)
        try value.output.append(string: text)
        try value.output.flushIfFull()
    }
}

extension PayloadWriter {
    /// Begins a value, or parts of one whose head is written elsewhere.
    mutating func beginParts(
        _ encoding: Encoding,
        _ extent: Extent,
        writesHead: Bool
    ) throws(RDBError) {
        _ = try begin(encoding)
        self.extent = extent
        remaining = .max
        switch source.kind {
        case .string:
            if writesHead {
                try open(.string)
                output.beginString(byteCount: extent.byteCount ?? 0)
            }
            phase = .parts
        case .list:
            if writesHead {
                try open(target.hasListpacks ? .listQuicklist2 : .listQuicklist)
                output.append(count: extent.nodeCount ?? 0)
            }
            phase = .nodes
        case .stream:
            if writesHead {
                try open(streamEncoding)
                output.append(count: extent.nodeCount ?? 0)
            }
            phase = .parts
        default:
            let form = try deadlineForm()
            if writesHead { try openPlain(form) }
            phase = .streaming(form)
        }
    }

    mutating func endParts() throws(RDBError) {
        phase = .idle
        try output.flushIfFull()
    }

    /// Writes a part of a string that came in parts.
    public mutating func part(_ bytes: RawSpan) throws(RDBError) {
        try output.append(bytes)
    }
}
