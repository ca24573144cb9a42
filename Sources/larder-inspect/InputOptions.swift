import ArgumentParser
import Inspect
import Platform

/// What every subcommand is given: the files, and how much it says besides.
struct InputOptions: ParsableArguments {
    @Argument(help: "RDB files, directories or files of append-only logs; - is standard input.")
    var files: [String]

    @Flag(name: .shortAndLong, help: "No progress on the terminal.")
    var quiet = false

    /// Runs `body` over the files, with progress on the terminal.
    ///
    /// Says what was left out where commands follow a base, unless `body` tells of them itself.
    func withInspection(
        tellsOfCommands: Bool = false,
        _ body: (Inspection) throws(InspectError) -> Void
    ) throws(InspectError) {
        var inspection = Inspection(paths: files, holdsLongTexts: false)
        let shown = ProgressBar.progress(isQuiet: quiet)
        inspection.progress = shown?.0
        let notes = CommandNotes()
        if !tellsOfCommands, !quiet { inspection.commandNotes = notes }
        defer { shown?.1.clear() }
        try body(inspection)
        shown?.1.clear()
        for path in notes.paths {
            Terminal.writeError(
                "larder-inspect: \(path): commands follow the base; what they change is not in this "
                    + "(see larder-inspect log)\n"
            )
        }
    }
}
