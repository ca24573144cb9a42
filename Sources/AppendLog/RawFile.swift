import Bytes
import Platform

/// A file read from front to back, as much at a time as its reader asks for.
struct RawFile: ~Copyable {
    let path: String
    /// Where the file is read up to.
    private(set) var limit: Int
    /// Where the next byte is.
    private(set) var offset: Int
    private let file: any StorageFile
    private var buffer = ByteWriter()
    private var used = 0

    /// How many bytes are read at a time.
    static let pieceByteCount = 256 << 10

    init(_ storage: any Storage, _ path: String, from start: Int) throws(SystemError) {
        let file = try storage.open(path, writable: false)
        limit = try file.byteCount()
        self.path = path
        self.file = file
        offset = start
    }

    /// Stops reading at `newLimit`, which lies ahead.
    mutating func limit(to newLimit: Int) {
        limit = newLimit
        buffer.truncate(to: min(buffer.count, used + newLimit - offset))
    }

    /// Bytes not yet used, as far as they were read.
    var available: RawSpan {
        @_lifetime(borrow self)
        get { buffer.bytes.part(from: used, count: buffer.count - used) }
    }

    /// How many those are.
    var availableByteCount: Int { buffer.count - used }

    /// Whether everything was used.
    var isAtEnd: Bool { offset >= limit }

    /// Whether nothing more can be read.
    var isReadToEnd: Bool { offset + availableByteCount >= limit }

    /// Reads until `count` bytes are available; false if the file ends before.
    mutating func fill(_ count: Int) throws(SystemError) -> Bool {
        if availableByteCount >= count { return true }
        buffer.removeFirst(used)
        used = 0
        let next = offset + buffer.count
        let wanted = min(max(count - buffer.count, RawFile.pieceByteCount), limit - next)
        if wanted > 0 { _ = try file.read(wanted, at: next, into: &buffer) }
        return buffer.count >= count
    }

    /// Moves past bytes that are available.
    mutating func use(_ count: Int) {
        used += count
        offset += count
    }

    /// Moves bytes that are available to the end of `output`.
    mutating func move(_ count: Int, to output: inout ByteWriter) {
        output.append(available.part(from: 0, count: count))
        use(count)
    }

    /// A little-endian word among the available bytes.
    func word(at position: Int) -> UInt32 {
        var reader = ByteReader(available.part(from: position, count: 4))
        return (try? reader.readInteger()) ?? 0
    }
}
