import Bytes
import RDB

/// A key's name, a library of functions or an auxiliary value that is too long to be held: in a
/// scratch file, and known by a text that stands for it.
public final class LongText {
    /// All of it.
    let bytes = SpooledBytes()
    /// What stands for it: its beginning, how long it is, and its digest.
    let standIn: ByteString
    /// The hash of it and its length, as of any text.
    let hash: SipHash128

    /// What is longer is not held.
    package static let limit = 1 << 16
    /// How much of it the text has that stands for it.
    private static let beginningByteCount = 1 << 10

    /// Reads what was too long for `reader`; nil if nothing was.
    init?(_ reader: inout FileReader) throws(RDBError) {
        guard let byteCount = reader.longTextByteCount else { return nil }
        var hash = SipHash128()
        hash.combine(UInt64(byteCount))
        var text = ByteWriter()
        let spool = bytes
        try reader.readLongText { part throws(RDBError) in
            hash.combine(part)
            let room = Self.beginningByteCount - text.count
            if room > 0 { text.append(part.part(from: 0, count: min(room, part.byteCount))) }
            try spool.append(part)
        }
        self.hash = hash
        text.append(utf8: "… (\(byteCount) bytes, digest \(hash.finish()))")
        standIn = ByteString(text.bytes)
    }
}

extension RecordConsumer where Self: ~Copyable {
    /// Gives the consumer a record, and before it the text of it that is too long to be held.
    mutating func take(_ record: Record, _ reader: inout FileReader) throws(RDBError) {
        guard let text = try LongText(&reader) else {
            guard case .key(let key) = record else { return try self.record(record, &reader) }
            return try self.key(key, &reader)
        }
        longText(text)
        defer { longText(nil) }
        switch record {
        case .key(let key):
            let name = text.standIn
            reader.nameKey(name.bytes)
            try self.key(key, &reader)
        case .function: try self.record(.function(text.standIn), &reader)
        case .auxiliary(let name, _):
            try self.record(.auxiliary(name: name, value: text.standIn), &reader)
        default: try self.record(record, &reader)
        }
    }
}
