import Bytes
import Platform

/// Reads one segment from front to back and turns it into bytes of the stream.
///
/// It does not look into requests: in a plain segment, remarks are still among the bytes.
struct SegmentReader: ~Copyable {
    /// What `next` found.
    enum Piece: Equatable {
        /// Bytes of the stream were appended to the window.
        case effects
        case mark(Mark)
        case end
    }

    /// Why there is no next piece.
    enum Failure: Error, Equatable {
        case storage(SystemError)
        /// The file ends inside what begins at this offset.
        case cut(at: Int, String)
        /// What begins at this offset of the file is not what a segment is made of.
        case unreadable(at: Int, String)
    }

    let path: String
    let format: SegmentFormat
    /// Where the file is read up to: its end, or where its tail was found to be torn.
    var limit: Int
    /// Where the next piece begins.
    private(set) var fileOffset: Int
    private let file: any StorageFile

    /// What was read from the file and not yet used begins at `used`.
    private var raw = ByteWriter()
    private var used = 0
    private var place = Place.betweenFrames
    private var lz4 = LZ4Decompressor()
    private var zstd = ZstdDecompressor()

    private enum Place: Equatable {
        case betweenFrames
        case inLZ4(blockByteCount: Int, blockChecksum: Bool, contentChecksum: Bool)
        case inZstd
    }

    /// How many bytes are read from the file at a time.
    static let pieceByteCount = 256 << 10

    /// Opens a file that holds effects from `start` on.
    init(_ storage: any Storage, _ path: String, from start: Int = 0) throws(SystemError) {
        let file = try storage.open(path, writable: false)
        let limit = try file.byteCount()
        var head = ByteWriter()
        _ = try file.read(4, at: start, into: &head)
        self.path = path
        self.file = file
        self.limit = limit
        fileOffset = start
        format = SegmentFormat(path: path, head: head.bytes)
    }

    /// Whether the file may end here: not inside something that has to be whole.
    var mayEndHere: Bool { place != .inZstd }

    /// Whether a frame is open here that an end mark has to close.
    var needsEndMark: Bool {
        if case .inLZ4 = place { true } else { false }
    }

    /// Finds the next piece; effects are appended to `window`.
    ///
    /// After it threw `unreadable`, it must not be called again.
    mutating func next(into window: inout ByteWriter) throws(Failure) -> Piece {
        if format == .plain { return try nextPlain(into: &window) }
        while true {
            switch place {
            case .betweenFrames:
                guard fileOffset < limit else { return .end }
                if let mark = try beginFrame() { return .mark(mark) }
            case .inLZ4(let blockByteCount, let blockChecksum, let contentChecksum):
                guard fileOffset < limit else { return .end }
                let before = window.count
                try readBlock(
                    upTo: blockByteCount,
                    checksumByteCount: blockChecksum ? 4 : 0,
                    endByteCount: contentChecksum ? 8 : 4,
                    into: &window
                )
                if window.count > before { return .effects }
            case .inZstd:
                let before = window.count
                try readZstd(into: &window)
                if window.count > before { return .effects }
            }
        }
    }

    private mutating func nextPlain(into window: inout ByteWriter) throws(Failure) -> Piece {
        let count = min(SegmentReader.pieceByteCount, limit - fileOffset)
        guard count > 0 else { return .end }
        let got = try file.readPiece(count, at: fileOffset, into: &window)
        fileOffset += got
        return got > 0 ? .effects : .end
    }

    /// Reads what stands between frames: a mark is returned, a frame is entered.
    private mutating func beginFrame() throws(Failure) -> Mark? {
        try need(4, "the beginning of a frame")
        switch integer(at: 0) {
        case Frame.lz4Magic:
            try beginLZ4()
            return nil
        case Frame.zstdMagic:
            zstd.reset()
            place = .inZstd
            return nil
        case let magic where magic & ~0xF == Frame.skippableMagic:
            return try skippable()
        default:
            throw .unreadable(at: fileOffset, "no frame begins here")
        }
    }

    private mutating func skippable() throws(Failure) -> Mark? {
        try need(8, "the beginning of a frame")
        let byteCount = 8 + Int(integer(at: 4))
        guard byteCount <= Frame.maximumSkippableByteCount else {
            throw .unreadable(at: fileOffset, "a mark of \(byteCount) bytes")
        }
        try need(byteCount, "a mark")
        let mark = Mark(frame: raw.bytes.part(from: used, count: byteCount))
        // Frames of other kinds may stand here one day, and must not make a log unreadable.
        // What has the size or the signature of a mark and is none was one.
        let wasMark =
            byteCount == Frame.markByteCount || byteCount >= 12 && integer(at: 8) == Mark.signature
        if mark == nil, wasMark {
            throw .unreadable(at: fileOffset, "a damaged mark")
        }
        use(byteCount)
        return mark
    }

