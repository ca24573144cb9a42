import Bytes
import RESP
import Store

/// The command core: executes one request after the other against one data set.
///
/// The only way in is `execute`. The engine does no I/O and has no clock: whoever drives it
/// sets `now` once a turn, sends the replies and `deliveries`, and hands `effects` to the log.
package struct Engine: ~Copyable {
    package var dataSet: DataSet
    package var effects = Effects()
    package var statistics = Statistics()
    package var settings = Settings()
    package var deliveries = Deliveries()
    /// Sources of function libraries, kept for the next save.
    package var functionLibraries: [ByteString] = []
    /// What modules had beyond keys in a file, kept for the next save.
    package var moduleData: [ModuleData] = []
    var sessions = SessionTable()
    var blocked = BlockedSessions()
    let table: CommandTable
    /// How long requests took, and which of them were remarkable.
    package var measures: Measures
    unowned let host: any Host
    let serializer: any Serializer

    var watches = Watches()
    var subscriptions = Subscriptions()
    var tracking = TrackingTable()
    /// The sessions that cache keys on their side.
    var trackers: [SessionID] = []
    /// How many keys each database had when the last was announced, if new ones are published.
    var keyCounts: [Int] = []
    /// The sessions that see every request.
    var monitors: [SessionID] = []
    var pause = Pause()
    var expiryWalk = ExpiryWalk()
    /// Whether a session has begun to wait for the log to be synced.
    var wantsSync = false
    var evictionPool = EvictionPool()
    /// The database that a random key was last evicted from.
    var evictionDatabase = 0

    /// The session whose request is executed.
    var current = SessionID(slot: 0)
    /// The database that it has selected.
    var keyspace: Keyspace
    /// Set by a handler that wrote its own effects, so that the request itself is not written.
    var hasWrittenEffects = false
    /// Whether lookups count as uses of a key; not for a client that asked for NO-TOUCH.
    var touchesKeys = true
    /// What a request must be checked for beyond its arity; empty nearly always.
    var gates: Gates = []

    /// What applies to every session and makes requests take the slow way.
    struct Gates: OptionSet {
        let rawValue: UInt32

        /// Keys are watched, so changes must be compared with them.
        static let watching = Gates(rawValue: 1 << 0)
        /// Changes of keys are published.
        static let notifying = Gates(rawValue: 1 << 1)
        /// The data set is being loaded.
        static let loading = Gates(rawValue: 1 << 2)
        /// Writes are refused; `settings.writeRefusal` says why.
        static let refusingWrites = Gates(rawValue: 1 << 3)
        /// A limit of memory is set.
        static let limitedMemory = Gates(rawValue: 1 << 4)
        /// MONITOR is on.
        static let monitoring = Gates(rawValue: 1 << 5)
        /// Clients cache keys on their side.
        static let tracking = Gates(rawValue: 1 << 6)
        /// Clients wait for keys.
        static let waiting = Gates(rawValue: 1 << 7)
        /// CLIENT PAUSE holds.
        static let paused = Gates(rawValue: 1 << 8)
        /// Writes wait until the log can follow.
        static let holdingWrites = Gates(rawValue: 1 << 9)

        /// Those that only hold up what clients ask for.
        static let atClients: Gates = [
            .loading, .refusingWrites, .limitedMemory, .paused, .holdingWrites,
        ]
    }

    /// What the server has to do after a request.
    package enum Outcome: Sendable {
        /// Nothing but to send the reply.
        case done
        /// Nothing was replied: the session waits, and its reply comes with the deliveries.
        case blocked
        /// Send the reply and close the connection.
        case close
        /// Not executed: clients are paused; to be offered again, before anything that the
        /// client sent behind it, once `isPaused` has ended.
        case postponed
    }

    var outcome = Outcome.done

    /// An engine over an empty data set.
    package init(
        databaseCount: Int,
        seed: UInt64,
        host: any Host,
        serializer: any Serializer
    ) {
        dataSet = DataSet(databaseCount: databaseCount, seed: seed)
        keyspace = dataSet[0]
        table = CommandTable(Command.all)
        measures = Measures(commandCount: table.rowCount)
        self.host = host
        self.serializer = serializer
    }

    /// The database that a session has selected.
    package func keyspace(of session: SessionID) -> Keyspace {
        dataSet[sessions[session].database]
    }

    /// Asks the memory for what a batch of requests will read: all their buckets, then all entries.
    ///
    /// In a keyspace of millions each is a wait of its own otherwise, longer than the work.
    package func prefetchBatch(
        _ parser: borrowing RequestParser,
        in input: RawSpan,
        _ session: SessionID
    ) {
        let keyspace = keyspace(of: session)
        guard keyspace.isLargerThanCaches else { return }
        var hashes = InlineArray<16, UInt64>(repeating: 0)
        let count = parser.batchCount
        for index in 0..<count {
            guard let key = parser.batchKey(index, in: input) else { continue }
            hashes[index] = keyspace.prefetchBucket(key)
        }
        for index in 0..<count { keyspace.prefetchEntry(hashes[index]) }
    }

    /// Executes one request and writes its reply.
    package mutating func execute(
        _ request: borrowing Request,
        session: SessionID,
        reply: inout ReplyWriter
    ) -> Outcome {
        current = session
        outcome = .done
        measures.ranCommand = -1
        measures.uncountedCommand = -1
        keyspace = dataSet[sessions[session].database]
        guard let index = table.find(request), table.allows(request.count, at: index) else {
            // A browser was made to talk to this port: whatever else it sends is no request.
            if request.is(0, "post") || request.is(0, "host:") { return .close }
            refuseUnrunnable(request, &reply)
            return .done
        }
        let isPlain = sessions[session].flags.isEmpty && gates.isEmpty
        sessions[session].lastCommand = Int16(truncatingIfNeeded: index)
        if isPlain {
            run(index, request, &reply)
        } else {
            runGuarded(index, request, &reply)
        }
        return outcome
    }

    /// Runs a command that has passed every check, and writes its effect.
    mutating func run(_ index: Int, _ request: borrowing Request, _ reply: inout ReplyWriter) {
        let mark = reply.mark
        let changesBefore = statistics.changes
        hasWrittenEffects = false
        statistics.commandsProcessed += 1
        do throws(CommandError) {
            try unsafe table.row(index).pointee.run(request, &self, &reply)
        } catch {
            reply.rewind(to: mark)
            refuse(error, &reply)
            measures.figures[index].failed += 1
        }
        if case .blocked = outcome {
        } else {
            measures.ranCommand = index
            measures.uncountedCommand = index
        }
        if statistics.changes != changesBefore, !hasWrittenEffects {
            effects.append(request, database: keyspace.number)
        }
    }

    /// Replies with an error.
    mutating func refuse(_ error: CommandError, _ reply: inout ReplyWriter) {
        statistics.errorReplies += 1
        let mark = reply.mark
        if case .bytes(let bytes) = error {
            reply.error(bytes.bytes)
        } else {
            reply.error(error.text)
        }
        measures.noteError(reply.bytes(since: mark))
    }
}
