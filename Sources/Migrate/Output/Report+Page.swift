import Bytes
import Inspect
import RDB

/// How a report reads.
package enum ReportTense {
    /// Nothing was done: a plan.
    case plan
    /// It was done.
    case done
}

extension Report {
    /// The report as a page for people.
    package func page(_ tense: ReportTense) -> String {
        var page = Page()
        describeInputs(&page)
        describeKeys(&page)
        for effect in [Effect.undecided, .lost, .converted, .requested, .noted] {
            describe(effect, tense, &page)
        }
        describeOutputs(&page, tense)
        describeNeeds(&page)
        page.line()
        page.line(verdict(tense))
        return page.text
    }

    private func describeInputs(_ page: inout Page) {
        for file in sources.files {
            var words = [file.format?.description ?? "no snapshot"]
            if let version = file.auxiliary["valkey-ver"] {
                words.append("written by Valkey \(version)")
            } else if let version = file.auxiliary["redis-ver"] {
                words.append("written by Redis \(version)")
            }
            words.append("\(Quantities.count(file.byteCount)) bytes")
            if let checksum = file.checksum { words.append("CRC-64 \(checksum.hexadecimal)") }
            page.line("\(file.name): \(words.joined(separator: ", "))")
            if let format = file.format {
                page.line("  \(destination.name) \(welcome(file, format))")
            }
        }
    }

    private func welcome(_ file: SourceFacts.File, _ format: Format) -> String {
        if destination.reads(format) {
            return loadsAsItIs(file) == true
                ? "loads this as it is."
                : "reads \(format), but not all of this as it is: see below."
        }
        return destination.tries(format)
            ? "refuses \(format); with rdb-version-check relaxed it tries, and ends where it knows no more."
            : "refuses \(format)."
    }

    private func describeKeys(_ page: inout Page) {
        page.line()
        page.row("keys", ["read", "as they are", "changed", "left out", "written"])
        var names = keysIn.byName.map(\.name)
        for (name, _) in keysOut.byName where !names.contains(name) { names.append(name) }
        let counts = [keysIn, copied, leftOut, keysOut].map { counts in
            Dictionary(uniqueKeysWithValues: counts.byName.map { ($0.name, $0.count) })
        }
        for name in names { page.row("  \(name)", row(counts.map { $0[name] ?? 0 })) }
        page.row("  all", row([keysIn, copied, leftOut, keysOut].map(\.total)))
    }

    /// Read, copied, left out and written, with what was changed between them.
    private func row(_ counts: [Int]) -> [String] {
        let changed = counts[0] - counts[1] - counts[2]
        return [counts[0], counts[1], changed, counts[2], counts[3]].map { Quantities.count($0) }
    }

    private func describe(_ effect: Effect, _ tense: ReportTense, _ page: inout Page) {
        let found = changes.filter { $0.change.effect == effect }
        guard !found.isEmpty else { return }
        page.line()
        page.line(title(of: effect, tense))
        for (change, tally) in found {
            page.line("  \(sentence(change, tally))")
            if !tally.samples.isEmpty {
                let keys = tally.samples.map { place in
                    let key = "\"\(EscapedText.escape(place.key.bytes))\""
                    return place.database == 0 ? key : "\(key) in database \(place.database)"
                }
                let more = tally.count > tally.samples.count ? ", …" : ""
                page.line("      \(keys.joined(separator: ", "))\(more)")
            }
            for detail in tally.details { page.line("      \(detail)") }
        }
    }

    private func sentence(_ change: Change, _ tally: Ledger.Tally) -> String {
        var text = change.feature.title
        if !change.subject.isEmpty { text += " (\(change.subject))" }
        text += ": \(Quantities.count(tally.count))"
        if tally.partCount > tally.count {
            text += ", with \(Quantities.count(tally.partCount)) \(change.feature.partName)"
        }
        text += "; \(change.meaning)."
        let isDecided = change.feature == .damage && change.effect == .lost
        guard [.lost, .undecided].contains(change.effect), !isDecided,
            let option = change.feature.option
        else { return text }
        return text + " \(option) decides."
    }

    private func title(of effect: Effect, _ tense: ReportTense) -> String {
        switch (effect, tense) {
        case (.undecided, _): "Needs a decision"
        case (.lost, .plan): "Would be lost"
        case (.lost, .done): "Lost"
        case (.converted, .plan): "Would be converted, without loss"
        case (.converted, .done): "Converted, without loss"
        case (.requested, _): "As asked"
        case (.noted, _): "Of no consequence"
        }
    }

    private func describeOutputs(_ page: inout Page, _ tense: ReportTense) {
        page.line()
        for file in files {
            var words = [file.format.description, "\(Quantities.count(file.keyCount)) keys"]
            words.append("\(Quantities.count(file.byteCount)) bytes")
            if let slots = file.slots {
                words.append("slots \(slots.lowerBound) to \(slots.upperBound)")
            }
            if let database = file.highestDatabase { words.append("highest database \(database)") }
            if tense == .done { words.append("CRC-64 \(file.checksum.hexadecimal)") }
            page.line("\(file.name): \(words.joined(separator: ", "))")
        }
        if let log {
            page.line(
                "\(log.name): \(Quantities.count(log.writtenCount)) commands of \(Quantities.count(log.readCount)), "
                    + "\(Quantities.count(log.byteCount)) bytes"
            )
        }
    }

    private func describeNeeds(_ page: inout Page) {
        if !settings.isEmpty {
            page.line("\(destination.name) needs: \(settings.joined(separator: ", "))")
        }
        if !modules.isEmpty {
            let names = modules.map { name in
                // Only by Valkey's own account: it takes the values of this one.
                destination.family == .valkey && name == "ReJSON-RL"
                    ? "\(name) (valkey-json)" : name
            }
            page.line("\(destination.name) needs modules for: \(names.joined(separator: ", "))")
        }
        if let memory {
            page.line(
                "\(destination.name) would take about \(Quantities.count(memory)) bytes of memory for it."
            )
        }
        if let memory = sources.usedMemory {
            page.line(
                "The source took \(Quantities.count(memory)) bytes of memory, by its own account."
            )
        }
    }

    private func verdict(_ tense: ReportTense) -> String {
        let lead: String
        if isUndecided {
            lead = "The run stops until that is decided."
        } else if isLossless {
            lead = tense == .plan ? "Nothing would be lost." : "Nothing was lost."
        } else {
            lead = tense == .plan ? "All else would go over." : "All else went over."
        }
        guard tense == .done else { return lead }
        return "\(lead) \(hundredths(seconds)) seconds, larder-migrate \(Product.version)."
    }

    private func hundredths(_ number: Double) -> String {
        let value = Int((number * 100).rounded())
        let rest = value % 100
        return "\(value / 100).\(rest < 10 ? "0" : "")\(rest)"
    }
}

/// Lines of text.
private struct Page {
    private(set) var text = ""

    mutating func line(_ line: String = "") {
        text += line + "\n"
    }

    /// A name, and columns aligned to the right.
    mutating func row(_ name: String, _ columns: [String]) {
        var line = name + String(repeating: " ", count: max(1, 14 - name.count))
        for column in columns {
            line += String(repeating: " ", count: max(1, 13 - column.count)) + column
        }
        self.line(line)
    }
}
