import Bytes
import Platform

/// Prints the changes between two data sets as they are found, and then what they come to.
package struct DiffReport: ~Copyable {
    /// How it is printed.
    package struct Options: Sendable {
        package var diff = DataSetDiff.Options()
        /// How many changed keys are listed.
        package var limit = 100
        package var isJSON = false
        package var style = TextStyle(isColored: false)

        /// As text.
        package init() {}
    }

    private let options: Options
    private var printer: Printer
    private var listed = 0

    private static let prefixCount = 20

    /// Prints to `printer`.
    package init(_ options: Options, to printer: consuming Printer) {
        self.options = options
        self.printer = printer
    }

    /// Compares and prints; returns how many keys differ.
    package mutating func run(
        before: Inspection,
        after: Inspection
    ) throws(InspectError) -> Int {
        var diff = DataSetDiff(options.diff)
        try diff.read(before, isBefore: true)
        try diff.read(after, isBefore: false)
        if options.isJSON { printer.buffer.append("{\"changes\":[") }
        try diff.finish { change throws(SystemError) in try list(change) }
        if options.isJSON {
            printer.buffer.append("\n],\"summary\":")
            printer.buffer.append(Self.json(diff))
            printer.buffer.append("}\n")
        } else {
            appendSummary(diff)
        }
        try printer.finish()
        return diff.tally.changeCount
    }

    private mutating func list(_ change: KeyChange) throws(SystemError) {
        guard listed < options.limit else { return }
        if options.isJSON {
            printer.buffer.append(listed == 0 ? "\n" : ",\n")
            printer.buffer.append(change.json)
        } else {
            change.writeLine(to: &printer.buffer, options.style)
        }
        listed += 1
        try printer.writeIfFull()
    }

    private mutating func appendSummary(_ diff: borrowing DataSetDiff) {
        let style = options.style
        let changes = diff.tally.changeCount
        if changes > listed, listed > 0 {
            printer.buffer.append(utf8: "… and \(Quantities.count(changes - listed)) more\n")
        }
        if changes > 0 { printer.buffer.append("\n") }
        let total =
            "\(Quantities.count(diff.keyCounts.before)) keys before, "
            + "\(Quantities.count(diff.keyCounts.after)) after, "
            + "\(Quantities.count(diff.tally.sameCount)) the same"
        printer.buffer.append(utf8: style.bold("Keys") + "  \(total)\n")
        var table = TextTable([">keys", "change"])
        for kind in KeyChange.Kind.allCases {
            let name = kind == .added || kind == .removed ? kind.rawValue : "other \(kind.rawValue)"
            table.add([Quantities.count(diff.tally.counts[kind] ?? 0), name])
        }
        table.append(to: &printer.buffer, style)
        appendPrefixes(diff)
        if diff.commandByteCount > 0 {
            let bytes = Quantities.bytes(diff.commandByteCount)
            printer.buffer.append(utf8: "\n\(bytes) of commands after the base are not compared\n")
        }
    }

    private mutating func appendPrefixes(_ diff: borrowing DataSetDiff) {
        let prefixes = diff.tally.prefixes(limit: Self.prefixCount)
        if prefixes.isEmpty { return }
        printer.buffer.append(utf8: "\n" + options.style.bold("Prefixes") + "\n")
        let kinds = KeyChange.Kind.allCases
        var table = TextTable(kinds.map { ">\($0.rawValue)" } + ["prefix"])
        for (path, counts) in prefixes {
            let cells = kinds.map { Quantities.count(counts[$0] ?? 0) }
            table.add(cells + [EscapedText.escape(path.bytes)])
        }
        table.append(to: &printer.buffer, options.style)
    }

    private static func json(_ diff: borrowing DataSetDiff) -> JSON {
        .object([
            ("before", .count(diff.keyCounts.before)),
            ("after", .count(diff.keyCounts.after)),
            ("same", .count(diff.tally.sameCount)),
            ("changes", json(diff.tally.counts)),
            ("commandBytesNotCompared", .count(diff.commandByteCount)),
            (
                "prefixes",
                .array(
                    diff.tally.prefixes(limit: prefixCount).map { path, counts in
                        .object([("prefix", .bytes(path)), ("changes", json(counts))])
                    }
                )
            ),
        ])
    }

    private static func json(_ counts: [KeyChange.Kind: Int]) -> JSON {
        .object(KeyChange.Kind.allCases.map { ($0.rawValue, .count(counts[$0] ?? 0)) })
    }
}
