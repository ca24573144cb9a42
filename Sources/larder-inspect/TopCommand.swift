import ArgumentParser
import Inspect

/// `larder-inspect top`.
struct TopCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "top",
        abstract: "The keys with most bytes, elements, and the largest elements.",
        discussion: """
            Examples:
              larder-inspect top dump.rdb
              larder-inspect top --by memory --limit 50 --memory-for redis-8.2 dump.rdb
              larder-inspect top --by largest --type hash dump.rdb
            """
    )

    @OptionGroup var input: InputOptions
    @OptionGroup var filter: FilterOptions
    @OptionGroup var target: TargetOptions
    @OptionGroup var output: OutputOptions

    @Option(help: "By what; can be given more than once.")
    var by: [KeyMetric] = [.bytes, .elements, .largest]

    @Option(help: "How many keys of each.")
    var limit = 10

    func run() throws {
        var report = TopReport(
            by,
            limit: max(0, limit),
            filter: try filter.filter(),
            memory: target.tally
        )
        try input.withInspection { inspection throws(InspectError) in
            try inspection.read(into: &report)
        }
        try output.print(report.json) { printer, style in
            report.append(to: &printer.buffer, style)
        }
    }
}
