import Bytes

/// Makes bytes of a file of its chunks.
public struct ChunkFinisher: ~Copyable {
    private var compressor = LZFCompressor()
    private var compressed = ByteWriter()
    /// Where what comes next goes: to the file, or aside.
    private var output = ByteWriter()
    /// What goes to the file, while something is put aside.
    private var paused = ByteWriter()
    private var aside: Int?
    private var trials = CompressionTrials()
    /// The string in parts that is being written.
    private var longString: LongString?
    /// Bytes of it that are too few for a piece yet.
    private var piece = ByteWriter()
    private var isCompressing = true

    /// A string that comes in parts, and is compressed piece by piece.
    ///
    /// Where compressed data ends and other data follows, the two together are the compressed
    /// form of both strings in a row: a reference says how far back it reaches, not from where.
    /// So no more than a piece is in memory, whatever the length of the string. How long the
    /// compressed form is comes ahead of it, in a gap that is filled in the end.
    private struct LongString {
        let byteCount: Int
        /// Bytes that are still to come.
        var remaining: Int
        var form = Form.undecided

        enum Form {
            /// The first piece will tell.
            case undecided
            case plain
            /// So many bytes so far.
            case compressed(Int)
        }

        static let pieceByteCount = 64 << 10
        /// A longer one has no place for its length in the gap.
        static let largestCompressed = Int(UInt32.max) / 2
    }

    /// Begins with the first chunk of a file.
    public init() {}

    /// Gives the bytes of the next chunk to `file`.
    ///
    /// Strings are left as they are where there is no time to compress them.
    public mutating func finish(
        _ chunk: borrowing FileChunk,
        isCompressing: Bool = true,
        to file: any FinishedFile
    ) throws {
        self.isCompressing = isCompressing
        let bytes = chunk.bytes.bytes
        var position = 0
        for step in chunk.steps {
            try append(bytes.part(from: position, count: step.offset - position), to: file)
            position = step.offset
            if case .string(let count) = step.action {
                appendString(bytes.part(from: position, count: count))
                position += count
            } else {
                try turn(to: step.action, of: file)
            }
        }
        try append(bytes.part(from: position, count: bytes.byteCount - position), to: file)
        try flush(to: file)
    }

    private mutating func turn(to action: FileChunk.Action, of file: any FinishedFile) throws {
        switch action {
        case .aside(let number):
            aside = number
            swap(&output, &paused)
        case .file:
            try flush(to: file)
            aside = nil
            swap(&output, &paused)
        case .fetch(let number):
            try flush(to: file)
            try file.fetch(number) { bytes in
                if longString == nil { try file.write(bytes) } else { try append(bytes, to: file) }
            }
        case .longString(let count):
            longString = LongString(byteCount: count, remaining: count)
            if !isCompressing || count > LongString.largestCompressed
                || !trials.isDue(forStringOf: count)
            {
                beginPlain()
            }
        case .string: break
        }
    }

    /// Appends bytes: of the string in parts, unless something is put aside or it has ended.
    private mutating func append(_ bytes: RawSpan, to file: any FinishedFile) throws {
        guard aside == nil, let remaining = longString?.remaining else {
            return output.append(bytes)
        }
        let count = min(bytes.byteCount, remaining)
        try appendLong(bytes.part(from: 0, count: count), to: file)
        output.append(bytes.part(from: count, count: bytes.byteCount - count))
    }

    /// Appends a string, compressed if that is worth it.
    private mutating func appendString(_ bytes: RawSpan) {
        guard isCompressing, compress(bytes) else {
            output.append(length: UInt64(bytes.byteCount))
            return output.append(bytes)
        }
        output.append(Output.compressedMark)
        output.append(length: UInt64(compressed.count))
        output.append(length: UInt64(bytes.byteCount))
        appendCompressed()
    }

    private mutating func appendCompressed() {
        var room = ByteWriter()
        swap(&room, &output)
        room.append(compressed.bytes)
        swap(&room, &output)
    }

