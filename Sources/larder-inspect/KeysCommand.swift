import ArgumentParser
import Inspect

extension KeyMetric: ExpressibleByArgument {}
extension KeyListing.Form: ExpressibleByArgument {}

/// `larder-inspect keys`.
struct KeysCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keys",
        abstract: "One row a key.",
        discussion: """
            Sorting takes a few megabytes of memory, for any number of keys.

            Examples:
              larder-inspect keys --match 'user:*' --sort bytes --limit 20 dump.rdb
              larder-inspect keys --type hash --min-elements 1000 --format csv dump.rdb
              larder-inspect keys --expires-before 1h --sort deadline --ascending dump.rdb
              larder-inspect keys --json --without-deadline dump.rdb | jq -r .key
            """
    )

    @OptionGroup var input: InputOptions
    @OptionGroup var filter: FilterOptions
    @OptionGroup var target: TargetOptions
    @OptionGroup var output: OutputOptions

    @Option(help: "table, csv or json (one object a line; --json is the same).")
    var format: KeyListing.Form?

    @Option(help: "Sort, most first.")
    var sort: KeyMetric?

    @Flag(help: "Sort with the least first.")
    var ascending = false

    @Option(help: "How many keys at most.")
    var limit: Int?

    func run() throws {
        var options = KeyListing.Options()
        options.filter = try filter.filter()
        options.form = format ?? (output.json ? .json : .table)
        options.order = sort
        options.isAscending = ascending
        options.limit = max(0, limit ?? .max)
        var listing = KeyListing(
            options,
            memory: target.tally,
            to: try Printer(to: output.output)
        )
        try input.withInspection { inspection throws(InspectError) in
            try inspection.read(into: &listing, orFlush: { _ = try? $0.flush() })
        }
        try listing.finish()
    }
}
