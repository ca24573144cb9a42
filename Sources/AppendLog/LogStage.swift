import Bytes
import Platform

/// Where effects are safe from the death of the process before the log thread has written them.
///
/// A file that the core writes like memory: a turn's effects cost a copy and a checksum, no
/// call and no other thread, and the replies to them may leave at once under every policy but
/// `always`. The log thread comes after, with many turns in one block. A start reads from here
/// what it had not got to.
///
///     file   = half  half                         of one length
///     half   = header  entry*
///
///     header, 64 bytes, little-endian:
///      0   4   "LRST"
///      4   4   1: version of this layout
///      8   8   salt, drawn when the half was begun
///     16  20   replication id
///     36   8   stream offset of the first entry
///     44  16   0
///     60   4   CRC-32C of bytes 0...59
///
///     entry, on a multiple of 8:
///      0   4   n, the length of the data
///      4   4   CRC-32C of the data, behind a value made of salt and stream offset
///      8   n   data: effects of one turn
///
/// An entry follows the one before it in the stream. A half is begun again only when the log
/// thread has written all that is in it; what is left behind the new entries has another salt
/// and cannot be taken for one. That holds for values that a client chose, too: nobody is ever
/// told the salt.
///
/// A power cut leaves any part of it. What can be read still follows the log's last byte, and
/// is as good as anything in the log; nothing was promised about the rest.
package final class LogStage {
    private let file: any MappedFile
    private let id: ReplicationID
    private var generator = SystemRandomNumberGenerator()
    private var salt: UInt64 = 0
    private let halfByteCount: Int
    private var half = 1
    /// Where the next entry goes, in the half.
    private var position: Int
    /// Where the stream ends after the last entry.
    private var end: StreamOffset
    /// Where it ended when the other half was left.
    private var otherEnd: StreamOffset

    /// How long a half is: enough for what comes while the log thread works.
    package static let usualHalfByteCount = 2 << 20
    static let headerByteCount = 64
    static let entryHeadByteCount = 8
    static let magic: UInt32 = 0x5453_524C
    static let version: UInt32 = 1

    /// Begins an empty one; all before `offset` is in the log.
    package init(
        in directory: LogDirectory,
        _ id: ReplicationID,
        at offset: StreamOffset,
        halfByteCount: Int = LogStage.usualHalfByteCount
    ) throws(SystemError) {
        file = try directory.storage.map(directory.stagePath, byteCount: 2 * halfByteCount)
        self.halfByteCount = halfByteCount
        position = halfByteCount
        self.id = id
        end = offset
        otherEnd = offset
    }

    /// Keeps effects that begin at `offset`; false if there is no room for them now.
    ///
    /// `settled` is asked for how much of the stream a start would find without this file.
    package func append(
        _ effects: RawSpan,
        at offset: StreamOffset,
        settled: () -> StreamOffset
    ) -> Bool {
        let byteCount = LogStage.entryHeadByteCount + effects.byteCount
        if offset != end || position + byteCount > halfByteCount {
            guard LogStage.headerByteCount + byteCount <= halfByteCount else {
                return false
            }
            let settled = settled()
            // What follows a gap would be of no use to a start until the gap is in the log.
            guard settled >= otherEnd, offset == end || settled >= offset else { return false }
            beginHalf(at: offset)
        }
        let start = half * halfByteCount + position
        let seed = LogStage.seed(salt, offset)
        let checksum = CRC32C.checksum(effects, after: seed)
        file.write(effects, at: start + LogStage.entryHeadByteCount)
        file.write(UInt64(checksum) << 32 | UInt64(effects.byteCount), at: start)
        position = (position + byteCount + 7) & ~7
        end = offset + effects.byteCount
        return true
    }

    private func beginHalf(at offset: StreamOffset) {
        otherEnd = end
        end = offset
        half = 1 - half
        salt = generator.next()
        var header = ByteWriter()
        header.appendInteger(LogStage.magic)
        header.appendInteger(LogStage.version)
        header.appendInteger(salt)
        id.write(to: &header)
        header.appendInteger(UInt64(offset))
        for _ in 0..<4 { header.appendInteger(UInt32(0)) }
        header.appendInteger(CRC32C.checksum(header.bytes))
        file.write(header.bytes, at: half * halfByteCount)
        position = LogStage.headerByteCount
    }

    /// What the checksum of an entry begins with.
    static func seed(_ salt: UInt64, _ offset: StreamOffset) -> UInt32 {
        UInt32(truncatingIfNeeded: (salt &+ UInt64(offset)) &* 0x9E37_79B9_7F4A_7C15 >> 32)
    }
}

