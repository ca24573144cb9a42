import ArgumentParser
import Bytes
import Inspect
import Migrate
import Platform

/// `larder-migrate load`: files into a server or a cluster.
struct LoadCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "load",
        abstract: "Puts the content of dumps into a live server or cluster.",
        discussion: """
            Every key is sent as a payload of the server's own version (RESTORE), large values \
            in parts. Of a cluster, any node may be named: each primary gets its keys. Nothing \
            is sent before the files have been read once, so that damage is found first. A \
            server that is full, loading or a replica is waited for.

            A password comes from the URL, or from VALKEYCLI_AUTH or REDISCLI_AUTH.

            A load that is interrupted notes how far it came (FILE.larder-load); the same \
            command goes on from there.

              larder-migrate load dump.rdb --into redis://127.0.0.1:6379
              larder-migrate load shard-*.rdb --into valkey://:secret@node1:7000
              larder-migrate load dump.rdb --into unix:///run/valkey.sock --replace

            Exit: 0 all there, 3 something was left out as asked, 1 failed, 2 wrong usage.
            """
    )

    @Argument(
        help: """
            Dumps, plain or in gzip, zstd or lz4; or the directory of an append-only log, alone \
            and into a server that is empty.
            """
    )
    var files: [String]

    @Option(help: ArgumentHelp("The server, or a node of the cluster.", valueName: "url"))
    var into: String

    @Flag(help: "Let keys of the files take the place of keys that are there.")
    var replace = false

    @Flag(help: "Leave keys alone that are there.")
    var skipExisting = false

    @Flag(help: "Leave out what the server has no place for, instead of refusing the files.")
    var skipUnsupported = false

    @Flag(help: "Send every value as commands, none as a payload.")
    var commands = false

    @Option(
        help: ArgumentHelp(
            "Send values of more bytes in parts, as commands (512kb, 8mb, 1gb).",
            valueName: "bytes"
        )
    )
    var splitOver: ByteCount = ByteCount(8 << 20)

    @Option(
        help: ArgumentHelp(
            "Send no more than so many bytes a second (512kb, 8mb).",
            valueName: "bytes"
        )
    )
    var rate: ByteCount?

    @Option(
        help: ArgumentHelp(
            "Give up after a server has refused everything for so many seconds.",
            valueName: "seconds"
        )
    )
    var patience = 600

    @Option(
        help: ArgumentHelp(
            "Where to note how far the load has come, instead of FILE.larder-load.",
            valueName: "file"
        )
    )
    var state: String?

    @Flag(help: "Begin anew, whatever an interrupted load has noted.")
    var restart = false

    @Flag(name: .shortAndLong, help: "Show neither progress nor messages.")
    var quiet = false

    @Flag(help: "Print the result as JSON.")
    var json = false

    func validate() throws {
        guard !files.isEmpty else { throw ValidationError("no file was named") }
        guard !files.contains("-") else {
            throw ValidationError("files are read twice, which standard input cannot be")
        }
        _ = try url()
        if replace, skipExisting {
            throw ValidationError("--replace and --skip-existing exclude each other")
        }
        if splitOver.value < 1024 { throw ValidationError("--split-over takes 1kb or more") }
        if let rate, rate.value < 1024 { throw ValidationError("--rate takes 1kb or more") }
    }

    private func url() throws -> ServerURL {
        do {
            return try ServerAccess.url(into)
        } catch {
            throw ValidationError("\(error)")
        }
    }

    func run() throws {
        let load = Load(files, into: try url(), options)
        let line = StatusLine(isOn: !quiet)
        load.onProgress = { line.show($0) }
        load.onMessage = { line.say($0) }
        do {
            let outcome = try load.run()
            line.clear()
            var printer = try Printer()
            printer.buffer.append(outcome, isJSON: json)
            try printer.finish()
            if outcome.failedCount > 0 { throw ExitCode(1) }
            if outcome.hasLosses { throw ExitCode(3) }
        } catch let error as LoadError {
            line.clear()
            StatusLine.complain("\(error)")
            throw ExitCode(1)
        }
    }

    private var options: LoadOptions {
        var options = LoadOptions()
        options.existing = replace ? .replace : skipExisting ? .skip : .refuse
        options.isSkippingUnsupported = skipUnsupported
        options.isUsingCommands = commands
        options.splitByteCount = splitOver.value
        options.bytesPerSecond = rate?.value
        options.patienceSeconds = patience
        options.statePath = state
        options.isStartingAnew = restart
        return options
    }
}
