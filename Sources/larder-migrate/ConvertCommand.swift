import ArgumentParser
import Bytes
import Inspect
import Migrate

/// `larder-migrate convert`: files of one kind into files of another.
struct ConvertCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "convert",
        abstract: "Turns dumps into files that the target loads with its default configuration.",
        discussion: """
            Beside the output lie its report: OUTPUT.report.json has every loss on a line of its \
            own, OUTPUT.report.txt is a page to read. Nothing is there before all of it is done.

            \(policies)
            """
    )

    @OptionGroup var options: ConversionOptions

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp(
            """
            The file to write, in the place of one that is there. With a slash at the end, the \
            directory of an append-only log, which must be new; with .aof, such a log in one \
            file, as redis-6.2 has it.
            """,
            valueName: "path"
        )
    )
    var output: String

    func run() throws {
        let report = try options.withProgress { progress in
            var migration = try options.migration()
            migration.progress = progress
            return try migration.convert(to: output)
        }
        var printer = try Printer()
        printer.buffer.append(utf8: report.page(.done))
        try printer.finish()
        if !report.isLossless { throw ExitCode(3) }
    }
}
