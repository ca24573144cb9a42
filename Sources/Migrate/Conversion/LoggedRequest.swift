import Bytes
import RESP

/// A request of a log, taken out of it to be looked at or changed.
struct LoggedRequest: Sendable {
    /// Its arguments, the name included.
    var arguments: [ByteString]

    /// Copies a request.
    init(_ request: Request) {
        arguments = (0..<request.count).map { ByteString(request[$0]) }
    }

    /// A request of these arguments.
    init(_ arguments: [ByteString]) {
        self.arguments = arguments
    }

    /// The name in capitals.
    var name: String { arguments.first?.text.uppercased() ?? "" }

    /// The key, of commands whose first argument it is.
    var key: ByteString { arguments.count > 1 ? arguments[1] : "" }

    /// The first key that it is about; nil if it is about none.
    var subject: ByteString? {
        let index =
            switch name {
            case "XGROUP", "BITOP", "MSETEX": 2
            case "EVAL", "EVALSHA", "FCALL": word(2) == "0" ? 0 : 3
            case "FUNCTION", "SCRIPT": 0
            default: 1
            }
        return index > 0 && index < arguments.count ? arguments[index] : nil
    }

    /// An argument as a word in capitals; empty if there are not so many.
    func word(_ index: Int) -> String {
        index < arguments.count ? arguments[index].text.uppercased() : ""
    }

    /// Where a word is, from an index on.
    func index(of word: String, from start: Int) -> Int? {
        (start..<max(start, arguments.count)).first { self.word($0) == word }
    }

    /// The request without the arguments in a range.
    func removing(_ range: Range<Int>) -> LoggedRequest {
        var copy = self
        copy.arguments.removeSubrange(range)
        return copy
    }

    /// Appends it as it is logged.
    func append(to writer: inout ByteWriter) {
        writer.append(UInt8(ascii: "*"))
        writer.append(decimal: Int64(arguments.count))
        writer.append("\r\n")
        for argument in arguments {
            writer.append(UInt8(ascii: "$"))
            writer.append(decimal: Int64(argument.byteCount))
            writer.append("\r\n")
            writer.append(argument.bytes)
            writer.append("\r\n")
        }
    }
}
