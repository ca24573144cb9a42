import Bytes
import Platform
import RESP

/// What went wrong with a server, and which one.
package struct ServerError: Error, Sendable {
    /// The server.
    package let server: String
    /// The trouble.
    package let problem: Problem

    /// The kinds of trouble.
    package enum Problem: Sendable {
        /// A call to the system failed.
        case system(SystemError)
        /// The server closed the connection.
        case closed
        /// The server said nothing for so long.
        case silent(seconds: Int)
        /// It cannot answer anything for now: it is loading, for example.
        case busy(ByteString)
        /// What came is not the protocol.
        case malformed(RESPError)
        /// It refused a command.
        case refused(command: String, ByteString)
        /// It answered a command with something else than such answers are.
        case unexpected(command: String)
        /// A payload that it sent is not sound.
        case damaged(key: ByteString, String)
        /// It is not set up for what is to be done.
        case unsuitable(String)
    }

    init(_ server: String, _ problem: Problem) {
        self.server = server
        self.problem = problem
    }

    /// Whether another connection may help.
    var isConnectionLost: Bool {
        switch problem {
        case .system: !isInterruption
        case .closed, .silent, .busy: true
        default: false
        }
    }
}

extension ServerError {
    /// Whether somebody asked for the end.
    var isInterruption: Bool {
        if case .system(let error) = problem { error.isInterruption } else { false }
    }
}

extension ServerError: CustomStringConvertible {
    /// One line: the server, and what happened.
    package var description: String {
        switch problem {
        case .system(let error) where isInterruption: "\(error)"
        case .system(let error): "\(server): \(error.call): \(error.reason)"
        case .closed: "\(server) closed the connection"
        case .silent(let seconds): "\(server) did not answer for \(seconds) seconds"
        case .busy(let text): "\(server) is busy: \(text.text)"
        case .malformed(let error): "\(server) sent what is not the protocol: \(error.text.text)"
        case .refused(let command, let text): "\(server) refused \(command): \(text.text)"
        case .unexpected(let command): "\(server) answered \(command) in an unknown form"
        case .damaged(let key, let text): "\(server) sent a broken value of key \"\(key)\": \(text)"
        case .unsuitable(let text): "\(server): \(text)"
        }
    }
}
