import ArgumentParser
import Bytes
import Inspect
import Platform

/// How a report is written.
struct OutputOptions: ParsableArguments {
    @Flag(help: "As JSON.")
    var json = false

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp("Write to a file, not to standard output.", valueName: "file")
    )
    var output: String?

    /// Colours on a terminal only, and only if the user wants them.
    var style: TextStyle {
        TextStyle(isColored: output == nil && Terminal.isOutput && !Terminal.hasNoColor)
    }

    /// Prints a report as JSON, or as `text` has it.
    func print(
        _ report: JSON,
        text: (inout Printer, TextStyle) -> Void
    ) throws(InspectError) {
        var printer = try Printer(to: output)
        if json {
            printer.buffer.append(report, indentation: 0)
            printer.buffer.append("\n")
        } else {
            text(&printer, style)
        }
        try printer.finish()
    }
}
