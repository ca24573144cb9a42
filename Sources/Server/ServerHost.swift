import AppendLog
import Bytes
import Commands
import Directives
import Larder
import Logging
import Platform
import RESP
import Store
import Transport

/// The program around the engine, as commands see it: configuration, files, clients, its end.
///
/// Everything here is used a few times a second at most. It lives on the core thread.
package final class ServerHost: Host {
    var configuration: Configuration
    /// Where the daemon's own messages go.
    let messages: Logger
    let diagnostics: Diagnostics
    let time = SystemTime()
    let startedAt: MonotonicTime
    private var processorTicks = Ticks()
    /// Bytes in use before there was any data.
    private let startupByteCount: Int
    let identity = Randomness.hexadecimal(digitCount: 40)
    let wakeUp: WakeUp
    let clients = ClientTable()
    var statistics = ServerStatistics()
    /// Where connections arrive.
    var listeners: [Listener] = []
    /// The directory with the snapshot and the log.
    let storage: any Storage
    /// Saves the data set, and compacts the log.
    let keeper: SaveKeeper
    var savePace = SavePace()
    /// The log, while there is one: `appendonly`.
    var log: EffectLog? { didSet { keeper.log = log } }
    /// Whether `appendcompression` has changed and the log does not follow yet.
    var isLogFormDue = false
    /// Whether the log is only there until it has its base.
    var endsLogAfterBase = false
    /// Set when the program is to end, after this turn.
    private(set) var isStopping = false
    private var sessionsToClose: [SessionID] = []
    /// Whether the loop has to read the configuration again.
    private var configurationHasChanged = true
    /// Whether something is the matter with the log, as of the last turn.
    var isLogTroubled = false
    /// Where the stream stood when the log was switched off.
    var endedLogOffset: StreamOffset?
    /// Why writes are refused; nil while they are taken.
    var refusal: String?
    /// The file that holds the process's number, while there is one.
    var pidFile: String?
    /// Whether the start is over.
    var isServing = false
    /// How far the loading of data is, while it lasts.
    var loading: LoadingProgress?
    /// What the last start found on disk, for INFO.
    var recovered = Recovery.Outcome()

    /// Opens the current directory, which holds the data.
    init(_ configuration: Configuration, diagnostics: Diagnostics) throws(SystemError) {
        self.configuration = configuration
        storage = try DiskStorage(path: Paths.currentDirectory)
        let wakeUp = try WakeUp()
        self.wakeUp = wakeUp
        keeper = SaveKeeper(storage: storage) { wakeUp.signal() }
        self.diagnostics = diagnostics
        messages = diagnostics.logger("larder")
        startedAt = time.monotonicTime
        startupByteCount = ProcessHeap.usedByteCount
    }

    deinit {
        clients.destroy()
    }

    // What the loop asks.

    /// Whether the configuration has changed since this was asked last.
    func takeConfigurationChange() -> Bool {
        defer { configurationHasChanged = false }
        return configurationHasChanged
    }

    func noteConfigurationChange() {
        configurationHasChanged = true
    }

    var requiresPassword: Bool { configuration["requirepass"].byteCount > 0 }

    func takeSessionsToClose() -> [SessionID] {
        guard !sessionsToClose.isEmpty else { return [] }
        defer { sessionsToClose = [] }
        return sessionsToClose
    }

    func stop() {
        isStopping = true
        wakeUp.signal()
    }

    // What commands ask.

    package func close(_ session: SessionID) {
        sessionsToClose.append(session)
    }

    package func connection(of session: SessionID) -> ConnectionDescription? {
        let slot = session.slot
        guard clients.hasClient(slot) else { return nil }
        let now = time.monotonicTime
        var description = ConnectionDescription()
        let connection = clients[slot].connection.peer
        description.address = connection.description
        description.localAddress = clients[slot].connection.local.description
        description.fileDescriptor = Int(clients[slot].connection.descriptor)
        if case .unix = connection { description.isUnixSocket = true }
        description.isLocal = connection.isLocal
        description.ageSeconds = (now - clients[slot].connectedAt).components.seconds
        description.idleSeconds = (now - clients[slot].lastActiveAt).components.seconds
        let input = clients[slot].connection.input.count
        let parsed = min(clients[slot].parser.parsedByteCount, input)
        description.parsedInputByteCount = parsed
        description.waitingInputByteCount = input - parsed
        description.freeInputByteCount =
            clients[slot].connection.input.capacityByteCount - input
        description.waitingOutputByteCount = clients[slot].connection.output.count
        description.receivedByteCount = clients[slot].traffic.receivedByteCount
        description.sentByteCount = clients[slot].traffic.sentByteCount
        description.requestCount = clients[slot].traffic.requestCount
        description.memoryByteCount = clients[slot].memoryByteCount
        return description
    }

    package var microseconds: Int64 { time.monotonicTime.nanoseconds / 1000 }

    package var ticks: UInt64 { Ticks.now }

    /// Tells the engine what a tick is, as well as that is known by now.
    func learnTicks(_ engine: inout Engine) {
        processorTicks.learn()
        engine.measures.ticksPerMicrosecond = processorTicks.perMicrosecond
    }

    package func memory(_ engine: borrowing Engine) -> MemoryFigures {
        var figures = MemoryFigures()
        let other = engine.dataSet.otherByteCount(mallocByteCount: ProcessHeap.usedByteCount)
        figures.used = engine.dataSet.usedByteCount + other
        figures.peak = max(statistics.peakByteCount, figures.used)
        figures.startup = startupByteCount
        figures.resident = ProcessFigures().residentByteCount
        figures.clients = clientByteCount
        figures.log = log?.statistics.bufferedByteCount ?? 0
        return figures
    }

    /// Bytes that clients hold: themselves, and what waits on either side of them.
    var clientByteCount: Int {
        var bytes = 0
        for slot in 0..<clients.slotCount where clients.hasClient(slot) {
            bytes += clients[slot].memoryByteCount
        }
        return bytes
    }

    package func releaseMemory() {
        ProcessHeap.release()
    }

    package func say(_ text: String) {
        messages.warning("DEBUG LOG: \(text)")
    }

    package var timeOfDay: Int64 { time.wallTimeMicroseconds }

    package func sleep(microseconds: Int64) {
        time.sleep(.microseconds(microseconds))
    }

    package func resetStatistics(_ engine: inout Engine) {
        statistics.reset()
        engine.dataSet.freedGarbageCount = 0
    }
}
