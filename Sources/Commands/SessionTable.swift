import RESP

/// The sessions that are open, by slot.
struct SessionTable {
    private var slots: [Session?] = []
    private var free: [Int] = []
    private var nextClientID: Int64 = 1
    private(set) var count = 0

    subscript(id: SessionID) -> Session {
        get {
            guard let session = slots[id.slot] else { preconditionFailure("a closed session") }
            return session
        }
        set { slots[id.slot] = newValue }
    }

    mutating func open() -> SessionID {
        let session = Session(clientID: nextClientID)
        nextClientID += 1
        count += 1
        if let slot = free.popLast() {
            slots[slot] = session
            return SessionID(slot: slot)
        }
        slots.append(session)
        return SessionID(slot: slots.count - 1)
    }

    mutating func close(_ id: SessionID) {
        slots[id.slot] = nil
        free.append(id.slot)
        count -= 1
    }

    /// Every open session.
    var all: [SessionID] {
        slots.indices.compactMap { slots[$0] == nil ? nil : SessionID(slot: $0) }
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

    /// Forgets a session whose connection is gone.
    package mutating func closeSession(_ id: SessionID) {
        forgetWatches(of: id)
        sessions.close(id)
    }

    /// How many sessions are open.
    package var sessionCount: Int { sessions.count }
}
