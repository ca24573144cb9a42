import Bytes
import Inspect
import Platform
import RDB

/// One key that is not the same on both sides.
package struct VerificationDifference: Sendable {
    /// The database.
    package let database: Int
    /// The key.
    package let key: ByteString
    /// What is not the same.
    package let aspects: [Aspect]

    /// What can differ.
    package enum Aspect: Sendable, Equatable {
        /// One side does not have the key.
        case missing(in: Side, other: ValueKind)
        /// The values are of two kinds.
        case kind(ValueKind, ValueKind)
        /// The values differ; the words say where, if that was found out.
        case value(ValueKind, String?)
        /// The key expires at two moments.
        case deadline(Int64?, Int64?)
    }
}

/// What a verification came to.
package struct VerificationSummary: Sendable {
    /// Keys of the two sides.
    package internal(set) var firstCount = 0
    package internal(set) var secondCount = 0
    /// Keys that are the same on both.
    package internal(set) var equal = 0
    /// Keys that one side does not have.
    package internal(set) var missingInFirst = 0
    package internal(set) var missingInSecond = 0
    /// Keys whose values are of two kinds, differ, or expire at two moments.
    package internal(set) var differentKinds = 0
    package internal(set) var differentValues = 0
    package internal(set) var differentDeadlines = 0
    /// Keys that differ in a way that a conversion has declared.
    package internal(set) var declared = 0
    /// Keys of the first that were not asked for when it was converted.
    package internal(set) var leftOut = 0
    /// Keys of one side whose deadline is past.
    package internal(set) var expired = 0
    /// Keys that differed at first and were the same when they were asked for again.
    package internal(set) var changedMeanwhile = 0
    /// Libraries of functions that one side does not have.
    package internal(set) var functionsMissingInFirst = 0
    package internal(set) var functionsMissingInSecond = 0

    /// Whether nothing differs but what was declared.
    package var isClean: Bool {
        missingInFirst + missingInSecond + differentKinds + differentValues + differentDeadlines
            + functionsMissingInFirst + functionsMissingInSecond == 0
    }

    mutating func count(_ difference: VerificationDifference) {
        for aspect in difference.aspects {
            switch aspect {
            case .missing(in: .first, _): missingInFirst += 1
            case .missing(in: .second, _): missingInSecond += 1
            case .kind: differentKinds += 1
            case .value: differentValues += 1
            case .deadline: differentDeadlines += 1
            }
        }
    }
}

/// Why a verification ended before its time.
package enum VerificationError: Error, CustomStringConvertible {
    /// A file cannot be read.
    case file(InspectError)
    /// A server failed.
    case server(ServerError)
    /// There is no room for scratch files, or what differs cannot be told.
    case system(SystemError)
    /// What was named cannot be compared; the text says why.
    case unsuitable(String)

    /// What happened.
    package var description: String {
        switch self {
        case .file(let error): "\(error)"
        case .server(let error): "\(error)"
        case .system(let error): "\(error)"
        case .unsuitable(let text): text
        }
    }
}
