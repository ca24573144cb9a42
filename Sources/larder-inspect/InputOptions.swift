import ArgumentParser
import Inspect

/// What every subcommand is given: the files, and how much it says besides.
struct InputOptions: ParsableArguments {
    @Argument(help: "RDB files, directories or files of append-only logs; - is standard input.")
    var files: [String]

    @Flag(name: .shortAndLong, help: "No progress on the terminal.")
    var quiet = false

    /// Runs `body` over the files, with progress on the terminal.
    func withInspection(
        _ body: (Inspection) throws(InspectError) -> Void
    ) throws(InspectError) {
        var inspection = Inspection(paths: files)
        let shown = ProgressBar.progress(isQuiet: quiet)
        inspection.progress = shown?.0
        defer { shown?.1.clear() }
        try body(inspection)
    }
}
