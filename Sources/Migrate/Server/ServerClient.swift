import Bytes
import Glibc
import Platform
import RESP
import Transport

/// One connection to a server: requests go out in any number, replies come back in order.
///
/// Nothing blocks but `connect`, `ask` and `wait`. Whoever has several clients waits for all of
/// them at once.
package final class ServerClient {
    /// The server.
    package let url: ServerURL
    private var connection: Connection
    private var parser = ReplyParser()
    private var requests = ByteWriter()
    private var hasEnded = false

    /// How long a server may take for a connection.
    static let connectMilliseconds = 10_000
    /// How long a server may be silent while it owes a reply.
    static let silenceSeconds = 120
    private static let longestWaitMilliseconds = 200
    private static let receiveByteCount = 256 << 10

    /// Connects, presents the password, and selects the database of the URL.
    package init(connectingTo url: ServerURL) throws(ServerError) {
        self.url = url
        do {
            connection = try Connection.connect(
                to: url.address,
                within: Self.connectMilliseconds
            )
        } catch {
            try Self.heedTermination()
            throw ServerError(url.description, .system(error))
        }
        try authenticate()
        if let database = url.database, database != 0 { try select(database) }
    }

    private func authenticate() throws(ServerError) {
        if let password = url.password {
            queue(["AUTH"] + (url.user.map { [ByteString($0)] } ?? []) + [ByteString(password)])
            if case .error(let text) = try nextReplyWaiting(), !Self.isNeedless(text) {
                throw ServerError(url.description, .refused(command: "AUTH", text))
            }
        }
        // Servers before 7.2 do not know it, and a user may not be allowed it: a nicety.
        queue(["CLIENT", "SETNAME", "larder-migrate"])
        if case .error(let text) = try nextReplyWaiting(), text.bytes.starts(with: "NOAUTH") {
            throw ServerError(url.description, .refused(command: "a connection", text))
        }
    }

    /// Whether the server has no password: one of the environment may be for another server.
    private static func isNeedless(_ text: ByteString) -> Bool {
        text.text.contains("without any password") || text.text.contains("no password is set")
    }

    /// Makes later requests speak of another database.
    package func select(_ database: Int) throws(ServerError) {
        _ = try ask(["SELECT", ByteString("\(database)")])
    }

    /// What a poll has to watch.
    var interest: Readiness.Interest {
        Readiness.Interest(descriptor: connection.descriptor, isSending: hasUnsent)
    }

    /// Whether something was queued that the kernel has not taken yet.
    var hasUnsent: Bool { !connection.output.isEmpty || !requests.isEmpty }

    /// Bytes that were queued and that the kernel has not taken yet.
    var unsentByteCount: Int { connection.output.count + requests.count }

    /// Adds a request to those that are sent next.
    func queue(_ arguments: [ByteString]) {
        requests.append(request: arguments)
    }

    /// Adds requests that are spelled already.
    func queue(encoded bytes: RawSpan) {
        requests.append(bytes)
    }

    /// Lets `body` add requests to those that are sent next.
    func queue(_ body: (inout ByteWriter) -> Void) {
        body(&requests)
    }

    /// Sends what the kernel takes and receives what it has.
    func pump() throws(ServerError) {
        try transmit()
        while !hasEnded {
            switch connection.receive(upTo: Self.receiveByteCount) {
            case .partial(let count) where count == 0: continue
            case .partial:
                moveInput()
                // Replies are looked at before more of them is taken into memory.
                return
            case .complete:
                moveInput()
                return
            case .ended:
                hasEnded = true
            }
        }
    }

    private func moveInput() {
        parser.append(connection.input.bytes)
        connection.input.removeAll(keepingCapacityUpTo: Self.receiveByteCount)
    }

    private func transmit() throws(ServerError) {
        guard hasUnsent else { return }
        var transfer: Connection.Transfer
        if connection.output.isEmpty {
            transfer = connection.send(requests.bytes)
            requests.removeAll(keepingCapacityUpTo: 1 << 20)
        } else {
            transfer = connection.flush()
            if connection.output.isEmpty, !requests.isEmpty { return try transmit() }
        }
        if transfer == .ended { hasEnded = true }
    }

    /// The next reply that came, or nil; throws when no more will come.
    func nextReply() throws(ServerError) -> Reply? {
        do {
            if let reply = try parser.next() { return reply }
        } catch {
            throw ServerError(url.description, .malformed(error))
        }
        if hasEnded { throw ServerError(url.description, .closed) }
        return nil
    }

    /// The next reply, waited for.
    func nextReplyWaiting() throws(ServerError) -> Reply {
        while true {
            if let reply = try nextReply() { return reply }
            try pump()
            if let reply = try nextReply() { return reply }
            try Self.wait(for: [self], milliseconds: Self.silenceSeconds * 1000)
        }
    }

    /// Sends one request and waits for its reply; a refusal is an error.
    func ask(_ arguments: [ByteString]) throws(ServerError) -> Reply {
        queue(arguments)
        let reply = try nextReplyWaiting()
        if case .error(let text) = reply {
            throw ServerError(url.description, .refused(command: arguments[0].text, text))
        }
        return reply
    }

    /// What the server says of itself.
    package func identity() throws(ServerError) -> ServerIdentity {
        guard case .bulk(let text) = try ask(["INFO"]) else {
            throw ServerError(url.description, .unexpected(command: "INFO"))
        }
        return ServerIdentity(information: text)
    }

    /// The map of the cluster that the server at `url` is a node of.
    static func clusterMap(of url: ServerURL) throws(ServerError) -> ClusterMap? {
        let client = try ServerClient(connectingTo: url)
        let reply = try client.ask(["CLUSTER", "SLOTS"])
        guard let map = ClusterMap(slots: reply, from: url.address) else {
            throw ServerError(url.description, .unexpected(command: "CLUSTER SLOTS"))
        }
        return map.primaries.isEmpty ? nil : map
    }

    /// Waits until one of `clients` can go on.
    ///
    /// Throws when somebody asked for the end, or when none can within the time and that is as long as a server may be silent.
    static func wait(for clients: [ServerClient], milliseconds: Int) throws(ServerError) {
        let interests = clients.map(\.interest)
        var left = milliseconds
        repeat {
            // A signal may come just before the wait, which it then does not end.
            try heedTermination()
            let count: Int
            do {
                let piece = min(left, longestWaitMilliseconds)
                count = try Readiness.wait(for: interests, milliseconds: piece)
                left -= piece
            } catch {
                throw ServerError("the system", .system(error))
            }
            if count > 0 { return }
        } while left > 0
        if milliseconds >= silenceSeconds * 1000 {
            let names = clients.map(\.url.description).joined(separator: ", ")
            throw ServerError(names, .silent(seconds: silenceSeconds))
        }
    }

    private static func heedTermination() throws(ServerError) {
        do {
            try Signals.heedTermination()
        } catch {
            throw ServerError("the system", .system(error))
        }
    }
}
