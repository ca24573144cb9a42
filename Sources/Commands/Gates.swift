import Bytes
import RESP
import Store

// The slow way of a request: what must be checked when the session or the engine is in a state
// that is not the ordinary one.
extension Engine {
    /// Refuses writes with this error from now on; nil: takes them again.
    package mutating func refuseWrites(_ reason: String?) {
        settings.writeRefusal = reason ?? ""
        if reason == nil { gates.remove(.refusingWrites) } else { gates.insert(.refusingWrites) }
    }

    /// Whether writes are postponed until this is false again: the log cannot follow.
    package var holdsWrites: Bool {
        get { gates.contains(.holdingWrites) }
        set { if newValue { gates.insert(.holdingWrites) } else { gates.remove(.holdingWrites) } }
    }

    /// Refuses what needs the data set while it is being loaded.
    package mutating func setLoading(_ isLoading: Bool) {
        if isLoading { gates.insert(.loading) } else { gates.remove(.loading) }
    }

    /// Runs a command if it may run now, and replies unless the client wants no reply.
    mutating func runGuarded(
        _ index: Int,
        _ request: borrowing Request,
        _ reply: inout ReplyWriter
    ) {
        // A log that is read at the start: nothing of what follows can be true.
        if sessions[current].flags == .trusted, gates.isSubset(of: .atClients) {
            return run(index, request, &reply)
        }
        let mark = reply.mark
        beginSkip()
        admit(index, request, &reply)
        if case .blocked = outcome { return }
        if outcome == .postponed {
            if endSkip(of: current) { sessions[current].flags.insert(.skipsNextReply) }
        } else if endUnheard(current), !hasConfirmed(index) {
            reply.rewind(to: mark)
        }
    }

    /// Lets CLIENT REPLY SKIP hold for the request that begins.
    private mutating func beginSkip() {
        guard sessions[current].flags.remove(.skipsNextReply) != nil else { return }
        sessions[current].flags.insert(.skipsReply)
    }

    private mutating func endSkip(of session: SessionID) -> Bool {
        sessions[session].flags.remove(.skipsReply) != nil
    }

    /// Whether the command ran and told of subscriptions, which is no reply.
    private func hasConfirmed(_ index: Int) -> Bool {
        measures.ranCommand == index && table[index].flags.isSuperset(of: .subscribing)
    }

    /// Ends what CLIENT REPLY SKIP was for; returns whether a session wants no reply to the request
    /// that ends, which may have asked for just that, or for replies again.
    mutating func endUnheard(_ session: SessionID) -> Bool {
        let isSkipped = endSkip(of: session)
        return isSkipped || sessions[session].flags.contains(.silent)
    }

    private mutating func admit(
        _ index: Int,
        _ request: borrowing Request,
        _ reply: inout ReplyWriter
    ) {
        let command = table[index]
        let flags = sessions[current].flags
        if !flags.contains(.trusted) {
            let effective = effectiveFlags(of: command)
            if let refusal = refusal(of: command, effective) {
                measures.figures[index].rejected += 1
                return reject(refusal, command.name == "exec", &reply)
            }
            let isHeld = gates.contains(.holdingWrites) && effective.contains(.write)
            if isHeld || isPaused(effective) {
                outcome = .postponed
                return
            }
        }
        if flags.contains(.queueing), !command.flags.contains(.controlsTransaction) {
            return enqueue(index, request, &reply)
        }
        touchesKeys = !flags.contains(.noTouch)
        let start = gates.contains(.waiting) ? host.ticks : nil
        runTracked(index, request, &reply)
        touchesKeys = true
        flushTracking()
        if let start, gates.contains(.waiting), blocked.hasReadyKeys {
            serveWaiting(after: request, ticks: host.ticks &- start)
        }
    }

    /// Runs a command and remembers the keys that it read, if the client caches them.
    mutating func runTracked(
        _ index: Int,
        _ request: borrowing Request,
        _ reply: inout ReplyWriter
    ) {
        if settings.notifications.contains(.added) { rememberKeyCounts() }
        run(index, request, &reply)
        if gates.contains(.monitoring) { show(request, of: index) }
        guard sessions[current].flags.contains(.tracking) else { return }
        rememberKeys(of: index, request)
        // CLIENT CACHING holds for one request, which a transaction is as a whole.
        let flags = sessions[current].flags
        if flags.isDisjoint(with: [.executing, .queueing]), table[index].name != "client|caching" {
            sessions[current].details?.tracking?.caching = nil
        }
    }

    /// Refuses a request before its command runs; a transaction that it is in fails with it.
    private mutating func reject(
        _ error: CommandError,
        _ isExec: Bool,
        _ reply: inout ReplyWriter
    ) {
        let isQueueing = sessions[current].flags.contains(.queueing)
        if isQueueing { sessions[current].flags.insert(.transactionFailed) }
        guard isExec else { return refuse(error, &reply) }
        endTransaction()
        let isUnnamed = error.text.hasPrefix("ERR ")
        let reason = isUnnamed ? String(error.text.dropFirst(4)) : error.text
        refuse(.text("EXECABORT Transaction discarded because of: \(reason)"), &reply)
    }

