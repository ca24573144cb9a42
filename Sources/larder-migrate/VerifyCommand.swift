import ArgumentParser
import Bytes
import Inspect
import Migrate
import Platform

/// `larder-migrate verify`: whether two data sets are the same.
struct VerifyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Compares two data sets, in files or live servers, key by key.",
        discussion: """
            Type, value, deadline and field deadlines of every key are compared, whatever the \
            version and encoding they are stored in. What differs is looked at once more before \
            it is told: a live server changes, and keys expire.

              larder-migrate verify dump.rdb redis://127.0.0.1:6379
              larder-migrate verify redis://old:6379 valkey://:secret@new:7000
              larder-migrate verify dump.rdb new.rdb --report new.rdb.report.json
              larder-migrate verify dump.rdb shard-0.rdb shard-1.rdb shard-2.rdb

            A password comes from the URL, or from VALKEYCLI_AUTH or REDISCLI_AUTH.

            Exit: 0 the same, 3 the same but for declared losses, 1 different or failed, \
            2 wrong usage.
            """
    )

    @Argument(help: "A dump, or the URL of a server or of a node of a cluster.")
    var first: String

    @Argument(help: "Another; several dumps here are one data set together.")
    var second: [String]

    @Option(
        help: ArgumentHelp("How far two deadlines may be apart.", valueName: "milliseconds")
    )
    var tolerance = 1000

    @Option(
        help: ArgumentHelp(
            "Values that take more memory at a live server are read in parts, so that neither side "
                + "needs as much again: 1kb or more. Those of modules always come whole.",
            valueName: "bytes"
        )
    )
    var partsOver: ByteCount = ByteCount(32 << 20)

    @Option(
        help: ArgumentHelp(
            "The report of the conversion of the first into the second: what it lost is counted "
                + "apart.",
            valueName: "file"
        )
    )
    var report: String?

    @Flag(name: .shortAndLong, help: "Show neither progress nor messages.")
    var quiet = false

    @Flag(help: "Print each difference, and the summary at the end, as a line of JSON.")
    var json = false

    func validate() throws {
        guard !([first] + second).contains("-") else {
            throw ValidationError("files may be read twice, which standard input cannot be")
        }
        if partsOver.value < 1024 { throw ValidationError("--parts-over takes 1kb or more") }
        _ = (try source([first]), try source(second))
        guard tolerance >= 0 else { throw ValidationError("--tolerance takes no negative time") }
    }

    func run() throws {
        var options = Verification.Options()
        options.tolerance = Int64(tolerance)
        options.partsOver = partsOver.value
        if let report {
            do {
                options.losses = try VerificationLosses(reportAt: report)
            } catch {
                StatusLine.complain("\(error)")
                throw ExitCode(1)
            }
        }
        let verification = Verification(
            try source([first]),
            try source(second),
            options
        )
        let line = StatusLine(isOn: !quiet)
        verification.onProgress = { side, count in
            line.show("reading the \(side == .first ? "first" : "second"): \(count) keys")
        }
        var printer = try Printer()
        verification.onDifference = { difference throws(SystemError) in
            line.clear()
            printer.buffer.append(VerificationReport(isJSON: json), difference)
        }
        do {
            let summary = try verification.run()
            line.clear()
            printer.buffer.append(VerificationReport(isJSON: json), summary)
            try printer.finish()
            if !summary.isClean { throw ExitCode(1) }
            if summary.declared > 0 { throw ExitCode(3) }
        } catch let error as VerificationError {
            line.clear()
            try printer.finish()
            StatusLine.complain("\(error)")
            throw ExitCode(1)
        }
    }

    private func source(_ names: [String]) throws -> VerificationSource {
        guard names.contains(where: ServerURL.isURL) else { return .files(names) }
        guard names.count == 1 else {
            throw ValidationError("a server stands alone: it is no part of another data set")
        }
        do {
            return .server(try ServerAccess.url(names[0]))
        } catch {
            throw ValidationError("\(error)")
        }
    }
}
