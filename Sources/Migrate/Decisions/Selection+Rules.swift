import Bytes
import Inspect
import RDB

/// A selection as the lines of a report, and back: whoever compares the two data sets later has
/// to know which keys went over, and where to.
extension Selection {
    /// One object for each rule.
    var rules: [JSON] {
        var rules: [JSON] = []
        rules += included.map { .object([("include", .bytes($0))]) }
        rules += excluded.map { .object([("exclude", .bytes($0))]) }
        rules += (kinds ?? []).map(\.commandName).sorted().map { .object([("type", .text($0))]) }
        rules += (databases ?? []).sorted()
            .map { .object([("database", .int(Int64(clamping: $0)))]) }
        rules += renames.map { .object([("rename", .text($0.text))]) }
        rules += databaseNumbers.sorted { $0.key < $1.key }
            .map { from, to in
                .object([
                    ("from", .int(Int64(clamping: from))), ("to", .int(Int64(clamping: to))),
                ])
            }
        return rules
    }

    /// Adds a rule of a report; says whether the line is one.
    mutating func add(_ line: JSONLine) -> Bool {
        if case .text(let pattern) = line["include"] {
            included.append(pattern)
        } else if case .text(let pattern) = line["exclude"] {
            excluded.append(pattern)
        } else if case .text(let name) = line["type"],
            let kind = ValueKind(commandName: name.text)
        {
            kinds = (kinds ?? []).union([kind])
        } else if case .number(let number) = line["database"] {
            databases = (databases ?? []).union([UInt64(clamping: number)])
        } else if case .text(let text) = line["rename"], let rename = Rename(text.text) {
            renames.append(rename)
        } else if case .number(let from) = line["from"], case .number(let to) = line["to"] {
            databaseNumbers[UInt64(clamping: from)] = UInt64(clamping: to)
        } else {
            return false
        }
        return true
    }
}