    /// Refuses a request that names no command or has too few or too many arguments.
    mutating func refuseUnrunnable(_ request: borrowing Request, _ reply: inout ReplyWriter) {
        let mark = reply.mark
        beginSkip()
        if let index = table.find(request) { measures.figures[index].rejected += 1 }
        reject(whyUnrunnable(request), request.is(0, "exec"), &reply)
        if endUnheard(current) { reply.rewind(to: mark) }
    }

    private func whyUnrunnable(_ request: borrowing Request) -> CommandError {
        guard let parent = table.find(request[0]) else { return .unknownCommand(request) }
        guard let index = table.find(request) else { return .unknownSubcommand(request) }
        return .wrongArity(
            command: table[table.subcommands(of: parent).isEmpty ? parent : index].name
        )
    }

    /// What a command does; EXEC does what its requests do.
    private func effectiveFlags(of command: Command) -> Command.Flags {
        guard command.name == "exec", let details = sessions[current].details else {
            return command.flags
        }
        return command.flags.union(details.queuedFlags)
    }

    private mutating func refusal(of command: Command, _ does: Command.Flags) -> CommandError? {
        let flags = sessions[current].flags
        if flags.contains(.unauthenticated), !command.flags.contains(.noAuth) {
            return .text("NOAUTH Authentication required.")
        }
        if flags.contains(.queueing), command.flags.contains(.noMulti) {
            return .text("ERR Command '\(command.name)' not allowed inside a transaction")
        }
        if gates.contains(.limitedMemory) {
            let hasRoom = evict()
            // What is gone has to be known before the request is answered, which may bring it back.
            flushTracking()
            deliveries.precedeReply()
            // Requests that wait for EXEC take memory too.
            let isQueued =
                flags.contains(.queueing) && !command.flags.contains(.controlsTransaction)
            if !hasRoom, isQueued || does.contains(.denyOOM) {
                return .text("OOM command not allowed when used memory > 'maxmemory'.")
            }
        }
        if gates.contains(.refusingWrites), does.contains(.write) || command.name == "ping" {
            return .text(settings.writeRefusal)
        }
        if flags.contains(.subscribed), sessions[current].protocolVersion == .resp2,
            !command.flags.contains(.whileSubscribed)
        {
            return .notWhileSubscribed(command: command.name)
        }
        if flags.contains(.monitoring), !does.isDisjoint(with: [.write, .readonly, .mayReplicate]) {
            return .text("ERR Replica can't interact with the keyspace")
        }
        if gates.contains(.loading), !command.flags.contains(.loading) {
            return .text("LOADING Larder is loading the dataset in memory")
        }
        return nil
    }

    private mutating func enqueue(
        _ index: Int,
        _ request: borrowing Request,
        _ reply: inout ReplyWriter
    ) {
        let details = sessions.details(current)
        let queued = QueuedRequest(copying: request, command: index)
        details.queuedByteCount += queued.byteCount
        details.queue.append(queued)
        details.queuedFlags.formUnion(table[index].flags)
        reply.status("QUEUED")
    }

    /// Leaves the state after MULTI.
    mutating func endTransaction() {
        forgetWatches(of: current)
        sessions[current].details?.queue.removeAll()
        sessions[current].details?.queuedByteCount = 0
        sessions[current].details?.queuedFlags = []
        sessions[current].flags.subtract([.queueing, .transactionFailed, .watchFailed])
    }

    /// Tells whoever must know that a key changed, by the current session or by nobody.
    mutating func announce(
        _ key: RawSpan,
        _ kind: Notification,
        _ event: StaticString,
        in keyspace: Keyspace,
        isOwn: Bool = true
    ) {
        if gates.contains(.watching) { touchWatched(key, in: keyspace) }
        if gates.contains(.waiting) { blocked.note(key, database: keyspace.number) }
        if gates.contains(.notifying) { notify(key, kind, event, in: keyspace) }
        if gates.contains(.tracking) { noteTracked(key, author: isOwn ? current : nil) }
    }

    /// Tells whoever must know that a database is about to lose all its keys.
    mutating func announceFlush(of keyspace: Keyspace) {
        if gates.contains(.waiting) { blocked.noteAll(database: keyspace.number) }
        if gates.contains(.watching) { touchWatched(in: keyspace) }
    }

    /// Tells whoever must know that two databases are about to change places.
    mutating func announceSwap(_ one: Int, _ other: Int) {
        if gates.contains(.waiting) {
            blocked.noteAll(database: one)
            blocked.noteAll(database: other)
        }
        guard gates.contains(.watching) else { return }
        touchWatched(in: dataSet[one], replacedBy: dataSet[other])
        touchWatched(in: dataSet[other], replacedBy: dataSet[one])
    }

    /// Ends whatever a session takes part in beside its requests.
    mutating func leaveEverything(_ session: SessionID) {
        forgetWait(of: session)
        forgetWatches(of: session)
        unsubscribeEverywhere(session)
        endTracking(session)
        endMonitoring(session)
    }
}
