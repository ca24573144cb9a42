import Bytes
import RESP
import Transport

/// A key of a live server.
package struct LiveKey {
    /// The database.
    package let database: Int
    /// The key.
    package let name: ByteString
    /// Its value, which can be read until the next key is asked for.
    package let value: LiveValue
    /// When it expires, in milliseconds since 1970.
    package let deadline: Int64?
}

/// Everything that a live server holds, or all primaries of a cluster, key by key.
///
/// `SCAN` finds the keys, which are asked for in pipelines of a few megabytes; larger values come
/// in parts, so that memory grows neither with the data set nor with a value. While the server changes, keys may come twice, and
/// those that come and go may not come at all: that is `SCAN`'s promise. Keys that vanish between
/// being found and being asked for are counted.
package final class LiveSource {
    /// The server that was named.
    package let url: ServerURL
    /// What it says it is.
    package let identity: ServerIdentity
    /// Keys that were found and then were gone.
    package private(set) var vanishedCount = 0
    private let nodes: [LiveNode]
    /// Values that take more memory at the server are read in parts.
    private let partsOver: Int
    private let map: ClusterMap?

    /// Connects to the server, or to all primaries of its cluster; values that take more than
    /// `partsOver` bytes there are read in parts.
    package init(at url: ServerURL, partsOver: Int = 32 << 20) throws(ServerError) {
        self.url = url
        self.partsOver = partsOver
        let first = try ServerClient(connectingTo: url)
        identity = try first.identity()
        guard identity.isClusterNode, let map = try ServerClient.clusterMap(of: url) else {
            self.map = nil
            nodes = [LiveNode(first, identity)]
            return
        }
        self.map = map
        nodes = try map.primaries.map { address throws(ServerError) in
            let client = try ServerClient(connectingTo: ServerURL(address: address, like: url))
            return LiveNode(client, try client.identity())
        }
    }

    /// How many keys there are, by the servers' own counts.
    package var keyCount: Int {
        nodes.reduce(0) { $0 + $1.identity.keyCounts.values.reduce(0, +) }
    }

    /// Asks the first of the servers, which may refuse.
    func askFirst(_ request: [ByteString]) throws(ServerError) -> Reply {
        nodes[0].client.queue(request)
        return try nodes[0].client.nextReplyWaiting()
    }

    /// Hands out every key.
    package func readAll<Failure: Error>(
        _ body: (LiveKey) throws(Failure) -> Void
    ) throws(LiveFailure<Failure>) {
        for node in nodes {
            let databases = url.database.map { [$0] } ?? node.identity.keyCounts.keys.sorted()
            for database in databases { try readAll(of: node, database, body) }
        }
    }

    private func readAll<Failure: Error>(
        of node: LiveNode,
        _ database: Int,
        _ body: (LiveKey) throws(Failure) -> Void
    ) throws(LiveFailure<Failure>) {
        try LiveFailure<Failure>.server { () throws(ServerError) in try node.client.select(database)
        }
        node.askScan("0")
        var isLast = false
        while !isLast {
            let (next, keys) = try LiveFailure<Failure>.server { () throws(ServerError) in
                try node.scanAnswer()
            }
            isLast = next == nil
            let rest = next.map { [$0] } ?? []
            try read(keys, of: node, then: rest) { index, value, deadline throws(Failure) in
                guard let value else {
                    vanishedCount += 1
                    return
                }
                try body(
                    LiveKey(
                        database: database,
                        name: keys[index],
                        value: value,
                        deadline: deadline
                    )
                )
            }
        }
    }

    /// Asks for `keys` of one database; those that are gone come without a value.
    package func read<Failure: Error>(
        _ keys: [ByteString],
        in database: Int,
        _ body: (Int, LiveValue?, Int64?) throws(Failure) -> Void
    ) throws(LiveFailure<Failure>) {
        for (number, node) in nodes.enumerated() {
            let places = keys.indices.filter { self.node(of: keys[$0]) == number }
            guard !places.isEmpty else { continue }
            try LiveFailure<Failure>.server { () throws(ServerError) in
                try node.client.select(database)
            }
            try read(places.map { keys[$0] }, of: node) {
                index,
                value,
                deadline throws(Failure) in
                try body(places[index], value, deadline)
            }
        }
    }

    private func node(of key: ByteString) -> Int {
        guard let map, let address = map.primary(of: ClusterSlot.of(key.bytes)) else { return 0 }
        return map.primaries.firstIndex(of: address) ?? 0
    }

    /// Asks for keys a few at a time, and then for more keys to be found from `cursors` on, so that
    /// nobody waits for the answer to that alone.
    private func read<Failure: Error>(
        _ keys: [ByteString],
        of node: LiveNode,
        then cursors: [ByteString] = [],
        _ body: (Int, LiveValue?, Int64?) throws(Failure) -> Void
    ) throws(LiveFailure<Failure>) {
        var start = 0
        repeat {
            let end = min(keys.count, start + node.pipelineCount)
            let large = try LiveFailure<Failure>.server { () throws(ServerError) in
                try node.largeKeys(among: keys[start..<end], over: partsOver)
            }
            let small = (start..<end).filter { large[$0] == nil }
            node.ask(small.map { keys[$0] })
            if end == keys.count, large.isEmpty { cursors.forEach(node.askScan) }
            for index in small {
                let (payload, deadline) = try LiveFailure<Failure>.server {
                    () throws(ServerError) in try node.answer()
                }
                let value = payload.map { LiveValue.payload($0) }
                try LiveFailure.other { () throws(Failure) in try body(index, value, deadline) }
            }
            for (index, kind) in large {
                let (parts, deadline) = try LiveFailure<Failure>.server {
                    () throws(ServerError) in try node.parts(of: keys[index], kind)
                }
                let value = parts.map { LiveValue.parts($0) }
                try LiveFailure.other { () throws(Failure) in try body(index, value, deadline) }
            }
            if end == keys.count, !large.isEmpty { cursors.forEach(node.askScan) }
            start = end
        } while start < keys.count
    }
}

/// What ended the reading of a live server: the server, or whoever was handed its keys.
package enum LiveFailure<Other: Error>: Error {
    case server(ServerError)
    case other(Other)

    static func server<Result>(
        _ body: () throws(ServerError) -> Result
    ) throws(LiveFailure<Other>) -> Result {
        do throws(ServerError) { return try body() } catch { throw .server(error) }
    }

    static func other(_ body: () throws(Other) -> Void) throws(LiveFailure<Other>) {
        do throws(Other) { try body() } catch { throw .other(error) }
    }
}
