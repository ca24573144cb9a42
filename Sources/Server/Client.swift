import Bytes
import Commands
import Platform
import RESP
import Transport

/// A connection and what the server knows of it: its parser, its session and its state.
struct Client: ~Copyable {
    var connection: Connection
    var parser = RequestParser()
    let session: SessionID
    /// Tells this client from the next one that gets its slot.
    let serial: UInt32
    var phase = Phase.serving
    var protocolVersion = ProtocolVersion.resp2
    /// The kernel may hold input that was not received yet.
    var mayReceive = false
    /// It was told that the client may have sent its last byte, which is told only once.
    var mayHaveEnded = false
    /// Whether the end of a turn is already to see if the client has to go.
    var isLeaving = false
    /// Replies that wait for the log, and behind which later ones have to wait.
    var heldCount = 0
    /// Since when more waits to be sent than may wait for long; nil while it does not.
    var strainedSince: MonotonicTime?
    let connectedAt: MonotonicTime
    var lastActiveAt: MonotonicTime
    var traffic = Traffic()

    enum Phase {
        /// Requests are executed as they come.
        case serving
        /// The last request waits for its reply; those behind it wait with it.
        case blocked
        /// The next request may not be executed yet; it waits in the input.
        case postponed
        /// No more requests are executed; the connection ends once all replies are sent.
        case leaving
        /// The connection is of no more use.
        case gone
    }

    init(
        _ connection: consuming Connection,
        session: SessionID,
        serial: UInt32,
        now: MonotonicTime
    ) {
        self.connection = connection
        self.session = session
        self.serial = serial
        connectedAt = now
        lastActiveAt = now
    }

    /// Bytes of memory that the client takes, or is about to take.
    var memoryByteCount: Int {
        MemoryLayout<Client>.stride + max(connection.input.capacityByteCount, pendingByteCount)
            + connection.output.capacityByteCount
    }

    /// Bytes of the request that is not whole yet, as far as it tells how long it will be.
    var pendingByteCount: Int {
        guard !connection.input.isEmpty else { return 0 }
        return connection.input.count + parser.missingByteCount(in: connection.input.bytes)
    }

    /// Whether everything that was replied has left.
    var hasSentAll: Bool { heldCount == 0 && connection.output.isEmpty }
}

/// What went through a connection, or through all of them.
struct Traffic {
    var receivedByteCount: Int64 = 0
    var sentByteCount: Int64 = 0
    var requestCount: Int64 = 0
    var receiveCount: Int64 = 0
    var sendCount: Int64 = 0
}
