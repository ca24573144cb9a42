import Bytes
import RESP
import Store

/// What requests are measured against, and what is kept of those that exceed it.
package struct Measures: ~Copyable {
    package internal(set) var figures: CommandFigures
    /// The requests that SLOWLOG and COMMANDLOG tell.
    var logs = CommandLogs()
    /// What LATENCY tells.
    package var latency = LatencyEvents()
    /// How often each error code was replied.
    package internal(set) var errors: [String: Int64] = [:]
    /// Ticks in a microsecond; whoever drives the engine says so.
    package var ticksPerMicrosecond = 1.0 {
        didSet { followThresholds() }
    }
    /// A request that takes more ticks is looked at closely.
    private(set) var noteworthyTicks = UInt64.max
    /// The row of the command that the last request ran; -1 if it ran none.
    var ranCommand = -1
    /// The same until its time is counted.
    var uncountedCommand = -1

    init(commandCount: Int) {
        figures = CommandFigures(count: commandCount)
    }

    /// Whether the distribution of each command's time is kept: `latency-tracking`.
    package var keepsHistograms: Bool {
        get { figures.keepsHistograms }
        set { figures.keepsHistograms = newValue }
    }

    /// A request or a reply of more bytes is kept; `.max`: none is.
    package func largestByteCount(_ kind: CommandLogs.Kind) -> Int {
        let threshold = logs[kind].threshold
        return threshold < 0 ? .max : Int(threshold)
    }

    /// Follows a change of what is slow.
    package mutating func followThresholds() {
        var microseconds = Int64.max
        let slow = logs[.slow].threshold
        if slow >= 0 { microseconds = slow }
        if latency.threshold > 0 {
            microseconds = min(microseconds, latency.threshold.multipliedClamping(by: 1000))
        }
        let ticks = Double(microseconds) * ticksPerMicrosecond
        noteworthyTicks = ticks < 1e18 ? UInt64(ticks) : .max
    }

    /// Starts to count again.
    mutating func reset() {
        figures.reset()
        errors.removeAll()
    }

    /// Counts an error that was replied.
    mutating func noteError(_ text: RawSpan) {
        // The code is the first word behind the mark of an error. Clients that make codes up
        // do not fill the memory with them.
        var end = 1
        while end < min(text.byteCount, 64), text.byte(at: end) > UInt8(ascii: " ") { end += 1 }
        let code = text.part(from: 1, count: end - 1).text
        guard errors.count < 128 || errors[code] != nil else { return }
        errors[code, default: 0] += 1
    }
}

/// What INFO tells of one command.
package struct CommandFigure {
    package let name: String
    package let calls: Int64
    package let rejected: Int64
    package let failed: Int64
    package let microseconds: Double
    /// How the time of its calls is distributed, in ticks; nil if no call was timed.
    package let histogram: TickHistogram?
}

extension Engine {
    /// The figures of every command that was asked for.
    package var commandFigures: [CommandFigure] {
        (0..<table.rowCount).compactMap { index in
            let row = measures.figures[index]
            guard row.calls + row.rejected + row.failed > 0 else { return nil }
            return CommandFigure(
                name: table[index].name,
                calls: row.calls,
                rejected: row.rejected,
                failed: row.failed,
                microseconds: Double(row.ticks) / measures.ticksPerMicrosecond,
                histogram: measures.figures.histogram(index)
            )
        }
    }

    /// Microseconds that commands took, all together.
    package var commandMicroseconds: Double {
        let ticks = (0..<table.rowCount).reduce(0) { $0 &+ measures.figures[$1].ticks }
        return Double(ticks) / measures.ticksPerMicrosecond
    }

    /// What INFO counts of the sessions.
    package var sessionFigures: SessionFigures {
        var figures = SessionFigures()
        for id in sessions.all {
            let session = sessions[id]
            let flags = session.flags
            if flags.contains(.tracking) { figures.tracking += 1 }
            if flags.contains(.subscribed) { figures.subscribed += 1 }
            let watched = session.details?.watchedKeys.count ?? 0
            if watched > 0 { figures.watching += 1 }
            figures.watchedKeys += watched
        }
        figures.channels = subscriptions.count(.channel)
        figures.patterns = subscriptions.count(.pattern)
        figures.shardChannels = subscriptions.count(.shardChannel)
        figures.trackedKeys = tracking.keyCount
        figures.trackedReaders = tracking.readerCount
        figures.trackedPrefixes = trackers.reduce(0) {
            $0 + (sessions[$1].details?.tracking?.prefixes.count ?? 0)
        }
        return figures
    }
}

/// What INFO counts of the sessions and what they take part in.
package struct SessionFigures: Sendable {
    package internal(set) var tracking = 0
    package internal(set) var subscribed = 0
    package internal(set) var watching = 0
    package internal(set) var watchedKeys = 0
    package internal(set) var channels = 0
    package internal(set) var patterns = 0
    package internal(set) var shardChannels = 0
    package internal(set) var trackedKeys = 0
    package internal(set) var trackedReaders = 0
    package internal(set) var trackedPrefixes = 0
}

