import Bytes
import Inspect
import Migrate
import RDB

/// What a load came to, for people and for programs.
enum LoadReport {
    /// A few lines.
    static func text(_ outcome: LoadOutcome) -> String {
        let keys = Quantities.count(outcome.keyCount, "key")
        var lines = ["\(Quantities.count(outcome.loaded)) of \(keys) loaded into \(outcome.server)"]
        func add(_ count: Int, _ one: String, _ many: String) {
            if count > 0 { lines.append("  \(Quantities.count(count)) \(count == 1 ? one : many)") }
        }
        add(outcome.loadedByCommands, "of them as commands", "of them as commands")
        add(
            outcome.doneBefore,
            "key had been dealt with before the interruption",
            "keys had been dealt with before the interruption"
        )
        add(outcome.expired, "key was past its deadline", "keys were past their deadlines")
        add(outcome.functions, "library of functions loaded", "libraries of functions loaded")
        add(outcome.commands, "command of the log done", "commands of the log done")
        add(outcome.commandsLeftOut, "command of the log left out", "commands of the log left out")
        add(
            outcome.skipped,
            "key was there already and stayed as it was",
            "keys were there already and stayed as they were"
        )
        add(
            outcome.functionsLeftOut,
            "library of functions left out",
            "libraries of functions left out"
        )
        for (encoding, count) in outcome.unsupported.sorted(by: {
            $0.key.rawValue < $1.key.rawValue
        }) {
            let why = "left out: the server has no place for \(encoding.name)"
            add(count, "key \(why)", "keys \(why)")
        }
        add(
            outcome.failedCount,
            "key was refused by the server:",
            "keys were refused by the server:"
        )
        for failed in outcome.failed {
            lines.append(
                "    \"\(failed.key)\" of database \(failed.database): \(failed.reason.text)"
            )
        }
        return lines.joined(separator: "\n")
    }

    /// One object.
    static func json(_ outcome: LoadOutcome) -> String {
        let unsupported = outcome.unsupported.sorted { $0.key.rawValue < $1.key.rawValue }
            .map { "\"\($0.key.name)\": \($0.value)" }
        let failed = outcome.failed.map {
            "{\"key\": \(quoted("\($0.key)")), \"database\": \($0.database), "
                + "\"reason\": \(quoted($0.reason.text))}"
        }
        return """
            {"server": \(quoted(outcome.server)), "keys": \(outcome.keyCount), \
            "loaded": \(outcome.loaded), "loaded_by_commands": \(outcome.loadedByCommands), \
            "done_before": \(outcome.doneBefore), "expired": \(outcome.expired), \
            "skipped_existing": \(outcome.skipped), "functions": \(outcome.functions), \
            "functions_left_out": \(outcome.functionsLeftOut), \
            "commands": \(outcome.commands), \
            "commands_left_out": \(outcome.commandsLeftOut), \
            "unsupported": {\(unsupported.joined(separator: ", "))}, \
            "failed": \(outcome.failedCount), "failures": [\(failed.joined(separator: ", "))], \
            "bytes": \(outcome.byteCount)}
            """
    }

    /// A string as JSON spells it.
    static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case _ where scalar.value < 0x20:
                let digits = String(scalar.value, radix: 16)
                quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }
}
