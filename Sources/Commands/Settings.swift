import Bytes

/// What the configuration tells the engine.
package struct Settings {
    /// The password that AUTH must give; empty: none.
    package var password = ByteString("")
    /// The longest string, in bytes: `proto-max-bulk-len`.
    package var longestString = 512 << 20
    /// Whether values of modules are carried along as they came: `module-data`.
    package var keepsModules = false
    /// Why writes are refused while `.refusingWrites` holds.
    package var writeRefusal = ""

    /// Who may use DEBUG.
    package var debugPermission = DebugPermission.nobody
    /// Whether a data set is brought by clients, so that no key expires: `import-mode`.
    package var isImporting = false
    /// Whether keys whose deadline is past are looked for; off only in tests.
    package var expiresActively = true

    /// How many keys are remembered for clients that cache them: `Engine.setTrackedKeyLimit`.
    package internal(set) var trackedKeyLimit = 1_000_000

    // `Engine.setMemoryLimit` sets these three.
    package internal(set) var maximumMemory = 0
    package internal(set) var evictionPolicy = EvictionPolicy.noEviction
    package internal(set) var evictionSamples = 5
    /// How long evicting may hold up one request, in microseconds.
    package var evictionTime: Int64 = 500
    /// Bytes beside the data that count against the limit, such as those of clients.
    package var otherMemory = 0

    /// Which changes of keys are published; `Engine.setNotifications` sets it.
    package internal(set) var notifications: Notification = []

    package init() {}

    var requiresPassword: Bool { password.byteCount > 0 }
}

/// What the engine counts, for INFO.
package struct Statistics: Sendable {
    package var commandsProcessed: Int64 = 0
    package var connectionsReceived: Int64 = 0
    package var errorReplies: Int64 = 0
    package var keyspaceHits: Int64 = 0
    package var keyspaceMisses: Int64 = 0
    package var expiredKeys: Int64 = 0
    package var expiredFields: Int64 = 0
    package var evictedKeys: Int64 = 0
    /// How often the look for keys past their deadline ended for want of time.
    package var expiryCutShort: Int64 = 0
    package var refusedPasswords: Int64 = 0
    /// Changes of keys since the start; what was not saved is the difference to the last save.
    package var changes: Int64 = 0

    package init() {}
}

/// Bytes for sessions beside the reply to a request: messages, and replies of those that waited.
///
/// They are to be sent behind the reply that was just written, in their order.
package struct Deliveries: ~Copyable {
    /// One run of bytes for one session.
    package struct Delivery: Sendable {
        package let session: SessionID
        package let offset: Int
        package let byteCount: Int
        /// Whether the session waited for this reply and may go on with its next request.
        package let unblocks: Bool
    }

    /// Bytes that one or more sessions get.
    struct Run {
        let offset: Int
        let byteCount: Int
    }

    package private(set) var all: [Delivery] = []
    package private(set) var bytes = ByteWriter()
    /// So many of the first come before the reply to the request that brought them.
    package private(set) var countBeforeReply = 0

    package init() {}

    package var isEmpty: Bool { all.isEmpty }

    /// Adds a run of bytes, to be sent to any number of sessions.
    mutating func append(_ run: RawSpan) -> Run {
        let offset = bytes.count
        bytes.append(run)
        return Run(offset: offset, byteCount: run.byteCount)
    }

    /// Sends a run to a session.
    mutating func send(_ run: Run, to session: SessionID, unblocks: Bool = false) {
        all.append(
            Delivery(
                session: session,
                offset: run.offset,
                byteCount: run.byteCount,
                unblocks: unblocks
            )
        )
    }

    /// Adds a run of bytes for `session`.
    mutating func append(_ run: RawSpan, to session: SessionID, unblocks: Bool = false) {
        send(append(run), to: session, unblocks: unblocks)
    }

    /// Lets all that is there come before the reply that is still to be written.
    mutating func precedeReply() {
        countBeforeReply = all.count
    }

    /// Forgets what a session that is gone would get.
    mutating func removeAll(for session: SessionID) {
        all.removeAll { $0.session == session }
    }

    /// Forgets them, once they were handed on.
    package mutating func removeAll() {
        all.removeAll(keepingCapacity: true)
        countBeforeReply = 0
        bytes.removeAll(keepingCapacityUpTo: 1 << 20)
    }
}
