import RESP

/// The sessions that are open, by slot.
@safe
struct SessionTable: ~Copyable {
    private var slots: UnsafeMutablePointer<Session>
    private var capacity = 64
    private var used = 0
    private var free: [Int] = []
    private var nextClientID: Int64 = 1
    private(set) var count = 0

    init() {
        unsafe slots = .allocate(capacity: capacity)
    }

    deinit {
        unsafe slots.deinitialize(count: used)
        unsafe slots.deallocate()
    }

    // Addresses, not copies: each request reads its session several times, and a copy would
    // count a reference to the details each time.
    subscript(id: SessionID) -> Session {
        unsafeAddress {
            precondition(id.slot >= 0 && id.slot < used, "no such session")
            return unsafe UnsafePointer(slots + id.slot)
        }
        unsafeMutableAddress {
            precondition(id.slot >= 0 && id.slot < used, "no such session")
            return unsafe slots + id.slot
        }
    }

    mutating func open() -> SessionID {
        let session = Session(clientID: nextClientID)
        nextClientID += 1
        count += 1
        if let slot = free.popLast() {
            unsafe slots[slot] = session
            return SessionID(slot: slot)
        }
        if used == capacity { grow() }
        unsafe (slots + used).initialize(to: session)
        used += 1
        return SessionID(slot: used - 1)
    }

    private mutating func grow() {
        let moved = UnsafeMutablePointer<Session>.allocate(capacity: capacity * 2)
        unsafe moved.moveInitialize(from: slots, count: used)
        unsafe slots.deallocate()
        unsafe slots = moved
        capacity *= 2
    }

    mutating func close(_ id: SessionID) {
        self[id] = Session(clientID: 0)
        free.append(id.slot)
        count -= 1
    }

    /// Every open session, the oldest first.
    var all: [SessionID] {
        (0..<used).map { SessionID(slot: $0) }
            .filter { self[$0].clientID != 0 }
            .sorted { self[$0].clientID < self[$1].clientID }
    }

    /// The open session with this number.
    func find(clientID: Int64) -> SessionID? {
        guard clientID > 0 else { return nil }
        return (0..<used).lazy.map { SessionID(slot: $0) }.first { self[$0].clientID == clientID }
    }

    /// What only some sessions have, made if this one has none yet.
    mutating func details(_ id: SessionID) -> SessionDetails {
        if let details = self[id].details { return details }
        let details = SessionDetails()
        self[id].details = details
        return details
    }
}

extension Engine {
    /// Opens a session for a new client.
    package mutating func openSession() -> SessionID {
        let id = sessions.open()
        if settings.requiresPassword { sessions[id].flags.insert(.unauthenticated) }
        statistics.connectionsReceived += 1
        return id
    }

    /// Opens a session that passes every check: the one that replays the log.
    package mutating func openTrustedSession() -> SessionID {
        let id = sessions.open()
        sessions[id].flags.insert(.trusted)
        return id
    }

    /// Makes a session work on the database with this number.
    package mutating func select(_ database: Int, in id: SessionID) {
        sessions[id].database = database
    }

    /// Forgets a session whose connection is gone.
    package mutating func closeSession(_ id: SessionID) {
        leaveEverything(id)
        deliveries.removeAll(for: id)
        sessions.close(id)
    }

    /// Whether a session has said who it is, or does not have to.
    package func isAuthenticated(_ id: SessionID) -> Bool {
        !sessions[id].flags.contains(.unauthenticated)
    }

    /// Whether a session listens to channels.
    package func isListener(_ id: SessionID) -> Bool {
        sessions[id].flags.contains(.subscribed)
    }

    /// Whether a session must stay when clients take too much memory: CLIENT NO-EVICT.
    package func mayNotBeEvicted(_ id: SessionID) -> Bool {
        sessions[id].flags.contains(.noEvict)
    }

    /// Bytes that a session holds: requests that wait for EXEC, and names of keys and channels.
    package func byteCount(of id: SessionID) -> Int {
        guard let details = sessions[id].details else { return 0 }
        return details.queuedByteCount + details.namedByteCount
            + (details.tracking?.prefixByteCount ?? 0)
    }

    /// How many sessions are open.
    package var sessionCount: Int { sessions.count }
}
