import Bytes
import Platform
import RESP
import Transport

/// One server of a load: its connection, and what it has yet to answer.
final class LoadShard {
    let url: ServerURL
    private(set) var client: ServerClient?
    /// The database that the last request was about.
    private var database = 0
    private var sent: [Expectation] = []
    private var answered = 0
    /// The first error among the replies to the item that is being answered.
    private var firstError: ByteString?
    private var repliesSeen = 0
    /// When it answered last, or began to owe an answer.
    private var heardAt = MonotonicTime(nanoseconds: 0)
    private let time = SystemTime()
    /// How much may be unsent before it is tried to send it.
    private var pumpAt = LoadShard.pieceByteCount
    private static let pieceByteCount = 256 << 10
    /// Bytes of items that were sent and not answered.
    private(set) var byteCount = 0

    private enum Expectation {
        case item(LoadItem)
        /// The database of what follows was selected, or ASK was heeded.
        case preparation(StaticString)
    }

    init(_ url: ServerURL) {
        var url = url
        url.database = nil
        self.url = url
    }

    /// Whether nothing is owed.
    var isIdle: Bool { answered == sent.count }

    /// The earliest place in the files that is not answered.
    var earliest: LoadPosition? {
        sent[answered...].compactMap { expectation in
            if case .item(let item) = expectation { item.key.position } else { nil }
        }.min()
    }

    /// Connects unless it is connected.
    func connect() throws(ServerError) {
        guard client == nil else { return }
        client = try ServerClient(connectingTo: url)
        database = 0
    }

    /// Queues an item.
    func send(_ item: LoadItem, isAsking: Bool) throws(ServerError) {
        try connect()
        guard let client else { return }
        if isIdle { heardAt = time.monotonicTime }
        if item.key.database != database {
            client.queue(["SELECT", ByteString("\(item.key.database)")])
            sent.append(.preparation("SELECT"))
            database = item.key.database
        }
        if isAsking {
            client.queue(["ASKING"])
            sent.append(.preparation("ASKING"))
        }
        client.queue(encoded: item.requests.bytes)
        sent.append(.item(item))
        byteCount += item.byteCount
    }

    /// Moves bytes if there are many more than when that was done last: a window is not held back
    /// until it is full, and a server that is busy is not asked for every item.
    func pumpIfDue() throws(ServerError) {
        guard let client, client.unsentByteCount > pumpAt else { return }
        try client.pump()
        pumpAt = client.unsentByteCount + Self.pieceByteCount
    }

    /// Moves bytes, and hands over every item that was answered.
    func exchange(_ body: (LoadItem, Reply) throws(LoadError) -> Void) throws(LoadError) {
        guard let client else { return }
        do throws(ServerError) { try client.pump() } catch { throw .server(error) }
        pumpAt = client.unsentByteCount + Self.pieceByteCount
        while let reply = try nextReply() {
            heardAt = time.monotonicTime
            guard let (item, answer) = try take(reply) else { continue }
            try body(item, answer)
        }
        let silence = ServerClient.silenceSeconds
        guard !isIdle, time.monotonicTime - heardAt > .seconds(silence) else { return }
        throw .server(ServerError(url.description, .silent(seconds: silence)))
    }

    private func nextReply() throws(LoadError) -> Reply? {
        guard answered < sent.count, let client else { return nil }
        do throws(ServerError) { return try client.nextReply() } catch { throw .server(error) }
    }

    /// Takes a reply; the item that is answered by it, unless more replies have to come.
    private func take(_ reply: Reply) throws(LoadError) -> (LoadItem, Reply)? {
        if case .error(let text) = reply, firstError == nil { firstError = text }
        switch sent[answered] {
        case .preparation(let command):
            let failure = firstError
            (firstError, repliesSeen) = (nil, 0)
            advance()
            guard let failure else { return nil }
            let isPassing = LoadVerdict(.error(failure), from: url.address) == .later(failure)
            let problem: ServerError.Problem =
                isPassing ? .busy(failure) : .refused(command: "\(command)", failure)
            throw .server(ServerError(url.description, problem))
        case .item(let item):
            repliesSeen += 1
            guard repliesSeen == item.replyCount else { return nil }
            // What was refused first says why a transaction was given up.
            let answer = firstError.map { Reply.error($0) } ?? reply
            (firstError, repliesSeen) = (nil, 0)
            byteCount -= item.byteCount
            advance()
            return (item, answer)
        }
    }

    private func advance() {
        // What it took is free from here on, not only when the list is cut.
        sent[answered] = .preparation("")
        answered += 1
        guard answered == sent.count || answered >= 4096 else { return }
        sent.removeFirst(answered)
        answered = 0
    }

    /// Gives up the connection; returns what was not answered and has to be sent again.
    func disconnect() -> [LoadItem] {
        client = nil
        pumpAt = Self.pieceByteCount
        let items = sent[answered...].compactMap { expectation -> LoadItem? in
            guard case .item(var item) = expectation else { return nil }
            item.mayBeDone = true
            return item
        }
        sent = []
        (answered, byteCount, repliesSeen, firstError) = (0, 0, 0, nil)
        return items
    }
}
