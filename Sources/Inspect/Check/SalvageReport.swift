import Bytes
import RDB

/// What was saved of a damaged file, and what was lost.
package struct SalvageReport: Sendable {
    /// Where the sound file is.
    package var path: String
    /// Keys in it.
    package var keyCount = 0
    /// Keys whose values had to be written anew, because servers would read them and a strict
    /// reader would not.
    package var repaired: [ByteString] = []
    /// Keys of whose values only the elements before the damage could be read.
    package var partial: [ByteString] = []
    /// Keys that were there twice; the first of each was kept.
    package var duplicateCount = 0
    /// Parts of the file that could not be read.
    package var losses: [Loss] = []
    /// Keys that the file says it has.
    package var statedKeyCount = 0
    /// Whether the file ended before its end.
    package var isCut = false

    /// A part of the file.
    package struct Loss: Sendable {
        /// Where it begins, and where the next record that was read does.
        package var range: Range<Int>
        /// What was wrong.
        package var error: RDBError
    }

    /// Bytes that were lost.
    package var lostByteCount: Int { losses.reduce(0) { $0 + $1.range.count } }

    var json: JSON {
        .object([
            ("path", .text(path)),
            ("keys", .count(keyCount)),
            ("stated_keys", .count(statedKeyCount)),
            ("repaired", .array(repaired.map { .bytes($0) })),
            ("partial", .array(partial.map { .bytes($0) })),
            ("duplicates", .count(duplicateCount)),
            ("cut", .bool(isCut)),
            ("lost_bytes", .count(lostByteCount)),
            ("lost", .array(losses.map(\.json))),
        ])
    }

    func append(to writer: inout ByteWriter, _ style: TextStyle) {
        writer.append(
            utf8: "\(style.bold(path)): \(Quantities.count(keyCount, "key")) saved\n"
        )
        if !repaired.isEmpty {
            writer.append(utf8: "  \(Quantities.count(repaired.count, "value")) written anew\n")
        }
        for key in partial {
            let name = EscapedText.abbreviate(key.bytes)
            writer.append(utf8: "  of key \(name) the elements before the damage\n")
        }
        if duplicateCount > 0 {
            writer.append(
                utf8:
                    "  \(Quantities.count(duplicateCount, "key")) came twice; the first was kept\n"
            )
        }
        for loss in losses.prefix(100) {
            let key = loss.error.key.map { ", key \(EscapedText.abbreviate($0.bytes))" } ?? ""
            writer.append(
                utf8: "  lost: bytes \(loss.range.lowerBound) to \(loss.range.upperBound)\(key): "
                    + "\(loss.error.code.rawValue), \(loss.error.detail)\n"
            )
        }
        if losses.count > 100 {
            writer.append(utf8: "  and \(losses.count - 100) other parts; --json lists all\n")
        }
        if isCut { writer.append(utf8: "  the file has no end\n") }
        if statedKeyCount > keyCount {
            let missing = Quantities.count(statedKeyCount - keyCount, "key")
            let verb = statedKeyCount - keyCount == 1 ? "is" : "are"
            writer.append(utf8: "  \(missing) \(verb) missing, by what the file says it has\n")
        }
    }
}

extension SalvageReport.Loss {
    fileprivate var json: JSON {
        .object([
            ("start", .count(range.lowerBound)),
            ("end", .count(range.upperBound)),
            ("key", error.key.map { .bytes($0) } ?? .null),
            ("code", .text(error.code.rawValue)),
            ("detail", .text(error.detail)),
        ])
    }
}
