import Bytes
import Inspect
import Platform
import RDB
import RESP

/// The second pass of a load: each key of the files becomes what makes it in the server.
struct LoadPass: RecordConsumer, ~Copyable {
    private let server: LoadedServer
    private let survey: LoadSurvey
    private let traffic: LoadTraffic
    private let journal: LoadJournal
    private let options: LoadOptions
    private let now = SystemTime().wallTime.milliseconds
    private var payloads: LoadPayloads
    private var file = -1
    private let tally: LoadTally
    private var log: LoadLog?

    init(
        _ server: LoadedServer,
        _ survey: LoadSurvey,
        _ traffic: LoadTraffic,
        _ journal: LoadJournal,
        _ options: LoadOptions,
        _ onProgress: @escaping (LoadProgress) -> Void
    ) {
        self.server = server
        self.survey = survey
        self.traffic = traffic
        self.journal = journal
        self.options = options
        payloads = LoadPayloads(
            for: server.target,
            permitted: options.isSkippingUnsupported ? [.producers, .unownedPending] : []
        )
        tally = LoadTally(survey, traffic, journal, options, onProgress)
        tally.outcome.server = "\(server.identity)"
        tally.attach()
    }

    /// What it has come to so far.
    var outcome: LoadOutcome { tally.outcome }

    mutating func begin(_ file: FileDescription) throws(RDBError) {
        self.file += 1
    }

    mutating func record(_ record: Record, _ reader: inout FileReader) throws(RDBError) {
        guard case .function(let source) = record else { return }
        let position = LoadPosition(file: file, offset: reader.offsetOfRecord)
        try stopping { () throws(LoadError) in try load(function: source, at: position) }
    }

    mutating func key(_ record: KeyRecord, _ reader: inout FileReader) throws(RDBError) {
        let position = LoadPosition(file: file, offset: record.offset)
        tally.outcome.keyCount += 1
        guard position >= journal.resumedFrom else {
            tally.outcome.doneBefore += 1
            return
        }
        try stopping { () throws(LoadError) in try tally.begin(position) }
        if let deadline = record.deadline, deadline <= now {
            tally.outcome.expired += 1
            return
        }
        let mayBePlain = record.encoding.hasFieldDeadlines && !server.target.holdsFieldDeadlines
        guard server.holds(record.encoding) || mayRewrite(record.encoding) || mayBePlain else {
            tally.outcome.unsupported[record.encoding, default: 0] += 1
            return
        }
        let database = Int(clamping: reader.database)
        let key = LoadedKey(
            name: ByteString(reader.key),
            database: database,
            deadline: record.deadline,
            position: position
        )
        if mayBePlain {
            try sendPlainHash(key, record, &reader)
        } else if isMadeByCommands(record, position) {
            let maker = LoadMaker(key, for: server.target, traffic, tally, options)
            try maker.make { commands throws(RDBError) in
                try reader.readValue(into: &commands)
            }
        } else {
            try send(key, record, &reader)
        }
        try stopping { () throws(LoadError) in try makeWhatWasRefused() }
    }

    mutating func effects(_ requests: RawSpan, startsFile: Bool) throws(RDBError) {
        guard journal.resumedFrom < .end else { return }
        try stopping { () throws(LoadError) in
            try beginLog().take(requests, startsFile: startsFile)
        }
    }

    /// What takes the commands of the log; before the first of them, all keys are there.
    private mutating func beginLog() throws(LoadError) -> LoadLog {
        if let log { return log }
        try finishKeys()
        try journal.reach(.commands)
        let log = LoadLog(server, traffic, tally, options)
        self.log = log
        return log
    }

    private func mayRewrite(_ encoding: Encoding) -> Bool {
        options.isSkippingUnsupported && (encoding == .stream4 || encoding == .stream5)
    }

    private func isMadeByCommands(_ record: KeyRecord, _ position: LoadPosition) -> Bool {
        options.isUsingCommands && record.encoding != .module || survey.isLarge(at: position)
    }

