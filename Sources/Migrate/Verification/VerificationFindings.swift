import Bytes
import Inspect
import RDB

/// What was found of a key when it was looked at again.
struct VerificationFinding {
    /// Its kind; that of no key means nothing.
    var kind = ValueKind.string
    /// When it expires, in milliseconds since 1970.
    var deadline: Int64?
    /// The value, unless it is too large to be taken apart.
    var outline: VerificationOutline?
    private var isFound = false

    /// No such key.
    static let absent = VerificationFinding()

    private init() {}

    init(kind: ValueKind, deadline: Int64?, outline: VerificationOutline?) {
        self.kind = kind
        self.deadline = deadline
        self.outline = outline
        isFound = true
    }

    /// Whether there is such a key: a hash whose fields have all expired is none.
    func isThere(_ now: Int64) -> Bool {
        guard isFound, let outline, !outline.isTruncated else { return isFound }
        switch kind {
        case .hash: return outline.parts.values.contains { $0.deadline.map { $0 > now } ?? true }
        case .list, .set, .sortedSet: return !outline.parts.isEmpty
        default: return true
        }
    }

    /// Whether its time is over.
    func hasExpired(_ now: Int64) -> Bool {
        isFound && deadline.map { $0 <= now } ?? false
    }
}

/// What was found of several keys, by their places among those looked for.
struct VerificationFindings {
    private var findings: [Int: VerificationFinding] = [:]
    /// Parts of values that are held.
    private var partCount = 0

    /// Beyond this, values are not taken apart any more.
    private static let maximumPartCount = 100_000

    subscript(place: Int) -> VerificationFinding? { findings[place] }

    fileprivate mutating func add(
        _ outline: VerificationOutline,
        _ kind: ValueKind,
        _ deadline: Int64?,
        at place: Int
    ) {
        partCount += outline.parts.count
        let isHeld = partCount <= Self.maximumPartCount
        findings[place] = VerificationFinding(
            kind: kind,
            deadline: deadline,
            outline: isHeld ? outline : nil
        )
    }

    /// Adds what a server answered; a value that cannot be read counts as too large.
    mutating func add(
        _ value: LiveValue?,
        _ deadline: Int64?,
        at place: Int
    ) throws(ServerError) {
        guard let value else { return }
        var outline = VerificationOutline()
        do throws(RDBError) {
            _ = try value.read(into: &outline)
        } catch {
            if let own = error.cause as? ServerError { throw own }
            findings[place] = VerificationFinding(
                kind: outline.encoding.kind,
                deadline: deadline,
                outline: nil
            )
            return
        }
        add(outline, outline.encoding.kind, deadline, at: place)
    }

    /// Reads the files of a side for the keys of `candidates`.
    static func read(
        _ candidates: [VerificationCandidate],
        _ side: Side,
        in paths: [String]
    ) throws(VerificationError) -> VerificationFindings {
        var consumer = FindingConsumer(candidates, side)
        try VerificationError.catching { () throws(InspectError) in
            try Inspection(paths: paths).read(into: &consumer)
        }
        return consumer.findings
    }
}

/// Takes apart the values of some keys of a data set.
private struct FindingConsumer: RecordConsumer {
    var findings = VerificationFindings()
    private var places: [Name: Int] = [:]

    private struct Name: Hashable {
        var database: Int
        var key: ByteString
    }

    init(_ candidates: [VerificationCandidate], _ side: Side) {
        for (place, candidate) in candidates.enumerated() {
            guard let key = candidate.place(on: side) else { continue }
            places[Name(database: key.database, key: key.name)] = place
        }
    }

    mutating func key(_ record: KeyRecord, _ reader: inout FileReader) throws(RDBError) {
        let name = Name(database: Int(clamping: reader.database), key: ByteString(reader.key))
        guard let place = places[name] else { return }
        var outline = VerificationOutline()
        try reader.readValue(into: &outline)
        findings.add(outline, record.encoding.kind, record.deadline, at: place)
    }
}
