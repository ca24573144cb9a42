import ArgumentParser
import Inspect

/// `larder-inspect report`.
struct ReportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report",
        abstract: "A page to look at: where memory goes, what is big, what expires when.",
        discussion: """
            One HTML file without anything from elsewhere: treemap and flame graph of prefixes, \
            sizes, deadlines, types, the biggest keys with search.

            Examples:
              larder-inspect report -o report.html dump.rdb
              larder-inspect report --memory-for redis-8.2 -o cluster.html node-*.rdb
            """
    )

    @OptionGroup var input: InputOptions
    @OptionGroup var target: TargetOptions

    @Option(name: .shortAndLong, help: ArgumentHelp("The page.", valueName: "file"))
    var output: String

    @Option(help: "What separates the parts of keys.")
    var separator = Separator()

    @Flag(help: "The figures behind the page as JSON, not the page.")
    var json = false

    func run() throws {
        var options = Summary.Options()
        options.separator = separator.byte
        var consumer = ReportConsumer(options, memory: target.tally)
        try input.withInspection { inspection throws(InspectError) in
            try inspection.read(into: &consumer)
        }
        let page = ReportPage(consumer)
        var printer = try Printer(to: output)
        if json {
            page.appendJSON(to: &printer.buffer)
        } else {
            page.append(to: &printer.buffer)
        }
        try printer.finish()
    }
}
