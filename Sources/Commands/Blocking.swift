import Bytes
import RESP
import Store

// How commands wait, for the server:
//
// - `execute` returns `.blocked`: nothing was replied, and the session's further requests stay
//   where they are.
// - Its reply comes with `deliveries`, marked `unblocks`; then its requests go on. Deliveries may
//   come from any call of `execute`, and from `serveTimeouts`, which is called once a turn.
// - `nextTimeout` says when that must happen at the latest.
//
// A command that finds nothing calls `block` and returns. Whatever changes a key tells `announce`;
// after the request that did so, and not in the midst of a transaction, the requests of those who
// wait for the key are executed again, first come first. One that finds nothing again goes on
// waiting, with its place and its deadline.
extension Engine {
    /// Whether the request may wait: not in a transaction, nor when it stands for the server.
    var mayBlock: Bool {
        sessions[current].flags.isDisjoint(with: [.executing, .trusted])
    }

    /// Lets the session wait for the keys that these arguments name to come as `kind`.
    ///
    /// `request` is what will be executed again: the current one, or one that means the same.
    mutating func block(
        _ request: borrowing Request,
        on keys: Range<Int>,
        as kind: Kind,
        until deadline: Int64?,
        wakesWhenGone: Bool = false,
        durability: DurabilityWait? = nil,
        original: consuming RequestBuffer? = nil
    ) {
        outcome = .blocked
        guard !sessions[current].flags.contains(.blocked) else { return }
        let command = Int(sessions[current].lastCommand)
        var watched: [WatchedKey] = []
        for index in keys {
            let key = WatchedKey(database: keyspace.number, key: ByteString(request[index]))
            if !watched.contains(key) { watched.append(key) }
        }
        blocked.add(
            current,
            watched,
            kind,
            wakesWhenGone: wakesWhenGone,
            deadline: deadline,
            durability: durability,
            WaitingRequest(copying: request, command: command, original: original)
        )
        sessions[current].flags.insert(.blocked)
        gates.insert(.waiting)
    }

    /// Executes again the requests of sessions whose key has come with this request.
    ///
    /// It took so long without them, and is told of before them.
    mutating func serveWaiting(after request: borrowing Request, ticks: UInt64) {
        if spend(ticks: ticks) {
            noteSlow(request, ticks: ticks)
            readClock()
        }
        let command = measures.ranCommand
        serveWaiting()
        measures.ranCommand = command
        measures.uncountedCommand = -1
    }

    /// Executes again the requests of sessions whose key has come.
    mutating func serveWaiting() {
        guard blocked.hasReadyKeys else { return }
        let caller = (session: current, keyspace: keyspace, outcome: outcome)
        while let (key, waiters) = blocked.takeReady() {
            for session in waiters where hasCome(key, for: session) { resume(session) }
        }
        (current, keyspace, outcome) = caller
    }

    private func hasCome(_ key: WatchedKey, for session: SessionID) -> Bool {
        guard let wait = blocked.wait(of: session) else { return false }
        guard let entry = dataSet[key.database].find(key.key.bytes), !entry.isExpired,
            entry.kind == wait.kind
        else { return wait.wakesWhenGone }
        return true
    }

    private mutating func resume(_ session: SessionID) {
        guard let wait = blocked.wait(of: session) else { return }
        current = session
        keyspace = dataSet[sessions[session].database]
        outcome = .done
        var reply = ReplyWriter(sessions[session].protocolVersion)
        let buffer = wait.request.take()
        runAgain(wait.request.command, buffer, &reply)
        if outcome == .blocked {
            wait.request.putBack(buffer)
        } else {
            finishWait(of: session, &reply)
        }
    }

    private mutating func runAgain(
        _ command: Int,
        _ buffer: borrowing RequestBuffer,
        _ reply: inout ReplyWriter
    ) {
        let start = host.ticks
        run(command, buffer.request, &reply)
        blocked.add(ticks: host.ticks &- start, to: current)
        if sessions[current].flags.contains(.tracking) {
            rememberKeys(of: command, buffer.request)
        }
        guard outcome != .blocked, let wait = blocked.wait(of: current) else { return }
        _ = spend(ticks: wait.ticks)
        if let original = wait.request.takeOriginal() {
            keep(original.request, wait.ticks, reply.byteCount)
        } else {
            keep(buffer.request, wait.ticks, reply.byteCount)
        }
    }

    /// Keeps a request that waited, if it took long, or it or its reply is long.
    private mutating func keep(
        _ request: borrowing Request,
        _ ticks: UInt64,
        _ replyByteCount: Int
    ) {
        if ticks >= measures.noteworthyTicks { noteSlow(request, ticks: ticks) }
        noteLarge(request, replyByteCount: replyByteCount)
    }

