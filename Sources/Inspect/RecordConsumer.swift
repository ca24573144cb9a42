import AppendLog
import Bytes
import RDB

/// What a pass over a data set reports to.
///
/// Calls for one file are `begin`, then its records, then, if commands follow, `effects`, and
/// `end`. A value that is not read in `key` is skipped. What a consumer throws ends the pass; a
/// trouble that is not the file's is the `cause` of the error, and comes out in its place.
public protocol RecordConsumer: ~Copyable {
    /// A file begins.
    mutating func begin(_ file: FileDescription) throws(RDBError)
    /// A key: its name is `reader.key`, and its value can be read from `reader`, once.
    mutating func key(
        _ record: KeyRecord,
        _ reader: inout FileReader
    ) throws(RDBError)
    /// The text of the next record is too long to be held; what the record has stands for it.
    /// Nil after that record.
    ///
    /// Only if the reader is told that there are such: see `FileReader.Options`.
    mutating func longText(_ text: LongText?)
    /// Any other record. The pieces of module data can be read from `reader`.
    mutating func record(
        _ record: Record,
        _ reader: inout FileReader
    ) throws(RDBError)
    /// Commands of an append-only file: whole requests as RESP.
    ///
    /// `startsFile` says that database 0 is the selected one.
    mutating func effects(_ requests: RawSpan, startsFile: Bool) throws(RDBError)
    /// The file ended.
    mutating func end(_ file: FileSummary) throws(RDBError)
}

extension RecordConsumer where Self: ~Copyable {
    /// Does nothing.
    public mutating func longText(_ text: LongText?) {}
    /// Does nothing.
    public mutating func begin(_ file: FileDescription) throws(RDBError) {}
    /// Does nothing.
    public mutating func record(
        _ record: Record,
        _ reader: inout FileReader
    ) throws(RDBError) {}
    /// Does nothing.
    public mutating func effects(_ requests: RawSpan, startsFile: Bool) throws(RDBError) {}
    /// Does nothing.
    public mutating func end(_ file: FileSummary) throws(RDBError) {}
}

/// A file, as far as its first bytes tell.
public struct FileDescription: Sendable {
    /// What the user called it; `-` is standard input.
    public var path: String
    /// How it is compressed.
    public var compression: Compression
    /// Bytes on disk; nil for a pipe.
    public var byteCount: Int?
    /// Whether it is a log: a base, if there is one, and the commands since.
    public var isLog: Bool
}

/// What is known of a file at its end.
public struct FileSummary: Sendable {
    /// The format of the RDB; nil if the file has none.
    public var format: Format?
    /// Bytes of the RDB, decompressed.
    public var byteCount = 0
    /// The checksum, which was right; nil if the file has none.
    public var checksum: UInt64?
    /// Bytes that follow the end of the RDB and are not commands.
    public var hasTrailingBytes = false
    /// What reading the log came to; nil if it is none.
    package var log: RecoveredLog?
}
