import Bytes

/// The bytes being written: kept, or handed to a sink whenever there are enough of them.
///
/// As chunks, longer strings are not compressed yet, and no checksum is taken.
struct Output: ~Copyable {
    private(set) var buffer = ByteWriter()
    private let sink: (any ByteSink)?
    private let chunks: (any ChunkSink)?
    private var steps: [FileChunk.Step] = []
    private var checksum = CRC64()
    /// Whether strings are compressed where that makes them shorter.
    var isCompressing: Bool
    private var compressor: LZFCompressor?
    private var compressed = ByteWriter()
    /// Bytes that the sink has had.
    private var flushedCount = 0

    /// What the sink is handed at a time.
    static let chunkByteCount = 64 << 10
    /// Strings up to this long stay as they are, as in servers.
    static let longestUncompressed = 20
    static let compressedMark: UInt8 = 0xC3

    init(_ sink: (any ByteSink)?, isCompressing: Bool) {
        self.sink = sink
        chunks = nil
        self.isCompressing = isCompressing
    }

    init(chunks: any ChunkSink, isCompressing: Bool) {
        sink = nil
        self.chunks = chunks
        self.isCompressing = isCompressing
    }

    private var isKept: Bool { sink == nil && chunks == nil }

    /// Says what has to be done at this place once the chunk is finished.
    mutating func note(_ action: FileChunk.Action) {
        precondition(chunks != nil, "only chunks have parts")
        steps.append(FileChunk.Step(offset: buffer.count, action: action))
    }

    /// Bytes written.
    var count: Int { flushedCount + buffer.count }

    /// The checksum of everything written; without a sink, of nothing.
    var currentChecksum: UInt64 {
        var current = checksum
        current.update(buffer.bytes)
        return current.value
    }

    @inline(__always)
    mutating func append(_ byte: UInt8) {
        buffer.append(byte)
    }

    @inline(__always)
    mutating func append(count: Int) {
        buffer.append(length: UInt64(count))
    }

    @inline(__always)
    mutating func append(number: UInt64) {
        buffer.append(length: number)
    }

    @inline(__always)
    mutating func appendInteger<T: FixedWidthInteger & BitwiseCopyable>(_ value: T) {
        buffer.appendInteger(value)
    }

    mutating func append(_ bytes: RawSpan) throws(RDBError) {
        if bytes.byteCount < Self.chunkByteCount / 2 || sink == nil {
            buffer.append(bytes)
            try flushIfFull()
            return
        }
        // A large string passes by without being copied.
        try flush()
        checksum.update(bytes)
        flushedCount += bytes.byteCount
        try hand(bytes)
    }

    /// Appends a string in the shortest form that servers write.
    mutating func append(string value: PackedValue) throws(RDBError) {
        switch value {
        case .integer(let integer): append(integer: integer)
        case .bytes(let bytes): try append(string: bytes)
        }
        try flushIfFull()
    }

    /// Appends a string as it is, without a try to make it shorter.
    mutating func append(plain bytes: RawSpan) throws(RDBError) {
        append(count: bytes.byteCount)
        try append(bytes)
    }

    mutating func append(string bytes: RawSpan) throws(RDBError) {
        if bytes.byteCount <= 11, let integer = DecimalText.parseInteger(bytes),
            Int32(exactly: integer) != nil
        {
            return append(integer: integer)
        }
        if isCompressing, bytes.byteCount > Self.longestUncompressed {
            if chunks != nil {
                note(.string(bytes.byteCount))
                return try append(bytes)
            }
            if compress(bytes) { return }
        }
        try append(plain: bytes)
    }

    /// Begins a string whose bytes follow in parts.
    mutating func beginString(byteCount: Int) {
        if isCompressing, chunks != nil {
            note(.longString(byteCount))
        } else {
            append(count: byteCount)
        }
    }

    private mutating func append(integer: Int64) {
        if let small = Int8(exactly: integer) {
            buffer.append(0xC0)
            buffer.appendInteger(small)
        } else if let small = Int16(exactly: integer) {
            buffer.append(0xC1)
            buffer.appendInteger(small)
        } else if let small = Int32(exactly: integer) {
            buffer.append(0xC2)
            buffer.appendInteger(small)
        } else {
            buffer.append(length: UInt64(DecimalText.byteCount(of: integer)))
            buffer.append(decimal: integer)
        }
    }

    /// Appends a compressed string if that saves four bytes or more, as servers demand.
    private mutating func compress(_ bytes: RawSpan) -> Bool {
        var compressor = compressor.take() ?? LZFCompressor()
        compressed.removeAll(keepingCapacityUpTo: Self.chunkByteCount * 4)
        let isShorter = compressor.compress(
            bytes,
            limit: bytes.byteCount - 4,
            to: &compressed
        )
        self.compressor = consume compressor
        guard isShorter else { return false }
        buffer.append(Self.compressedMark)
        buffer.append(count: compressed.count)
        buffer.append(count: bytes.byteCount)
        var room = ByteWriter()
        swap(&room, &buffer)
        room.append(compressed.bytes)
        swap(&room, &buffer)
        return true
    }

    /// Hands the bytes so far to the sink if there are enough.
    @inline(__always)
    mutating func flushIfFull() throws(RDBError) {
        if buffer.count >= Self.chunkByteCount, !isKept { try flush() }
    }

    /// Hands the bytes so far to the sink.
    mutating func flush() throws(RDBError) {
        guard !isKept, buffer.count > 0 || !steps.isEmpty else { return }
        if let chunks { return try flush(to: chunks) }
        checksum = CRC64(continuing: currentChecksum)
        flushedCount += buffer.count
        try hand(buffer.bytes)
        buffer.removeAll(keepingCapacityUpTo: Self.chunkByteCount * 4)
    }

    private mutating func flush(to chunks: any ChunkSink) throws(RDBError) {
        flushedCount += buffer.count
        var taken =
            chunks.takeRoom()
            ?? ByteWriter(reserving: Self.chunkByteCount + Self.chunkByteCount / 8)
        swap(&taken, &buffer)
        var takenSteps: [FileChunk.Step] = []
        takenSteps.reserveCapacity(steps.count)
        swap(&takenSteps, &steps)
        do {
            try chunks.take(FileChunk(taken, takenSteps))
        } catch {
            throw RDBError(.transferFailed, at: flushedCount, "cannot write on", cause: error)
        }
    }

    private func hand(_ bytes: RawSpan) throws(RDBError) {
        do {
            try sink?.write(bytes)
        } catch {
            throw RDBError(.transferFailed, at: flushedCount, "cannot write on", cause: error)
        }
    }

    /// Forgets what a payload was made of.
    mutating func removeAll() {
        buffer.removeAll(keepingCapacityUpTo: Self.chunkByteCount * 4)
        flushedCount = 0
        checksum = CRC64()
    }
}

/// An output as the sink of a copy.
final class OutputSink: ByteSink {
    var output = Output(nil, isCompressing: false)

    func write(_ bytes: RawSpan) throws {
        try output.append(bytes)
    }
}
