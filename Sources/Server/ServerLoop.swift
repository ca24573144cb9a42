import AppendLog
import Bytes
import Commands
import Directives
import Dump
import Larder
import Logging
import Platform
import RESP
import Store
import Structures
import Transport

/// The daemon at work: one thread that takes turns.
package struct ServerLoop: ~Copyable {
    private var loop: EventLoop
    private var timers = Timers()
    private var execution: Execution
    private let clients: ClientTable
    private let host: ServerHost
    private var settings: LoopSettings
    private var listeners: [Listener] = []
    private var nextSerial: UInt32 = 0
    /// Where input is received; empty between clients.
    private var input = ByteQueue()
    /// Replies of earlier turns that wait for the log, the oldest first, and buffers for more.
    private var held: [HeldReplies] = []
    private var spare: [HeldReplies] = []
    /// Clients that can go on: the kernel may hold more of their input, or they waited.
    private var runnable: [Int] = []
    /// Clients whose next request has to wait for the end of a pause.
    private var postponed: [Int] = []
    /// Clients that go as soon as they have what they are owed.
    private var leaving: [Int] = []
    /// Whether many keys are past their deadlines, so that the next turn should come soon.
    private var expiresSoon = false
    private var now: MonotonicTime
    private var turns = Turns()

    private static let acceptCount = 1000
    /// Listeners have the tokens behind those of clients.
    private static let firstListener = UInt64(ClientTable.capacity)
    private static let expiryMicroseconds: Int64 = 250
    private static let housekeeping = Token(1 << 32)
    private static let housekeepingPeriod = Duration.milliseconds(100)

    /// Takes over an engine whose data set is still to be loaded.
    package init(engine: consuming Engine, host: ServerHost) throws(SystemError) {
        // Everything that can throw comes first: nothing is half made then.
        let loop: EventLoop
        do throws(SystemError) {
            loop = try EventLoop(wakeUp: host.wakeUp)
        } catch {
            _ = consume engine
            throw error
        }
        self.loop = loop
        execution = Execution(engine, host.clients)
        self.host = host
        clients = host.clients
        settings = LoopSettings(host.configuration)
        now = host.time.monotonicTime
        timers.set(Self.housekeeping, at: now)
        host.learnTicks(&execution.engine)
        execution.limits = settings.limits(requiresPassword: host.requiresPassword)
        execution.maximumInputByteCount = settings.maximumInputByteCount
    }

    /// Loads what the directory holds, and answers clients meanwhile.
    mutating func load() throws(StartFailure) {
        do throws(SystemError) {
            try followListeners()
        } catch {
            throw StartFailure("Cannot wait for connections: \(error)")
        }
        PageSupply.isPatient = true
        defer { PageSupply.isPatient = false }
        // The engine is in the hands of who loads, but for the moments in which it is served.
        var engine = Engine(databaseCount: 1, seed: 0, host: host, serializer: DumpSerializer())
        swap(&engine, &execution.engine)
        try host.recover(&engine) { engine in
            swap(&engine, &execution.engine)
            attend()
            swap(&engine, &execution.engine)
        }
        swap(&engine, &execution.engine)
    }

    /// A turn while data is loaded: nothing changes the data but the loading.
    private mutating func attend() {
        let eventCount = loop.wait(milliseconds: 0)
        now = host.time.monotonicTime
        resumeClients()
        for index in 0..<eventCount { handleEvent(index) }
        sendReplies(until: nil)
        endConnections()
    }

    /// Takes turns until the program is asked to end.
    package mutating func run() {
        while !host.isStopping { turn() }
        host.finish()
        // The log has everything now, so nothing keeps the last replies back.
        releaseReplies()
    }

    /// One turn: everything that can change the data happens between two waits.
    ///
    /// Replies leave last, after the log has been given what they answer, so that no client
    /// ever sees an answer to a write that a crash could still undo.
    private mutating func turn() {
        let eventCount = awaitEvents()
        let start = Ticks.now
        followLog()
        resumeClients()
        for index in 0..<eventCount { handleEvent(index) }
        serveTimeouts()
        expireKeys()
        tellTrackers()
        let keptHouse = keepHouse()
        let end = writeLog()
        sendReplies(until: end)
        endConnections()
        host.advanceSaving(
            execution.engine,
            hadEvents: eventCount > 0,
            keptHouse: keptHouse
        )
        selectDatabaseIfSegmentStarts()
        turns.count += 1
        turns.ticks &+= Ticks.now &- start
    }

    private mutating func awaitEvents() -> Int {
        let canGoOn =
            hasReleasableReplies || !runnable.isEmpty || !execution.resumed.isEmpty
            || execution.engine.dataSet.hasGarbage || execution.engine.dataSet.hasEmptyPages
        let wait = canGoOn ? 0 : millisecondsToWait
        let count =
            if !canGoOn, wait != 0, host.keeper.canAdvance {
                loop.wait(microseconds: host.savePace.waitMicroseconds)
            } else {
                loop.wait(milliseconds: wait)
            }
        now = host.time.monotonicTime
        execution.engine.dataSet.now = host.time.wallTime.milliseconds
        return count
    }

    /// Until a timer or a client that waits for a key has to be seen to.
    private var millisecondsToWait: Int {
        let wait = expiresSoon ? 1 : timers.milliseconds(from: now)
        guard let timeout = execution.engine.nextTimeout else { return wait }
        let left = max(0, (timeout - host.microseconds + 999) / 1000)
        return wait < 0 ? Int(left) : min(wait, Int(left))
    }

    /// Replies to clients that have waited long enough for a key.
    private mutating func serveTimeouts() {
        execution.engine.serveTimeouts()
        if !execution.engine.deliveries.isEmpty { execution.deliver() }
    }

    /// Removes some keys whose deadline is past, and frees some of what was removed before.
    ///
    /// A client that comes while this lasts waits for the end of it, and no client should
    /// notice: hence the budget.
    private mutating func expireKeys() {
        let start = Ticks.now
        defer { turns.expiryTicks &+= Ticks.now &- start }
        expiresSoon = execution.engine.expireSome(budget: Self.expiryMicroseconds)
        if !execution.engine.deliveries.isEmpty { execution.deliver() }
        freeSome()
    }

    private func freeSome() {
        execution.engine.dataSet.freeGarbage(within: Self.expiryMicroseconds) { host.microseconds }
    }

    /// Tells those who cache keys by prefix what changed in this turn.
    private mutating func tellTrackers() {
        execution.engine.flushBroadcasts()
        if !execution.engine.deliveries.isEmpty { execution.deliver() }
    }

    private mutating func handleEvent(_ index: Int) {
        guard let event = loop.event(index) else { return }
        if event.token.bits >= Self.firstListener {
            return acceptConnections(from: Int(event.token.bits - Self.firstListener))
        }
        let slot = Int(event.token.bits)
        guard clients.hasClient(slot) else { return }
        if event.isWritable, !clients[slot].connection.output.isEmpty { flush(slot) }
        if event.isReadable { receive(slot, mayHaveEnded: event.hasEnded) }
    }
}

