import Bytes
import Platform
import RDB

/// Bytes that have to be known to their end before the first is written: in memory while they
/// are few, in a scratch file if they are many.
final class SpooledBytes: ByteSink {
    private var memory = ByteWriter()
    private var file: ScratchFile?
    private var checksum = CRC64()

    private static let memoryLimit = 1 << 20
    private static let pieceByteCount = 256 << 10

    init() {}

    /// Bytes so far.
    var byteCount: Int { (file?.byteCount ?? 0) + memory.count }

    /// The CRC-64 of the bytes so far.
    var checksumValue: UInt64 { checksum.value }

    /// Takes all of `bytes`.
    func write(_ bytes: RawSpan) throws(SystemError) {
        checksum.update(bytes)
        if memory.count + bytes.byteCount > Self.memoryLimit { try spill() }
        if bytes.byteCount > Self.memoryLimit, let file { return try file.append(bytes) }
        memory.append(bytes)
    }

    private func spill() throws(SystemError) {
        let file = try scratchFile()
        // Taken out while it is written.
        var taken = ByteWriter()
        swap(&taken, &memory)
        try file.append(taken.bytes)
    }

    private func scratchFile() throws(SystemError) -> ScratchFile {
        if let file { return file }
        let new = try ScratchFile()
        file = new
        return new
    }

    /// Prints the bytes, in order; they stay.
    func print(to printer: inout Printer) throws(RDBError) {
        try forEachPiece { piece throws(RDBError) in
            printer.buffer.append(piece)
            try printer.flushIfFull()
        }
    }

    /// Hands out the bytes, in order; up to a megabyte in one piece.
    func forEachPiece(_ body: (RawSpan) throws(RDBError) -> Void) throws(RDBError) {
        if let file {
            var piece = ByteWriter()
            var offset = 0
            while offset < file.byteCount {
                piece.removeAll()
                do {
                    try file.read(Self.pieceByteCount, at: offset, into: &piece)
                } catch {
                    throw Self.failure(error)
                }
                offset += piece.count
                try body(piece.bytes)
            }
        }
        // Taken out while it is lent.
        var taken = ByteWriter()
        swap(&taken, &memory)
        defer { swap(&taken, &memory) }
        if !taken.isEmpty { try body(taken.bytes) }
    }

    /// Appends bytes, for visitors, whose errors are RDB's.
    func append(_ bytes: RawSpan) throws(RDBError) {
        do {
            try write(bytes)
        } catch {
            throw Self.failure(error)
        }
    }

    private static func failure(_ error: SystemError) -> RDBError {
        RDBError(.transferFailed, at: 0, "scratch file", cause: error)
    }
}
