import Bytes

/// Bytes that are not the protocol, or are more of it than allowed.
///
/// The connection cannot be read any further after one of these.
public enum RESPError: Error, Equatable, Sendable {
    // What a client sent.
    case invalidArrayLength
    case invalidBulkLength
    case invalidLineEnd
    case expectedBulk(got: UInt8)
    case inlineTooLong
    case unbalancedQuotes
    case arrayLengthTooLong
    case bulkLengthTooLong
    case unauthenticatedArrayLength
    case unauthenticatedBulkLength

    // What a server replied.
    case unknownReply(UInt8)
    case invalidReply
    case replyTooDeep

    /// What the client is told, the error code included.
    ///
    /// Clients and their tests match on these texts. The byte that was not expected is shown
    /// as it came, which need not be text.
    public var text: ByteString {
        var writer = ByteWriter()
        writer.append("ERR Protocol error: ")
        switch self {
        case .invalidArrayLength: writer.append("invalid multibulk length")
        case .invalidBulkLength: writer.append("invalid bulk length")
        case .invalidLineEnd: writer.append("invalid CRLF in request")
        case .expectedBulk(let got): writer.append(quote: got, after: "expected '$', got '")
        case .inlineTooLong: writer.append("too big inline request")
        case .unbalancedQuotes: writer.append("unbalanced quotes in request")
        case .arrayLengthTooLong: writer.append("too big mbulk count string")
        case .bulkLengthTooLong: writer.append("too big bulk count string")
        case .unauthenticatedArrayLength: writer.append("unauthenticated multibulk length")
        case .unauthenticatedBulkLength: writer.append("unauthenticated bulk length")
        case .unknownReply(let type): writer.append(quote: type, after: "a reply starts with '")
        case .invalidReply: writer.append("malformed reply")
        case .replyTooDeep: writer.append("reply nested too deeply")
        }
        return ByteString(writer.bytes)
    }
}

extension ByteWriter {
    fileprivate mutating func append(quote byte: UInt8, after text: StaticString) {
        append(text)
        append(byte)
        append("'")
    }
}
