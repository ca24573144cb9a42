import Bytes
import Inspect
import RDB

/// The account of a migration: what came in, what went out, and every difference.
///
/// Losses are handed on one by one as they happen; of everything else only counts and samples
/// are kept, so that memory does not grow with the file.
package final class Ledger {
    /// What is known of one kind of change.
    package struct Tally: Sendable {
        /// How many keys, or things that are no keys.
        package var count = 0
        /// How many parts of them, such as fields; zero where that means nothing.
        package var partCount = 0
        /// Some of the places.
        package var samples: [Place] = []
        /// Some words about what has no key: names of indexes or libraries.
        package var details: [String] = []
    }

    private static let maximumSamples = 5
    private static let maximumDetails = 100

    /// Whether what nobody decided about is written down instead of stopping the run.
    private let isLenient: Bool
    private let isStrict: Bool
    private let onLoss: ((Change, Place?, String?, Int) throws(MigrationError) -> Void)?

    /// The changes, in the order in which they came up.
    package private(set) var changes: [Change] = []
    private var tallies: [Change: Tally] = [:]
    /// Keys, by what became of them.
    package var keys = Keys()

    /// Keys, by what became of them.
    package struct Keys: Sendable {
        /// Read.
        package var read = KeyCounts()
        /// Written.
        package var written = KeyCounts()
        /// Copied byte for byte.
        package var copied = KeyCounts()
    }

    /// An empty account.
    ///
    /// `onLoss` is told of each loss: what, where, in which words, how many parts.
    package init(
        isLenient: Bool,
        isStrict: Bool,
        onLoss: ((Change, Place?, String?, Int) throws(MigrationError) -> Void)? = nil
    ) {
        self.isLenient = isLenient
        self.isStrict = isStrict
        self.onLoss = onLoss
    }

    /// What is known of a change.
    package subscript(change: Change) -> Tally { tallies[change] ?? Tally() }

    /// Whether anything was lost, or nobody has decided about it.
    package var hasLosses: Bool {
        changes.contains { $0.effect == .lost || $0.effect == .undecided }
    }

    /// Whether nobody has decided about something of that feature.
    package func hasUndecided(_ feature: Feature) -> Bool {
        changes.contains { $0.feature == feature && $0.effect == .undecided }
    }

    /// Writes a change down.
    package func note(
        _ change: Change,
        at place: @autoclosure () -> Place? = nil,
        detail: String? = nil,
        partCount: Int = 0,
        count: Int = 1
    ) throws(MigrationError) {
        var tally = tallies[change] ?? Tally()
        if tally.count == 0 { changes.append(change) }
        tally.count += count
        tally.partCount += partCount
        let isLoss = change.effect == .lost || change.effect == .undecided
        let known = isLoss || tally.samples.count < Self.maximumSamples ? place() : nil
        if let known, tally.samples.count < Self.maximumSamples { tally.samples.append(known) }
        if let detail, tally.details.count < Self.maximumDetails { tally.details.append(detail) }
        tallies[change] = tally
        guard isLoss else { return }
        if change.effect == .undecided, !isLenient {
            throw .undecided(change, known, detail)
        }
        if isStrict, !isLenient { throw .strict(change, known, detail) }
        try onLoss?(change, known, detail, partCount)
    }
}

/// Keys by kind of value; those of modules by the name of the module's type.
package struct KeyCounts: Sendable {
    private var counts = InlineArray<8, Int>(repeating: 0)
    private var modules: [String: Int] = [:]
    /// Keys with a deadline.
    package var deadlines = 0

    /// All of them.
    package var total: Int {
        var total = 0
        for index in counts.indices { total += counts[index] }
        return total
    }

    /// Counts a key.
    package mutating func add(_ kind: ValueKind, module: String? = nil) {
        counts[kind.order] += 1
        if let module { modules[module, default: 0] += 1 }
    }

    /// Counts keys that are of no module.
    mutating func add(_ others: KeyCounts) {
        for index in counts.indices { counts[index] += others.counts[index] }
    }

    /// Names and counts of what there is, in the order of the kinds, modules last.
    package var byName: [(name: String, count: Int)] {
        var all: [(name: String, count: Int)] = []
        for kind in ValueKind.allCases where kind != .module {
            let count = counts[kind.order]
            if count > 0 { all.append((kind.commandName, count)) }
        }
        return all + modules.sorted { $0.key < $1.key }.map { (name: $0.key, count: $0.value) }
    }
}

extension ValueKind {
    /// Its place among the kinds.
    var order: Int {
        switch self {
        case .string: 0
        case .list: 1
        case .set: 2
        case .sortedSet: 3
        case .hash: 4
        case .stream: 5
        case .module: 6
        case .other: 7
        }
    }

    /// The kind that `TYPE` has that name for.
    package init?(commandName: String) {
        guard let kind = ValueKind.allCases.first(where: { $0.commandName == commandName })
        else { return nil }
        self = kind
    }
}

extension Ledger.Keys {
    /// Counts keys that were read, copied and so written.
    mutating func noteCopied(_ counts: KeyCounts) {
        read.add(counts)
        copied.add(counts)
        written.add(counts)
        written.deadlines += counts.deadlines
    }
}
