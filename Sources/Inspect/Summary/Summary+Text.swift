import Bytes
import RDB

extension Summary {
    /// Appends the summary as people read it.
    package func append(to writer: inout ByteWriter, _ style: TextStyle) {
        for file in files { append(file, to: &writer, style) }
        appendTotals(to: &writer, style)
        appendTables(to: &writer, style)
        appendForecast(to: &writer, style)
        appendLargest(to: &writer, style)
        appendPrefixes(to: &writer, style)
        appendFunctions(to: &writer, style)
        appendDigest(to: &writer, style)
        appendCommands(to: &writer, style)
        appendWarnings(to: &writer, style)
    }

    private func append(_ file: File, to writer: inout ByteWriter, _ style: TextStyle) {
        let producer = Producer(file.auxiliaries)
        var facts: [String] = []
        if let format = file.summary.format { facts.append(format.description) }
        if file.description.isLog { facts.append("append-only log") }
        if let name = producer.name {
            let bits = producer.bits.map { " (\($0) bits)" } ?? ""
            facts.append("written by \(name)\(bits)")
        }
        if let time = producer.creationTime { facts.append("\(Moments.text(time * 1000)) UTC") }
        if file.summary.byteCount > 0 { facts.append(Quantities.bytes(file.summary.byteCount)) }
        if file.description.compression != .none {
            let size = file.description.byteCount.map { ", \(Quantities.bytes($0))" } ?? ""
            facts.append("in \(file.description.compression.rawValue)\(size)")
        }
        if file.summary.format != nil {
            facts.append(file.summary.checksum == nil ? "no checksum" : "checksum right")
        }
        let path = style.bold(EscapedText.escape(ByteString(file.description.path).bytes))
        writer.append(utf8: "\(path)  \(facts.joined(separator: ", "))\n")
    }

    private func appendTotals(to writer: inout ByteWriter, _ style: TextStyle) {
        let total = total
        let expired = forecast.expired.keyCount
        let persistent = forecast.persistent.keyCount
        writer.append(
            utf8: "\n\(style.bold(Quantities.count(total.keyCount))) keys, "
                + "\(Quantities.count(total.keyCount - persistent - expired)) will expire, "
                + "\(Quantities.count(persistent)) never, "
                + "\(Quantities.count(expired)) expired already\n"
                + "\(style.bold(Quantities.bytes(memoryByteCount))) of memory in "
                + "\(memory.target.rawValue) with \(memory.allocator.rawValue)\n"
        )
    }

    private func appendTables(to writer: inout ByteWriter, _ style: TextStyle) {
        var table = TextTable([
            "database", ">keys", ">with deadline", ">expired", ">bytes", ">memory",
        ])
        for database in databases.sorted(by: { $0.number < $1.number }) {
            table.add([
                "\(database.number)",
                Quantities.count(database.amount.keyCount),
                Quantities.count(database.deadlineCount),
                Quantities.count(database.expiredCount),
                Quantities.bytes(database.amount.byteCount),
                Quantities.bytes(database.amount.memory),
            ])
        }
        append(table, "Databases", to: &writer, style)
        table = TextTable([
            "type", "encoding", ">keys", ">elements", ">bytes", ">share", ">memory",
        ])
        for (encoding, amount) in encodingsInUse.sorted(by: { $0.1.byteCount > $1.1.byteCount }) {
            table.add([
                encoding.kind.commandName,
                encoding.name,
                Quantities.count(amount.keyCount),
                encoding.kind == .string ? "" : Quantities.count(amount.elementCount),
                Quantities.bytes(amount.byteCount),
                Quantities.share(amount.byteCount, of: total.byteCount),
                Quantities.bytes(amount.memory),
            ])
        }
        append(table, "Types and encodings", to: &writer, style)
    }

    private func appendForecast(to writer: inout ByteWriter, _ style: TextStyle) {
        append(bands: forecast.deadlines, "Expiring", "when", to: &writer, style)
        append(bands: forecast.idle, "Not asked for", "since", to: &writer, style)
        append(bands: forecast.frequencies, "Asked for (logarithm)", "often", to: &writer, style)
    }

