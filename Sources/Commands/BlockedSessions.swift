import Bytes
import RESP
import Store

/// The sessions that wait for keys, and the keys that may have come.
struct BlockedSessions {
    /// What one session waits for.
    struct Wait {
        /// Tells this wait from earlier ones of the same session.
        let number: UInt64
        let keys: [WatchedKey]
        let kind: Kind
        /// Whether the session wants to know as well when a key is gone or is of another kind.
        let wakesWhenGone: Bool
        /// When its time is up, in the host's microseconds; nil: never.
        let deadline: Int64?
        /// What it waits for instead of keys.
        let durability: DurabilityWait?
        /// Executed again once a key has come.
        let request: WaitingRequest
        /// How long it was executed so far.
        fileprivate(set) var ticks: UInt64 = 0
    }

    /// The sessions that wait for one key, first come first; some of them no longer do.
    private struct Queue {
        var waiters: [(session: SessionID, number: UInt64)] = []
        var liveCount = 0
        var isReady = false
    }

    private var waits: [SessionID: Wait] = [:]
    private var queues: [WatchedKey: Queue] = [:]
    private var readyKeys: [WatchedKey] = []
    private var deadlines = WaitDeadlines()
    /// How many queues have a key with this short hash: most changed keys are of no interest
    /// here, and shall cost next to nothing.
    private var interest = [UInt32](repeating: 0, count: 256)
    private var nextNumber: UInt64 = 1
    /// How many wait for the log or for replicas.
    private var durabilityCount = 0

    var isEmpty: Bool { waits.isEmpty }
    var count: Int { waits.count }
    /// How many keys are waited for.
    var keyCount: Int { queues.count }
    /// How many keys somebody waits for even if they are gone or of another kind.
    var keyCountIfGone: Int {
        Set(waits.values.lazy.filter(\.wakesWhenGone).flatMap(\.keys)).count
    }
    /// How many waits end by themselves.
    var timedCount: Int { waits.values.count { $0.deadline != nil } }
    var hasReadyKeys: Bool { !readyKeys.isEmpty }

    func wait(of session: SessionID) -> Wait? { waits[session] }

    var hasDurabilityWaits: Bool { durabilityCount > 0 }

    /// Who waits for the log or for replicas, first come first.
    var durabilityWaits: [(session: SessionID, wait: DurabilityWait)] {
        waits.filter { $0.value.durability != nil }.sorted { $0.value.number < $1.value.number }
            .compactMap { session, wait in wait.durability.map { (session, $0) } }
    }

    mutating func add(
        _ session: SessionID,
        _ keys: [WatchedKey],
        _ kind: Kind,
        wakesWhenGone: Bool,
        deadline: Int64?,
        durability: DurabilityWait?,
        _ request: WaitingRequest
    ) {
        let number = nextNumber
        nextNumber += 1
        waits[session] = Wait(
            number: number,
            keys: keys,
            kind: kind,
            wakesWhenGone: wakesWhenGone,
            deadline: deadline,
            durability: durability,
            request: request
        )
        if durability != nil { durabilityCount += 1 }
        for key in keys {
            if queues[key] == nil {
                queues[key] = Queue()
                interest[shortHash(key.key.bytes)] += 1
            }
            queues[key]?.waiters.append((session, number))
            queues[key]?.liveCount += 1
        }
        if let deadline { deadlines.insert((deadline, session, number)) }
    }

    /// Counts time for which the request of a session was executed.
    mutating func add(ticks: UInt64, to session: SessionID) {
        waits[session]?.ticks += ticks
    }

    mutating func remove(_ session: SessionID) {
        guard let wait = waits.removeValue(forKey: session) else { return }
        if wait.durability != nil { durabilityCount -= 1 }
        for key in wait.keys {
            guard var queue = queues.removeValue(forKey: key) else { continue }
            queue.liveCount -= 1
            guard queue.liveCount > 0 else {
                interest[shortHash(key.key.bytes)] -= 1
                continue
            }
            // Those that are gone are swept out when they are most, so that leaving costs the
            // same however long the queue.
            if queue.waiters.count > 2 * queue.liveCount + 16 {
                queue.waiters.removeAll { waits[$0.session]?.number != $0.number }
            }
            queues[key] = queue
        }
        if deadlines.count > 2 * waits.count + 64 {
            deadlines.removeAll { waits[$0.session]?.number != $0.number }
        }
    }

