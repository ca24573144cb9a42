import Bytes
import RESP

/// What commands ask of the program around the engine; rare, and never on the hot path.
package protocol Host: AnyObject {
    /// SAVE: writes the data set to its file; returns when it is durable.
    func save(_ engine: inout Engine) throws(CommandError)

    /// FLUSHALL: lets the file follow at once, if there are save points, whatever is being saved.
    func saveFlushed(_ engine: inout Engine)

    /// BGSAVE: starts a save; the text is the status to reply with.
    func startSave(_ engine: inout Engine, schedule: Bool) throws(CommandError) -> StaticString

    /// BGSAVE CANCEL: gives a running or scheduled save up; the text is the status to reply with.
    func cancelSave(_ engine: inout Engine) throws(CommandError) -> StaticString

    /// BGREWRITEAOF: starts compacting the log; the text is the status to reply with.
    func startCompaction(_ engine: inout Engine) throws(CommandError) -> StaticString

    /// DEBUG RELOAD and LOADAOF: replaces the data set by what is on disk.
    func reload(_ engine: inout Engine, _ request: ReloadRequest) throws(CommandError)
    func reloadLog(_ engine: inout Engine) throws(CommandError)

    /// When the last save succeeded, in seconds since 1970.
    var lastSave: Int64 { get }

    /// SHUTDOWN: ends the program, unless it cannot.
    func shutdown(_ engine: inout Engine, _ request: ShutdownRequest) throws(CommandError)

    /// CONFIG: the arguments after the subcommand's name.
    func getConfiguration(_ patterns: [ByteString], _ reply: inout ReplyWriter)
    func setConfiguration(
        _ pairs: [(name: ByteString, value: ByteString)],
        _ engine: inout Engine
    ) throws(CommandError)
    func rewriteConfiguration() throws(CommandError)
    func resetStatistics(_ engine: inout Engine)

    /// INFO: the text of the sections asked for; all default ones if none.
    func information(_ sections: [ByteString], _ engine: borrowing Engine) -> ByteString

    /// CLIENT LIST and INFO: what is known of a session's connection; nil if it has none.
    func connection(of session: SessionID) -> ConnectionDescription?

    /// Ends the connection of a session once its replies are sent.
    func close(_ session: SessionID)

    /// Microseconds since some fixed moment, never going back.
    var microseconds: Int64 { get }

    /// The processor's own clock, for what is measured with each request.
    var ticks: UInt64 { get }

    /// Where the memory of the program is.
    func memory(_ engine: borrowing Engine) -> MemoryFigures

    /// Gives memory that is not in use back to the system.
    func releaseMemory()

    /// DEBUG LOG: says something in the program's own messages.
    func say(_ text: String)

    /// Microseconds since 1970, as the clock says now and not when the turn began.
    var timeOfDay: Int64 { get }

    /// How many bytes of effects there have ever been.
    var replicationOffset: Int64 { get }

    /// How many of them a power cut cannot take any more; nil without a log.
    var durableOffset: Int64? { get }

    /// Lets the whole program sleep: DEBUG SLEEP.
    func sleep(microseconds: Int64)
}

/// Where the memory of the program is, in bytes.
package struct MemoryFigures: Sendable {
    /// In use, by data and all else.
    package var used = 0
    /// The most there was in use.
    package var peak = 0
    /// In use before there was any data.
    package var startup = 0
    /// What the system counts as the program's.
    package var resident = 0
    package var clients = 0
    package var log = 0

    package init() {}

    /// What is in use and is not data.
    package var overhead: Int { startup + clients + log }

    /// How much more the system counts than is in use.
    package var fragmentation: Double { Double(resident) / Double(max(used, 1)) }
}

/// What CLIENT LIST tells of a connection.
package struct ConnectionDescription: Sendable {
    /// `127.0.0.1:6379`, `[::1]:6379`, or the path of a Unix socket and `:0`.
    package var address = ""
    package var localAddress = ""
    package var fileDescriptor = -1
    package var isUnixSocket = false
    /// From the same machine.
    package var isLocal = false
    package var ageSeconds: Int64 = 0
    package var idleSeconds: Int64 = 0
    /// Bytes that came and were not looked at yet, and the room left behind them.
    package var waitingInputByteCount = 0
    package var freeInputByteCount = 0
    /// Bytes before them, of a request that is not whole yet.
    package var parsedInputByteCount = 0
    /// Bytes that wait to be sent, and the most there were.
    package var waitingOutputByteCount = 0
    package var peakOutputByteCount = 0
    package var receivedByteCount: Int64 = 0
    package var sentByteCount: Int64 = 0
    package var requestCount: Int64 = 0
    /// All that the connection takes.
    package var memoryByteCount = 0

    package init() {}
}

/// The arguments of SHUTDOWN.
package struct ShutdownRequest: Sendable {
    /// NOSAVE: nothing; SAVE: save; neither: save if there are save points.
    package var save: Bool?
    package var now = false
    package var force = false
    package var abort = false

    package init() {}
}

/// The arguments of DEBUG RELOAD.
package struct ReloadRequest: Sendable {
    package var saves = true
    package var flushes = true
    /// Keys of the file replace those that are there.
    package var merges = false
}