    private mutating func beginLZ4() throws(Failure) {
        try need(7, "the header of a frame")
        let flags = raw.bytes.byte(at: used + 4)
        let blockSize = raw.bytes.byte(at: used + 5)
        let byteCount = 7 + (flags & 0x08 != 0 ? 8 : 0) + (flags & 0x01 != 0 ? 4 : 0)
        try need(byteCount, "the header of a frame")
        lz4.reset()
        var nothing = ByteWriter()
        do throws(DamagedFrame) {
            _ = try lz4.decompress(raw, from: used, count: byteCount, into: &nothing)
        } catch {
            throw .unreadable(at: fileOffset, "a damaged frame header")
        }
        // 4, 5, 6 and 7 stand for 64 KiB, 256 KiB, 1 MiB and 4 MiB.
        place = .inLZ4(
            blockByteCount: 1 << (8 + 2 * Int(blockSize >> 4)),
            blockChecksum: flags & 0x10 != 0,
            contentChecksum: flags & 0x04 != 0
        )
        use(byteCount)
    }

    private mutating func readBlock(
        upTo maximum: Int,
        checksumByteCount: Int,
        endByteCount: Int,
        into window: inout ByteWriter
    ) throws(Failure) {
        try need(4, "a block")
        let length = Int(integer(at: 0) & 0x7FFF_FFFF)
        guard length <= maximum else {
            throw .unreadable(at: fileOffset, "a block of \(length) bytes")
        }
        let byteCount = length == 0 ? endByteCount : 4 + length + checksumByteCount
        try need(byteCount, "a block")
        let before = window.count
        do throws(DamagedFrame) {
            let step = try lz4.decompress(raw, from: used, count: byteCount, into: &window)
            if step.endsFrame { place = .betweenFrames }
        } catch {
            window.truncate(to: before)
            throw .unreadable(at: fileOffset, "a damaged block")
        }
        use(byteCount)
    }

    private mutating func readZstd(into window: inout ByteWriter) throws(Failure) {
        try need(1, "a frame")
        let available = min(raw.count - used, 64 << 10)
        do throws(DamagedFrame) {
            let step = try zstd.decompress(raw, from: used, count: available, into: &window)
            if step.endsFrame { place = .betweenFrames }
            use(step.consumed)
        } catch {
            throw .unreadable(at: fileOffset, "a damaged frame")
        }
    }

    /// Makes sure that `count` bytes from `fileOffset` on are in `raw`.
    private mutating func need(_ count: Int, _ what: StaticString) throws(Failure) {
        guard raw.count - used < count else { return }
        guard limit - fileOffset >= count else {
            throw .cut(at: fileOffset, "\(what) is cut")
        }
        raw.removeFirst(used)
        used = 0
        let next = fileOffset + raw.count
        let wanted = min(max(count - raw.count, SegmentReader.pieceByteCount), limit - next)
        _ = try file.readPiece(wanted, at: next, into: &raw)
        guard raw.count >= count else {
            throw .cut(at: fileOffset, "the file became shorter while it was read")
        }
    }

    private mutating func use(_ count: Int) {
        used += count
        fileOffset += count
    }

    private func integer(at offset: Int) -> UInt32 {
        var reader = ByteReader(raw.bytes.part(from: used + offset, count: 4))
        return (try? reader.readInteger()) ?? 0
    }
}

extension StorageFile {
    fileprivate func readPiece(
        _ count: Int,
        at offset: Int,
        into buffer: inout ByteWriter
    ) throws(SegmentReader.Failure) -> Int {
        do throws(SystemError) {
            return try read(count, at: offset, into: &buffer)
        } catch {
            throw .storage(error)
        }
    }
}

extension SegmentFormat {
    /// Tells the format from a file's name, else from its first four bytes.
    fileprivate init(path: String, head: RawSpan) {
        for format in [SegmentFormat.lz4, .zstd] where path.hasSuffix(format.suffix) {
            self = format
            return
        }
        var reader = ByteReader(head)
        switch try? reader.readInteger(as: UInt32.self) {
        case Frame.lz4Magic: self = .lz4
        case Frame.zstdMagic: self = .zstd
        case let magic? where magic & ~0xF == Frame.skippableMagic: self = .lz4
        default: self = .plain
        }
    }
}

// The bytes come as a part of a writer, not as a span: a span borrowed from one property of a
// reader counts as a borrow of the reader, whose other properties then could not change.
extension LZ4Decompressor {
    fileprivate mutating func decompress(
        _ source: borrowing ByteWriter,
        from start: Int,
        count: Int,
        into output: inout ByteWriter
    ) throws(DamagedFrame) -> DecompressionStep {
        try decompress(source.bytes.part(from: start, count: count), into: &output)
    }
}

extension ZstdDecompressor {
    fileprivate mutating func decompress(
        _ source: borrowing ByteWriter,
        from start: Int,
        count: Int,
        into output: inout ByteWriter
    ) throws(DamagedFrame) -> DecompressionStep {
        try decompress(source.bytes.part(from: start, count: count), into: &output)
    }
}
