import Bytes
import RDB

/// A key of one of two data sets, as far as comparing them needs it.
///
/// Written so that items sort by database, key and side, by rank and then byte by byte:
///
///     | database 8 B, big-endian | key, 00 as 00 FF | 00 00 | side | encoding | deadline 8 B |
///     | digest 16 B | bytes of the record 8 B |
///
/// The escape keeps the order of keys, and `00 00` ends a key before any longer one.
struct DiffItem: Equatable {
    var database: UInt64
    var key: ByteString
    var side: DiffSide
    var encoding: Encoding
    var deadline: Int64?
    var digest: Digest128
    var byteCount: Int

    private static let noDeadline = Int64.max

    /// The first bytes of what is written, as a number.
    var rank: UInt64 {
        var first = UInt64(UInt16(clamping: database))
        var taken = 0
        for byte in key.array.prefix(6) {
            // The order of what follows a zero is left to the bytes.
            if byte == 0 { break }
            first = first << 8 | UInt64(byte)
            taken += 1
        }
        return first << UInt64(8 * (6 - taken))
    }

    /// Appends the item.
    func write(to writer: inout ByteWriter) {
        writer.appendBigEndian(database)
        for byte in key.array {
            writer.append(byte)
            if byte == 0 { writer.append(UInt8(0xFF)) }
        }
        writer.append(UInt8(0))
        writer.append(UInt8(0))
        writer.append(side.rawValue)
        writer.append(encoding.rawValue)
        writer.appendInteger(deadline ?? Self.noDeadline)
        writer.appendInteger(digest.high)
        writer.appendInteger(digest.low)
        writer.appendInteger(UInt64(byteCount))
    }

    /// Reads what `write` wrote; nil if it is something else.
    init?(reading bytes: RawSpan) {
        var reader = ByteReader(bytes)
        do {
            database = try reader.readInteger(as: UInt64.self).byteSwapped
            guard let key = try Self.readKey(&reader),
                let side = DiffSide(rawValue: try reader.readInteger(as: UInt8.self)),
                let encoding = Encoding(rawValue: try reader.readInteger(as: UInt8.self))
            else { return nil }
            self.key = key
            self.side = side
            self.encoding = encoding
            let deadline = try reader.readInteger(as: Int64.self)
            self.deadline = deadline == Self.noDeadline ? nil : deadline
            digest = Digest128(
                high: try reader.readInteger(as: UInt64.self),
                low: try reader.readInteger(as: UInt64.self)
            )
            byteCount = Int(try reader.readInteger(as: UInt64.self))
        } catch {
            return nil
        }
    }

    private static func readKey(_ reader: inout ByteReader) throws(Truncated) -> ByteString? {
        var key: [UInt8] = []
        while true {
            let byte = try reader.readInteger(as: UInt8.self)
            guard byte == 0 else {
                key.append(byte)
                continue
            }
            switch try reader.readInteger(as: UInt8.self) {
            case 0: return ByteString(key)
            case 0xFF: key.append(0)
            default: return nil
            }
        }
    }

    init(
        database: UInt64,
        key: ByteString,
        side: DiffSide,
        encoding: Encoding,
        deadline: Int64?,
        digest: Digest128,
        byteCount: Int
    ) {
        self.database = database
        self.key = key
        self.side = side
        self.encoding = encoding
        self.deadline = deadline
        self.digest = digest
        self.byteCount = byteCount
    }
}

/// Which of two data sets.
enum DiffSide: UInt8 {
    case before = 0
    case after = 1
}
