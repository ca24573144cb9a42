import Bytes
import Inspect
import Platform
import RDB

/// Compares two data sets, each in files or in a live server, key by key.
///
///     let verification = Verification(.files(["dump.rdb"]), .server(url))
///     verification.onDifference = { print($0) }
///     let summary = try verification.run()
///
/// Both are read once; of each key its name, deadline and a digest of its value are kept, sorted
/// outside of memory, and merged. What differs is then looked at again, since a live server
/// changes and keys and fields expire, and what remains is told with the place where values
/// differ. Memory does not grow with the data sets.
package final class Verification {
    /// What a user can choose.
    package struct Options: Sendable {
        /// How far two deadlines may be from each other, in milliseconds.
        package var tolerance: Int64 = 1000
        /// Values that take more bytes of memory at a live server are read in parts.
        package var partsOver = 32 << 20
        /// What a conversion of the first into the second has said that it lost.
        package var losses = VerificationLosses()

        /// The defaults.
        package init() {}
    }

    private let sources: [Side: VerificationSource]
    private let options: Options
    private let time = SystemTime()
    private var summary = VerificationSummary()
    private var libraries: [ByteString: Set<Side>] = [:]

    /// Called with everything that differs, sorted by database and key.
    package var onDifference: (VerificationDifference) throws(SystemError) -> Void = { _ in }
    /// Called for every thousand keys read, with the side and their number.
    package var onProgress: (Side, Int) -> Void = { _, _ in }

    /// Describes a verification; nothing is read yet.
    package init(
        _ first: VerificationSource,
        _ second: VerificationSource,
        _ options: Options = Options()
    ) {
        sources = [.first: first, .second: second]
        self.options = options
    }

    /// Compares.
    package func run() throws(VerificationError) -> VerificationSummary {
        var sort = ExternalSort(memoryByteCount: 16 << 20)
        let now = time.wallTime.milliseconds
        for side in Side.allCases { try read(side, now, into: &sort) }
        for sides in libraries.values {
            if !sides.contains(.first) { summary.functionsMissingInFirst += 1 }
            if !sides.contains(.second) { summary.functionsMissingInSecond += 1 }
        }
        let lost = min(options.losses.functions, summary.functionsMissingInSecond)
        summary.functionsMissingInSecond -= lost
        summary.declared += lost
        try merge(&sort)
        return summary
    }

    private func read(
        _ side: Side,
        _ now: Int64,
        into sort: inout ExternalSort
    ) throws(VerificationError) {
        guard let source = sources[side] else { return }
        // Taken out while others call it.
        let box = SortBox()
        swap(&box.sort, &sort)
        defer { swap(&box.sort, &sort) }
        var count = 0
        var content = ByteWriter()
        let selection = side == .first ? options.losses.selection : Selection()
        var reader = VerificationReader(
            side,
            selection,
            now: now,
            partsOver: options.partsOver
        ) { [self] code in
            libraries[code, default: []].insert(side)
        } _: { [self] entry throws(VerificationError) in
            count += 1
            if count % 1000 == 0 { onProgress(side, count) }
            content.removeAll()
            entry.encode(into: &content)
            do throws(SystemError) {
                try box.sort.add(entry.rank, content.bytes)
            } catch {
                throw .system(error)
            }
        }
        try reader.read(source)
        summary.leftOut += reader.leftOut
    }

    /// The sort, where closures can reach it.
    private final class SortBox {
        var sort = ExternalSort(memoryByteCount: 0)
    }

    private func merge(_ sort: inout ExternalSort) throws(VerificationError) {
        let recheck = VerificationRecheck(sources, options)
        var candidate = VerificationCandidate()
        var failure: VerificationError?
        do throws(SystemError) {
            try sort.finish { rank, content throws(SystemError) in
                guard failure == nil, let entry = VerificationEntry(rank: rank, content) else {
                    return
                }
                if candidate.takes(entry) { return }
                do throws(VerificationError) {
                    try settle(candidate, recheck)
                } catch {
                    failure = error
                }
                candidate = VerificationCandidate(entry)
            }
        } catch {
            throw .system(error)
        }
        if let failure { throw failure }
        try settle(candidate, recheck)
        try report(recheck)
    }

    private func settle(
        _ candidate: VerificationCandidate,
        _ recheck: VerificationRecheck
    ) throws(VerificationError) {
        if candidate.first != nil { summary.firstCount += 1 }
        if candidate.second != nil { summary.secondCount += 1 }
        if candidate.isEqual(tolerance: options.tolerance) {
            if !candidate.isEmpty { summary.equal += 1 }
        } else {
            recheck.add(candidate)
            if recheck.isFull { try report(recheck) }
        }
    }

    /// Looks again at what differs, and tells what still does.
    private func report(_ recheck: VerificationRecheck) throws(VerificationError) {
        for verdict in try recheck.run() {
            switch verdict {
            case .equal:
                summary.equal += 1
                summary.changedMeanwhile += 1
            case .gone: summary.changedMeanwhile += 1
            case .expired: summary.expired += 1
            case .declared: summary.declared += 1
            case .different(let difference):
                summary.count(difference)
                do throws(SystemError) {
                    try onDifference(difference)
                } catch {
                    throw .system(error)
                }
            }
        }
    }
}

/// A key with what both sides have of it.
struct VerificationCandidate {
    var first: VerificationEntry?
    var second: VerificationEntry?

    init() {}

    init(_ entry: VerificationEntry) {
        _ = takes(entry)
    }

    /// The key, and its database.
    var key: (database: Int, name: ByteString)? {
        (first ?? second).map { ($0.database, $0.key) }
    }

    var isEmpty: Bool { first == nil && second == nil }

    /// What it is called on one side.
    func place(on side: Side) -> (database: Int, name: ByteString)? {
        guard side == .first, let origin = first?.origin else { return key }
        return (Int(clamping: origin.database), origin.key)
    }

    /// Takes an entry of the same key; of two of one side, which a server may give, the last.
    mutating func takes(_ entry: VerificationEntry) -> Bool {
        if let key, key != (entry.database, entry.key) { return false }
        if entry.side == .first { first = entry } else { second = entry }
        return true
    }

    /// Whether both sides have the same.
    func isEqual(tolerance: Int64) -> Bool {
        guard let first, let second else { return isEmpty }
        let comparison = VerificationComparison(tolerance: tolerance, now: 0)
        return first.digest == second.digest && comparison.agrees(first.deadline, second.deadline)
    }
}
