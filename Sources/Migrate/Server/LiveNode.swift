import Bytes
import RDB
import RESP

/// One server that keys are read from.
final class LiveNode {
    let client: ServerClient
    let identity: ServerIdentity
    /// About how many bytes a value has, by those that came last.
    private var averageByteCount = 4096.0

    /// Bytes of values that are asked for at a time, if the next ones are like the last.
    private static let pipelineByteCount = 2 << 20
    private static let maximumPipelineCount = 256

    init(_ client: ServerClient, _ identity: ServerIdentity) {
        self.client = client
        self.identity = identity
    }

    /// How many keys are asked for at a time.
    var pipelineCount: Int {
        let fitting = Double(Self.pipelineByteCount) / max(averageByteCount, 1)
        return max(1, min(Self.maximumPipelineCount, Int(fitting)))
    }

    /// Asks for some keys to be found.
    func askScan(_ cursor: ByteString) {
        client.queue(["SCAN", cursor, "COUNT", "256"])
    }

    /// The keys that were found, and where to go on; nil: these were the last.
    func scanAnswer() throws(ServerError) -> (next: ByteString?, keys: [ByteString]) {
        let reply = try client.nextReplyWaiting()
        if case .error(let text) = reply {
            throw ServerError(client.url.description, .refused(command: "SCAN", text))
        }
        guard case .array(let parts) = reply, parts.count == 2, case .bulk(let next) = parts[0],
            case .array(let found) = parts[1]
        else { throw ServerError(client.url.description, .unexpected(command: "SCAN")) }
        let keys = found.compactMap { key -> ByteString? in
            if case .bulk(let name) = key { name } else { nil }
        }
        return (next == "0" ? nil : next, keys)
    }

    /// Asks for the values and deadlines of `keys`.
    func ask(_ keys: [ByteString]) {
        let knowsMoments = identity.knowsDeadlineMoments
        client.queue { requests in
            for key in keys {
                requests.append(request: ["DUMP", key])
                if !knowsMoments { requests.append(request: ["TIME"]) }
                requests.append(request: [knowsMoments ? "PEXPIRETIME" : "PTTL", key])
            }
        }
    }

    /// The answer for the next of the keys asked for; nothing if it is gone.
    func answer() throws(ServerError) -> (payload: ByteString?, deadline: Int64?) {
        var payload: ByteString?
        switch try client.nextReplyWaiting() {
        case .bulk(let bytes): payload = bytes
        case .null: break
        case .error(let text):
            throw ServerError(client.url.description, .refused(command: "DUMP", text))
        default: throw ServerError(client.url.description, .unexpected(command: "DUMP"))
        }
        averageByteCount += (Double(payload?.byteCount ?? 0) - averageByteCount) / 16
        let (isThere, deadline) = try readDeadline()
        // Gone in between; the value was still there.
        return (isThere ? payload : nil, deadline)
    }

    private func readDeadline() throws(ServerError) -> (isThere: Bool, Int64?) {
        let base = identity.knowsDeadlineMoments ? 0 : try readTime()
        guard case .integer(let moment) = try client.nextReplyWaiting() else {
            throw ServerError(client.url.description, .unexpected(command: "PEXPIRETIME"))
        }
        return (moment != -2, moment < 0 ? nil : base + moment)
    }

    /// Those among `keys` whose values take more than `limit` bytes and can come in parts, by
    /// their places, with their kinds.
    ///
    /// A server all of whose memory is less is not asked; one that does not tell, or may not,
    /// has none.
    func largeKeys(
        among keys: ArraySlice<ByteString>,
        over limit: Int
    ) throws(ServerError) -> [Int: ValueKind] {
        guard !keys.isEmpty, identity.usedMemory > limit else { return [:] }
        for key in keys { client.queue(["MEMORY", "USAGE", key]) }
        var large: [Int] = []
        for place in keys.indices {
            guard case .integer(let byteCount) = try client.nextReplyWaiting() else { continue }
            if byteCount > limit { large.append(place) }
        }
        var kinds: [Int: ValueKind] = [:]
        for place in large {
            guard case .status(let name) = try client.ask(["TYPE", keys[place]]) else { continue }
            kinds[place] = LiveParts.kind(named: name)
        }
        return kinds
    }

    /// A value to be read in parts, and when it expires; nothing if it is gone.
    func parts(
        of key: ByteString,
        _ kind: ValueKind
    ) throws(ServerError) -> (LiveParts?, Int64?) {
        let knowsMoments = identity.knowsDeadlineMoments
        if !knowsMoments { client.queue(["TIME"]) }
        client.queue([knowsMoments ? "PEXPIRETIME" : "PTTL", key])
        let (isThere, deadline) = try readDeadline()
        let parts = LiveParts(
            client: client,
            key: key,
            kind: kind,
            hasFieldDeadlines: identity.target.holdsFieldDeadlines
        )
        return (isThere ? parts : nil, deadline)
    }

    /// What the server's clock says, in milliseconds.
    private func readTime() throws(ServerError) -> Int64 {
        guard case .array(let parts) = try client.nextReplyWaiting(), parts.count == 2,
            case .bulk(let seconds) = parts[0], case .bulk(let microseconds) = parts[1],
            let whole = DecimalText.parseInteger(seconds.bytes),
            let rest = DecimalText.parseInteger(microseconds.bytes)
        else { throw ServerError(client.url.description, .unexpected(command: "TIME")) }
        return whole * 1000 + rest / 1000
    }
}