    /// Hands the reply over that the session waited for, to a request that did nothing but wait.
    mutating func endWait(of session: SessionID, _ reply: inout ReplyWriter, refused: Bool = false)
    {
        noteWait(of: session, replyByteCount: reply.byteCount, refused: refused)
        finishWait(of: session, &reply)
    }

    /// Hands the reply over that the session waited for.
    private mutating func finishWait(of session: SessionID, _ reply: inout ReplyWriter) {
        forgetWait(of: session)
        if endUnheard(session) { reply.removeAll() }
        deliveries.append(reply.bytes, to: session, unblocks: true)
    }

    /// Lets a session wait no longer.
    mutating func forgetWait(of session: SessionID) {
        guard sessions[session].flags.remove(.blocked) != nil else { return }
        blocked.remove(session)
        if blocked.isEmpty { gates.remove(.waiting) }
    }

    /// When `serveTimeouts` must be called at the latest, in the host's microseconds; nil: the
    /// sessions that wait, if any, wait without a limit.
    package var nextTimeout: Int64? { blocked.nextDeadline }

    /// Serves sessions whose key has come by other ways than a request, as by expiry.
    ///
    /// Replies to those whose time is up, too. To be called once a turn; replies come with the
    /// deliveries.
    package mutating func serveTimeouts() {
        guard !blocked.isEmpty else { return }
        serveWaiting()
        let now = host.microseconds
        while let session = blocked.takeTimedOut(at: now) {
            var reply = ReplyWriter(sessions[session].protocolVersion)
            replyInVain(to: session, &reply)
            endWait(of: session, &reply)
        }
    }

    /// Counts a call that did nothing but wait, and keeps it if that took long, or it is long.
    private mutating func noteWait(of session: SessionID, replyByteCount: Int, refused: Bool) {
        guard let wait = blocked.wait(of: session) else { return }
        let caller = (session: current, command: measures.ranCommand)
        (current, measures.ranCommand) = (session, wait.request.command)
        measures.figures.note(wait.request.command, ticks: wait.ticks)
        if refused { measures.figures[wait.request.command].rejected += 1 }
        let buffer = wait.request.takeOriginal() ?? wait.request.take()
        keep(buffer.request, wait.ticks, replyByteCount)
        (current, measures.ranCommand) = caller
    }

    /// The reply to a session whose time is up.
    private func replyInVain(to session: SessionID, _ reply: inout ReplyWriter) {
        if let wait = blocked.wait(of: session)?.durability {
            wait.writeReply(host.durableOffset, to: &reply)
        } else {
            reply.nullArray()
        }
    }

    /// CLIENT UNBLOCK: lets a session wait no longer, as if its time were up or with an error.
    ///
    /// Returns whether it waited for a key.
    mutating func unblock(_ session: SessionID, withError: Bool) -> Bool {
        guard blocked.wait(of: session) != nil else { return false }
        var reply = ReplyWriter(sessions[session].protocolVersion)
        if withError {
            refuse(.text("UNBLOCKED client unblocked via CLIENT UNBLOCK"), &reply)
        } else {
            replyInVain(to: session, &reply)
        }
        endWait(of: session, &reply, refused: withError)
        return true
    }

    /// How many keys are waited for.
    package var waitedKeyCount: Int { blocked.keyCount }

    /// How many of them are waited for even if they are gone or of another kind.
    package var waitedKeyCountIfGone: Int { blocked.keyCountIfGone }

    /// How many sessions wait no longer than to some moment.
    package var timedWaitCount: Int { blocked.timedCount }

    /// How many sessions wait for keys.
    package var blockedCount: Int { blocked.count }

    /// The moment at which a timeout that an argument gives in seconds is over, in the host's
    /// microseconds; nil: never, said by 0.
    func timeout(_ request: borrowing Request, _ index: Int) throws(CommandError) -> Int64? {
        switch SecondsText(request[index]) {
        case .noNumber: throw .text("ERR timeout is not a float or out of range")
        case .tooMany: throw .text("ERR timeout is out of range")
        case .milliseconds(let milliseconds): return try deadline(after: milliseconds)
        }
    }

    /// The moment that is so many milliseconds from now, in the host's microseconds; nil for 0.
    func deadline(after milliseconds: Int64) throws(CommandError) -> Int64? {
        guard milliseconds >= 0 else { throw .text("ERR timeout is negative") }
        guard milliseconds > 0 else { return nil }
        guard milliseconds <= .max - dataSet.now else { throw .text("ERR timeout is out of range") }
        // Three hundred thousand years hence will do for the rest.
        return host.microseconds + min(milliseconds, .max / 2000) * 1000
    }
}
