import Bytes
import Inspect
import Platform
import RDB
import RESP

/// What has become of the keys of a load so far.
final class LoadTally {
    var outcome = LoadOutcome()
    private let survey: LoadSurvey
    private let traffic: LoadTraffic
    private let journal: LoadJournal
    private let options: LoadOptions
    private let onProgress: (LoadProgress) -> Void
    /// Where the pass is.
    private var current = LoadPosition(file: 0, offset: 0)
    /// Keys whose payloads were refused, which may yet be made by commands.
    private var refused: [(LoadItem, ByteString)] = []
    /// Keys that are there, and may have been put there by this load.
    private var doubtful: [LoadItem] = []
    /// A key that ended the load: it is not dealt with.
    private var stoppedAt: LoadPosition?
    private var shownAt: MonotonicTime?
    private let time = SystemTime()

    init(
        _ survey: LoadSurvey,
        _ traffic: LoadTraffic,
        _ journal: LoadJournal,
        _ options: LoadOptions,
        _ onProgress: @escaping (LoadProgress) -> Void
    ) {
        self.survey = survey
        self.traffic = traffic
        self.journal = journal
        self.options = options
        self.onProgress = onProgress
    }

    /// Listens to what becomes of what is sent.
    func attach() {
        traffic.onSettled = { [unowned self] item, verdict throws(LoadError) in
            try settle(item, verdict)
        }
        traffic.onTurn = { [unowned self] () throws(LoadError) in try turn() }
    }

    /// The place before which every key is dealt with.
    var done: LoadPosition {
        let others = [traffic.earliest, stoppedAt].compactMap(\.self)
        return (others + (refused.map(\.0) + doubtful).map(\.key.position)).min() ?? current
    }

    /// A key at `position` is dealt with next.
    func begin(_ position: LoadPosition) throws(LoadError) {
        current = position
        try journal.willSend(position, done: done)
        if outcome.keyCount & 255 == 0 { show() }
        try decideAll()
    }

    private func turn() throws(LoadError) {
        try journal.note(done: done)
        show()
    }

    private func show() {
        let now = time.monotonicTime
        if let shownAt, now - shownAt < .milliseconds(100) { return }
        shownAt = now
        let before = survey.files.prefix(current.file).reduce(0) { $0 + $1.byteCount }
        onProgress(
            LoadProgress(
                byteCount: before + current.offset,
                totalByteCount: survey.files.reduce(0) { $0 + $1.byteCount },
                keyCount: outcome.keyCount,
                totalKeyCount: survey.keyCount
            )
        )
    }

    private func settle(_ item: LoadItem, _ verdict: LoadVerdict) throws(LoadError) {
        guard case .restore = item.purpose else { return }
        switch verdict {
        case .occupied: try occupied(item)
        case .payloadRefused(let reason): refused.append((item, reason))
        case .refused(let reason): outcome.fail(item.key, reason)
        default: outcome.loaded += 1
        }
    }

    private func occupied(_ item: LoadItem) throws(LoadError) {
        if item.mayBeDone || item.key.position < journal.doubtfulUpTo {
            doubtful.append(item)
        } else {
            try foundOccupied(item.key)
        }
    }

    /// A key is there that this load did not make.
    func foundOccupied(_ key: LoadedKey) throws(LoadError) {
        guard options.existing != .skip else {
            outcome.skipped += 1
            return
        }
        stoppedAt = min(stoppedAt ?? key.position, key.position)
        throw .occupied(key: key.name, database: key.database)
    }

    /// Finds out by its value whether a key that is there was made by this load.
    private func decide(_ item: LoadItem) throws(LoadError) {
        guard case .restore(let range) = item.purpose else { return }
        let reply = try traffic.perform(["DUMP", item.key.name], for: item.key)
        guard case .bulk(let there) = reply,
            let digest = Self.digest(there.bytes),
            digest == Self.digest(item.requests.bytes.extracting(range))
        else { return try foundOccupied(item.key) }
        outcome.loaded += 1
    }

    private static func digest(_ bytes: RawSpan) -> Digest128? {
        var digest = ValueDigest()
        do throws(RDBError) {
            var payload = try Payload(bytes, validation: [])
            try payload.readValue(into: &digest)
            return digest.value
        } catch {
            // What cannot be read is not what was sent.
            return nil
        }
    }

    /// Whether payloads were refused, or keys are in doubt.
    var hasUnfinished: Bool { !refused.isEmpty || !doubtful.isEmpty }

    /// A key whose payload was refused, and why.
    func nextRefused() -> (LoadItem, ByteString)? { refused.popLast() }

    /// Decides about what is in doubt.
    func decideAll() throws(LoadError) {
        while let item = doubtful.popLast() { try decide(item) }
    }
}
