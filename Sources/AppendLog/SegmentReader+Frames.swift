import Bytes

// Reading frames, see Frame.
extension SegmentReader {
    mutating func nextFramed(into window: inout ByteWriter) throws(Failure) -> Piece {
        while true {
            let before = window.count
            switch place {
            case .betweenFrames:
                if raw.isAtEnd { return .end }
                if let mark = try beginFrame() { return .mark(mark) }
            case .inLZ4(let blockByteCount, let blockChecksum, let contentChecksum):
                if raw.isAtEnd { return .end }
                try readBlock(
                    upTo: blockByteCount,
                    checksumByteCount: blockChecksum ? 4 : 0,
                    endByteCount: contentChecksum ? 8 : 4,
                    into: &window
                )
            case .inZstd:
                try readZstd(into: &window)
            }
            if window.count > before { return .effects }
        }
    }

    /// Reads what stands between frames: a mark is returned, a frame is entered.
    private mutating func beginFrame() throws(Failure) -> Mark? {
        try need(4, "the beginning of a frame")
        switch raw.word(at: 0) {
        case Frame.lz4Magic:
            try beginLZ4()
            return nil
        case Frame.zstdMagic:
            if zstd == nil { zstd = ZstdDecompressor() }
            zstd?.reset()
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
        let byteCount = 8 + Int(raw.word(at: 4))
        guard byteCount <= Frame.maximumSkippableByteCount else {
            throw .unreadable(at: fileOffset, "a mark of \(byteCount) bytes")
        }
        try need(byteCount, "a mark")
        let mark = Mark(frame: raw.available.part(from: 0, count: byteCount))
        // Frames of other kinds may stand here one day, and must not make a log unreadable.
        // What has the size or the signature of a mark and is none was one.
        let hasSignature = byteCount >= 12 && raw.word(at: 8) == Mark.signature
        if mark == nil, byteCount == Frame.markByteCount || hasSignature {
            throw .unreadable(at: fileOffset, "a damaged mark")
        }
        raw.use(byteCount)
        return mark
    }

    private mutating func beginLZ4() throws(Failure) {
        try need(7, "the header of a frame")
        let flags = raw.available.byte(at: 4)
        let blockSize = raw.available.byte(at: 5)
        let byteCount = 7 + (flags & 0x08 != 0 ? 8 : 0) + (flags & 0x01 != 0 ? 4 : 0)
        try need(byteCount, "the header of a frame")
        if lz4 == nil { lz4 = LZ4Decompressor() }
        lz4?.reset()
        var nothing = ByteWriter()
        do throws(DamagedFrame) {
            _ = try lz4?.decompress(raw, byteCount, into: &nothing)
        } catch {
            throw .unreadable(at: fileOffset, "a damaged frame header")
        }
        // 4, 5, 6 and 7 stand for 64 KiB, 256 KiB, 1 MiB and 4 MiB.
        place = .inLZ4(
            blockByteCount: 1 << (8 + 2 * Int(blockSize >> 4)),
            blockChecksum: flags & 0x10 != 0,
            contentChecksum: flags & 0x04 != 0
        )
        raw.use(byteCount)
    }

    private mutating func readBlock(
        upTo maximum: Int,
        checksumByteCount: Int,
        endByteCount: Int,
        into window: inout ByteWriter
    ) throws(Failure) {
        try need(4, "a block")
        let length = Int(raw.word(at: 0) & 0x7FFF_FFFF)
        guard length <= maximum else {
            throw .unreadable(at: fileOffset, "a block of \(length) bytes")
        }
        let byteCount = length == 0 ? endByteCount : 4 + length + checksumByteCount
        try need(byteCount, "a block")
        let before = window.count
        do throws(DamagedFrame) {
            let step = try lz4?.decompress(raw, byteCount, into: &window)
            if step?.endsFrame ?? true { place = .betweenFrames }
        } catch {
            window.truncate(to: before)
            throw .unreadable(at: fileOffset, "a damaged block")
        }
        raw.use(byteCount)
    }

    private mutating func readZstd(into window: inout ByteWriter) throws(Failure) {
        try need(1, "a frame")
        let count = min(raw.availableByteCount, 64 << 10)
        do throws(DamagedFrame) {
            guard let step = try zstd?.decompress(raw, count, into: &window) else { return }
            if step.endsFrame { place = .betweenFrames }
            raw.use(step.consumed)
        } catch {
            throw .unreadable(at: fileOffset, "a damaged frame")
        }
    }
}

// The bytes come with their file, not as a span: a span borrowed from one property of a reader
// counts as a borrow of the reader, whose other properties then could not change.
extension LZ4Decompressor {
    fileprivate mutating func decompress(
        _ source: borrowing RawFile,
        _ count: Int,
        into output: inout ByteWriter
    ) throws(DamagedFrame) -> DecompressionStep {
        try decompress(source.available.part(from: 0, count: count), into: &output)
    }
}

extension ZstdDecompressor {
    fileprivate mutating func decompress(
        _ source: borrowing RawFile,
        _ count: Int,
        into output: inout ByteWriter
    ) throws(DamagedFrame) -> DecompressionStep {
        try decompress(source.available.part(from: 0, count: count), into: &output)
    }
}
