import ArgumentParser
import Inspect

/// `larder-inspect prefixes`.
struct PrefixesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "prefixes",
        abstract: "What each prefix of the keys costs, as a tree.",
        discussion: """
            Parts of keys that are ids (numbers, UUIDs, digests, random tokens) are folded into \
            *, so that user:17:cart and user:18:cart are one line, user:*:cart.

            Examples:
              larder-inspect prefixes dump.rdb
              larder-inspect prefixes --separator / --depth 5 --min-share 0.01 dump.rdb
              larder-inspect prefixes --no-fold --match 'session:*' --json dump.rdb
            """
    )

    @OptionGroup var input: InputOptions
    @OptionGroup var filter: FilterOptions
    @OptionGroup var target: TargetOptions
    @OptionGroup var output: OutputOptions

    @Option(help: "What separates the parts of keys; one character.")
    var separator = Separator()

    @Option(help: "How many parts of a key count.")
    var depth = 3

    @Option(help: "How many prefixes are shown at each place.")
    var limit = 20

    @Option(help: "Prefixes with a smaller share of all bytes are summed up.")
    var minShare = 0.001

    @Flag(inversion: .prefixedNo, help: "Whether ids are folded into *.")
    var fold = true

    func run() throws {
        var options = PrefixReport.Options()
        options.depth = max(1, depth)
        options.limit = max(1, limit)
        options.minimumShare = minShare
        var report = PrefixReport(
            PrefixTree(separator: separator.byte, depth: depth, foldsIDs: fold),
            options,
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
