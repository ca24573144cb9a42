import Bytes

/// What is wrong with a file or payload, where, and inside which key.
///
/// Two errors are equal if their codes are.
public struct RDBError: Error, Sendable {
    /// The kinds of trouble.
    public enum Code: String, Sendable, CaseIterable {
        /// The input ends too early.
        case truncated
        /// The file does not begin with a magic of the format.
        case wrongMagic
        /// A version that nobody wrote, or that this reader does not know.
        case unsupportedVersion
        /// A byte that is neither an opcode nor a value type.
        case unknownType
        /// A value type whose layout cannot be read without the module or server that wrote it.
        case unreadableType
        /// A length prefix that no writer makes, or a special one where a number must be.
        case invalidLength
        /// A special string encoding that does not exist.
        case invalidString
        /// Compressed data that does not expand to what it promises.
        case invalidCompression
        /// A broken listpack.
        case invalidListpack
        /// A broken ziplist.
        case invalidZiplist
        /// A broken zipmap.
        case invalidZipmap
        /// A broken intset.
        case invalidIntset
        /// A list node that is neither one element nor a listpack, or is empty.
        case invalidListNode
        /// A packed hash or sorted set whose elements do not pair up.
        case oddCount
        /// A score that is no number.
        case invalidScore
        /// A deadline outside what writers give.
        case invalidDeadline
        /// A stream whose nodes, ids or counts contradict each other.
        case invalidStream
        /// Module data with an opcode that does not exist.
        case invalidModule
        /// A reference to field names that the file does not have.
        case unknownTemplate
        /// A key, field or member that is there twice.
        case duplicate
        /// Members that are not in the order their encoding demands.
        case wrongOrder
        /// The checksum does not match the bytes.
        case checksumMismatch
        /// The target cannot hold this.
        case unsupportedByTarget
        /// The source or the sink failed; `cause` says how.
        case transferFailed
        /// The visitor wanted no more.
        case stopped
    }

    /// What is wrong.
    public let code: Code
    /// Where, in bytes from the start of the input.
    public let offset: Int
    /// What should have been there, or what was found instead.
    public let detail: String
    /// Where the record with the trouble begins.
    public internal(set) var recordOffset: Int?
    /// The key whose record has the trouble.
    public internal(set) var key: ByteString?
    /// The error of the source or sink.
    public internal(set) var cause: (any Error)?

    /// Describes trouble `code` at `offset`.
    public init(_ code: Code, at offset: Int, _ detail: String, cause: (any Error)? = nil) {
        self.code = code
        self.offset = offset
        self.detail = detail
        self.cause = cause
    }

    /// The same trouble `distance` bytes further on, in a record that begins further on as well
    /// unless it is kept.
    public func moved(by distance: Int, keepingRecord: Bool = false) -> RDBError {
        var error = RDBError(code, at: offset + distance, detail, cause: cause)
        error.recordOffset = recordOffset.map { keepingRecord ? $0 : $0 + distance }
        error.key = key
        return error
    }

    /// The error by which a visitor ends a walk.
    public static let stopped = RDBError(.stopped, at: 0, "the visitor wanted no more")
}

extension RDBError: Equatable {
    /// Compares the codes.
    public static func == (one: RDBError, other: RDBError) -> Bool {
        one.code == other.code
    }
}

extension RDBError: CustomStringConvertible {
    /// One line with everything that is known.
    public var description: String {
        var text = "\(code.rawValue) at offset \(offset): \(detail)"
        if let key { text += ", in key \"\(key)\"" }
        if let recordOffset { text += ", in the record at offset \(recordOffset)" }
        if let cause { text += " (\(cause))" }
        return text
    }
}
