import Bytes
import RDB
import RESP

/// Commands of a log on their way into a server, none of them twice and none left out.
///
/// They go out in transactions. Each also writes into the server how far the log has been done
/// with it, so whatever interrupts a load, the server itself tells where to go on. That takes a
/// single server: a cluster has no transactions over all of its slots.
final class LoadTransactions: Destinable {
    let name = "commands"
    /// Bytes of the log's commands that were taken, as they are sent.
    private(set) var byteCount = 0
    /// Commands that the server has done.
    private(set) var doneCount = 0
    /// What ended the load, which has to pass through others.
    private(set) var failure: LoadError?

    private let traffic: LoadTraffic
    private let tally: LoadTally
    private let isPassingOverErrors: Bool
    /// Bytes that an earlier, interrupted load has dealt with; nil until the server was asked.
    private var doneBefore: Int?
    /// The database that is selected.
    private var database: Int64 = 0
    /// The database that is selected before what waits to be sent.
    private var databaseBefore: Int64 = 0
    private var isInTransaction = false
    private var waiting = ByteWriter()
    private var waitingCount = 0

    /// Where the server keeps how far it has come.
    private static let note: ByteString = "larder-load:log"
    /// What the steps are for.
    private let key = LoadedKey(name: note, database: 0, deadline: nil, position: .commands)
    private static let transactionByteCount = 64 << 10
    private static let transactionCount = 1000

    init(_ traffic: LoadTraffic, _ tally: LoadTally, _ options: LoadOptions) {
        self.traffic = traffic
        self.tally = tally
        isPassingOverErrors = options.isSkippingUnsupported
    }

    func overwriteStart(_ bytes: RawSpan) {}
    func publish() {}

    /// Takes whole requests.
    func write(_ requests: RawSpan) throws {
        do throws(LoadError) {
            try take(requests)
        } catch {
            failure = error
            throw error
        }
    }

    private func take(_ requests: RawSpan) throws(LoadError) {
        let doneBefore = try askForNote()
        var parser = RequestParser()
        var offset = 0
        while offset < requests.byteCount {
            let rest = requests.part(from: offset, count: requests.byteCount - offset)
            guard (try? parser.parse(rest, within: .anything)) ?? false else {
                preconditionFailure("a command was taken that is none")
            }
            let request = LoggedRequest(parser.request(in: rest))
            let count = parser.takeConsumed()
            offset += count
            byteCount += count
            take(request, rest.part(from: 0, count: count), isDone: byteCount <= doneBefore)
            guard !isInTransaction else { continue }
            let isMuch =
                waiting.count >= Self.transactionByteCount
                || waitingCount >= Self.transactionCount
            if isMuch { try send() }
        }
    }

    private func take(_ request: LoggedRequest, _ bytes: RawSpan, isDone: Bool) {
        switch request.name {
        case "SELECT":
            database = Int64(request.word(1)) ?? database
            if isDone || waitingCount == 0 { databaseBefore = database } else { wait(for: bytes) }
        // What belongs together is done together anyway.
        case "MULTI": isInTransaction = true
        case "EXEC": isInTransaction = false
        default: if !isDone { wait(for: bytes) }
        }
    }

    private func wait(for bytes: RawSpan) {
        waiting.append(bytes)
        waitingCount += 1
    }

    /// How far an earlier load has come.
    private func askForNote() throws(LoadError) -> Int {
        if let doneBefore { return doneBefore }
        var found = 0
        if case .bulk(let text) = try traffic.perform(["GET", Self.note], for: key),
            let number = Int(text.text)
        {
            found = number
        }
        doneBefore = found
        return found
    }

    /// Sends what waits, as one transaction, and sees it done.
    private func send() throws(LoadError) {
        guard waitingCount > 0 else { return }
        let note = ByteString("\(byteCount)")
        var writer = ByteWriter(reserving: waiting.count + 512)
        writer.append(request: ["MULTI"])
        // The log may move databases, and the note with one of them.
        writer.append(request: ["DEL", Self.note])
        writer.append(request: ["SELECT", ByteString("\(databaseBefore)")])
        writer.append(waiting.bytes)
        writer.append(request: ["SELECT", "0"])
        writer.append(request: ["SET", Self.note, note])
        writer.append(request: ["EXEC"])
        let requests = ByteString(writer.bytes).array
        let replyCount = waitingCount + 6
        var reply: Reply?
        repeat {
            tally.outcome.byteCount += requests.count
            reply = try traffic.perform(
                requests,
                replyCount: replyCount,
                for: key,
                isRepeatable: false
            )
            // The connection was lost: the server knows whether it is done.
            guard reply == nil else { break }
            let done = try traffic.perform(["GET", Self.note], for: key)
            if done == .bulk(note) { break }
        } while reply == nil
        try check(reply)
        doneCount += waitingCount
        waiting.removeAll(keepingCapacityUpTo: Self.transactionByteCount * 4)
        waitingCount = 0
        databaseBefore = database
    }

    private func check(_ reply: Reply?) throws(LoadError) {
        switch reply {
        case .error(let text): throw refusal(text)
        case .array(let replies):
            for case .error(let text) in replies where !isPassingOverErrors { throw refusal(text) }
        default: break
        }
    }

    private func refusal(_ text: ByteString) -> LoadError {
        .unsuitable(
            "the server refuses a command among the \(waitingCount) of the log that end with its "
                + "byte \(byteCount): \(text.text)"
        )
    }

    /// Sends the rest.
    func finish() throws(LoadError) {
        try send()
    }

    /// Takes the note out of the server: the load has ended.
    func removeNote() throws(LoadError) {
        _ = try traffic.perform(["DEL", Self.note], for: key)
    }
}

extension RequestLimits {
    /// What is in a log was taken by a server.
    static let anything = RequestLimits(maximumBulkByteCount: .max / 4)
}

extension LoadPosition {
    /// Behind all keys, where the commands of a log begin.
    static let commands = LoadPosition(file: 0, offset: .max - 1)
    /// Behind everything.
    static let end = LoadPosition(file: 0, offset: .max)
}
