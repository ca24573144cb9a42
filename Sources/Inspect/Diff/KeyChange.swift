import Bytes
import RDB

/// A key in which two data sets differ.
package struct KeyChange: Sendable {
    package var database: UInt64
    package var key: ByteString
    package var kind: Kind
    /// What the key was and is; nil on the side where it is not there.
    package var before: Side?
    package var after: Side?

    /// How a key changed.
    package enum Kind: String, Sendable, CaseIterable {
        case added
        case removed
        /// Another kind of value.
        case type
        /// The same kind, but other content; the deadline may be another, too.
        case value
        /// The deadline alone.
        case deadline
    }

    /// A key in one of the data sets.
    package struct Side: Equatable, Sendable {
        package var type: ValueKind
        package var deadline: Int64?
        package var byteCount: Int

        init(_ item: DiffItem) {
            type = item.encoding.kind
            deadline = item.deadline
            byteCount = item.byteCount
        }
    }

    /// The change between two items of one key; nil if there is none.
    init?(_ before: DiffItem?, _ after: DiffItem?, ignoringDeadlines: Bool) {
        guard let item = before ?? after else { return nil }
        database = item.database
        key = item.key
        self.before = before.map(Side.init)
        self.after = after.map(Side.init)
        guard let before, let after else {
            kind = before == nil ? .added : .removed
            return
        }
        if before.encoding.kind != after.encoding.kind {
            kind = .type
        } else if before.digest != after.digest {
            kind = .value
        } else if before.deadline != after.deadline, !ignoringDeadlines {
            kind = .deadline
        } else {
            return nil
        }
    }

    /// Bytes of the record where it is larger.
    var byteCount: Int { max(before?.byteCount ?? 0, after?.byteCount ?? 0) }
}

extension KeyChange {
    /// Appends the change as one line for people.
    func writeLine(to writer: inout ByteWriter, _ style: TextStyle) {
        let name = "\(database) \(EscapedText.escape(key.bytes))"
        let line =
            switch kind {
            case .added: style.green("+ \(name)") + Self.facts(after)
            case .removed: style.red("- \(name)") + Self.facts(before)
            case .type:
                style.yellow("~ \(name)")
                    + "  type \(Self.type(before)) -> \(Self.type(after))"
            case .value:
                style.yellow("~ \(name)")
                    + "  value, \(Self.bytes(before)) -> \(Self.bytes(after))\(deadlines)"
            case .deadline: style.yellow("~ \(name)") + deadlines
            }
        writer.append(utf8: line + "\n")
    }

    private var deadlines: String {
        guard before?.deadline != after?.deadline else { return "" }
        return "  deadline \(Self.deadline(before)) -> \(Self.deadline(after))"
    }

    private static func facts(_ side: Side?) -> String {
        "  \(type(side)), \(bytes(side))"
            + (side?.deadline == nil ? "" : ", deadline \(deadline(side))")
    }

    private static func type(_ side: Side?) -> String { side?.type.commandName ?? "none" }
    private static func bytes(_ side: Side?) -> String { Quantities.bytes(side?.byteCount ?? 0) }
    private static func deadline(_ side: Side?) -> String {
        side?.deadline.map { Moments.text($0) } ?? "none"
    }

    /// The change as JSON.
    var json: JSON {
        .object([
            ("change", .text(kind.rawValue)),
            ("db", .int(Int64(clamping: database))),
            ("key", .bytes(key)),
            ("before", before.map(Self.json) ?? .null),
            ("after", after.map(Self.json) ?? .null),
        ])
    }

    private static func json(_ side: Side) -> JSON {
        .object([
            ("type", .text(side.type.commandName)),
            ("deadline", .optional(side.deadline)),
            ("bytes", .count(side.byteCount)),
        ])
    }
}