    private mutating func compress(_ bytes: RawSpan) -> Bool {
        guard trials.isDue(forStringOf: bytes.byteCount) else { return false }
        let isShorter = compress(bytes, CompressionTrials.limit(forStringOf: bytes.byteCount))
        trials.note(isShorter, forStringOf: bytes.byteCount)
        return isShorter
    }

    private mutating func compress(_ bytes: RawSpan, _ limit: Int) -> Bool {
        compressed.removeAll(keepingCapacityUpTo: Output.chunkByteCount * 4)
        return compressor.compress(bytes, limit: limit, to: &compressed)
    }

    private mutating func flush(to file: any FinishedFile) throws {
        guard output.count > 0 else { return }
        if let aside {
            try file.putAside(output.bytes, as: aside)
        } else {
            try file.write(output.bytes)
        }
        output.removeAll(keepingCapacityUpTo: Output.chunkByteCount * 4)
    }
}

// Strings in parts.
extension ChunkFinisher {
    private mutating func beginPlain() {
        guard let byteCount = longString?.byteCount else { return }
        longString?.form = .plain
        output.append(length: UInt64(byteCount))
    }

    private mutating func beginCompressed(to file: any FinishedFile) throws {
        guard let byteCount = longString?.byteCount else { return }
        longString?.form = .compressed(0)
        output.append(Output.compressedMark)
        // A length of 32 bits, whatever it will be.
        output.append(0x80)
        try flush(to: file)
        try file.writeGap(byteCount: 4)
        output.append(length: UInt64(byteCount))
    }

    /// Takes the next bytes of the string, and no others.
    private mutating func appendLong(_ bytes: RawSpan, to file: any FinishedFile) throws {
        var position = 0
        while position < bytes.byteCount {
            let wanted = LongString.pieceByteCount - piece.count
            let part = bytes.part(from: position, count: min(wanted, bytes.byteCount - position))
            position += part.byteCount
            longString?.remaining -= part.byteCount
            let isLast = longString?.remaining == 0
            if piece.isEmpty, part.byteCount == wanted || isLast {
                try finishPiece(part, to: file)
            } else {
                piece.append(part)
                guard piece.count == LongString.pieceByteCount || isLast else { continue }
                var taken = ByteWriter()
                swap(&taken, &piece)
                try finishPiece(taken.bytes, to: file)
                swap(&taken, &piece)
                piece.removeAll()
            }
            if isLast { try endLong(to: file) }
        }
    }

    private mutating func finishPiece(_ bytes: RawSpan, to file: any FinishedFile) throws {
        if case .undecided? = longString?.form, let byteCount = longString?.byteCount {
            let limit = CompressionTrials.limit(forStringOf: bytes.byteCount)
            let isShorter = isCompressing && compress(bytes, limit)
            if isCompressing { trials.note(isShorter, forStringOf: byteCount) }
            guard isShorter else {
                beginPlain()
                return output.append(bytes)
            }
            try beginCompressed(to: file)
            longString?.form = .compressed(compressed.count)
            return appendCompressed()
        }
        guard case .compressed(let count)? = longString?.form else { return output.append(bytes) }
        // What does not get shorter takes a byte more for each 32.
        if !isCompressing || !compress(bytes, bytes.byteCount) {
            compressed.removeAll(keepingCapacityUpTo: Output.chunkByteCount * 4)
            compressed.append(lzfLiterals: bytes)
        }
        longString?.form = .compressed(count + compressed.count)
        appendCompressed()
    }

    private mutating func endLong(to file: any FinishedFile) throws {
        defer { longString = nil }
        guard case .compressed(let count)? = longString?.form else { return }
        try flush(to: file)
        var length = ByteWriter(reserving: 4)
        length.appendBigEndian(UInt32(count))
        try file.fillGap(length.bytes)
    }
}
