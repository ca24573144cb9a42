import Bytes
import Platform
import RESP
import Transport

/// The pipelines of a load, one per server: what was sent, is refused for now, or has to go
/// elsewhere.
///
/// An item that was put in is done, or was counted as what became of it, when `finish` returns.
final class LoadTraffic {
    private let options: LoadOptions
    private let url: ServerURL
    private var map: ClusterMap?
    private var shards: [SocketAddress: LoadShard] = [:]
    /// Items that are to be sent again once the pause is over.
    private var waiting: [LoadItem] = []
    private var pause: LoadPause
    private var budget: LoadBudget
    private let time = SystemTime()

    /// Called when an item was answered for good.
    var onSettled: (LoadItem, LoadVerdict) throws(LoadError) -> Void = { _, _ in }
    /// Called at least ten times a second while anything is waited for.
    var onTurn: () throws(LoadError) -> Void = {}
    /// Called with what a user should know now.
    var onMessage: (String) -> Void = { _ in }

    /// Sends to `url`; to all of its cluster if there is a map of one.
    init(to url: ServerURL, map: ClusterMap?, _ options: LoadOptions) {
        self.url = url
        self.map = map
        self.options = options
        pause = LoadPause(patience: .seconds(options.patienceSeconds))
        budget = LoadBudget(bytesPerSecond: options.bytesPerSecond)
    }

    /// Whether the server is a cluster.
    var isCluster: Bool { map != nil }

    /// The earliest place in the files that is not dealt with; nil if everything is.
    var earliest: LoadPosition? {
        (shards.values.compactMap(\.earliest) + waiting.map(\.key.position)).min()
    }

    private var byteCount: Int {
        shards.values.reduce(0) { $0 + $1.byteCount } + waiting.reduce(0) { $0 + $1.byteCount }
    }

    /// Sends an item as soon as there is room for it.
    func put(_ item: LoadItem) throws(LoadError) {
        while pause.isOn || byteCount > LoadOptions.windowByteCount
            || !budget.allows(at: time.monotonicTime)
        {
            try turn()
        }
        budget.spend(item.byteCount)
        try route(item)
    }

    /// Sends a step, waits for it, and returns what the server said.
    ///
    /// Nil means that the connection was lost: the step may have been done, or not.
    private func perform(_ item: LoadItem, _ step: LoadStep) throws(LoadError) -> Reply? {
        try put(item)
        while step.outcome == nil, !step.isInDoubt { try turn() }
        return step.outcome
    }

    /// Sends one request for a key as a step.
    func perform(
        _ request: [ByteString],
        for key: LoadedKey,
        isRepeatable: Bool = true
    ) throws(LoadError) -> Reply? {
        var writer = ByteWriter()
        writer.append(request: request)
        let bytes = ByteString(writer.bytes).array
        return try perform(bytes, replyCount: 1, for: key, isRepeatable: isRepeatable)
    }

    /// Sends requests for a key as a step.
    func perform(
        _ requests: [UInt8],
        replyCount: Int,
        for key: LoadedKey,
        isRepeatable: Bool
    ) throws(LoadError) -> Reply? {
        let step = LoadStep(isRepeatable: isRepeatable)
        let item = LoadItem(
            key: key,
            requests: requests,
            replyCount: replyCount,
            purpose: .step(step)
        )
        return try perform(item, step)
    }

    /// Waits until every item is settled.
    func finish() throws(LoadError) {
        while pause.isOn || !waiting.isEmpty || shards.values.contains(where: { !$0.isIdle }) {
            try turn()
        }
    }

    /// Asks every primary the same; a refusal by one of them is returned.
    func askEveryPrimary(_ request: [ByteString]) throws(LoadError) -> ByteString? {
        try finish()
        for address in map?.primaries ?? [url.address] {
            let shard = shard(at: address)
            do throws(ServerError) {
                try shard.connect()
                _ = try shard.client?.ask(request)
            } catch {
                guard case .refused(_, let text) = error.problem else { throw .server(error) }
                return text
            }
        }
        return nil
    }

    // One turn.

    private func turn() throws(LoadError) {
        if pause.isOn, pause.isOver(at: time.monotonicTime) { try resume() }
        try waitForServers()
        for shard in Array(shards.values) { try exchange(with: shard) }
        try onTurn()
    }

    /// Waits until a server has answered or takes more, but not for long.
    private func waitForServers() throws(LoadError) {
        let clients = shards.values.filter { !$0.isIdle }.compactMap(\.client)
        do throws(ServerError) {
            try ServerClient.wait(for: clients, milliseconds: clients.isEmpty ? 20 : 100)
        } catch {
            throw .server(error)
        }
    }