/// Effects that a crash left in the stage.
struct StagedEffects: ~Copyable {
    /// Those that follow `start` in the stream, without a gap.
    private(set) var effects = ByteWriter()
    private let start: StreamOffset

    /// Reads what follows `offset` in the history `id`; nothing if nothing does.
    init(
        _ directory: LogDirectory,
        _ id: ReplicationID,
        after offset: StreamOffset
    ) throws(SystemError) {
        start = offset
        guard try directory.storage.exists(directory.stagePath) else { return }
        let file = try directory.storage.open(directory.stagePath, writable: false)
        // One that is longer than any was written by nobody, and must not take memory.
        let byteCount = try file.byteCount()
        guard byteCount <= 2 * LogStage.usualHalfByteCount else { return }
        var content = ByteWriter()
        _ = try file.read(byteCount, at: 0, into: &content)
        var halves: [Half] = []
        for first in [0, content.count / 2] {
            let bytes = content.bytes.part(from: first, count: content.count / 2)
            if let half = Half(bytes, at: first), half.id == id { halves.append(half) }
        }
        halves.sort { $0.offset < $1.offset }
        for half in halves { take(half, content.bytes) }
    }

    /// What a half says about itself.
    private struct Half {
        var first: Int
        var salt: UInt64
        var id: ReplicationID
        var offset: StreamOffset

        init?(_ bytes: RawSpan, at first: Int) {
            guard bytes.byteCount >= LogStage.headerByteCount else { return nil }
            self.first = first
            do throws(Truncated) {
                var reader = ByteReader(bytes)
                let magic = try reader.readInteger(as: UInt32.self)
                let version = try reader.readInteger(as: UInt32.self)
                salt = try reader.readInteger()
                id = try ReplicationID(reading: &reader)
                let start = try reader.readInteger(as: UInt64.self)
                var end = ByteReader(bytes.part(from: LogStage.headerByteCount - 4, count: 4))
                let told = bytes.part(from: 0, count: LogStage.headerByteCount - 4)
                let checksum = try end.readInteger(as: UInt32.self)
                guard magic == LogStage.magic, version == LogStage.version,
                    checksum == CRC32C.checksum(told), let offset = StreamOffset(exactly: start)
                else { return nil }
                self.offset = offset
            } catch {
                return nil
            }
        }
    }

    /// Takes the entries of a half that go on where the stream ends.
    private mutating func take(_ half: Half, _ content: RawSpan) {
        let end = half.first + content.byteCount / 2
        var position = half.first + LogStage.headerByteCount
        var offset = half.offset
        while position + LogStage.entryHeadByteCount <= end {
            var head = ByteReader(content.part(from: position, count: 8))
            guard let count = try? head.readInteger(as: UInt32.self),
                let checksum = try? head.readInteger(as: UInt32.self), count > 0,
                Int(count) <= end - position - LogStage.entryHeadByteCount
            else { return }
            let data = content.part(
                from: position + LogStage.entryHeadByteCount,
                count: Int(count)
            )
            let seed = LogStage.seed(half.salt, offset)
            guard CRC32C.checksum(data, after: seed) == checksum else { return }
            let reached = start + effects.count
            guard offset <= reached else { return }
            let known = min(reached - offset, data.byteCount)
            effects.append(data.part(from: known, count: data.byteCount - known))
            offset += data.byteCount
            position = (position + LogStage.entryHeadByteCount + data.byteCount + 7) & ~7
        }
    }
}

extension LogDirectory {
    /// The file of a `LogStage`.
    package var stagePath: String { path("\(fileName).stage") }
}
