import Bytes
import Platform

/// What a compressed segment is made of.
///
/// A segment is a run of frames that the tools of every distribution read: `lz4 -dc` prints a
/// segment that is being written or was just left, `zstd -dc` a sealed one. What comes out is
/// RESP that a Redis can replay.
///
///     segment = (mark  data)*  [mark]
///     mark    = a skippable frame, see below: what the log says about itself
///     data    = an LZ4 frame (name ends in .lz4), or a Zstandard frame (.zst)
///
/// **LZ4 frame**, while the segment is written:
///
///     04 22 4D 18                 magic
///     50                          version 1, blocks linked, each with a checksum
///     50                          blocks of up to 256 KiB
///     FB                          checksum of the two bytes before
///     then blocks:
///         4   length of the data, little-endian; highest bit set: stored as it is
///         n   data
///         4   XXH32 of the data
///     00 00 00 00                 end mark: no more blocks
///
/// A block begins where a request begins, and ends where one ends, unless what one turn
/// changed was larger than a block. Behind the last block there always stands an end mark, so
/// that the file is whole after every write; the next block is written over it.
///
/// **Zstandard frame**, once the segment is sealed: one frame for several MiB of the stream,
/// with a checksum of its content.
///
/// **Mark**, 92 bytes, little-endian; a skippable frame of both formats:
///
///      0   4   50 2A 4D 18        magic
///      4   4   54 00 00 00        84: bytes that follow
///      8   4   "LRDR"
///     12   1   1                  version of this layout
///     13   1   bit 0: the writer closed the log here; bit 1: bytes 60...87 count
///     14   2   0
///     16  20   replication id
///     36   8   stream offset of what follows
///     44   8   stream offset that was durable when this was written
///     52   8   time in milliseconds since 1970
///     60  20   replication id of the history before this one
///     80   8   where that one ended
///     88   4   CRC-32C of bytes 0...87
///
/// An example: a segment that begins at offset 0 with one batch, `PING` in 14 bytes, too short
/// to be worth compressing.
///
///     50 2A 4D 18  54 00 00 00  4C 52 44 52  01  00  00 00
///     83 71 B4 FB 11 55 B7 1F 4A 04 D3 E1 BC 3E 18 C4 A9 90 AE EB
///     00 00 00 00 00 00 00 00   00 00 00 00 00 00 00 00   C7 3B 50 03 A2 01 00 00
///     00 (28 times)   CRC (4 bytes)
///     04 22 4D 18  50  50  FB
///     0E 00 00 80  2A 31 0D 0A 24 34 0D 0A 50 49 4E 47 0D 0A  XXH32 (4 bytes)
///     00 00 00 00
///
/// **What is valid.** A mark whose checksum holds and whose offset is the number of bytes that
/// came before. A block whose checksum holds. A segment is cut only behind a block at which no
/// request and no transaction is open.
enum Frame {
    static let skippableMagic: UInt32 = 0x184D_2A50
    static let lz4Magic: UInt32 = 0x184D_2204
    static let zstdMagic: UInt32 = 0xFD2F_B528

    /// A mark, whole.
    static let markByteCount = 92
    /// An LZ4 end mark.
    static let endMarkByteCount = 4
    /// A skippable frame of others; a damaged length must not look like a long frame.
    static let maximumSkippableByteCount = 1 << 20
}

extension Mark {
    static let signature: UInt32 = 0x5244_524C
    private static let version: UInt8 = 1

    /// Appends the mark as a skippable frame.
    package func writeFrame(to writer: inout ByteWriter) {
        let start = writer.count
        writer.appendInteger(Frame.skippableMagic)
        writer.appendInteger(UInt32(Frame.markByteCount - 8))
        writer.appendInteger(Mark.signature)
        writer.append(Mark.version)
        writer.append((isClosing ? 1 : 0) | (lineage.previous == nil ? 0 : 2))
        writer.appendInteger(UInt16(0))
        lineage.id.write(to: &writer)
        writer.appendInteger(UInt64(offset))
        writer.appendInteger(UInt64(durableOffset))
        writer.appendInteger(time.milliseconds)
        if let previous = lineage.previous {
            previous.id.write(to: &writer)
            writer.appendInteger(UInt64(previous.end))
        } else {
            for _ in 0..<28 { writer.append(0) }
        }
        let checksum = CRC32C.checksum(
            writer.bytes.part(from: start, count: writer.count - start)
        )
        writer.appendInteger(checksum)
    }

    /// Reads a skippable frame; nil if it is not a mark, or a damaged one.
    package init?(frame: RawSpan) {
        guard frame.byteCount == Frame.markByteCount else { return nil }
        do throws(Truncated) {
            var reader = ByteReader(frame)
            let magic = try reader.readInteger(as: UInt32.self)
            _ = try reader.readInteger(as: UInt32.self)
            guard magic == Frame.skippableMagic,
                try reader.readInteger(as: UInt32.self) == Mark.signature,
                try reader.readByte() == Mark.version,
                frame.checksumHolds
            else { return nil }
            let flags = try reader.readByte()
            _ = try reader.readInteger(as: UInt16.self)
            let id = try ReplicationID(reading: &reader)
            guard let offset = StreamOffset(exactly: try reader.readInteger(as: UInt64.self)),
                let durable = StreamOffset(exactly: try reader.readInteger(as: UInt64.self))
            else { return nil }
            let milliseconds = try reader.readInteger(as: Int64.self)
            self.init(
                lineage: Lineage(id: id),
                offset: offset,
                durableOffset: durable,
                time: WallTime(milliseconds: milliseconds),
                isClosing: flags & 1 != 0
            )
            if flags & 2 != 0 {
                let previous = try ReplicationID(reading: &reader)
                guard let end = StreamOffset(exactly: try reader.readInteger(as: UInt64.self))
                else { return nil }
                lineage.previous = Lineage.Ancestor(id: previous, end: end)
            }
        } catch {
            return nil
        }
    }
}

extension RawSpan {
    /// Whether the last four bytes are the CRC-32C of those before.
    fileprivate var checksumHolds: Bool {
        let told = part(from: 0, count: byteCount - 4)
        var reader = ByteReader(part(from: byteCount - 4, count: 4))
        return (try? reader.readInteger(as: UInt32.self)) == CRC32C.checksum(told)
    }
}
