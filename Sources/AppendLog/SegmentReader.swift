import Bytes
import Platform

/// Reads one file of the log from front to back and turns it into bytes of the stream.
struct SegmentReader {
    let path: String
    /// Where the file is read up to: its end, or where its tail was found to be torn.
    var limit: Int
    /// Where the next piece begins.
    private(set) var fileOffset: Int
    private let file: any StorageFile

    /// How many bytes are read from a plain file at a time.
    static let pieceByteCount = 256 << 10

    /// Opens a file of the log.
    init(_ storage: any Storage, _ path: String, from start: Int = 0) throws(SystemError) {
        self.path = path
        file = try storage.open(path, writable: false)
        fileOffset = start
        limit = try file.byteCount()
    }

    /// Moves to a place in the file.
    mutating func seek(to offset: Int) {
        fileOffset = offset
    }

    /// Appends the next piece to `window`; false at the end.
    mutating func read(into window: inout ByteWriter) throws(SystemError) -> Bool {
        let count = min(SegmentReader.pieceByteCount, limit - fileOffset)
        guard count > 0 else { return false }
        let got = try file.read(count, at: fileOffset, into: &window)
        fileOffset += got
        return got > 0
    }

    /// The first `count` bytes of the file, fewer if it is shorter.
    func head(_ count: Int, into buffer: inout ByteWriter) throws(SystemError) {
        _ = try file.read(count, at: 0, into: &buffer)
    }
}
