import ArgumentParser
import Inspect

/// `larder-inspect summary`, and without a subcommand.
struct SummaryCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "summary",
        abstract: "What is in it, at a glance.",
        discussion: """
            Examples:
              larder-inspect dump.rdb
              larder-inspect summary --memory-for redis-8.2 node1.rdb node2.rdb node3.rdb
              larder-inspect summary --digest --json dump.rdb | jq .digest.total
            """
    )

    @OptionGroup var input: InputOptions
    @OptionGroup var target: TargetOptions
    @OptionGroup var output: OutputOptions

    @Flag(help: "Compute the content digest: the same for every file and server of this content.")
    var digest = false

    @Option(help: "How many of the biggest keys to show.")
    var top = 10

    @Option(help: "What separates the parts of keys; one character.")
    var separator = Separator()

    @Option(name: .customLong("at"), help: Moment.help("Count deadlines from this moment on."))
    var now: Moment?

    func run() throws {
        var options = Summary.Options()
        options.isDigesting = digest
        options.largestCount = top
        options.separator = separator.byte
        options.now = now?.milliseconds ?? options.now
        var summary = Summary(options, memory: target.tally)
        try input.withInspection(tellsOfCommands: true) { inspection throws(InspectError) in
            try inspection.read(into: &summary)
        }
        try output.print(summary.json) { printer, style in
            summary.append(to: &printer.buffer, style)
        }
    }
}
