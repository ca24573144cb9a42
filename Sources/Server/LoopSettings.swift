import Bytes
import RESP
import Transport

/// What the loop itself needs to know of the configuration, ready to use.
struct LoopSettings {
    let maximumClientCount: Int
    let isProtected: Bool
    let keepAliveSeconds: Int
    /// After so many seconds without a request a client is closed; 0: never.
    let idleSeconds: Int
    let maximumInputByteCount: Int
    let maximumBulkByteCount: Int

    init(_ configuration: Configuration) {
        maximumClientCount = configuration.integer("maxclients")
        isProtected =
            configuration.isOn("protected-mode") && configuration["requirepass"].byteCount == 0
        keepAliveSeconds = configuration.integer("tcp-keepalive")
        idleSeconds = configuration.integer("timeout")
        maximumInputByteCount = configuration.integer("client-query-buffer-limit")
        maximumBulkByteCount = configuration.integer("proto-max-bulk-len")
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
