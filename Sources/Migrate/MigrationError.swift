import Bytes
import Inspect
import Platform
import RDB

/// Why a migration ended without a result, and what can be done about it.
package enum MigrationError: Error, Sendable {
    /// An input cannot be read on.
    case input(InspectError)
    /// The disk or the system refused.
    case system(SystemError)
    /// Nothing decides what becomes of something.
    case undecided(Change, Place?, String?)
    /// Something would be lost, and no loss is allowed.
    case strict(Change, Place?, String?)
    /// The output would be one that servers refuse.
    case impossible(String)
    /// The input has commands, and the output no place for them.
    case commandsWithoutLog
    /// The options contradict each other or the input.
    case usage(String)
}

extension MigrationError {
    /// What went wrong with an input, or with what was done for it.
    init(_ error: InspectError) {
        if case .rdb(let inner) = error.problem, let cause = inner.cause as? MigrationError {
            self = cause
        } else {
            self = .input(error)
        }
    }

    /// What a failed write means.
    static func output(_ error: RDBError) -> MigrationError {
        if let system = error.cause as? SystemError { return .system(system) }
        if let inner = error.cause as? MigrationError { return inner }
        return .impossible("\(error)")
    }

    /// This error on its way through a pass over the input.
    var passing: RDBError { RDBError(.transferFailed, at: 0, "the migration ended", cause: self) }
}

extension MigrationError {
    /// Whether it is for the user to call the program otherwise.
    package var isMisuse: Bool {
        switch self {
        case .usage, .commandsWithoutLog: true
        default: false
        }
    }
}

extension MigrationError: CustomStringConvertible {
    /// One or two lines: what, where, and what to do.
    package var description: String {
        switch self {
        case .input(let error): "\(error)"
        case .system(let error): "\(error)"
        case .undecided(let change, let place, let detail):
            Self.sentence(change, place, detail) + Self.advice(change)
        case .strict(let change, let place, let detail):
            Self.sentence(change, place, detail) + " --strict allows no loss."
        case .impossible(let what): what
        case .commandsWithoutLog:
            "the input is a log with commands after its snapshot, and those can go into a log only: "
                + "give -o a name that ends in a slash, for the directory of one, or in .aof"
        case .usage(let what): what
        }
    }

    private static func sentence(_ change: Change, _ place: Place?, _ detail: String?) -> String {
        var text = change.feature.title
        if !change.subject.isEmpty { text += " (\(change.subject))" }
        if let place { text += ", in \(place)" }
        if let detail { text += ": \(detail)" }
        return text + "."
    }

    private static func advice(_ change: Change) -> String {
        guard let option = change.feature.option else {
            return " There is no rule for it, so the run stops."
        }
        return " The run stops until \(option) decides."
    }
}
