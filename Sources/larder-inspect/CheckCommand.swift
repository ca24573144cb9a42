import ArgumentParser
import Inspect

/// `larder-inspect check`.
struct CheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Whether it is damaged, where, and what can be saved.",
        discussion: """
            Structure, checksum, and every packed encoding throughout: what a server that \
            sanitizes deeply looks at. --deep also finds members and keys that are there twice, \
            which takes 32 bytes of memory and more for each.

            Examples:
              larder-inspect check dump.rdb
              larder-inspect check --deep *.rdb
              larder-inspect check --salvage saved.rdb damaged.rdb
            """
    )

    @OptionGroup var input: InputOptions
    @OptionGroup var output: OutputOptions

    @Flag(help: "Find members and keys that are there twice, too.")
    var deep = false

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
        let depth = deep ? CheckReport.Depth.everything : .containers
        var isSound = true
        try input.withInspection { inspection throws(InspectError) in
            let report = try CheckReport(inspection, depth, salvagePath: salvage)
            isSound = report.isSound
            try output.print(report.json) { printer, style in
                report.append(to: &printer.buffer, style)
            }
        }
        if !isSound { throw ExitCode(1) }
    }
}
