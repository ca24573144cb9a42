import Bytes
import RDB

/// What is known of one key once its value was walked; the name is the reader's.
public struct KeyRow: BitwiseCopyable, Equatable, Sendable {
    /// The database.
    public var database: UInt64
    /// How the value is laid out.
    public var encoding: Encoding
    /// Where in the file the record begins.
    public var offset: Int
    /// Bytes of the record: the key, its deadline and its value.
    public var byteCount: Int
    /// Elements, members, fields or entries; the bytes of a string.
    public var elementCount: Int
    /// Bytes of the largest element, member, or field with its value; of a string, all.
    public var largestElement: Int
    /// When the key expires, in milliseconds since 1970.
    public var deadline: Int64?
    /// How long nobody asked for it, in seconds.
    public var idleSeconds: UInt64?
    /// How often it is asked for, as a logarithm.
    public var frequency: UInt8?
    /// Fields that have a deadline.
    public var fieldDeadlineCount: Int
    /// Bytes of memory that the target needs for it.
    public var memory: Int
}

extension ValueKind {
    /// The name by which commands know it; what its module calls a module's.
    package var commandName: String {
        switch self {
        case .sortedSet: "zset"
        default: rawValue
        }
    }
}

extension ValueMeasure {
    /// Walks the value of the last key of `reader` and tells what is known of it.
    package mutating func measure(
        _ record: KeyRecord,
        _ reader: inout FileReader
    ) throws(RDBError) -> KeyRow {
        try reader.readValue(into: &self)
        return row(record, reader)
    }

    /// What is known of the last key of `reader`, whose value was walked.
    package func row(_ record: KeyRecord, _ reader: borrowing FileReader) -> KeyRow {
        KeyRow(
            database: reader.database,
            encoding: record.encoding,
            offset: record.offset,
            byteCount: reader.offset - record.offset,
            elementCount: elementCount,
            largestElement: largestElement,
            deadline: record.deadline,
            idleSeconds: record.idleSeconds,
            frequency: record.frequency,
            fieldDeadlineCount: fieldDeadlineCount,
            memory: memory.byteCount(
                ofKey: reader.keyByteCount,
                hasDeadline: record.deadline != nil
            )
        )
    }
}
