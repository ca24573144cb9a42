import AppendLog
import ArgumentParser
import Bytes
import Inspect
import Platform

/// `larder-inspect log`.
struct LogCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "log",
        abstract: "What is in an append-only log: files, frames, commands, damage.",
        discussion: """
            LOG is the data directory of a server, the folder of its log, or the manifest; the \
            log of Larder, Redis 7 or Valkey. It is only read, and may be in use.

            --repair is for a stopped server. It says what it drops, cuts the log behind the last \
            whole transaction, and keeps what it cut beside the log under *.cut-*. With --until \
            it takes a sound log back to a point.

            Exit codes: 0 = sound, 1 = damaged or torn, or failed, 2 = wrong usage.

            Examples:
              larder-inspect log /var/lib/larder
              larder-inspect log --frames --last 50 appendonlydir
              larder-inspect log --until 2026-11-25T23:09:11 appendonlydir
              larder-inspect log --repair appendonlydir
              larder-inspect log --repair --until -1h /var/lib/larder
            """
    )

    @Argument(help: "A data directory, the folder of a log, or its manifest.")
    var log: String

    @Flag(help: "List every frame.")
    var frames = false

    @Option(help: ArgumentHelp("Show so many of the last commands.", valueName: "count"))
    var last = 10

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Read up to a moment (2026-11-25T23:09:11, -1h) or to a byte of the stream (81920).",
            valueName: "time|offset"
        )
    )
    var until: String?

    @Option(help: "What separates the parts of keys.")
    var separator = Separator()

    @Flag(help: "Cut what cannot be read off; with --until, all that came later.")
    var repair = false

    @OptionGroup var output: OutputOptions

    mutating func validate() throws {
        if last < 0 { throw ValidationError("--last takes a count") }
        if let until, Self.limit(until) == nil {
            throw ValidationError("--until takes a moment or an offset, not \(until)")
        }
    }

    /// A plain number is an offset, all else a moment.
    private static func limit(_ text: String) -> LogReader.Limit? {
        if let offset = Int(text) { return offset >= 0 ? .offset(offset) : nil }
        let now = SystemTime().wallTime.milliseconds
        return Moments.parse(text, now: now).map { .time(WallTime(milliseconds: $0)) }
    }

    func run() throws {
        guard let location = try LogLocation(log) else {
            throw InspectError(log, .unknown("expected a directory or a manifest"))
        }
        if repair {
            guard let until, let limit = Self.limit(until) else { return try mend(location) }
            return try rewind(location, to: limit)
        }
        var options = LogOverview.Options()
        options.lastCount = last
        options.separator = separator.byte
        if let until, let limit = Self.limit(until) { options.limit = limit }
        let overview = try LogOverview(location, options)
        try output.print(overview.json) { printer, style in
            overview.append(to: &printer.buffer, style, showsFrames: frames)
        }
        if !overview.isSound { throw ExitCode(1) }
    }

    private func rewind(_ location: LogLocation, to limit: LogReader.Limit) throws {
        try location.withLock {
            let rewind = try LogRewind(location.directory, to: limit)
            guard !rewind.drops.isEmpty else {
                return print("nothing to drop: the log ends at offset \(rewind.end)")
            }
            for drop in rewind.drops { print("dropping \(drop)") }
            try rewind.perform()
            print("done; the log ends at offset \(rewind.end), what was cut is in files *.cut-*")
        }
    }

    private func mend(_ location: LogLocation) throws {
        let mending = try LogMending(location)
        guard !mending.drops.isEmpty else {
            print("nothing to repair: the log can be read to its end")
            return
        }
        for drop in mending.drops { print("dropping \(drop)") }
        try mending.perform()
        print("done; what was cut is beside the log in files *.cut-*")
    }
}
