import Bytes
import RDB

extension Summary {
    /// Everything that was found, as JSON.
    package var json: JSON {
        var members: [(String, JSON)] = [
            ("files", .array(files.map(\.json))),
            ("keys", .count(total.keyCount)),
            ("elements", .count(total.elementCount)),
            ("bytes", .count(total.byteCount)),
            ("memory", memoryJSON),
            ("databases", .array(databases.map(databaseJSON))),
            ("types", .array(types.map(json))),
            ("encodings", .array(encodingsInUse.map(json))),
            ("field_deadlines", .count(fieldDeadlineCount)),
            ("forecast", forecast.json),
            ("largest", .array(largest.sorted.map(\.json))),
            ("prefixes", .array(prefixes.heaviest(10).map(\.json))),
            ("functions", .array(functions.map(\.json))),
            ("modules", .array(modulesJSON)),
            ("warnings", .array(warnings.map(\.json))),
        ]
        if commands.total.count > 0 { members.append(("commands", commandsJSON)) }
        if let digest { members.append(("digest", digest.json)) }
        return .object(members)
    }

    /// Counts by kind of value, those that occur.
    package var types: [(ValueKind, Amount)] {
        ValueKind.allCases.compactMap { kind in
            var sum = Amount()
            for encoding in Encoding.allCases where encoding.kind == kind {
                let amount = encodings[Int(encoding.rawValue)]
                sum.keyCount += amount.keyCount
                sum.elementCount += amount.elementCount
                sum.byteCount += amount.byteCount
                sum.memory += amount.memory
            }
            return sum.keyCount > 0 ? (kind, sum) : nil
        }
    }

    /// Counts by encoding, those that occur.
    package var encodingsInUse: [(Encoding, Amount)] {
        Encoding.allCases.compactMap { encoding in
            let amount = encodings[Int(encoding.rawValue)]
            return amount.keyCount > 0 ? (encoding, amount) : nil
        }
    }

    private var memoryJSON: JSON {
        .object([
            ("target", .text(memory.target.rawValue)),
            ("allocator", .text(memory.allocator.rawValue)),
            ("bytes", .count(memoryByteCount)),
        ])
    }

    private func databaseJSON(_ database: Database) -> JSON {
        .object([
            ("db", .optional(database.number)),
            ("keys", .count(database.amount.keyCount)),
            ("with_deadline", .count(database.deadlineCount)),
            ("expired", .count(database.expiredCount)),
            ("elements", .count(database.amount.elementCount)),
            ("bytes", .count(database.amount.byteCount)),
            ("memory", .count(database.amount.memory)),
        ])
    }

    private func json(_ type: (ValueKind, Amount)) -> JSON {
        .object([("type", .text(type.0.commandName))] + members(type.1))
    }

    private func json(_ encoding: (Encoding, Amount)) -> JSON {
        .object(
            [
                ("encoding", .text(encoding.0.name)),
                ("type", .text(encoding.0.kind.commandName)),
            ] + members(encoding.1)
        )
    }

    private func members(_ amount: Amount) -> [(String, JSON)] {
        [
            ("keys", .count(amount.keyCount)),
            ("elements", .count(amount.elementCount)),
            ("bytes", .count(amount.byteCount)),
            ("memory", .count(amount.memory)),
        ]
    }

    private var commandsJSON: JSON {
        .object([
            ("count", .count(commands.total.count)),
            ("bytes", .count(commands.total.byteCount)),
            ("applied", .bool(false)),
            ("names", commands.namesJSON),
            ("prefixes", commands.prefixesJSON),
        ])
    }

    private var modulesJSON: [JSON] {
        modules.sorted { $0.key.bits < $1.key.bits }.map { module, use in
            .object([
                ("name", .text(module.name)),
                ("version", .count(module.version)),
                ("keys", .count(use.keyCount)),
                ("auxiliary", .count(use.auxiliaryCount)),
            ])
        }
    }
}

extension Summary.File {
    fileprivate var json: JSON {
        let producer = Producer(auxiliaries)
        return .object([
            ("path", .text(description.path)),
            ("compression", .text(description.compression.rawValue)),
            ("size", .optional(description.byteCount)),
            ("format", summary.format.map { .text($0.description) } ?? .null),
            ("rdb_bytes", .count(summary.byteCount)),
            ("checksum", summary.checksum.map { .text(hexadecimal($0)) } ?? .null),
            ("producer", producer.name.map { .text($0) } ?? .null),
            ("created", .optional(producer.creationTime)),
            ("used_memory", .optional(producer.usedMemory)),
            (
                "aux",
                .array(auxiliaries.map { .array([.bytes($0.name), .bytes($0.value)]) })
            ),
            ("command_bytes", .count(commandByteCount)),
        ])
    }
}

extension Summary.FunctionLibrary {
    fileprivate var json: JSON {
        .object([("header", .bytes(header)), ("bytes", .count(byteCount))])
    }
}

extension Warning {
    fileprivate var json: JSON {
        .object([("text", .text(text)), ("command", command.map { .text($0) } ?? .null)])
    }
}

extension PrefixAmount {
    var json: JSON {
        .object([
            ("prefix", .bytes(path)),
            ("keys", .count(keyCount)),
            ("bytes", .count(byteCount)),
            ("memory", .count(memory)),
        ])
    }
}

extension Forecast {
    /// The bands as JSON.
    package var json: JSON {
        .object([
            ("now", .int(now)),
            ("persistent", persistent.json),
            ("deadlines", .array(deadlines.map(\.json))),
            ("idle", .array(idle.map(\.json))),
            ("frequency", .array(frequencies.map(\.json))),
        ])
    }
}

extension Forecast.Amount {
    fileprivate var json: JSON {
        .object([("keys", .count(keyCount)), ("bytes", .count(byteCount))])
    }
}

extension Forecast.Band {
    fileprivate var json: JSON {
        .object([
            ("band", .text(name)),
            ("keys", .count(amount.keyCount)),
            ("bytes", .count(amount.byteCount)),
        ])
    }
}

extension ContentDigest {
    /// The digests as JSON.
    package var json: JSON {
        let numbers = databases.keys.sorted()
        return .object([
            ("total", .text(total.description)),
            (
                "databases",
                .array(
                    numbers.map { number in
                        let database = databases[number] ?? Database()
                        return .object([
                            ("db", .optional(number)),
                            ("keys", .count(database.keyCount)),
                            ("digest", .text(database.digest.description)),
                        ])
                    }
                )
            ),
        ])
    }
}
