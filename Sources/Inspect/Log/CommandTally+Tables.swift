import Bytes

// What was counted, as JSON and as people read it.
extension CommandTally {
    /// The commands that are most frequent first.
    var byCount: [(ByteString, Amount)] {
        names.map { ($0.key, $0.value) }.sorted { ($0.1.count, $1.0) > ($1.1.count, $0.0) }
    }

    /// The prefixes of keys that most bytes of commands are for, each with its parts.
    var heaviestPrefixes: [Int] {
        prefixes.nodes.indices.dropFirst()
            .filter { prefixes.nodes[$0].parent >= 0 && prefixes.nodes[$0].keyCount > 0 }
            .sorted { prefixes.nodes[$0].byteCount > prefixes.nodes[$1].byteCount }
            .prefix(Self.shownPrefixCount).map { $0 }
    }

    private static let shownPrefixCount = 20

    /// A row for each name.
    var namesTable: TextTable {
        var table = TextTable(["command", ">count", ">bytes", ">share"])
        for (name, amount) in byCount {
            table.add([
                EscapedText.escape(name.bytes), Quantities.count(amount.count),
                Quantities.bytes(amount.byteCount),
                Quantities.share(amount.byteCount, of: total.byteCount),
            ])
        }
        return table
    }

    /// A row for each of the heaviest prefixes.
    var prefixesTable: TextTable {
        var table = TextTable([">commands", ">bytes", ">share", "prefix of the key"])
        for index in heaviestPrefixes {
            let node = prefixes.nodes[index]
            table.add([
                Quantities.count(node.keyCount), Quantities.bytes(node.byteCount),
                Quantities.share(node.byteCount, of: total.byteCount),
                EscapedText.escape(prefixes.path(to: index).bytes),
            ])
        }
        return table
    }

    /// The commands by name, the most frequent first.
    var namesJSON: JSON {
        .array(
            byCount.map { name, amount in
                .object([
                    ("name", .bytes(name)),
                    ("count", .count(amount.count)),
                    ("bytes", .count(amount.byteCount)),
                ])
            }
        )
    }

    /// The heaviest prefixes of keys.
    var prefixesJSON: JSON {
        .array(
            heaviestPrefixes.map { index in
                .object([
                    ("prefix", .bytes(prefixes.path(to: index))),
                    ("commands", .count(prefixes.nodes[index].keyCount)),
                    ("bytes", .count(prefixes.nodes[index].byteCount)),
                ])
            }
        )
    }
}
