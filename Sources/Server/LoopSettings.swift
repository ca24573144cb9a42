import Bytes
import Directives
import RESP
import Transport

/// How much may wait to be sent to a client before it is given up; 0: any amount.
struct OutputLimit {
    /// At once.
    let hardByteCount: Int
    /// If it is so much for so many seconds.
    let softByteCount: Int
    let softSeconds: Int

    /// The limit of a class of clients, as `client-output-buffer-limit` says it.
    init(_ name: String, of words: [String]) {
        let place = words.firstIndex(of: name) ?? words.endIndex
        let numbers = words.dropFirst(place + 1).prefix(3).compactMap { Int($0) }
        hardByteCount = numbers.count == 3 ? numbers[0] : 0
        softByteCount = numbers.count == 3 ? numbers[1] : 0
        softSeconds = numbers.count == 3 ? numbers[2] : 0
    }

    /// Whether a client for which so much has been waiting since then has to go.
    func isExceeded(by byteCount: Int, for waiting: Duration) -> Bool {
        if hardByteCount > 0, byteCount >= hardByteCount { return true }
        return isStrained(by: byteCount) && waiting > .seconds(softSeconds)
    }

    /// Whether so much may not wait for long.
    func isStrained(by byteCount: Int) -> Bool {
        softByteCount > 0 && byteCount >= softByteCount
    }
}

/// What the loop itself needs to know of the configuration, ready to use.
struct LoopSettings {
    let maximumClientCount: Int
    let isProtected: Bool
    let keepAliveSeconds: Int
    /// After so many seconds without a request a client is closed; 0: never.
    let idleSeconds: Int
    let maximumInputByteCount: Int
    let maximumBulkByteCount: Int
    /// How much may wait to be sent to a client, and to one that listens to channels.
    let outputLimit: OutputLimit
    let listenerOutputLimit: OutputLimit
    /// How much memory all clients together may take; 0: any amount.
    let clientByteCount: Int

    init(_ configuration: Configuration) {
        maximumClientCount = configuration.integer("maxclients")
        isProtected =
            configuration.isOn("protected-mode") && configuration["requirepass"].byteCount == 0
        keepAliveSeconds = configuration.integer("tcp-keepalive")
        idleSeconds = configuration.integer("timeout")
        maximumInputByteCount = configuration.integer("client-query-buffer-limit")
        maximumBulkByteCount = configuration.integer("proto-max-bulk-len")
        let words = configuration.words("client-output-buffer-limit")
        outputLimit = OutputLimit("normal", of: words)
        listenerOutputLimit = OutputLimit("pubsub", of: words)
        clientByteCount = configuration.clientByteCount
    }

    func limits(requiresPassword: Bool) -> RequestLimits {
        RequestLimits(
            maximumBulkByteCount: maximumBulkByteCount,
            isAuthenticated: !requiresPassword
        )
    }

    /// The line that a connection is turned away with; nil if it may stay.
    func refusal(of peer: SocketAddress, clientCount: Int) -> ByteString? {
        if clientCount >= maximumClientCount {
            return "-ERR max number of clients reached\r\n"
        }
        if isProtected, !peer.isLocal { return Self.protectedMode }
        return nil
    }

    private static let protectedMode: ByteString = """
        -DENIED Running in protected mode because protected mode is enabled and no \
        password is set for the default user. In this mode connections are only accepted from \
        the loopback interface. If you want to connect from external computers, you may adopt \
        one of the following solutions: 1) Just disable protected mode sending the command \
        'CONFIG SET protected-mode no' from the loopback interface by connecting from the same \
        host the server is running, however MAKE SURE it's not publicly accessible from internet \
        if you do so. Use CONFIG REWRITE to make this change permanent. 2) Alternatively you can \
        just disable the protected mode by editing the configuration file, and setting the \
        protected mode option to 'no', and then restarting the server. 3) If you started the \
        server manually just for testing, restart it with the '--protected-mode no' option. 4) \
        Set up an authentication password for the default user. NOTE: You only need to do one of \
        the above things in order for the server to start accepting connections from the \
        outside.\r\n
        """
}

extension Configuration {
    /// With less for all clients together, none could tell the server to take more.
    private static let leastClientByteCount = 128 << 10

    /// `maxmemory-clients` in bytes; a percentage is one of `maxmemory`.
    fileprivate var clientByteCount: Int {
        let text = text("maxmemory-clients")
        let byteCount: Int
        if text.hasSuffix("%") {
            let percent = Int(text.dropLast()) ?? 0
            byteCount = Int(Double(integer("maxmemory")) * Double(percent) / 100)
        } else {
            byteCount = Int(text) ?? 0
        }
        return byteCount == 0 ? 0 : max(byteCount, Self.leastClientByteCount)
    }
}
