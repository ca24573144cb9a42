import Bytes
import Platform

/// Turns a complete segment into Zstandard frames that hold the same stream.
package struct Sealer {
    let directory: LogDirectory

    /// The compression level of sealed segments.
    ///
    /// Measured on session data of 72 MB: level 1 makes 0.178 of it in
    /// 0.3 s, 3 makes 0.188 in 0.4 s, 9 makes 0.169 in 2 s.
    static let level = 1
    /// How much of the stream a frame holds.
    static let frameByteCount = 8 << 20

    /// A sealed segment: a file that does not count yet.
    package struct Sealed {
        package var name: String
        package var byteCount: Int
    }

    package init(directory: LogDirectory) {
        self.directory = directory
    }

    /// Writes and syncs the sealed form of a segment.
    ///
    /// Nil if the segment is in that form or is not Larder's, if it cannot be read, or if
    /// `goesOn` turned false. A segment that cannot be read stays as it is: the next start
    /// tells what is wrong with it.
    package func seal(
        _ entry: Manifest.Entry,
        while goesOn: () -> Bool
    ) throws(SystemError) -> Sealed? {
        let storage = directory.storage
        let temporary = directory.path("\(directory.temporaryPrefix)seal")
        if try storage.exists(temporary) { try storage.remove(temporary) }
        let reader = try SegmentReader(storage, directory.path(entry.name))
        guard reader.format != .zstd else { return nil }
        let file = try storage.create(temporary)
        var writer = SealedWriter(file)
        guard try writer.copy(SegmentCursor(reader, at: nil), while: goesOn),
            try isSame(temporary, writer.checksum)
        else {
            try storage.remove(temporary)
            return nil
        }
        try file.sync()
        let name = directory.incrementName(entry.sequence, .zstd)
        try storage.rename(temporary, to: directory.path(name))
        return Sealed(name: name, byteCount: writer.byteCount)
    }

    /// Whether what was written reads back as what it was made of.
    ///
    /// The original is going to be removed. A fault in memory, or in a library, must be found
    /// before that.
    private func isSame(_ path: String, _ checksum: CRC64) throws(SystemError) -> Bool {
        var cursor = SegmentCursor(try SegmentReader(directory.storage, path), at: nil)
        var found = CRC64()
        var effects = ByteWriter()
        while true {
            do throws(SegmentReader.Failure) {
                switch try cursor.advance() {
                case .mark: continue
                case .end: return found == checksum
                case .effects:
                    _ = cursor.takeWhole(into: &effects)
                    found.update(effects.bytes)
                    effects.removeAll()
                }
            } catch {
                if case .storage(let error) = error { throw error }
                return false
            }
        }
    }
}

/// Writes sealed frames to a file.
private struct SealedWriter: ~Copyable {
    private(set) var byteCount = 0
    private(set) var checksum = CRC64()
    private let file: any StorageFile
    private var compressor = ZstdCompressor(level: Sealer.level)
    private var effects = ByteWriter()
    private var output = ByteWriter()

    init(_ file: any StorageFile) {
        self.file = file
    }

    /// Copies all effects; false if there is nothing to copy, or it cannot be read.
    mutating func copy(
        _ cursor: consuming SegmentCursor,
        while goesOn: () -> Bool
    ) throws(SystemError) -> Bool {
        var mark: Mark?
        while goesOn() {
            do throws(SegmentReader.Failure) {
                switch try cursor.advance() {
                case .mark(let next):
                    if next.isClosing, mark != nil { try flush(&mark, next) }
                    if mark == nil { mark = next }
                    if effects.count >= Sealer.frameByteCount { try flush(&mark, next) }
                case .effects:
                    guard mark != nil else { return false }
                    _ = cursor.takeWhole(into: &effects)
                case .end:
                    try flush(&mark, nil)
                    return byteCount > 0
                }
            } catch {
                if case .storage(let error) = error { throw error }
                return false
            }
        }
        return false
    }

    /// Writes the frame that `mark` begins, and goes on with `next`.
    private mutating func flush(
        _ mark: inout Mark?,
        _ next: Mark?
    ) throws(SegmentReader.Failure) {
        defer { mark = next }
        guard let current = mark else { return }
        current.writeFrame(to: &output)
        compressor.compress(effects, into: &output)
        checksum.update(effects)
        effects.removeAll()
        do throws(SystemError) {
            try file.write(output.bytes, at: byteCount)
        } catch {
            throw .storage(error)
        }
        byteCount += output.count
        output.removeAll()
    }
}

// As in SegmentReader: a span borrowed from one property would borrow all of them.
extension ZstdCompressor {
    fileprivate mutating func compress(
        _ source: borrowing ByteWriter,
        into output: inout ByteWriter
    ) {
        if !source.isEmpty { compress(source.bytes, into: &output) }
    }
}

extension CRC64 {
    fileprivate mutating func update(_ source: borrowing ByteWriter) {
        update(source.bytes)
    }
}
