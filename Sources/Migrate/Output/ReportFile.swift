import Bytes
import Inspect
import RDB

/// The report of a migration as it is kept beside the output.
///
/// First which keys were asked for, and where they went; then every loss on a line of its own;
/// then what it all came to.
///
///     {"mapping":[
///     {"rename":"user:*=u:*"},
///     {"from":3,"to":1}
///     ],
///     "losses":[
///     {"feature":"field-deadlines","rule":"drop-ttl","subject":"","db":0,"key":"h","parts":2,"detail":null},
///     …
///     ],
///     "tool":"larder-migrate", …}
///
/// Losses are written as they happen. A reader of these two can go line by line.
package final class ReportFile {
    /// What every report begins with.
    static let beginning: StaticString = "{\"mapping\":["

    private let file: any Destinable
    private var lines = ReportLines()

    /// A report that goes to `file`, of a migration of `selection`.
    package init(_ file: any Destinable, _ selection: Selection) {
        self.file = file
        lines.begin(selection)
    }

    /// Writes a loss down.
    package func add(
        _ change: Change,
        _ place: Place?,
        _ detail: String?,
        _ partCount: Int
    ) throws(MigrationError) {
        lines.add(change, place, detail, partCount)
        try lines.flush(to: file, isForced: false)
    }

    /// Writes the rest; the file can be published then.
    package func finish(_ report: Report) throws(MigrationError) {
        lines.end(report)
        try lines.flush(to: file, isForced: true)
    }
}

/// The text of a report, as far as it was not written yet.
private struct ReportLines: ~Copyable {
    private var buffer = ByteWriter()
    private var isFirst = true
    /// The change of the last loss, and how a line about it begins.
    private var lastChange: Change?
    private var head = ByteString("")

    mutating func begin(_ selection: Selection) {
        buffer.append(ReportFile.beginning)
        for (index, rule) in selection.rules.enumerated() {
            buffer.append(index == 0 ? "\n" : ",\n")
            buffer.append(rule)
        }
        buffer.append("\n],\n\"losses\":[\n")
    }

    mutating func add(_ change: Change, _ place: Place?, _ detail: String?, _ partCount: Int) {
        if !isFirst { buffer.append(",\n") }
        isFirst = false
        if lastChange != change { begin(change) }
        let head = head
        buffer.append(head.bytes)
        if let place {
            buffer.append(decimal: Int64(clamping: place.database))
            buffer.append(",\"key\":")
            buffer.append(json: place.key.bytes)
        } else {
            buffer.append("null,\"key\":null")
        }
        buffer.append(",\"parts\":")
        buffer.append(decimal: Int64(partCount))
        buffer.append(",\"detail\":")
        let text: JSON = detail.map { .text($0) } ?? .null
        buffer.append(text)
        buffer.append("}")
    }

    private mutating func begin(_ change: Change) {
        lastChange = change
        var head = ByteWriter()
        head.append("{\"feature\":")
        head.append(.text(change.feature.rawValue))
        head.append(",\"rule\":")
        head.append(.text(change.rule))
        head.append(",\"subject\":")
        head.append(.text(change.subject))
        head.append(",\"db\":")
        self.head = ByteString(head.bytes)
    }

    mutating func end(_ report: Report) {
        buffer.append(isFirst ? "],\n" : "\n],\n")
        for (index, member) in report.members.enumerated() {
            if index > 0 { buffer.append(",\n") }
            buffer.append(.text(member.0))
            buffer.append(":")
            buffer.append(member.1)
        }
        buffer.append("}\n")
    }

    mutating func flush(to file: any Destinable, isForced: Bool) throws(MigrationError) {
        guard isForced || buffer.count >= 64 << 10 else { return }
        do {
            try file.write(buffer.bytes)
        } catch let error as MigrationError {
            throw error
        } catch {
            throw .impossible("\(error)")
        }
        buffer.removeAll()
    }
}
