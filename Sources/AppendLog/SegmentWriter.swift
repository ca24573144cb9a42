import Bytes
import Platform

/// Writes one segment.
struct SegmentWriter: ~Copyable {
    let entry: Manifest.Entry
    let format: SegmentFormat
    let file: any StorageFile
    /// How long the file is, as far as it counts.
    private(set) var byteCount: Int
    /// Where the stream stands after what counts.
    private(set) var offset: StreamOffset
    /// Room that the disk has promised, in bytes from the start of the file.
    private(set) var reservedByteCount = 0

    private var lz4 = LZ4Compressor()
    private var zstd = ZstdCompressor(level: SegmentWriter.zstdLevel)
    private var output = ByteWriter()
    private var isFrameOpen = false
    /// Whether the last write failed: what the compressor remembers is not in the file.
    private var lastWriteFailed = false
    private var lastMarkTime: MonotonicTime
    private var lastMarkByteCount: Int

    /// Of a batch under `appendcompression zstd`.
    static let zstdLevel = 3
    /// A frame ends when it is this long, so that damage cannot take more with it.
    static let frameByteCount = 4 << 20
    /// How far ahead of the end room is reserved.
    static let reserveStep = 8 << 20
    /// When less than this is left of a reservation, the next one is asked for.
    ///
    /// What was accepted before the disk was found to be full still has to go somewhere.
    static let reserveMargin = 1 << 20

    /// Continues a file to which nothing but its head was written.
    init(
        _ entry: Manifest.Entry,
        _ format: SegmentFormat,
        _ file: any StorageFile,
        at offset: StreamOffset,
        byteCount: Int,
        now: MonotonicTime
    ) {
        self.entry = entry
        self.format = format
        self.file = file
        self.byteCount = byteCount
        self.offset = offset
        lastMarkTime = now
        lastMarkByteCount = byteCount
    }

    /// Begins a file with `mark`.
    init(
        _ entry: Manifest.Entry,
        _ format: SegmentFormat,
        _ file: any StorageFile,
        beginningWith mark: Mark
    ) throws(SystemError) {
        var head = ByteWriter()
        SegmentWriter.write(mark, format, to: &head)
        try file.write(head.bytes, at: 0)
        let zero = MonotonicTime(nanoseconds: 0)
        self.init(entry, format, file, at: mark.offset, byteCount: head.count, now: zero)
    }

    /// The first bytes of a segment: its mark, and effects that must be there with it.
    static func writeHead(
        _ mark: Mark,
        _ effects: RawSpan,
        _ format: SegmentFormat,
        to output: inout ByteWriter
    ) {
        write(mark, format, to: &output)
        guard effects.byteCount > 0 else { return }
        switch format {
        case .plain:
            PlainBatch.writeHead(effects, to: &output)
            output.append(effects)
        case .lz4:
            var compressor = LZ4Compressor()
            compressor.beginFrame(into: &output)
            compressor.append(effects, into: &output)
            output.appendInteger(LZ4Compressor.endMark)
        case .zstd:
            var compressor = ZstdCompressor(level: zstdLevel)
            compressor.compress(effects, into: &output)
        }
    }

    private static func write(
        _ mark: Mark,
        _ format: SegmentFormat,
        to output: inout ByteWriter
    ) {
        if format == .plain {
            mark.writeLine(to: &output)
        } else {
            mark.writeFrame(to: &output)
        }
    }

    /// Writes a batch, and `mark` before it if one is due.
    ///
    /// When it throws, nothing of the batch counts, and the same batch can be written again.
    mutating func write(
        _ batch: RawSpan,
        _ mark: @autoclosure () -> Mark,
        now: MonotonicTime
    ) throws(SystemError) {
        output.removeAll(keepingCapacityUpTo: 4 << 20)
        var start = byteCount
        let isMarkDue = isMarkDue(now)
        switch format {
        case .plain:
            if isMarkDue { mark().writeLine(to: &output) }
            PlainBatch.writeHead(batch, to: &output)
            output.append(batch)
        case .lz4:
            // The end mark behind the last block gives way to the next block.
            if isFrameOpen { start -= Frame.endMarkByteCount }
            if isMarkDue || lastWriteFailed || !isFrameOpen {
                if isFrameOpen { output.appendInteger(LZ4Compressor.endMark) }
                if isMarkDue || lastWriteFailed { mark().writeFrame(to: &output) }
                lz4.beginFrame(into: &output)
            }
            lz4.append(batch, into: &output)
            output.appendInteger(LZ4Compressor.endMark)
        case .zstd:
            if isMarkDue { mark().writeFrame(to: &output) }
            zstd.compress(batch, into: &output)
        }
        lastWriteFailed = true
        try file.write(output.bytes, at: start)
        lastWriteFailed = false
        byteCount = start + output.count
        offset += batch.byteCount
        isFrameOpen = format == .lz4
        if isMarkDue {
            lastMarkTime = now
            lastMarkByteCount = byteCount
        }
    }

    /// Makes sure that the next write will find room; false if the disk has no more to give.
    mutating func reserve() throws(SystemError) -> Bool {
        guard reservedByteCount - byteCount < SegmentWriter.reserveMargin else { return true }
        let wanted = byteCount + SegmentWriter.reserveStep
        do {
            try file.reserve(upTo: wanted)
            reservedByteCount = wanted
            return true
        } catch {
            if error.isOutOfSpace { return false }
            throw error
        }
    }

    /// Gives back what was reserved and not used; the segment is complete.
    mutating func finish() throws(SystemError) {
        try file.truncate(to: byteCount)
    }

    /// Writes the mark that ends a log in good order.
    mutating func close(_ mark: Mark) throws(SystemError) {
        output.removeAll()
        SegmentWriter.write(mark, format, to: &output)
        try file.write(output.bytes, at: byteCount)
        byteCount += output.count
        isFrameOpen = false
    }

    /// Marks cost a hundred bytes, and without them it is not known how much was durable.
    private func isMarkDue(_ now: MonotonicTime) -> Bool {
        let written = byteCount - lastMarkByteCount
        let age = now - lastMarkTime
        return written >= SegmentWriter.frameByteCount
            || age >= .seconds(10)
            || (age >= .seconds(1) && written >= 32 << 10)
    }
}
