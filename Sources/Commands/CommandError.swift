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
    case offsetOutOfRange
    case wrongArity(command: String)
    case invalidExpire(command: String)
    /// A text of a single command, its code included.
    case text(String)

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
        case .offsetOutOfRange: "ERR offset is out of range"
        case .wrongArity(let command):
            "ERR wrong number of arguments for '\(command)' command"
        case .invalidExpire(let command): "ERR invalid expire time in '\(command)' command"
        case .text(let text): text
        }
    }
}