    private func append(
        bands: [Forecast.Band],
        _ title: String,
        _ column: String,
        to writer: inout ByteWriter,
        _ style: TextStyle
    ) {
        let sum = bands.reduce(0) { $0 + $1.amount.keyCount }
        guard sum > 0 else { return }
        var table = TextTable([column, ">keys", ">bytes", ">share", ""])
        for band in bands where band.amount.keyCount > 0 {
            let count = max(1, band.amount.keyCount * 24 / sum)
            table.add([
                band.name,
                Quantities.count(band.amount.keyCount),
                Quantities.bytes(band.amount.byteCount),
                Quantities.share(band.amount.keyCount, of: sum),
                String(repeating: "█", count: count),
            ])
        }
        append(table, title, to: &writer, style)
    }

    private func appendLargest(to writer: inout ByteWriter, _ style: TextStyle) {
        append(LargestKeys.table(largest.sorted), "Biggest keys", to: &writer, style)
    }

    private func appendPrefixes(to writer: inout ByteWriter, _ style: TextStyle) {
        var table = TextTable([">bytes", ">share", ">keys", ">memory", "prefix"])
        for prefix in prefixes.heaviest(10) {
            table.add([
                Quantities.bytes(prefix.byteCount),
                Quantities.share(prefix.byteCount, of: total.byteCount),
                Quantities.count(prefix.keyCount),
                Quantities.bytes(prefix.memory),
                EscapedText.abbreviate(prefix.path.bytes),
            ])
        }
        append(table, "Heaviest prefixes", to: &writer, style)
    }

    private func appendFunctions(to writer: inout ByteWriter, _ style: TextStyle) {
        var table = TextTable([">bytes", "library"])
        for library in functions {
            table.add([
                Quantities.bytes(library.byteCount), EscapedText.abbreviate(library.header.bytes),
            ])
        }
        append(table, "Functions", to: &writer, style)
        table = TextTable(["module type", ">version", ">keys", ">records beside"])
        for (module, use) in modules.sorted(by: { $0.key.bits < $1.key.bits }) {
            table.add([
                module.name, "\(module.version)", Quantities.count(use.keyCount),
                "\(use.auxiliaryCount)",
            ])
        }
        append(table, "Modules", to: &writer, style)
    }

    private func appendDigest(to writer: inout ByteWriter, _ style: TextStyle) {
        guard let digest else { return }
        var table = TextTable(["database", ">keys", "digest"])
        for number in digest.databases.keys.sorted() {
            guard let database = digest.databases[number] else { continue }
            table.add([
                "\(number)", Quantities.count(database.keyCount), database.digest.description,
            ])
        }
        table.add(["all", Quantities.count(total.keyCount), digest.total.description])
        append(table, "Content digest", to: &writer, style)
    }

    private func appendCommands(to writer: inout ByteWriter, _ style: TextStyle) {
        guard commands.total.count > 0 else { return }
        writer.append(
            utf8: "\n\(style.bold("Commands after the base"))  "
                + "\(Quantities.count(commands.total.count)), not applied: "
                + "everything above is of the base alone\n"
        )
        commands.namesTable.append(to: &writer, style)
        let prefixes = commands.prefixesTable
        if prefixes.isEmpty { return }
        writer.append("\n")
        prefixes.append(to: &writer, style)
    }

    private func appendWarnings(to writer: inout ByteWriter, _ style: TextStyle) {
        let warnings = warnings
        guard !warnings.isEmpty else { return }
        writer.append(utf8: "\n\(style.bold("Before you move it"))\n")
        var advised: Set<String> = []
        for warning in warnings {
            writer.append(utf8: "  \(style.yellow("!")) \(warning.text)\n")
            guard let command = warning.command, advised.insert(command).inserted else { continue }
            writer.append(utf8: "    \(style.dim("→ \(command)"))\n")
        }
    }

    private func append(
        _ table: TextTable,
        _ title: String,
        to writer: inout ByteWriter,
        _ style: TextStyle
    ) {
        guard !table.isEmpty else { return }
        writer.append(utf8: "\n\(style.bold(title))\n")
        table.append(to: &writer, style)
    }
}
