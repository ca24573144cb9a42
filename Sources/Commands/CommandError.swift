import Bytes
import RESP

/// Why a command was refused.
///
/// Client libraries match on these texts, so they are part of the protocol and never change by
/// accident.
package enum CommandError: Error, Equatable {
    case wrongType
    case notAnInteger
    case notAFloat
    case syntax
    case outOfRange
    case noSuchKey
    case overflow
    case nanOrInfinity
    case stringTooLong
    case invalidCursor
    case databaseOutOfRange
    case outOfInt32
    case offsetOutOfRange
    case notPositive
    /// An integer whose sign could not be changed.
    case notInvertible
    case wrongArity(command: String)
    case invalidExpire(command: String)
    /// A text of a single command, its code included.
    case text(String)
    /// A text of a single command around an argument, which may be any bytes.
    case quoting(ByteString, before: StaticText, after: StaticText)

    package var text: String {
        switch self {
        case .wrongType: "WRONGTYPE Operation against a key holding the wrong kind of value"
        case .notAnInteger: "ERR value is not an integer or out of range"
        case .notAFloat: "ERR value is not a valid float"
        case .syntax: "ERR syntax error"
        case .outOfRange: "ERR index out of range"
        case .noSuchKey: "ERR no such key"
        case .overflow: "ERR increment or decrement would overflow"
        case .nanOrInfinity: "ERR increment would produce NaN or Infinity"
        case .stringTooLong: "ERR string exceeds maximum allowed size (proto-max-bulk-len)"
        case .invalidCursor: "ERR invalid cursor"
        case .databaseOutOfRange: "ERR DB index is out of range"
        case .outOfInt32:
            "ERR value is out of range, value must between -2147483648 and 2147483647"
        case .offsetOutOfRange: "ERR offset is out of range"
        case .notPositive: "ERR value is out of range, must be positive"
        case .notInvertible:
            "ERR value is out of range, value must between \(-Int64.max) and \(Int64.max)"
        case .wrongArity(let command):
            "ERR wrong number of arguments for '\(command)' command"
        case .invalidExpire(let command): "ERR invalid expire time in '\(command)' command"
        case .text(let text): text
        case .quoting(let argument, let before, let after):
            "\(before.text)\(argument.bytes.text)\(after.text)"
        }
    }
}

extension CommandError {
    /// The refusal of a name that is not in the table, with the beginning of the arguments.
    static func unknownCommand(_ request: borrowing Request) -> CommandError {
        var arguments = ""
        for index in 1..<max(request.count, 1) {
            let room = 128 - arguments.utf8.count
            guard room > 0 else { break }
            arguments += "'\(request[index].messageText(limit: room))' "
        }
        let name = request[0].messageText(limit: 128)
        return .text("ERR unknown command '\(name)', with args beginning with: \(arguments)")
    }

    /// The refusal of a second argument that names no subcommand.
    static func unknownSubcommand(_ request: borrowing Request) -> CommandError {
        let name = request[1].messageText(limit: 128)
        let parent = request[0].text.uppercased()
        return .text("ERR unknown subcommand '\(name)'. Try \(parent) HELP.")
    }

    /// The refusal of a subcommand that looked at its arguments itself.
    static func unknownSubcommandOrArity(_ request: borrowing Request) -> CommandError {
        let name = request[1].messageText(limit: 128)
        let parent = request[0].text.uppercased()
        return .text(
            "ERR unknown subcommand or wrong number of arguments for '\(name)'. Try \(parent) HELP."
        )
    }

    /// The refusal of what a subscribed client of RESP2 may not ask.
    static func notWhileSubscribed(command: String) -> CommandError {
        .text(
            "ERR Can't execute '\(command)': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / "
                + "RESET are allowed in this context"
        )
    }
}

extension CommandError {
    /// The refusal of an argument, which is shown up to its first zero byte.
    static func quoting(
        _ argument: RawSpan,
        before: StaticString,
        after: StaticString
    ) -> CommandError {
        var count = 0
        while count < argument.byteCount, argument.byte(at: count) != 0 { count += 1 }
        return .quoting(
            ByteString(argument.part(from: 0, count: count)),
            before: StaticText(before),
            after: StaticText(after)
        )
    }
}

/// A text that the program knows, and that can be compared.
package struct StaticText: Equatable, Sendable {
    let string: StaticString

    init(_ string: StaticString) {
        self.string = string
    }

    var text: String { string.description }

    /// Whether both are the same text.
    package static func == (one: StaticText, other: StaticText) -> Bool { one.text == other.text }
}

extension ReplyWriter {
    /// Why a command was refused.
    mutating func error(_ error: CommandError) {
        guard case .quoting(let argument, let before, let after) = error else {
            return self.error(error.text)
        }
        var text = ByteWriter()
        text.append(before.string)
        text.append(argument.bytes)
        text.append(after.string)
        self.error(text.bytes)
    }
}

extension RawSpan {
    /// Up to `limit` bytes as text, for an error message; a zero byte ends it.
    func messageText(limit: Int) -> String {
        var count = 0
        while count < min(limit, byteCount), byte(at: count) != 0 { count += 1 }
        return part(from: 0, count: count).text
    }
}
