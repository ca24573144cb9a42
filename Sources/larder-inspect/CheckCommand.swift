import ArgumentParser
import Inspect

/// `larder-inspect check`.
struct CheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Whether it is damaged, where, and what can be saved.",
        discussion: """
            Structure, checksum, every packed encoding throughout, and keys and members that are \
            there twice: all that makes a server refuse a file or trip over it later.

            Examples:
              larder-inspect check dump.rdb
              larder-inspect check --json *.rdb
              larder-inspect check --salvage saved.rdb damaged.rdb
            """
    )

    @OptionGroup var input: InputOptions
    @OptionGroup var output: OutputOptions

    @Option(
        help: ArgumentHelp(
            "Write what can still be read of a damaged file into a sound one.",
            valueName: "file"
        )
    )
    var salvage: String?

    func validate() throws {
        if salvage != nil, input.files.count > 1 {
            throw ValidationError("--salvage takes one file at a time.")
        }
    }

    func run() throws {
        var isSound = true
        try input.withInspection(tellsOfCommands: true) { inspection throws(InspectError) in
            let report = try CheckReport(inspection, salvagePath: salvage)
            isSound = report.isSound
            try output.print(report.json) { printer, style in
                report.append(to: &printer.buffer, style)
            }
        }
        if !isSound { throw ExitCode(1) }
    }
}
