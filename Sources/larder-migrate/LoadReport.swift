import Bytes
import Inspect
import Migrate
import RDB

/// What a load came to, for people and for programs.
enum LoadReport {
    /// A few lines.
    fileprivate static func text(_ outcome: LoadOutcome) -> String {
        let keys = Quantities.count(outcome.keyCount, "key")
        var counts = CountLines()
        counts.add(outcome.loadedByCommands, "of them as commands", "of them as commands")
        counts.add(
            outcome.doneBefore,
            "key had been dealt with before the interruption",
            "keys had been dealt with before the interruption"
        )
        counts.add(outcome.expired, "key was past its deadline", "keys were past their deadlines")
        counts.add(
            outcome.functions,
            "library of functions loaded",
            "libraries of functions loaded"
        )
        counts.add(outcome.commands, "command of the log done", "commands of the log done")
        counts.add(
            outcome.commandsLeftOut,
            "command of the log left out",
            "commands of the log left out"
        )
        counts.add(
            outcome.skipped,
            "key was there already and stayed as it was",
            "keys were there already and stayed as they were"
        )
        counts.add(
            outcome.functionsLeftOut,
            "library of functions left out",
            "libraries of functions left out"
        )
        for (encoding, count) in outcome.unsupported.sorted(by: {
            $0.key.rawValue < $1.key.rawValue
        }) {
            let why = "left out: the server has no place for \(encoding.name)"
            counts.add(count, "key \(why)", "keys \(why)")
        }
        counts.add(
            outcome.failedCount,
            "key was refused by the server:",
            "keys were refused by the server:"
        )
        let failures = outcome.failed.map {
            "    \"\($0.key)\" of database \($0.database): \($0.reason.text)\n"
        }
        return "\(Quantities.count(outcome.loaded)) of \(keys) loaded into \(outcome.server)\n"
            + counts.text + failures.joined()
    }

    /// One object.
    fileprivate static func json(_ outcome: LoadOutcome) -> JSON {
        let unsupported = outcome.unsupported.sorted { $0.key.rawValue < $1.key.rawValue }
        let failures = outcome.failed.map { failed in
            JSON.object([
                ("key", .bytes(failed.key)), ("database", .optional(failed.database)),
                ("reason", .bytes(failed.reason)),
            ])
        }
        return .object([
            ("server", .text(outcome.server)), ("keys", .count(outcome.keyCount)),
            ("loaded", .count(outcome.loaded)),
            ("loaded_by_commands", .count(outcome.loadedByCommands)),
            ("done_before", .count(outcome.doneBefore)), ("expired", .count(outcome.expired)),
            ("skipped_existing", .count(outcome.skipped)),
            ("functions", .count(outcome.functions)),
            ("functions_left_out", .count(outcome.functionsLeftOut)),
            ("commands", .count(outcome.commands)),
            ("commands_left_out", .count(outcome.commandsLeftOut)),
            ("unsupported", .object(unsupported.map { ($0.key.name, .count($0.value)) })),
            ("failed", .count(outcome.failedCount)), ("failures", .array(failures)),
            ("bytes", .count(outcome.byteCount)),
        ])
    }
}

extension ByteWriter {
    /// Appends what a load came to.
    mutating func append(_ outcome: LoadOutcome, isJSON: Bool) {
        guard isJSON else { return append(utf8: LoadReport.text(outcome)) }
        append(LoadReport.json(outcome))
        append("\n")
    }
}