// Connections.
extension ServerLoop {
    private mutating func acceptConnections(from index: Int) {
        for _ in 0..<Self.acceptCount {
            do throws(SystemError) {
                guard let connection = try listeners[index].accept() else { return }
                admit(connection)
            } catch {
                host.messages.warning("Error accepting a client connection: \(error)")
                return
            }
        }
    }

    private mutating func admit(_ connection: consuming Connection) {
        var connection = connection
        if let refusal = settings.refusal(of: connection.peer, clientCount: clients.count) {
            // The socket was just accepted: its buffer is empty and takes the line, or nobody
            // is there to read it.
            _ = connection.send(refusal.bytes)
            host.statistics.rejectedConnections += 1
            return
        }
        connection.prepare(keepAliveSeconds: settings.keepAliveSeconds)
        let session = execution.engine.openSession()
        do throws(SystemError) {
            try connection.join(loop, as: Token(UInt64(session.slot)))
        } catch {
            host.messages.warning("Error registering a client connection: \(error)")
            return execution.engine.closeSession(session)
        }
        nextSerial &+= 1
        let client = Client(connection, session: session, serial: nextSerial, now: now)
        clients.insert(client, at: session.slot)
    }

    /// Lets a client go once it has all its replies, or at once if it is gone.
    private mutating func end(_ slot: Int, as phase: Client.Phase) {
        clients[slot].phase = phase
        guard !clients[slot].isLeaving else { return }
        clients[slot].isLeaving = true
        leaving.append(slot)
    }

