import Bytes
import Inspect
import RDB

/// Which of the two data sets of a verification.
package enum Side: UInt8, Sendable, CaseIterable {
    case first
    case second

    /// The other one.
    package var other: Side { self == .first ? .second : .first }
}

/// What a verification keeps of a key of one side.
///
///     u32 BE  bytes of the key       items of one key sort next to each other,
///     key                            the first side's before the second's
///     u8      side
///     u8      encoding
///     u8      1 = has a deadline, 2 = was elsewhere
///     i64     deadline
///     16      digest of the value
///     u32 BE  database where it was, and its key there, if it was elsewhere
package struct VerificationEntry: Equatable {
    /// The database.
    package var database: Int
    /// The key.
    package var key: ByteString
    /// Whose key it is.
    package var side: Side
    /// How the value is laid out.
    package var encoding: Encoding
    /// When it expires, in milliseconds since 1970.
    package var deadline: Int64?
    /// The value's digest.
    package var digest: Digest128
    /// Where it lies, if a migration has moved it; `database` and `key` are where it went.
    package var origin: Place?

    /// Sorts by database, then by the first bytes of the key.
    package var rank: UInt64 {
        var rank = UInt64(UInt16(clamping: database))
        for offset in 0..<6 {
            let byte = offset < key.byteCount ? key.bytes.byte(at: offset) : 0
            rank = rank << 8 | UInt64(byte)
        }
        return rank
    }

    /// Appends what sorts behind the rank.
    package func encode(into writer: inout ByteWriter) {
        writer.appendBigEndian(UInt32(clamping: key.byteCount))
        writer.append(key.bytes)
        writer.append(side.rawValue)
        writer.append(encoding.rawValue)
        writer.append((deadline == nil ? 0 : 1) | (origin == nil ? 0 : 2))
        writer.appendInteger(deadline ?? 0)
        writer.appendInteger(digest.high)
        writer.appendInteger(digest.low)
        guard let origin else { return }
        writer.appendBigEndian(UInt32(clamping: origin.database))
        writer.append(origin.key.bytes)
    }

    /// Describes a key.
    package init(
        database: Int,
        key: ByteString,
        side: Side,
        encoding: Encoding,
        deadline: Int64?,
        digest: Digest128,
        origin: Place? = nil
    ) {
        self.database = database
        self.key = key
        self.side = side
        self.encoding = encoding
        self.deadline = deadline
        self.digest = digest
        self.origin = origin
    }

    /// Reads what `encode` wrote; nil if it is something else.
    package init?(rank: UInt64, _ content: RawSpan) {
        var reader = ByteReader(content)
        do {
            let count = Int(try reader.readBigEndian(as: UInt32.self))
            key = ByteString(try reader.readBytes(count))
            let bytes = (try reader.readByte(), try reader.readByte(), try reader.readByte())
            guard let side = Side(rawValue: bytes.0), let encoding = Encoding(rawValue: bytes.1)
            else { return nil }
            let moment = try reader.readInteger(as: Int64.self)
            (self.side, self.encoding) = (side, encoding)
            deadline = bytes.2 & 1 == 0 ? nil : moment
            let high = try reader.readInteger(as: UInt64.self)
            digest = Digest128(high: high, low: try reader.readInteger(as: UInt64.self))
            if bytes.2 & 2 != 0 {
                let number = UInt64(try reader.readBigEndian(as: UInt32.self))
                origin = Place(number, ByteString(try reader.readBytes(reader.remaining)))
            }
        } catch {
            return nil
        }
        database = Int(rank >> 48)
    }
}
