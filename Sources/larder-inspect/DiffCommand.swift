import ArgumentParser
import Inspect

/// `larder-inspect diff`.
struct DiffCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "diff",
        abstract: "What changed from one data set to another.",
        discussion: """
            Keys added, removed and changed, by database and key, then the counts by kind of \
            change and by prefix. How a value is encoded makes no difference. Memory does not grow \
            with the files; TMPDIR needs room for the names of all keys and 60 bytes each.

            Examples:
              larder-inspect diff yesterday.rdb today.rdb
              larder-inspect diff --limit 0 a.rdb b.rdb.zst
              larder-inspect diff --json --ignore-deadlines a.rdb b.rdb | jq .summary
            """
    )

    @Argument(help: "The data set before.")
    var before: String

    @Argument(help: "The data set after.")
    var after: String

    @Flag(help: "Another deadline alone is no change.")
    var ignoreDeadlines = false

    @Option(help: "How many changed keys are listed; with --json by default all.")
    var limit: Int?

    @Option(help: "What separates the parts of keys.")
    var separator = Separator()

    @Flag(help: "Exit with 1 if anything differs.")
    var exitCode = false

    @Flag(name: .shortAndLong, help: "No progress on the terminal.")
    var quiet = false

    @OptionGroup var output: OutputOptions

    mutating func validate() throws {
        if before == "-", after == "-" {
            throw ValidationError("standard input can be one of the two, not both")
        }
    }

    func run() throws {
        var options = DiffReport.Options()
        options.diff.ignoresDeadlines = ignoreDeadlines
        options.diff.separator = separator.byte
        options.isJSON = output.json
        options.limit = max(0, limit ?? (output.json ? .max : 100))
        options.style = output.style
        var report = DiffReport(options, to: try Printer(to: output.output))
        var one = Inspection(paths: [before], holdsLongTexts: false)
        var other = Inspection(paths: [after], holdsLongTexts: false)
        let shown = ProgressBar.progress(isQuiet: quiet)
        one.progress = shown?.0
        other.progress = shown?.0
        defer { shown?.1.clear() }
        let count = try report.run(before: one, after: other)
        if exitCode, count > 0 { throw ExitCode(1) }
    }
}
