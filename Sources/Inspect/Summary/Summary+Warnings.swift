import AppendLog
import Bytes
import RDB

/// Something that a person should know before the data set moves on.
package struct Warning: Equatable, Sendable {
    /// What it is about.
    package var text: String
    /// What to run next; nil if nothing helps.
    package var command: String?
}

extension Summary {
    /// What matters for a migration, the most important first.
    package var warnings: [Warning] {
        versionWarnings + valueWarnings + rest
    }

    private var names: String {
        files.map(\.description.path).map { $0.contains(" ") ? "'\($0)'" : $0 }
            .joined(separator: " ")
    }

    private var plan: String { "larder-migrate plan \(names) --to valkey-9.1" }

    private var versionWarnings: [Warning] {
        guard let format = files.compactMap(\.summary.format).max(by: { $0.version < $1.version })
        else { return [] }
        if format.dialect == .redis, format.version >= 12 {
            return [
                Warning(
                    text: "Valkey refuses files of RDB version \(format.version) as they are.",
                    command: plan
                )
            ]
        }
        if format.dialect == .valkey {
            return [
                Warning(
                    text: "Redis, and Valkey before 9.0, refuse \(format) files.",
                    command: "larder-migrate plan \(names) --to valkey-8.1"
                )
            ]
        }
        return []
    }

    private var valueWarnings: [Warning] {
        var found: [Warning] = []
        func keys(_ encodings: Encoding...) -> Int {
            encodings.reduce(0) { $0 + self.encodings[Int($1.rawValue)].keyCount }
        }
        if fieldDeadlineCount > 0 {
            let count = Quantities.count(fieldDeadlineCount, "hash field")
            found.append(
                Warning(
                    text: "\(count) with a deadline: Valkey from 9.0 and Redis from 7.4 "
                        + "keep them, each in a form of its own.",
                    command: plan
                )
            )
        }
        for (module, use) in modules.sorted(by: { $0.key.bits < $1.key.bits }) {
            found.append(
                Warning(
                    text: "Data of the module type \(module): "
                        + "\(Quantities.count(use.keyCount, "key")), "
                        + "\(Quantities.count(use.auxiliaryCount, "record")) beside them. A server without the module "
                        + "does not load the file.",
                    command: plan
                )
            )
        }
        let newStreams = keys(.stream4, .stream5)
        if newStreams > 0 {
            found.append(
                Warning(
                    text: "\(Quantities.count(newStreams, "stream")) in a form that only Redis 8.6 "
                        + "and later read.",
                    command: plan
                )
            )
        }
        if features.hashTemplateCount > 0 {
            found.append(
                Warning(
                    text: "Hashes share field names, which only Redis 8.10 reads.",
                    command: plan
                )
            )
        }
        if features.metadataKeyCount > 0 {
            let count = Quantities.count(features.metadataKeyCount, "key")
            found.append(
                Warning(text: "Modules attached data to \(count).", command: plan)
            )
        }
        return found
    }

    private var rest: [Warning] {
        var found: [Warning] = []
        if let highest = databases.map(\.number).max(), highest > 15 {
            found.append(
                Warning(text: "Database \(highest) is used: set `databases \(highest + 1)`.")
            )
        }
        let engines = functions.filter { !$0.header.text.hasPrefix("#!lua") }
        if !engines.isEmpty {
            found.append(
                Warning(text: "\(engines.count) libraries of functions are not in Lua.")
            )
        }
        if features.hasSlotSizes {
            found.append(
                Warning(
                    text: "The file has sizes of cluster slots, at which Valkey 8 stops.",
                    command: plan
                )
            )
        }
        if features.unfinishedSlotImports > 0 {
            found.append(
                Warning(text: "Slots were being imported: some of their keys may be missing.")
            )
        }
        if forecast.expired.keyCount > 0 {
            let count = Quantities.count(forecast.expired.keyCount)
            found.append(
                Warning(text: "\(count) keys have expired; a server drops them on loading.")
            )
        }
        return found + fileWarnings
    }

    private var fileWarnings: [Warning] {
        files.flatMap { file -> [Warning] in
            var found: [Warning] = []
            let path = file.description.path
            if file.summary.format?.version ?? 0 >= 5, file.summary.checksum == nil {
                found.append(
                    Warning(text: "\(path) has no checksum: changed bytes would go unnoticed.")
                )
            }
            if file.summary.hasTrailingBytes {
                found.append(Warning(text: "\(path) goes on after its end with other bytes."))
            }
            if file.commandByteCount > 0 {
                found.append(
                    Warning(
                        text: "\(Quantities.bytes(file.commandByteCount)) of commands follow the "
                            + "base; what they change is not in these figures.",
                        command: "larder-inspect log \(path)"
                    )
                )
            }
            if let tail = file.summary.log?.tornTail {
                found.append(Warning(text: "The end of the log is torn: \(tail)."))
            }
            return found
        }
    }
}
