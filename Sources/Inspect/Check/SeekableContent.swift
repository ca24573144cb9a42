import Bytes
import Platform
import RDB

/// What a file holds, decompressed, readable at any place.
///
/// A pipe or a compressed file is copied into a scratch file first.
final class SeekableContent {
    /// Bytes of the content.
    let byteCount: Int
    private let file: (any StorageFile)?
    private let scratch: ScratchFile?

    init(_ path: String, _ progress: Progress?) throws {
        let stream = try InputStream(path: path)
        let source = try FileSource(stream, progress: progress)
        if source.compression == .none, let count = stream.byteCount {
            let (folder, name) = Paths.split(path)
            file = try DiskStorage(path: folder).open(name, writable: false)
            scratch = nil
            byteCount = count
            return
        }
        let scratch = try ScratchFile()
        try Self.copy(source, to: scratch)
        self.scratch = scratch
        file = nil
        byteCount = scratch.byteCount
    }

    /// Copies all there is; damaged compression ends it, and what came before stays.
    private static func copy(_ source: FileSource, to scratch: ScratchFile) throws {
        while true {
            var buffer = ByteWriter()
            do {
                unsafe try buffer.append(upTo: 256 << 10) { free in
                    var room = unsafe OutputRawSpan(buffer: free, initializedCount: 0)
                    try source.read(into: &room)
                    return unsafe room.finalize(for: free)
                }
            } catch let error as InspectError where error.isDamage {
                return
            }
            if buffer.isEmpty { return }
            try scratch.append(buffer.bytes)
        }
    }

    /// Appends up to `count` bytes from `offset` on to `buffer`; fewer only at the end.
    func read(
        _ count: Int,
        at offset: Int,
        into buffer: inout ByteWriter
    ) throws(SystemError) {
        let count = max(0, min(count, byteCount - offset))
        if let file {
            _ = try file.read(count, at: offset, into: &buffer)
        } else {
            try scratch?.read(count, at: offset, into: &buffer)
        }
    }
}

/// A file from some record on, as a source of an RDB reader: its magic, then that record.
final class SectionSource: ByteSource {
    private let content: SeekableContent
    private var magic: ByteString?
    private var position: Int
    private var pieceByteCount: Int
    private let patch: Patch?

    /// Bytes that are read in the place of those of the file.
    struct Patch {
        var offset: Int
        var bytes: [UInt8]
    }

    /// What the magic adds to offsets of the reader.
    static let magicByteCount = 9

    /// Reads from `offset` on, first a small piece, then larger ones.
    init(
        _ content: SeekableContent,
        magic: ByteString,
        from offset: Int,
        firstPiece: Int,
        patch: Patch? = nil
    ) {
        self.patch = patch
        self.content = content
        self.magic = magic
        position = offset
        pieceByteCount = firstPiece
    }

    var remainingByteCount: Int? {
        content.byteCount - position + (magic?.byteCount ?? 0)
    }

    func read(into room: inout OutputRawSpan) throws {
        var buffer = ByteWriter()
        if let magic {
            buffer.append(magic.bytes)
            self.magic = nil
        }
        let count = min(room.freeCapacity - buffer.count, pieceByteCount)
        let before = buffer.count
        try content.read(count, at: position, into: &buffer)
        if let patch {
            for (index, byte) in patch.bytes.enumerated() {
                let place = before + patch.offset + index - position
                if (before..<buffer.count).contains(place) {
                    buffer.overwrite(at: place, with: byte)
                }
            }
        }
        position += buffer.count - before
        pieceByteCount = min(pieceByteCount * 4, 128 << 10)
        unsafe room.withUnsafeMutableBytes { free, filled in
            unsafe buffer.bytes.withUnsafeBytes { bytes in
                unsafe UnsafeMutableRawBufferPointer(rebasing: free[filled...])
                    .copyMemory(from: bytes)
            }
            filled += buffer.count
        }
    }
}

/// Names of keys by the place of their records.
enum KeyName {
    /// The key of the record at `offset` of a file.
    static func read(_ path: String, at offset: Int) throws -> ByteString {
        let content = try SeekableContent(path, nil)
        var head = ByteWriter()
        try content.read(SectionSource.magicByteCount, at: 0, into: &head)
        let magic = ByteString(head.bytes)
        let source = SectionSource(content, magic: magic, from: offset, firstPiece: 4096)
        var reader = FileReader(source)
        _ = try reader.next()
        return ByteString(reader.key)
    }
}
