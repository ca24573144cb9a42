import Bytes
import Inspect
import Platform
import RDB

/// Looks again at keys that differ: files are read once more for them, servers asked once more.
final class VerificationRecheck {
    /// What was found.
    enum Verdict {
        /// Both sides have the same by now, or as far as can be told.
        case equal
        /// Neither side has it any more.
        case gone
        /// One side does not have it, and it has expired on the other.
        case expired
        /// It differs as a conversion has declared.
        case declared
        /// It differs.
        case different(VerificationDifference)
    }

    private let sources: [Side: VerificationSource]
    private let tolerance: Int64
    private let losses: VerificationLosses
    private let partsOver: Int
    private var candidates: [VerificationCandidate] = []
    private var nameByteCount = 0
    private var servers: [Side: LiveSource] = [:]

    /// A pass over the files is worth as many keys as memory allows.
    private static let maximumCount = 20_000
    private static let maximumNameByteCount = 4 << 20
    /// Keys whose values are in memory at a time.
    private static let sliceCount = 64

    init(_ sources: [Side: VerificationSource], _ options: Verification.Options) {
        self.sources = sources
        tolerance = options.tolerance
        losses = options.losses
        partsOver = options.partsOver
    }

    func add(_ candidate: VerificationCandidate) {
        candidates.append(candidate)
        nameByteCount += candidate.key?.name.byteCount ?? 0
    }

    /// Whether what was added should be looked at before more is.
    var isFull: Bool {
        candidates.count >= Self.maximumCount || nameByteCount >= Self.maximumNameByteCount
    }

    /// The verdicts on all that was added, in that order; forgets them.
    func run() throws(VerificationError) -> [Verdict] {
        guard !candidates.isEmpty else { return [] }
        let all = candidates
        (candidates, nameByteCount) = ([], 0)
        var found: [Side: VerificationFindings] = [:]
        for side in Side.allCases {
            if case .files(let paths) = sources[side] {
                found[side] = try VerificationFindings.read(all, side, in: paths)
            }
        }
        var verdicts: [Verdict] = []
        for start in stride(from: 0, to: all.count, by: Self.sliceCount) {
            let places = start..<min(all.count, start + Self.sliceCount)
            for side in Side.allCases {
                if case .server(let url) = sources[side] {
                    found[side] = try ask(url, side, all, places)
                }
            }
            let now = SystemTime().wallTime.milliseconds
            for place in places {
                verdicts.append(
                    judge(
                        all[place],
                        found[.first]?[place] ?? .absent,
                        found[.second]?[place] ?? .absent,
                        now
                    )
                )
            }
        }
        return verdicts
    }

    private func ask(
        _ url: ServerURL,
        _ side: Side,
        _ all: [VerificationCandidate],
        _ places: Range<Int>
    ) throws(VerificationError) -> VerificationFindings {
        var findings = VerificationFindings()
        do throws(LiveFailure<ServerError>) {
            let server = try LiveFailure<ServerError>.server { () throws(ServerError) in
                if let server = servers[side] { return server }
                let server = try LiveSource(at: url, partsOver: partsOver)
                servers[side] = server
                return server
            }
            let databases = Dictionary(grouping: places) { all[$0].place(on: side)?.database }
            for (database, places) in databases {
                guard let database else { continue }
                let names = places.compactMap { all[$0].place(on: side)?.name }
                try server.read(names, in: database) { index, value, deadline throws(ServerError) in
                    try findings.add(value, deadline, at: places[index])
                }
            }
        } catch {
            switch error {
            case .server(let trouble), .other(let trouble): throw .server(trouble)
            }
        }
        return findings
    }

    private func judge(
        _ candidate: VerificationCandidate,
        _ first: VerificationFinding,
        _ second: VerificationFinding,
        _ now: Int64
    ) -> Verdict {
        guard let key = candidate.key else { return .gone }
        func different(_ aspects: [VerificationDifference.Aspect]) -> Verdict {
            .different(
                VerificationDifference(database: key.database, key: key.name, aspects: aspects)
            )
        }
        let origin = candidate.place(on: .first) ?? key
        let allowance = losses.allowance(origin.name, in: origin.database)
        switch (first.isThere(now), second.isThere(now)) {
        case (false, false):
            return first.hasExpired(now) || second.hasExpired(now) ? .expired : .gone
        case (true, false):
            if first.hasExpired(now) { return .expired }
            if allowance.contains(.absence) { return .declared }
            return different([.missing(in: .second, other: first.kind)])
        case (false, true):
            if second.hasExpired(now) { return .expired }
            if losses.declaresField(key.name, in: key.database) { return .declared }
            return different([.missing(in: .first, other: second.kind)])
        case (true, true):
            let aspects = aspects(candidate, first, second, now)
            if aspects.isEmpty { return .equal }
            let others = self.aspects(candidate, first, second, now, allowance)
            return others.isEmpty ? .declared : different(others)
        }
    }

    private func aspects(
        _ candidate: VerificationCandidate,
        _ first: VerificationFinding,
        _ second: VerificationFinding,
        _ now: Int64,
        _ allowance: VerificationLosses.Allowance = []
    ) -> [VerificationDifference.Aspect] {
        if allowance == .anything { return [] }
        guard first.kind == second.kind else {
            let isText = first.kind == .module && second.kind == .string
            return isText && losses.documentsAreText ? [] : [.kind(first.kind, second.kind)]
        }
        var aspects: [VerificationDifference.Aspect] = []
        let comparison = VerificationComparison(
            tolerance: tolerance,
            now: now,
            allowance: allowance
        )
        if let one = first.outline, let other = second.outline,
            !one.isTruncated, !other.isTruncated
        {
            if let text = comparison.difference(one, other) {
                aspects.append(.value(first.kind, text))
            }
        } else if candidate.first?.digest != candidate.second?.digest, allowance.isEmpty {
            aspects.append(.value(first.kind, nil))
        }
        if !allowance.contains(.deadline), !comparison.agrees(first.deadline, second.deadline) {
            aspects.append(.deadline(first.deadline, second.deadline))
        }
        return aspects
    }
}
