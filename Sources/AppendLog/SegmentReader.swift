import Bytes
import Platform

/// Reads one segment from front to back and turns it into bytes of the stream.
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

    let format: SegmentFormat
    var raw: RawFile
    var place = Place.betweenFrames
    var lz4: LZ4Decompressor?
    var zstd: ZstdDecompressor?
    /// In a plain segment, requests that no checksum covers.
    var loose = LooseRequests()

    /// Where in a segment of frames it is.
    enum Place: Equatable {
        case betweenFrames
        case inLZ4(blockByteCount: Int, blockChecksum: Bool, contentChecksum: Bool)
        case inZstd
    }

    /// Opens a file that holds effects from `start` on.
    init(_ storage: any Storage, _ path: String, from start: Int = 0) throws(SystemError) {
        var raw = try RawFile(storage, path, from: start)
        _ = try raw.fill(4)
        format = SegmentFormat(path: path, head: raw.available)
        self.raw = raw
    }

    /// Where the next piece begins.
    var fileOffset: Int { raw.offset }

    /// Whether the segment may end here: not inside something that has to be whole.
    var mayEndHere: Bool { place != .inZstd }

    /// Whether a frame is open here that an end mark has to close.
    var needsEndMark: Bool {
        if case .inLZ4 = place { true } else { false }
    }

    /// Finds the next piece; effects are appended to `window`.
    ///
    /// After it threw anything but `storage`, it must not be called again.
    mutating func next(into window: inout ByteWriter) throws(Failure) -> Piece {
        format == .plain ? try nextPlain(into: &window) : try nextFramed(into: &window)
    }

    /// Makes sure that `count` bytes are available.
    mutating func need(_ count: Int, _ what: StaticString) throws(Failure) {
        guard try fill(count) else { throw .cut(at: raw.offset, "\(what) is cut") }
    }

    /// Reads until `count` bytes are available; false if the file ends before.
    mutating func fill(_ count: Int) throws(Failure) -> Bool {
        do throws(SystemError) {
            return try raw.fill(count)
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
