import Bytes
import Inspect
import RDB

extension Report {
    /// The report as members of a JSON object.
    package var members: [(String, JSON)] {
        [
            ("tool", .text("larder-migrate")),
            ("version", .text("\(Product.version)")),
            ("target", .text(destination.name)),
            ("lossless", .bool(isLossless)),
            ("undecided", .bool(isUndecided)),
            ("inputs", .array(sources.files.map(json))),
            ("outputs", .array(files.map(json))),
            (
                "keys",
                .object([
                    ("read", json(keysIn)), ("copied", json(copied)),
                    ("left_out", json(leftOut)), ("written", json(keysOut)),
                ])
            ),
            ("log", log.map(json) ?? .null),
            ("changes", .array(changes.map { json($0.change, $0.tally) })),
            (
                "needs",
                .object([
                    ("settings", .array(settings.map { .text($0) })),
                    ("modules", .array(modules.map { .text($0) })),
                    ("memory", .optional(memory)),
                    ("memory_of_source", .optional(sources.usedMemory)),
                ])
            ),
            ("began", .int(began)),
            ("seconds", .double(seconds)),
        ]
    }

    private func json(_ file: SourceFacts.File) -> JSON {
        .object([
            ("name", .bytes(ByteString(file.name))),
            ("format", file.format.map { .text($0.description) } ?? .null),
            ("loads_as_it_is", loadsAsItIs(file).map { .bool($0) } ?? .null),
            ("bytes", .count(file.byteCount)),
            ("checksum", file.checksum.map { .text($0.hexadecimal) } ?? .null),
            ("highest_database", .optional(file.highestDatabase)),
            (
                "facts",
                .object(file.auxiliary.sorted { $0.key < $1.key }.map { ($0.key, .text($0.value)) })
            ),
        ])
    }

    private func json(_ file: OutputFacts) -> JSON {
        .object([
            ("name", .bytes(ByteString(file.name))),
            ("format", .text(file.format.description)),
            ("bytes", .count(file.byteCount)),
            ("checksum", .text(file.checksum.hexadecimal)),
            ("keys", .count(file.keyCount)),
            ("slots", file.slots.map { .text("\($0.lowerBound)-\($0.upperBound)") } ?? .null),
            ("highest_database", .optional(file.highestDatabase)),
        ])
    }

    private func json(_ log: LogFacts) -> JSON {
        .object([
            ("name", .bytes(ByteString(log.name))),
            ("bytes", .count(log.byteCount)),
            ("commands_read", .count(log.readCount)),
            ("commands_written", .count(log.writtenCount)),
        ])
    }

    private func json(_ counts: KeyCounts) -> JSON {
        .object(
            [("total", .count(counts.total))] + counts.byName.map { ($0.name, .count($0.count)) }
        )
    }

    private func json(_ change: Change, _ tally: Ledger.Tally) -> JSON {
        .object([
            ("feature", .text(change.feature.rawValue)),
            ("effect", .text(change.effect.rawValue)),
            ("rule", .text(change.rule)),
            ("subject", .text(change.subject)),
            ("option", change.feature.option.map { .text($0) } ?? .null),
            ("count", .count(tally.count)),
            ("parts", .count(tally.partCount)),
            (
                "samples",
                .array(
                    tally.samples.map { place in
                        .object([
                            ("db", .int(Int64(clamping: place.database))),
                            ("key", .bytes(place.key)),
                        ])
                    }
                )
            ),
            ("details", .array(tally.details.map { .text($0) })),
        ])
    }
}