    private func exchange(with shard: LoadShard) throws(LoadError) {
        do throws(LoadError) {
            try shard.exchange { item, reply throws(LoadError) in
                try settle(item, LoadVerdict(reply, from: shard.url.address), reply, shard)
            }
        } catch {
            try lose(shard, error)
        }
    }

    private func settle(
        _ item: LoadItem,
        _ verdict: LoadVerdict,
        _ reply: Reply,
        _ shard: LoadShard
    ) throws(LoadError) {
        switch verdict {
        case .redirected(let redirection):
            if redirection.isLasting { map?.move(redirection.slot, to: redirection.address) }
            try send(item, to: self.shard(at: redirection.address), !redirection.isLasting)
        case .later(let text):
            begin(pauseFor: text, at: shard.url)
            waiting.append(item)
        case .hopeless(let text):
            let problem = ServerError.Problem.refused(command: "a key", text)
            throw .server(ServerError(shard.url.description, problem))
        default:
            if pause.end() { onMessage("goes on") }
            if case .step(let step) = item.purpose { step.outcome = reply }
            try onSettled(item, verdict)
        }
    }

    // Where items go.

    private func route(_ item: LoadItem) throws(LoadError) {
        guard let map else { return try send(item, to: shard(at: url.address), false) }
        let slot = ClusterSlot.of(item.key.name.bytes)
        guard let address = map.primary(of: slot) else {
            begin(pauseFor: ByteString("slot \(slot) has no primary"), at: url)
            waiting.append(item)
            return
        }
        try send(item, to: shard(at: address), false)
    }

    private func shard(at address: SocketAddress) -> LoadShard {
        if let shard = shards[address] { return shard }
        let shard = LoadShard(ServerURL(address: address, like: url))
        shards[address] = shard
        return shard
    }

    private func send(
        _ item: LoadItem,
        to shard: LoadShard,
        _ isAsking: Bool
    ) throws(LoadError) {
        do throws(ServerError) {
            try shard.send(item, isAsking: isAsking)
        } catch {
            waiting.append(item)
            return try lose(shard, .server(error))
        }
        do throws(ServerError) { try shard.pumpIfDue() } catch { try lose(shard, .server(error)) }
    }

    // When a server cannot go on.

    private func begin(pauseFor text: ByteString, at url: ServerURL) {
        guard pause.begin(text, at: time.monotonicTime) else { return }
        onMessage("\(url) says: \(text.text); waiting")
    }

    private func begin(pauseFor trouble: ServerError) {
        guard pause.begin(ByteString("\(trouble)"), at: time.monotonicTime) else { return }
        onMessage("\(trouble); waiting")
    }

    /// Takes back what a lost connection owes; any other trouble ends the load.
    private func lose(_ shard: LoadShard, _ error: LoadError) throws(LoadError) {
        guard case .server(let trouble) = error, trouble.isConnectionLost else { throw error }
        for item in shard.disconnect() {
            if case .step(let step) = item.purpose, !step.isRepeatable {
                step.isInDoubt = true
            } else {
                waiting.append(item)
            }
        }
        begin(pauseFor: trouble)
    }

    /// Sends again what has waited.
    private func resume() throws(LoadError) {
        if let text = pause.reason, pause.isHopeless(at: time.monotonicTime) {
            throw .impatient(server: "\(url)", seconds: options.patienceSeconds, text)
        }
        pause.probe()
        if pause.reason?.bytes.starts(with: "READONLY") == true { reconnect() }
        if map != nil { try refreshMap() }
        let items = waiting
        waiting = []
        for (index, item) in items.enumerated() {
            guard !pause.isOn else {
                waiting += items[index...]
                return
            }
            try route(item)
        }
    }

    /// Lets a name lead to another server than before, once a replica has its place.
    private func reconnect() {
        for shard in shards.values where shard.isIdle { _ = shard.disconnect() }
    }

    /// Asks any server that answers for the map.
    private func refreshMap() throws(LoadError) {
        for address in [url.address] + (map?.primaries ?? []) {
            do throws(ServerError) {
                let node = ServerURL(address: address, like: url)
                if let found = try ServerClient.clusterMap(of: node) {
                    map = found
                    return
                }
            } catch {
                guard error.isConnectionLost else { throw .server(error) }
            }
        }
        begin(pauseFor: "no node of the cluster answers", at: url)
    }
}
