import AppendLog
import Platform
import RDB

/// Why something cannot be inspected: which file, and what is wrong.
public struct InspectError: Error {
    /// The file, as the user named it.
    public var path: String
    /// What is wrong with it.
    package var problem: Problem

    /// The kinds of trouble.
    package enum Problem {
        /// The system refused.
        case system(SystemError)
        /// The RDB is damaged.
        case rdb(RDBError)
        /// The log is damaged or incomplete.
        case log(LogError)
        /// The compressed file is damaged.
        case compression(offset: Int, String)
        /// It is nothing that can be inspected; the text says what was expected.
        case unknown(String)
        /// What was asked for is not there.
        case missing(String)
    }

    /// Describes trouble with the file at `path`.
    package init(_ path: String, _ problem: Problem) {
        self.path = path
        self.problem = problem
    }

    /// Trouble with an RDB, or with what it was read from or written to.
    package init(_ path: String, _ error: RDBError) {
        if let cause = error.cause as? InspectError {
            self = cause
        } else if let cause = error.cause as? SystemError {
            self.init(path, .system(cause))
        } else {
            self.init(path, .rdb(error))
        }
    }
}

extension InspectError {
    /// Whether there is no such file.
    package var isMissingFile: Bool {
        if case .system(let error) = problem { error.isMissingFile } else { false }
    }
}

extension InspectError: CustomStringConvertible {
    /// One line: the file and what is wrong with it.
    public var description: String {
        switch problem {
        case .system(let error) where error.isInterruption: "\(error)"
        case .system(let error): "\(path): \(error.call): \(error.reason)"
        case .rdb(let error): "\(path): \(error)"
        case .log(let error): "\(path): \(error)"
        case .compression(let offset, let text): "\(path): damaged at byte \(offset): \(text)"
        case .unknown(let text), .missing(let text): "\(path): \(text)"
        }
    }
}
