import Bytes
import Platform
import RDB

/// The bytes of a file, decompressed, as a source of an RDB reader.
///
/// What has to be decompressed, another thread does while the caller is busy with what came
/// before.
final class FileSource: ByteSource {
    /// How the file is compressed.
    let compression: Compression
    private var content: FileContent?
    private var readAhead: ReadAhead?

    /// Looks at the first bytes of `stream` and goes on from its beginning.
    init(_ stream: InputStream, progress: Progress?) throws(SystemError) {
        let content = try FileContent(stream, progress: progress)
        compression = content.compression
        self.content = consume content
    }

    deinit {
        readAhead?.stop()
    }

    /// The first bytes, decompressed, without moving past them; fewer if there are no more.
    ///
    /// To be called before anything is read.
    func peek(_ count: Int) throws -> ByteString {
        try content?.peek(count) ?? ByteString([])
    }

    /// What is left, unless that has to be decompressed first.
    var remainingByteCount: Int? { content?.remainingByteCount ?? nil }

    func read(into room: inout OutputRawSpan) throws {
        if compression == .none {
            try content?.read(into: &room)
            return
        }
        if let content = content.take() { readAhead = ReadAhead(content) }
        try readAhead?.read(into: &room)
    }
}

/// What a file holds, read and decompressed a piece at a time.
struct FileContent: ~Copyable {
    let compression: Compression
    private let stream: InputStream
    private let progress: Progress?
    private var decompressor: Decompressor
    /// What was read of the file and not decompressed yet.
    private var raw = ByteWriter()
    private var used = 0
    /// What was decompressed and not handed out yet.
    private var ready = ByteWriter()
    private var handedOut = 0
    private var isInsideFrame = false
    private var mayHaveMore = false

    /// Bytes of the file read at a time.
    private static let pieceByteCount = 64 << 10

    init(_ stream: InputStream, progress: Progress?) throws(SystemError) {
        self.stream = stream
        self.progress = progress
        var head = ByteWriter()
        while head.count < Compression.magicByteCount {
            guard try stream.read(Compression.magicByteCount, into: &head) else { break }
        }
        compression = Compression(beginning: head.bytes)
        decompressor = Decompressor(compression)
        raw = head
    }

    mutating func peek(_ count: Int) throws -> ByteString {
        while ready.count - handedOut < count, try advance() {}
        let available = min(count, ready.count - handedOut)
        return ByteString(ready.bytes.part(from: handedOut, count: available))
    }

    var remainingByteCount: Int? {
        guard compression == .none, let byteCount = stream.byteCount else { return nil }
        return max(0, byteCount - stream.offset) + raw.count - used + ready.count - handedOut
    }

    mutating func read(into room: inout OutputRawSpan) throws {
        if compression == .none, used == raw.count, handedOut == ready.count {
            try stream.read(into: &room)
            progress?.advance(to: stream.offset)
            return
        }
        while handedOut == ready.count {
            guard try advance() else { return }
        }
        let count = min(room.freeCapacity, ready.count - handedOut)
        unsafe room.withUnsafeMutableBytes { free, filled in
            unsafe ready.bytes.part(from: handedOut, count: count).withUnsafeBytes { bytes in
                unsafe UnsafeMutableRawBufferPointer(rebasing: free[filled...])
                    .copyMemory(from: bytes)
            }
            filled += count
        }
        handedOut += count
    }

    /// Decompresses a little more; false at the end.
    private mutating func advance() throws -> Bool {
        if handedOut == ready.count {
            ready.removeAll(keepingCapacityUpTo: Decompressor.limit * 4)
            handedOut = 0
        }
        if used == raw.count, !mayHaveMore {
            raw.removeAll()
            used = 0
            guard try stream.read(Self.pieceByteCount, into: &raw) else {
                guard !isInsideFrame else {
                    throw damage("the \(compression.rawValue) data ends too early")
                }
                return false
            }
            progress?.advance(to: stream.offset)
        }
        try decompress()
        return true
    }

    private mutating func decompress() throws {
        let before = ready.count
        // Taken out while it is looked at: the rest changes.
        var input = ByteWriter()
        swap(&input, &raw)
        defer { swap(&input, &raw) }
        do {
            let rest = input.bytes.part(from: used, count: input.count - used)
            let step = try decompressor.decompress(rest, into: &ready)
            used += step.consumed
            isInsideFrame = !step.endsFrame
            mayHaveMore = !step.endsFrame && ready.count - before >= Decompressor.limit
        } catch {
            throw damage("\(compression.rawValue): \(error.reason)", unused: input.count - used)
        }
    }

    private func damage(_ text: String, unused: Int = 0) -> InspectError {
        InspectError(stream.path, .compression(offset: stream.offset - unused, text))
    }
}

extension InputStream {
    /// Appends up to `count` bytes to `buffer`; false at the end.
    fileprivate func read(
        _ count: Int,
        into buffer: inout ByteWriter
    ) throws(SystemError) -> Bool {
        let before = buffer.count
        unsafe try buffer.append(upTo: count) { free throws(SystemError) in
            var room = unsafe OutputRawSpan(buffer: free, initializedCount: 0)
            try read(into: &room)
            return unsafe room.finalize(for: free)
        }
        return buffer.count > before
    }
}