    private mutating func endConnections() {
        for session in host.takeSessionsToClose() where clients.hasClient(session.slot) {
            end(session.slot, as: .leaving)
        }
        guard !leaving.isEmpty else { return }
        var staying: [Int] = []
        for slot in leaving {
            guard clients[slot].phase == .gone || clients[slot].hasSentAll else {
                staying.append(slot)
                continue
            }
            execution.engine.closeSession(clients[slot].session)
            clients.remove(slot)
        }
        leaving = staying
    }
}

// Input.
extension ServerLoop {
    private mutating func receive(_ slot: Int, mayHaveEnded: Bool) {
        switch clients[slot].phase {
        case .serving: break
        case .blocked, .postponed:
            // What comes has to wait as well; but who is gone waits for nothing.
            clients[slot].mayReceive = true
            if mayHaveEnded { end(slot, as: .gone) }
            return
        case .leaving, .gone: return
        }
        clients[slot].lastActiveAt = now
        if mayHaveEnded { clients[slot].mayHaveEnded = true }
        let transfer = execution.receive(slot, through: &input)
        switch transfer {
        case .complete: clients[slot].mayReceive = clients[slot].mayHaveEnded
        case .partial: clients[slot].mayReceive = true
        case .ended: return end(slot, as: .gone)
        }
        settle(slot)
    }

    /// Sees what has to become of a client that requests were executed for.
    private mutating func settle(_ slot: Int) {
        switch clients[slot].phase {
        case .serving:
            if clients[slot].mayReceive { runnable.append(slot) }
            if clients[slot].connection.input.count > settings.maximumInputByteCount {
                host.statistics.inputLimitDisconnections += 1
                host.messages.warning("Closing client that reached max query buffer length")
                end(slot, as: .gone)
            } else if settings.clientByteCount > 0,
                clients[slot].pendingByteCount > settings.clientByteCount
            {
                evictClients()
            }
        case .blocked: break
        case .postponed: postponed.append(slot)
        case .leaving: end(slot, as: .leaving)
        case .gone: break
        }
    }

    /// Lets those go on that had more to do than one turn gives, or waited.
    private mutating func resumeClients() {
        var ready: [Int] = []
        swap(&ready, &execution.resumed)
        for slot in ready where clients.hasClient(slot) && clients[slot].phase == .serving {
            execution.executeWaiting(slot)
            settle(slot)
        }
        guard !runnable.isEmpty else { return }
        ready.removeAll(keepingCapacity: true)
        swap(&ready, &runnable)
        for slot in ready where clients.hasClient(slot) && clients[slot].mayReceive {
            receive(slot, mayHaveEnded: false)
        }
    }

    private mutating func resumePostponed() {
        for slot in postponed where clients.hasClient(slot) {
            guard clients[slot].phase == .postponed else { continue }
            clients[slot].phase = .serving
            execution.resumed.append(slot)
        }
        postponed.removeAll(keepingCapacity: true)
    }
}

// Output.
extension ServerLoop {
    /// Hands the effects of this turn to the log; returns where the stream then ends.
    private mutating func writeLog() -> StreamOffset? {
        guard let log = host.log else { return nil }
        let now = now
        let end = execution.engine.effects.handOver { log.append(&$0, at: now) }
        // After the batch, which holds what the sessions wait for that asked.
        if execution.engine.takeSyncRequest() { log.requestSync() }
        return end
    }

    /// Sends what waited for the log, and lets writes wait while the disk cannot follow, be it
    /// with the log or with what a snapshot still needs of the data that they change.
    private mutating func followLog() {
        releaseReplies()
        host.followLogCondition(&execution.engine)
        let isBehind = host.log?.isBacklogged ?? false || host.keeper.isOverflowing
        if isBehind != execution.engine.holdsWrites {
            execution.engine.holdsWrites = isBehind
            if !isBehind { resumePostponed() }
        }
        if execution.engine.awaitsDurability {
            execution.engine.serveDurability()
            if !execution.engine.deliveries.isEmpty { execution.deliver() }
        }
        let waits = !held.isEmpty || isBehind || execution.engine.awaitsDurability
        if waits { host.log?.expectProgress() }
    }

