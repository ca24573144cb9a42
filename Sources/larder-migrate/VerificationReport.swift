import Bytes
import Inspect
import Migrate

/// Differences and summaries, for people or for programs.
struct VerificationReport {
    let isJSON: Bool

    /// A difference as a line.
    func line(_ difference: VerificationDifference) -> String {
        let name = "db \(difference.database) \"\(EscapedText.escape(difference.key.bytes))\""
        return "\(name): " + difference.aspects.map(words).joined(separator: "; ")
    }

    private func words(_ aspect: VerificationDifference.Aspect) -> String {
        switch aspect {
        case .missing(in: .first, let kind): "only in the second (\(kind.commandName))"
        case .missing(in: .second, let kind): "only in the first (\(kind.commandName))"
        case .kind(let one, let other): "\(one.commandName) | \(other.commandName)"
        case .value(let kind, let text): text ?? "the \(kind.commandName)s differ"
        case .deadline(let one, let other): "expires \(moment(one)) | \(moment(other))"
        }
    }

    private func moment(_ deadline: Int64?) -> String { deadline.map { "at \($0)" } ?? "never" }

    /// A difference as an object.
    func object(_ difference: VerificationDifference) -> JSON {
        .object([
            ("database", .count(difference.database)), ("key", .bytes(difference.key)),
            ("differs", .array(difference.aspects.map(object))),
        ])
    }

    private func object(_ aspect: VerificationDifference.Aspect) -> JSON {
        switch aspect {
        case .missing(let side, let kind):
            .object([
                ("what", .text(side == .first ? "missing-in-first" : "missing-in-second")),
                ("type", .text(kind.commandName)),
            ])
        case .kind(let one, let other):
            .object([
                ("what", .text("type")), ("first", .text(one.commandName)),
                ("second", .text(other.commandName)),
            ])
        case .value(let kind, let text):
            .object([
                ("what", .text("value")), ("type", .text(kind.commandName)),
                ("where", text.map { .text($0) } ?? .null),
            ])
        case .deadline(let one, let other):
            .object([
                ("what", .text("deadline")), ("first", .optional(one)),
                ("second", .optional(other)),
            ])
        }
    }

    /// A summary in a few lines.
    func text(_ summary: VerificationSummary) -> String {
        let first = Quantities.count(summary.firstCount, "key")
        var counts = CountLines()
        counts.add(summary.missingInFirst, "key only in the second", "keys only in the second")
        counts.add(summary.missingInSecond, "key only in the first", "keys only in the first")
        counts.add(summary.differentKinds, "key of another type", "keys of other types")
        counts.add(summary.differentValues, "key with another value", "keys with other values")
        counts.add(
            summary.differentDeadlines,
            "key with another deadline",
            "keys with other deadlines"
        )
        counts.add(
            summary.functionsMissingInFirst,
            "library of functions only in the second",
            "libraries of functions only in the second"
        )
        counts.add(
            summary.functionsMissingInSecond,
            "library of functions only in the first",
            "libraries of functions only in the first"
        )
        counts.add(
            summary.declared,
            "differs as the report of the conversion declares",
            "differ as the report of the conversion declares"
        )
        counts.add(summary.leftOut, "key was not asked for", "keys were not asked for")
        counts.add(summary.expired, "key has expired", "keys have expired")
        counts.add(summary.changedMeanwhile, "key changed meanwhile", "keys changed meanwhile")
        return """
            \(first) in the first, \(Quantities.count(summary.secondCount)) in the second, \
            \(Quantities.count(summary.equal)) the same
            \(counts.text)
            """
    }

    /// The counts of a summary under the names that JSON has for them.
    static func counts(_ summary: VerificationSummary) -> [(String, Int)] {
        [
            ("keys_first", summary.firstCount), ("keys_second", summary.secondCount),
            ("equal", summary.equal), ("missing_in_first", summary.missingInFirst),
            ("missing_in_second", summary.missingInSecond),
            ("different_types", summary.differentKinds),
            ("different_values", summary.differentValues),
            ("different_deadlines", summary.differentDeadlines),
            ("libraries_missing_in_first", summary.functionsMissingInFirst),
            ("libraries_missing_in_second", summary.functionsMissingInSecond),
            ("declared", summary.declared), ("not_asked_for", summary.leftOut),
            ("expired", summary.expired),
            ("changed_meanwhile", summary.changedMeanwhile),
        ]
    }
}

extension ByteWriter {
    /// Appends a difference.
    mutating func append(_ report: VerificationReport, _ difference: VerificationDifference) {
        if report.isJSON {
            append(report.object(difference))
        } else {
            append(utf8: report.line(difference))
        }
        append("\n")
    }

    /// Appends the summary.
    mutating func append(_ report: VerificationReport, _ summary: VerificationSummary) {
        guard report.isJSON else { return append(utf8: report.text(summary)) }
        let counts = VerificationReport.counts(summary).map { ($0.0, JSON.count($0.1)) }
        append(.object([("summary", .object(counts))]))
        append("\n")
    }
}
