import ArgumentParser
import Inspect
import Platform

/// `larder-inspect export`.
struct ExportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Everything, as JSON lines, CSV, or requests for a server.",
        discussion: """
            json     an object a line, without loss; the README tells what is in it
            csv      a row for each element; without groups of streams
            resp     requests that make the data anew in any server
            restore  RESTORE requests with the bytes of the file: exact, for servers that read it

            Examples:
              larder-inspect export dump.rdb | gzip > dump.jsonl.gz
              larder-inspect export --format csv --type hash --match 'user:*' -o users.csv dump.rdb
              larder-inspect export --format resp dump.rdb | redis-cli --pipe
            """
    )

    @OptionGroup var input: InputOptions
    @OptionGroup var filter: FilterOptions

    @Option(help: "json, csv, resp or restore.")
    var format = ExportFormat.json

    @Flag(help: "The same as --format json.")
    var json = false

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp("Write to a file, not to standard output.", valueName: "file")
    )
    var output: String?

    func run() throws {
        let filter = try filter.filter()
        let format = json ? .json : format
        // Every other format passes the commands on, if nothing is filtered.
        let passesOn = format != .csv && filter.admitsEverything
        try input.withInspection(tellsOfCommands: passesOn) { inspection throws(InspectError) in
            warn(try inspection.export(format, filter, to: output))
        }
    }

    private func warn(_ lostCount: Int) {
        guard lostCount > 0 else { return }
        Terminal.writeError(
            "larder-inspect: \(lostCount) records of modules beside their keys were left out: "
                + "there are no commands for them\n"
        )
    }
}

extension ExportFormat: ExpressibleByArgument {}
