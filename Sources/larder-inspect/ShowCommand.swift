import ArgumentParser
import Bytes
import Inspect
import Platform

/// `larder-inspect show`.
struct ShowCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "One key with its value.",
        discussion: """
            The key is written as every report of this program writes it: \\xNN is a byte, \\\\ a \
            backslash. The facts about the key follow its value.

            Examples:
              larder-inspect show user:17 dump.rdb
              larder-inspect show board --from 1000 --count 20 dump.rdb
              larder-inspect show 'caf\\xe9' --db 3 --json dump.rdb
            """
    )

    @Argument(help: "The key.")
    var key: EscapedKey

    @OptionGroup var input: InputOptions

    @Option(help: ArgumentHelp("Its database; without, each that has it.", valueName: "number"))
    var db: UInt64?

    @Option(help: "The first element to show, counted from 0.")
    var from = 0

    @Option(help: "How many elements to show.")
    var count = 100

    @Flag(help: "All of it, as a JSON line.")
    var json = false

    func run() throws {
        var foundCount = 0
        try input.withInspection { inspection throws(InspectError) in
            if json {
                foundCount = try export(inspection)
                return
            }
            var options = KeyPage.Options(
                key.bytes,
                now: SystemTime().wallTime.milliseconds
            )
            options.database = db
            options.first = max(0, from)
            options.count = max(0, count)
            let style = TextStyle(isColored: Terminal.isOutput && !Terminal.hasNoColor)
            var page = KeyPage(options, style, to: try Printer())
            try page.show(inspection)
            foundCount = page.foundCount
        }
        if foundCount == 0 {
            Terminal.writeError("larder-inspect: there is no key \(key.text)\n")
            throw ExitCode(1)
        }
    }

    private func export(_ inspection: Inspection) throws(InspectError) -> Int {
        var filter = KeyFilter()
        filter.name = key.bytes
        if let db { filter.databases = [db] }
        var export = JSONExport(try ExportSelection(filter, in: inspection), to: try Printer())
        try inspection.read(into: &export)
        try export.finish()
        return export.keyCount
    }
}

/// A key in the escaped form that reports show.
struct EscapedKey: ExpressibleByArgument {
    var text: String
    var bytes: ByteString

    init?(argument: String) {
        guard let bytes = EscapedText.unescape(argument) else { return nil }
        text = argument
        self.bytes = bytes
    }
}
