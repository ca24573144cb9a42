import AppendLog
import Bytes
import Platform
import RDB

/// What is wrong with each file of a data set, or that nothing is.
package struct CheckReport {
    /// The files, in the order given.
    package private(set) var files: [File] = []

    /// A file.
    package struct File {
        package var path: String
        /// The first fault; nil if there is none.
        package var fault: InspectError?
        package var counts: CheckCounts
        /// What is known at the end of a sound file.
        package var summary: FileSummary?
        /// What was saved of a damaged file.
        package var salvage: SalvageReport?
    }

    /// Checks every file of `inspection`, also those after a damaged one.
    ///
    /// What can be read of a damaged file is written to `salvagePath`, if that is given.
    package init(
        _ inspection: Inspection,
        salvagePath: String? = nil
    ) throws(InspectError) {
        for path in inspection.paths {
            var one = inspection
            one.paths = [path]
            one.options.validation = .containers
            var consumer = CheckConsumer()
            var file = File(path: path, fault: nil, counts: consumer.counts)
            do {
                try one.read(into: &consumer)
                file.summary = consumer.files.last
            } catch {
                guard error.isDamage else { throw error }
                file.fault = error.namingKey()
            }
            file.counts = consumer.counts
            if file.fault != nil, let salvagePath {
                file.salvage = try Self.salvage(path, salvagePath, inspection.progress)
            }
            files.append(file)
        }
    }

    /// Saves what can be; nil if not even the format of the file can be read.
    private static func salvage(
        _ path: String,
        _ output: String,
        _ progress: Progress?
    ) throws(InspectError) -> SalvageReport? {
        do {
            return try Salvage.save(path, to: output, progress)
        } catch {
            if error.isDamage { return nil }
            throw error
        }
    }

    /// Whether nothing is wrong.
    package var isSound: Bool { files.allSatisfy { $0.fault == nil } }
}

extension InspectError {
    /// Whether the content is at fault, not the system or the user.
    package var isDamage: Bool {
        switch problem {
        case .rdb, .log, .compression: true
        case .system, .unknown, .missing: false
        }
    }
}

extension InspectError {
    /// The error with the name of the key that is there twice, which only its record has.
    fileprivate func namingKey() -> InspectError {
        guard case .rdb(let error) = problem, error.code == .duplicate, error.key == nil,
            path != "-", let key = try? KeyName.read(path, at: error.offset)
        else { return self }
        let name = EscapedText.abbreviate(key.bytes)
        let detail = "the key \(name) came before in this database"
        return InspectError(path, .rdb(RDBError(.duplicate, at: error.offset, detail)))
    }
}

// As JSON and as text.

extension CheckReport {
    /// The report as JSON.
    package var json: JSON {
        .object([("sound", .bool(isSound)), ("files", .array(files.map(\.json)))])
    }

    /// Appends the report as people read it.
    package func append(to writer: inout ByteWriter, _ style: TextStyle) {
        for file in files { file.append(to: &writer, style) }
    }
}

extension CheckReport.File {
    fileprivate var json: JSON {
        var members: [(String, JSON)] = [
            ("path", .text(path)),
            ("sound", .bool(fault == nil)),
            ("keys", .count(counts.keyCount)),
            ("stated_keys", .count(counts.statedKeyCount)),
            ("records", .count(counts.otherCount)),
            ("bytes", .count(counts.byteCount)),
            ("command_bytes", .count(counts.requestByteCount)),
        ]
        if let summary {
            members.append(("format", summary.format.map { .text($0.description) } ?? .null))
            members.append(("checksum", summary.checksum.map { .text(hexadecimal($0)) } ?? .null))
            members.append(("trailing_bytes", .bool(summary.hasTrailingBytes)))
            let torn = summary.log?.tornTail
            members.append(("torn_tail", torn.map { .text($0.description) } ?? .null))
        }
        if let fault { members.append(("fault", fault.json)) }
        if let salvage { members.append(("salvage", salvage.json)) }
        return .object(members)
    }

    fileprivate func append(to writer: inout ByteWriter, _ style: TextStyle) {
        let name = style.bold(path)
        guard let fault else {
            writer.append(utf8: "\(name): \(style.green("sound"))\(facts)\n")
            if let tail = summary?.log?.tornTail {
                writer.append(utf8: "  \(style.yellow("!")) the end of the log is torn: \(tail)\n")
            }
            if summary?.hasTrailingBytes ?? false {
                writer.append(utf8: "  \(style.yellow("!")) other bytes follow the end\n")
            }
            return
        }
        writer.append(utf8: "\(name): \(style.red("damaged"))\n")
        for line in fault.lines { writer.append(utf8: "  \(line)\n") }
        let before = "sound before it: \(Quantities.count(counts.keyCount, "key"))"
        let stated =
            counts.statedKeyCount > 0
            ? ", of \(Quantities.count(counts.statedKeyCount)) that the file says it has" : ""
        writer.append(utf8: "  \(before)\(stated)\n")
        if let salvage {
            salvage.append(to: &writer, style)
        } else if fault.leavesRecords(after: counts) {
            let command = "larder-inspect check --salvage saved.rdb \(path)"
            writer.append(utf8: "  \(style.dim("→ \(command)"))\n")
        }
    }

    private var facts: String {
        var facts: [String] = []
        if let format = summary?.format {
            facts.append(format.description)
            let checksum = summary?.checksum.map { "checksum \(hexadecimal($0))" }
            facts.append(checksum ?? "no checksum")
            facts.append(Quantities.count(counts.keyCount, "key"))
            facts.append(Quantities.bytes(counts.byteCount))
        }
        if counts.requestByteCount > 0 {
            facts.append("\(Quantities.bytes(counts.requestByteCount)) of commands")
        }
        return facts.isEmpty ? "" : ", " + facts.joined(separator: ", ")
    }
}

extension InspectError {
    /// The fault as JSON.
    package var json: JSON {
        var members: [(String, JSON)] = []
        switch problem {
        case .rdb(let error):
            members = [
                ("code", .text(error.code.rawValue)),
                ("offset", .count(error.offset)),
                ("record_offset", .optional(error.recordOffset)),
                ("key", error.key.map { .bytes($0) } ?? .null),
                ("detail", .text(error.detail)),
            ]
        case .compression(let offset, let text):
            members = [
                ("code", .text("invalidCompression")),
                ("offset", .count(offset)),
                ("detail", .text(text)),
            ]
        case .log(let error):
            members = [("code", .text("damagedLog")), ("detail", .text(error.description))]
        case .system, .unknown, .missing:
            members = [("code", .text("failed")), ("detail", .text(description))]
        }
        return .object([("path", .text(path))] + members)
    }

    /// Whether there may be something before the fault, or after it, that can be saved.
    fileprivate func leavesRecords(after sound: CheckCounts) -> Bool {
        switch problem {
        case .rdb(let error): error.offset > 0
        // Nothing can be read after it.
        case .compression: sound.byteCount > 0
        case .system, .log, .unknown, .missing: false
        }
    }

    /// The fault in words: where, in which key, what.
    fileprivate var lines: [String] {
        if case .compression(let offset, let text) = problem {
            return ["at byte \(Quantities.count(offset)) of what is compressed", text]
        }
        guard case .rdb(let error) = problem else { return [description] }
        var place = "at byte \(Quantities.count(error.offset))"
        if let start = error.recordOffset {
            place += ", in the record at \(Quantities.count(start))"
        }
        if let key = error.key { place += ", key \(EscapedText.abbreviate(key.bytes))" }
        return [place, "\(error.code.rawValue): \(error.detail)"]
    }
}