    /// Sends a hash of which no field has a deadline any more, for a server that knows of none.
    private mutating func sendPlainHash(
        _ key: LoadedKey,
        _ record: KeyRecord,
        _ reader: inout FileReader
    ) throws(RDBError) {
        var hash = HeldHash(at: now, ByteWriter(), Spool())
        try reader.readValue(into: &hash)
        guard hash.deadlineCount == 0 else {
            tally.outcome.unsupported[record.encoding, default: 0] += 1
            return
        }
        guard hash.count > 0 else {
            tally.outcome.expired += 1
            return
        }
        if isMadeByCommands(record, key.position) {
            let maker = LoadMaker(key, for: server.target, traffic, tally, options)
            return try maker.make { commands throws(RDBError) in
                try hash.write(as: .hash, into: &commands)
            }
        }
        var item: LoadItem?
        try payloads.make(of: hash) { payload in
            item = key.restore(payload, record, isReplacing: options.existing == .replace)
        }
        try put(item)
    }

    private mutating func send(
        _ key: LoadedKey,
        _ record: KeyRecord,
        _ reader: inout FileReader
    ) throws(RDBError) {
        let replaces = options.existing == .replace
        var item: LoadItem?
        try payloads.read(record, from: &reader) { payload in
            item = key.restore(payload, record, isReplacing: replaces)
        }
        try put(item)
    }

    private func put(_ item: LoadItem?) throws(RDBError) {
        guard let item else { return }
        tally.outcome.byteCount += item.byteCount
        try stopping { () throws(LoadError) in try traffic.put(item) }
    }

    /// Makes by commands what was refused as a payload.
    private func makeWhatWasRefused() throws(LoadError) {
        while let (item, reason) = tally.nextRefused() {
            guard case .restore(let range) = item.purpose else { continue }
            let maker = LoadMaker(item.key, for: server.target, traffic, tally, options)
            do throws(RDBError) {
                var payload = try Payload(item.requests.bytes.extracting(range), validation: [])
                try maker.make { commands throws(RDBError) in
                    try payload.readValue(into: &commands)
                }
            } catch {
                if let own = error.cause as? LoadError { throw own }
                tally.outcome.fail(item.key, reason)
            }
        }
    }

    private func load(function source: ByteString, at position: LoadPosition) throws(LoadError) {
        guard position >= journal.resumedFrom else { return }
        guard server.target.holdsFunctions, server.identity.program != .larder else {
            tally.outcome.functionsLeftOut += 1
            return
        }
        let option: [ByteString] = options.existing == .replace ? ["REPLACE"] : []
        let refusal = try traffic.askEveryPrimary(["FUNCTION", "LOAD"] + option + [source])
        guard let refusal else {
            tally.outcome.functions += 1
            return
        }
        let isThere = refusal.text.contains("already exists")
        if isThere, position < journal.doubtfulUpTo {
            tally.outcome.functions += 1
        } else if isThere, options.existing == .skip {
            tally.outcome.functionsLeftOut += 1
        } else if options.isSkippingUnsupported, !isThere {
            tally.outcome.functionsLeftOut += 1
        } else {
            let advice = isThere ? "--replace or --skip-existing" : "--skip-unsupported"
            throw .unsuitable("the server refuses a library: \(refusal.text); choose \(advice)")
        }
    }

    /// Sees everything done that is under way.
    mutating func finish() throws(LoadError) {
        guard survey.hasCommands else { return try finishKeys() }
        let log = try beginLog()
        (tally.outcome.commands, tally.outcome.commandsLeftOut) = try log.finish()
        try journal.reach(.end)
        try log.removeNote()
    }

    private func finishKeys() throws(LoadError) {
        repeat {
            try traffic.finish()
            try tally.decideAll()
            try makeWhatWasRefused()
        } while tally.hasUnfinished
    }

    /// Notes how far the load has come, for another to go on; says in which file, if that is needed.
    func stop() throws(LoadError) -> String? {
        try journal.stop(done: tally.done)
    }
}

/// Lets what ends a load come out of the reading of files.
func stopping(_ body: () throws(LoadError) -> Void) throws(RDBError) {
    do throws(LoadError) {
        try body()
    } catch {
        throw RDBError(.transferFailed, at: 0, "the load stopped", cause: error)
    }
}