    /// Makes the next effect select its database if it is the first of a segment.
    ///
    /// Readers start each file in database 0. Last in a turn, because a compaction begins a
    /// segment, too: its first effects would be replayed into the wrong database.
    private mutating func selectDatabaseIfSegmentStarts() {
        guard let log = host.log, log.startsSegment else { return }
        execution.engine.effects.selectedDatabase = -1
    }

    /// Sends the replies of this turn, but for those that the log does not allow yet.
    private mutating func sendReplies(until end: StreamOffset?) {
        guard !execution.segments.isEmpty else { return }
        let isSafe = isAcknowledged(end)
        var waiting: [Segment] = []
        // Counted apart, because the replies are borrowed from the same owner.
        var traffic = execution.traffic
        for segment in execution.segments where isOpen(segment) {
            if segment.awaitsLog && !isSafe || clients[segment.slot].heldCount > 0 {
                clients[segment.slot].heldCount += 1
                waiting.append(segment)
            } else if Self.send(segment, execution.replies.bytes, clients, &traffic) {
                self.end(segment.slot, as: .gone)
            } else if !clients[segment.slot].connection.output.isEmpty {
                limitOutput(segment.slot)
            }
        }
        execution.traffic = traffic
        execution.segments.removeAll(keepingCapacity: true)
        if let end, !waiting.isEmpty { hold(waiting, until: end) }
        execution.replies.removeAll(keepingCapacityUpTo: 1 << 20)
    }

    private func isAcknowledged(_ end: StreamOffset?) -> Bool {
        guard let end, let log = host.log else { return true }
        return log.acknowledgedOffset(at: now) >= end
    }

    /// Whether the log has come so far that replies which wait for it can leave.
    private var hasReleasableReplies: Bool {
        held.first.map { isAcknowledged($0.offset) } ?? false
    }

    private func isOpen(_ segment: Segment) -> Bool {
        clients.hasClient(segment.slot) && clients[segment.slot].serial == segment.serial
            && clients[segment.slot].phase != .gone
    }

    /// Puts the turn's replies aside; the next turn gets another buffer.
    private mutating func hold(_ waiting: [Segment], until end: StreamOffset) {
        let turn = spare.popLast() ?? HeldReplies()
        turn.segments = waiting
        turn.offset = end
        swap(&turn.replies, &execution.replies)
        held.append(turn)
        host.log?.expectProgress()
    }

    /// Sends what waited for the log and need not wait any longer.
    private mutating func releaseReplies() {
        while let turn = held.first, isAcknowledged(turn.offset) {
            held.removeFirst()
            for segment in turn.segments where isOpen(segment) {
                clients[segment.slot].heldCount -= 1
                if Self.send(segment, turn.replies.bytes, clients, &execution.traffic) {
                    end(segment.slot, as: .gone)
                } else if !clients[segment.slot].connection.output.isEmpty {
                    limitOutput(segment.slot)
                }
            }
            turn.replies.removeAll(keepingCapacityUpTo: 1 << 20)
            spare.append(turn)
        }
    }

    /// Sends one client's replies; returns whether the client turned out to be gone.
    private static func send(
        _ segment: Segment,
        _ replies: RawSpan,
        _ clients: ClientTable,
        _ traffic: inout Traffic
    ) -> Bool {
        let bytes = replies.extracting(segment.start..<segment.end)
        let transfer = clients[segment.slot].connection.send(bytes)
        clients[segment.slot].traffic.sentByteCount += Int64(bytes.byteCount)
        traffic.sentByteCount += Int64(bytes.byteCount)
        traffic.sendCount += 1
        return transfer == .ended
    }

