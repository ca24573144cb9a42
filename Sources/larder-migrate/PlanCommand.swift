import ArgumentParser
import Bytes
import Inspect
import Migrate

/// `larder-migrate plan`: what a conversion would do.
struct PlanCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan",
        abstract: "Says what a conversion would do; writes nothing.",
        discussion: """
            What the target loads as it is, what has to be converted, what would be lost, what \
            needs a decision and which option takes it; how large it gets, and which settings \
            and modules the target needs for it.

            \(policies)
            """
    )

    @OptionGroup var options: ConversionOptions

    @Flag(help: "Print the plan as JSON.")
    var json = false

    func run() throws {
        let report = try options.withProgress { progress in
            var migration = try options.migration()
            migration.progress = progress
            return try migration.plan(output: "output")
        }
        var printer = try Printer()
        if json {
            printer.buffer.append(.object(report.members), indentation: 0)
            printer.buffer.append("\n")
        } else {
            printer.buffer.append(utf8: report.page(.plan))
        }
        try printer.finish()
        if report.isUndecided { throw ExitCode(1) }
        if !report.isLossless { throw ExitCode(3) }
    }
}
