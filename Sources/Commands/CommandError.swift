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
    /// A text that quotes what a client sent, whatever bytes that are.
    case bytes(ByteString)

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
        case .bytes(let bytes): bytes.text
        }
    }
}

extension CommandError {
    /// A text around something that a client sent, which a zero byte ends.
    static func quoting(
        _ before: String,
        _ quoted: RawSpan,
        _ after: String = "",
        limit: Int = .max
    ) -> CommandError {
        .bytes(ByteString(Array(before.utf8) + quoted.message(limit: limit) + Array(after.utf8)))
    }

    /// The refusal of a name that is not in the table, with the beginning of the arguments.
    static func unknownCommand(_ request: borrowing Request) -> CommandError {
        var arguments: [UInt8] = []
        for index in 1..<max(request.count, 1) {
            let room = 128 - arguments.count
            guard room > 0 else { break }
            arguments += [UInt8(ascii: "'")] + request[index].message(limit: room)
            arguments += [UInt8(ascii: "'"), UInt8(ascii: " ")]
        }
        let begin = Array("ERR unknown command '".utf8) + request[0].message(limit: 128)
        let middle = Array("', with args beginning with: ".utf8)
        return .bytes(ByteString(begin + middle + arguments))
    }

    /// The refusal of a second argument that names no subcommand.
    static func unknownSubcommand(_ request: borrowing Request) -> CommandError {
        let parent = request[0].text.uppercased()
        return .quoting(
            "ERR unknown subcommand '",
            request[1],
            "'. Try \(parent) HELP.",
            limit: 128
        )
    }

    /// The refusal of a subcommand that looked at its arguments itself.
    static func unknownSubcommandOrArity(_ request: borrowing Request) -> CommandError {
        let parent = request[0].text.uppercased()
        return .quoting(
            "ERR unknown subcommand or wrong number of arguments for '",
            request[1],
            "'. Try \(parent) HELP.",
            limit: 128
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

extension RawSpan {
    /// Up to `limit` bytes for an error message; a zero byte ends them.
    func message(limit: Int = .max) -> [UInt8] {
        var count = 0
        while count < min(limit, byteCount), byte(at: count) != 0 { count += 1 }
        return ByteString(part(from: 0, count: count)).array
    }
}