    /// Notes that a key changed, in case somebody waits for it.
    mutating func note(_ key: RawSpan, database: Int) {
        guard interest[shortHash(key)] > 0 else { return }
        note(WatchedKey(database: database, key: ByteString(key)))
    }

    private mutating func note(_ key: WatchedKey) {
        guard let queue = queues[key], !queue.isReady else { return }
        queues[key]?.isReady = true
        readyKeys.append(key)
    }

    /// Notes that all keys of a database may have changed.
    mutating func noteAll(database: Int) {
        for key in queues.keys where key.database == database { note(key) }
    }

    /// A key that may have come, and who waits for it, first come first.
    mutating func takeReady() -> (key: WatchedKey, waiters: [SessionID])? {
        while !readyKeys.isEmpty {
            let key = readyKeys.removeFirst()
            guard let queue = queues[key] else { continue }
            queues[key]?.isReady = false
            let waiters = queue.waiters.filter { waits[$0.session]?.number == $0.number }
            return (key, waiters.map(\.session))
        }
        return nil
    }

    /// The next moment at which somebody's time is up.
    var nextDeadline: Int64? { deadlines.first?.deadline }

    /// A session whose time is up at `now`.
    mutating func takeTimedOut(at now: Int64) -> SessionID? {
        while let next = deadlines.first, next.deadline <= now {
            deadlines.removeFirst()
            if waits[next.session]?.number == next.number { return next.session }
        }
        return nil
    }

    private func shortHash(_ key: RawSpan) -> Int {
        var hash = UInt32(truncatingIfNeeded: key.byteCount)
        for index in 0..<min(key.byteCount, 16) {
            hash = (hash ^ UInt32(key.byte(at: key.byteCount - 1 - index))) &* 0x100_0193
        }
        return Int(hash >> 24)
    }
}

/// A request that is executed again when a key has come.
final class WaitingRequest {
    /// The row of its command in the table.
    let command: Int
    private var buffer: RequestBuffer
    private var original: RequestBuffer?

    /// `original` is what the client sent, if something else that means the same is executed.
    init(
        copying request: borrowing Request,
        command: Int,
        original: consuming RequestBuffer?
    ) {
        self.command = command
        buffer = RequestBuffer(copying: request)
        self.original = original
    }

    /// What the client sent, if that is something else than `take` lends; needed once.
    func takeOriginal() -> RequestBuffer? {
        var taken: RequestBuffer?
        swap(&taken, &original)
        return taken
    }

    /// Lends the request; what was taken must be put back, if it is needed once more.
    func take() -> RequestBuffer {
        var taken = RequestBuffer()
        swap(&taken, &buffer)
        return taken
    }

    func putBack(_ taken: consuming RequestBuffer) {
        buffer = taken
    }
}

/// When waiting sessions' time is up: a binary heap, the next on top.
private struct WaitDeadlines {
    typealias Element = (deadline: Int64, session: SessionID, number: UInt64)

    private var elements: [Element] = []

    var count: Int { elements.count }
    var first: Element? { elements.first }

    mutating func insert(_ element: Element) {
        elements.append(element)
        rise(elements.count - 1)
    }

    mutating func removeFirst() {
        elements.swapAt(0, elements.count - 1)
        elements.removeLast()
        sink(0)
    }

    mutating func removeAll(where isGone: (Element) -> Bool) {
        elements.removeAll(where: isGone)
        for index in (0..<(elements.count / 2)).reversed() { sink(index) }
    }

    private mutating func rise(_ start: Int) {
        var index = start
        while index > 0, elements[index].deadline < elements[(index - 1) / 2].deadline {
            elements.swapAt(index, (index - 1) / 2)
            index = (index - 1) / 2
        }
    }

    private mutating func sink(_ start: Int) {
        var index = start
        while true {
            var least = index
            for child in [2 * index + 1, 2 * index + 2]
            where child < elements.count && elements[child].deadline < elements[least].deadline {
                least = child
            }
            guard least != index else { return }
            elements.swapAt(index, least)
            index = least
        }
    }
}