extension Int64 {
    fileprivate func multipliedClamping(by factor: Int64) -> Int64 {
        let (product, overflows) = multipliedReportingOverflow(by: factor)
        return overflows ? .max : product
    }
}

extension Engine {
    /// Counts the request just executed and the time that it took; true if it has to be told
    /// to `noteSlow` as well.
    package mutating func spend(ticks: UInt64) -> Bool {
        let command = measures.uncountedCommand
        guard command >= 0 else {
            // Counted with the rest once the wait is over.
            if outcome == .blocked { blocked.add(ticks: ticks, to: current) }
            return false
        }
        measures.figures.note(command, ticks: ticks)
        return ticks >= measures.noteworthyTicks
    }

    /// Keeps a request that took long.
    package mutating func noteSlow(_ request: borrowing Request, ticks: UInt64) {
        let command = measures.ranCommand
        guard command >= 0, !sessions[current].flags.contains(.trusted) else { return }
        let microseconds = Int64(Double(ticks) / measures.ticksPerMicrosecond)
        let flags = table[command].flags
        let milliseconds = microseconds / 1000
        if measures.latency.threshold > 0, milliseconds >= measures.latency.threshold {
            measures.latency.note(
                flags.contains(.fast) ? "fast-command" : "command",
                milliseconds: milliseconds,
                at: dataSet.now / 1000
            )
        }
        if measures.logs[.slow].isExceeded(by: microseconds) {
            keep(request, command, .slow, microseconds)
        }
    }

    private mutating func noteLarge(
        _ request: borrowing Request,
        _ kind: CommandLogs.Kind,
        byteCount: Int
    ) {
        let command = measures.ranCommand
        guard command >= 0, measures.logs[kind].isExceeded(by: Int64(byteCount)) else { return }
        keep(request, command, kind, Int64(byteCount))
    }

    /// Keeps the request that ran last if it, or its reply, is long.
    package mutating func noteLarge(_ request: borrowing Request, replyByteCount: Int) {
        noteLarge(request, .largeRequest, byteCount: request.encodedByteCount)
        noteLarge(request, .largeReply, byteCount: replyByteCount)
    }

    private mutating func keep(
        _ request: borrowing Request,
        _ command: Int,
        _ kind: CommandLogs.Kind,
        _ value: Int64
    ) {
        guard !table[command].flags.contains(.skipSlowlog) else { return }
        let address = host.connection(of: current)?.address ?? ""
        measures.logs.add(
            to: kind,
            time: dataSet.now / 1000,
            value: value,
            arguments: table[command].shortened(request),
            address: address,
            clientName: sessions[current].details?.name ?? ByteString("")
        )
    }

    /// Runs a command of its own accord and counts its time, as a request's is counted.
    mutating func runMeasured(
        _ index: Int,
        _ request: borrowing Request,
        _ reply: inout ReplyWriter
    ) {
        // What a log repeats is nobody's request.
        if sessions[current].flags.contains(.trusted) {
            return runTracked(index, request, &reply)
        }
        let start = host.ticks
        runTracked(index, request, &reply)
        let ticks = host.ticks &- start
        if spend(ticks: ticks) { noteSlow(request, ticks: ticks) }
    }
}

extension Command {
    /// The arguments as a log keeps them: not too many, none too long, no secrets.
    func shortened(_ request: borrowing Request) -> [ByteString] {
        let hidden = secrets(in: request)
        var kept: [ByteString] = []
        let count = request.count > 32 ? 31 : request.count
        for index in 0..<count {
            let argument = request[index]
            if hidden.contains(index) {
                kept.append("(redacted)")
            } else if argument.byteCount > 128 {
                let more = "... (\(argument.byteCount - 128) more bytes)"
                kept.append(
                    ByteString(
                        ByteString(argument.part(from: 0, count: 128)).array + Array(more.utf8)
                    )
                )
            } else {
                kept.append(ByteString(argument))
            }
        }
        if request.count > 32 {
            kept.append(ByteString("... (\(request.count - 31) more arguments)"))
        }
        return kept
    }

    /// The arguments that nobody else may see: passwords.
    func secrets(in request: borrowing Request) -> Set<Int> {
        var hidden: Set<Int> = []
        switch name {
        case "auth": hidden.formUnion(1..<max(request.count, 1))
        case "hello":
            for index in 1..<request.count where request.is(index, "auth") {
                hidden.formUnion([index + 1, index + 2])
            }
        case "config|set":
            for index in stride(from: 2, to: request.count - 1, by: 2)
            where ["requirepass", "masterauth", "primaryauth", "masteruser", "primaryuser"]
                .contains(request[index].text.lowercased())
            {
                hidden.insert(index + 1)
            }
        default: break
        }
        return hidden
    }
}