    /// Gives a client up for which too much waits to be sent.
    private mutating func limitOutput(_ slot: Int) {
        guard clients[slot].phase != .gone else { return }
        let byteCount = clients[slot].connection.output.count
        let isListener = execution.engine.isListener(clients[slot].session)
        let limit = isListener ? settings.listenerOutputLimit : settings.outputLimit
        if limit.isStrained(by: byteCount) {
            if clients[slot].strainedSince == nil { clients[slot].strainedSince = now }
        } else {
            clients[slot].strainedSince = nil
        }
        let waiting = clients[slot].strainedSince.map { now - $0 } ?? .zero
        if limit.isExceeded(by: byteCount, for: waiting) {
            let who = execution.engine.describe(clients[slot].session) ?? ""
            host.messages.warning(
                "Client \(who) scheduled to be closed ASAP for overcoming of output buffer limits."
            )
            host.statistics.outputLimitDisconnections += 1
            return end(slot, as: .gone)
        }
        if settings.clientByteCount > 0, byteCount > settings.clientByteCount { evictClients() }
    }

    /// Closes the clients that take most, until all together take no more than they may.
    private mutating func evictClients() {
        guard settings.clientByteCount > 0 else { return }
        var sizes: [(slot: Int, byteCount: Int)] = []
        var total = 0
        for slot in 0..<clients.slotCount where clients.hasClient(slot) {
            guard clients[slot].phase != .gone else { continue }
            let byteCount =
                clients[slot].memoryByteCount
                + execution.engine.byteCount(of: clients[slot].session)
            total += byteCount
            if !execution.engine.mayNotBeEvicted(clients[slot].session) {
                sizes.append((slot, byteCount))
            }
        }
        guard total > settings.clientByteCount else { return }
        for (slot, byteCount) in sizes.sorted(by: { $0.byteCount > $1.byteCount }) {
            guard total > settings.clientByteCount else { return }
            host.messages.notice(
                "Evicting client: \(execution.engine.describe(clients[slot].session) ?? "")"
            )
            host.statistics.evictedClients += 1
            end(slot, as: .gone)
            total -= byteCount
        }
    }

    /// Sees to clients that do not read what they asked for.
    private mutating func limitClients() {
        for slot in 0..<clients.slotCount where clients.hasClient(slot) {
            if clients[slot].connection.output.isEmpty {
                clients[slot].strainedSince = nil
            } else {
                limitOutput(slot)
            }
        }
        evictClients()
    }

    /// Sends what the kernel had no room for before.
    private mutating func flush(_ slot: Int) {
        if clients[slot].connection.flush() == .ended { end(slot, as: .gone) }
    }
}

// What has to be done now and then.
extension ServerLoop {
    /// Sees to what is due ten times a second, and returns whether it was.
    private mutating func keepHouse() -> Bool {
        host.statistics.follow(execution.traffic, turns)
        if host.takeConfigurationChange() { followConfiguration() }
        if host.takeSignal() { host.shutDownForSignal(&execution.engine) }
        guard timers.next(at: now) != nil else { return false }
        timers.set(Self.housekeeping, at: now + Self.housekeepingPeriod)
        resumePostponed()
        endIdleClients()
        limitClients()
        host.keepHouse(&execution.engine, now: now)
        return true
    }

    private mutating func followConfiguration() {
        settings = LoopSettings(host.configuration)
        execution.limits = settings.limits(requiresPassword: host.requiresPassword)
        execution.maximumInputByteCount = settings.maximumInputByteCount
        execution.largestRequest = execution.engine.measures.largestByteCount(.largeRequest)
        execution.largestReply = execution.engine.measures.largestByteCount(.largeReply)
        do throws(SystemError) {
            try followListeners()
        } catch {
            host.messages.warning("Cannot wait for connections: \(error)")
        }
    }

    private mutating func followListeners() throws(SystemError) {
        let wanted = host.listeners
        guard !wanted.elementsEqual(listeners, by: { $0 === $1 }) else { return }
        for listener in listeners { loop.remove(listener) }
        listeners = wanted
        for (index, listener) in listeners.enumerated() {
            try loop.add(listener, as: Token(Self.firstListener + UInt64(index)))
        }
    }

    private mutating func endIdleClients() {
        guard settings.idleSeconds > 0 else { return }
        let limit = Duration.seconds(settings.idleSeconds)
        for slot in 0..<clients.slotCount where clients.hasClient(slot) {
            guard clients[slot].phase == .serving, now - clients[slot].lastActiveAt > limit else {
                continue
            }
            host.messages.info("Closing idle client")
            end(slot, as: .leaving)
        }
    }
}
