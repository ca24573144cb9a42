import Bytes
import RESP

/// By which the server names a session to the engine.
package struct SessionID: Hashable, Sendable {
    package let slot: Int
}

/// What the engine knows of one client between its requests.
struct Session {
    /// The number that CLIENT ID tells; never used twice, 0 in a place that is free.
    var clientID: Int64
    var database = 0
    var flags: Flags = []
    var protocolVersion = ProtocolVersion.resp2
    /// The row of the last command in the table, -1 before the first.
    var lastCommand: Int16 = -1
    /// What only some sessions have, made when first needed.
    var details: SessionDetails?

    /// What makes a request take the slow way through the engine.
    struct Flags: OptionSet {
        let rawValue: UInt32

        /// The client must AUTH first.
        static let unauthenticated = Flags(rawValue: 1 << 0)
        /// Between MULTI and EXEC.
        static let queueing = Flags(rawValue: 1 << 1)
        /// A request between MULTI and EXEC was refused.
        static let transactionFailed = Flags(rawValue: 1 << 2)
        /// A watched key changed.
        static let watchFailed = Flags(rawValue: 1 << 3)
        /// Subscribed to a channel or pattern.
        static let subscribed = Flags(rawValue: 1 << 4)
        /// CLIENT REPLY OFF.
        static let silent = Flags(rawValue: 1 << 5)
        /// CLIENT REPLY SKIP: the next request gets no reply.
        static let skipsNextReply = Flags(rawValue: 1 << 6)
        /// The request under way gets no reply, for the one before was CLIENT REPLY SKIP.
        static let skipsReply = Flags(rawValue: 1 << 15)
        /// CLIENT NO-TOUCH.
        static let noTouch = Flags(rawValue: 1 << 7)
        /// CLIENT NO-EVICT.
        static let noEvict = Flags(rawValue: 1 << 8)
        /// Replays the log or stands for the server itself.
        static let trusted = Flags(rawValue: 1 << 9)
        /// Executes the requests of a transaction.
        static let executing = Flags(rawValue: 1 << 10)
        /// Sees every command: MONITOR.
        static let monitoring = Flags(rawValue: 1 << 11)
        /// Caches keys on its side: CLIENT TRACKING.
        static let tracking = Flags(rawValue: 1 << 12)
        /// Waits for a key, or for other servers.
        static let blocked = Flags(rawValue: 1 << 13)
        /// CLIENT IMPORT-SOURCE: brings a data set, and sees keys past their deadline.
        static let importSource = Flags(rawValue: 1 << 14)
    }
}

/// What only some sessions have.
final class SessionDetails {
    var name = ByteString("")
    var libraryName = ByteString("")
    var libraryVersion = ByteString("")
    /// CLIENT CAPA REDIRECT.
    var followsRedirects = false
    /// The requests between MULTI and EXEC, as they came.
    var queue: [QueuedRequest] = []
    /// Bytes of those requests.
    var queuedByteCount = 0
    /// The flags of all their commands together.
    var queuedFlags: Command.Flags = []
    /// Set while the client caches keys on its side.
    var tracking: TrackingMode?
    /// Channels, patterns and shard channels, by `Subscriptions.Kind`.
    var subscriptions: [Set<ByteString>] = [[], [], []]
    /// The keys that WATCH named, and whether their deadline was past by then.
    var watchedKeys: [WatchedKey: Bool] = [:]
    /// Bytes of the names that the client watches or listens to, with what tables take for each.
    var namedByteCount = 0

    /// About what a name takes in the tables of the session and of the engine.
    static func byteCount(ofName name: ByteString) -> Int { name.byteCount + 160 }
}

/// A request that waits for EXEC.
final class QueuedRequest {
    /// The row of its command in the table.
    let command: Int
    private var buffer: RequestBuffer

    init(copying request: borrowing Request, command: Int) {
        self.command = command
        buffer = RequestBuffer(copying: request)
    }

    var byteCount: Int { buffer.byteCount }

    /// Takes the request, which is needed once.
    func take() -> RequestBuffer {
        var taken = RequestBuffer()
        swap(&taken, &buffer)
        return taken
    }
}
