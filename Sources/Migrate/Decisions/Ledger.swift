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

        fileprivate mutating func add(_ other: Tally) {
            count += other.count
            partCount += other.partCount
            samples += other.samples.prefix(maximumSamples - samples.count)
            for detail in other.details { add(detail) }
        }

        fileprivate mutating func add(_ detail: String) {
            if details.count < maximumDetails, details.last != detail { details.append(detail) }
        }
    }

    private static let maximumSamples = 5
    private static let maximumDetails = 100

    /// Whether what nobody decided about is written down instead of stopping the run.
    private let isLenient: Bool
    private let isStrict: Bool
    /// Whether losses wait for who takes this in.
    private let keepsLosses: Bool
    private var losses: [Loss] = []
    private let onLoss: ((Change, Place?, String?, Int) throws(MigrationError) -> Void)?

    /// The changes, in the order in which they came up.
    package private(set) var changes: [Change] = []
    /// What is known of each of them.
    private var tallies: [Tally] = []
    /// The change that was noted last: the next one is mostly the same.
    private var lastIndex = 0
    /// Keys, by what became of them.
    package var keys: Keys { counted }
    /// Kept where nobody else reaches: every key is counted.
    private var counted = Keys()

    /// Keys, by what became of them.
    package struct Keys: Sendable {
        /// Read.
        package var read = KeyCounts()
        /// Written.
        package var written = KeyCounts()
        /// Copied byte for byte.
        package var copied = KeyCounts()
        /// Read, and not written.
        package var leftOut = KeyCounts()
    }

    /// A loss of which nobody was told yet.
    private struct Loss {
        /// Where its change is among the others.
        var index: Int
        var place: Place?
        var detail: String?
        var partCount: Int
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
        keepsLosses = false
        self.onLoss = onLoss
    }

    /// An account of a part of what `whole` is about, which keeps losses for it.
    init(partOf whole: Ledger) {
        isLenient = whole.isLenient
        isStrict = whole.isStrict
        keepsLosses = whole.onLoss != nil
        onLoss = nil
    }

    /// Takes in what a part has, and leaves nothing in it.
    func take(_ part: Ledger) throws(MigrationError) {
        defer { part.removeAll() }
        counted.read.add(part.counted.read)
        counted.written.add(part.counted.written)
        counted.copied.add(part.counted.copied)
        counted.leftOut.add(part.counted.leftOut)
        for (change, tally) in zip(part.changes, part.tallies) {
            tallies[index(of: change)].add(tally)
        }
        for loss in part.losses {
            try onLoss?(part.changes[loss.index], loss.place, loss.detail, loss.partCount)
        }
    }

    /// Begins anew.
    func removeAll() {
        changes.removeAll(keepingCapacity: true)
        tallies.removeAll(keepingCapacity: true)
        losses.removeAll(keepingCapacity: true)
        counted = Keys()
    }

    /// What is known of a change.
    package subscript(change: Change) -> Tally {
        changes.firstIndex(of: change).map { tallies[$0] } ?? Tally()
    }

    /// Whether anything was lost, or nobody has decided about it.
    package var hasLosses: Bool {
        changes.contains { $0.effect == .lost || $0.effect == .undecided }
    }

    /// How often something was found that the destination would not load as it is, or that was
    /// to go over otherwise.
    var changeCount: Int {
        zip(changes, tallies).reduce(0) { sum, entry in
            let (change, tally) = entry
            let isOne =
                [.converted, .lost, .undecided].contains(change.effect)
                || change.feature == .moduleAuxiliary
            return isOne ? sum + tally.count : sum
        }
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
        let index = index(of: change)
        tallies[index].count += count
        tallies[index].partCount += partCount
        let isLoss = change.effect == .lost || change.effect == .undecided
        let isSample = tallies[index].samples.count < Self.maximumSamples
        let known = isLoss || isSample ? place() : nil
        if let known, isSample { tallies[index].samples.append(known) }
        if let detail { tallies[index].add(detail) }
        guard isLoss else { return }
        if keepsLosses {
            losses.append(
                Loss(index: index, place: known, detail: detail, partCount: partCount)
            )
        }
        if change.effect == .undecided, !isLenient {
            throw .undecided(change, known, detail)
        }
        if isStrict, !isLenient { throw .strict(change, known, detail) }
        try onLoss?(change, known, detail, partCount)
    }

    /// Counts a key that was read.
    func noteRead(_ kind: ValueKind, _ module: ModuleID? = nil) {
        counted.read.add(kind, module: module?.name)
    }

    /// Counts a key that was written, and not copied.
    func noteWritten(_ kind: ValueKind, _ module: ModuleID?) {
        counted.written.add(kind, module: module?.name)
    }

    /// Counts a key that was written, once more as one that went over as it was.
    func noteUnchanged(_ kind: ValueKind, _ module: ModuleID?) {
        counted.copied.add(kind, module: module?.name)
    }

    /// Counts a key that was read and not written.
    func noteLeftOut(_ kind: ValueKind, _ module: ModuleID?) {
        counted.leftOut.add(kind, module: module?.name)
    }

    /// How many keys were written.
    var writtenCount: Int { counted.written.total }

    /// Counts keys that were read, copied and so written.
    func noteCopied(_ counts: KeyCounts) {
        counted.read.add(counts)
        counted.copied.add(counts)
        counted.written.add(counts)
    }

    /// Where a change is among the others, which are few.
    private func index(of change: Change) -> Int {
        if lastIndex < changes.count, changes[lastIndex] == change { return lastIndex }
        if let known = changes.firstIndex(of: change) {
            lastIndex = known
        } else {
            lastIndex = changes.count
            changes.append(change)
            tallies.append(Tally())
        }
        return lastIndex
    }
}

/// Keys by kind of value; those of modules by the name of the module's type.
package struct KeyCounts: Sendable {
    private var counts = InlineArray<8, Int>(repeating: 0)
    private var modules: [String: Int] = [:]

    /// All of them.
    package private(set) var total = 0

    /// Counts a key.
    package mutating func add(_ kind: ValueKind, module: String? = nil) {
        counts[kind.order] += 1
        total += 1
        if let module { modules[module, default: 0] += 1 }
    }

    /// Counts keys that were counted.
    mutating func add(_ others: KeyCounts) {
        for index in counts.indices { counts[index] += others.counts[index] }
        total += others.total
        if !others.modules.isEmpty { modules.merge(others.modules, uniquingKeysWith: +) }
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
