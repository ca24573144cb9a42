import Bytes
import RDB

/// What each prefix of the keys costs.
package struct PrefixReport: SharedConsumer {
    /// What is shown.
    package struct Options: Sendable {
        /// How many levels are shown.
        package var depth = 3
        /// How many children of a prefix are shown.
        package var limit = 20
        /// Prefixes with a smaller share of the bytes are summed up.
        package var minimumShare = 0.001

        /// Shows three levels.
        package init() {}
    }

    /// The prefixes.
    package private(set) var tree: PrefixTree
    private let options: Options
    private let filter: KeyFilter
    private var measure: ValueMeasure

    /// Counts into `tree`.
    package init(
        _ tree: PrefixTree,
        _ options: Options,
        filter: KeyFilter = KeyFilter(),
        memory: MemoryTally = MemoryTally()
    ) {
        self.tree = tree
        self.options = options
        self.filter = filter
        measure = ValueMeasure(memory: memory)
    }

    package mutating func key(
        _ record: KeyRecord,
        _ reader: inout FileReader
    ) throws(RDBError) {
        guard filter.admits(reader.key, record, database: reader.database) else { return }
        let row = try measure.measure(record, &reader)
        guard filter.admits(row) else { return }
        tree.add(reader.key, byteCount: row.byteCount, memory: row.memory)
    }

    package func makePart(_ options: FileReader.Options) -> RunPart<MeasuredKeys> {
        RunPart(options, MeasuredKeys(measure, filter: filter))
    }

    package mutating func take(_ part: RunPart<MeasuredKeys>) {
        part.consumer.removeAll { key, row in
            tree.add(key, byteCount: row.byteCount, memory: row.memory)
        }
    }

    /// The tree as JSON, each prefix with its children, the heaviest first.
    package var json: JSON { json(0, options.depth) }

    private func json(_ index: Int, _ depth: Int) -> JSON {
        let node = tree.nodes[index]
        var members: [(String, JSON)] = [
            ("name", .bytes(tree.name(of: index))),
            ("prefix", .bytes(tree.path(to: index))),
            ("keys", .count(node.keyCount)),
            ("bytes", .count(node.byteCount)),
            ("memory", .count(node.memory)),
            (
                "share",
                .double(Double(node.byteCount) / Double(max(1, tree.nodes[0].byteCount)))
            ),
        ]
        if depth > 0 {
            let children = tree.sortedChildren(of: index).map { json($0, depth - 1) }
            if !children.isEmpty { members.append(("children", .array(children))) }
        }
        return .object(members)
    }

    /// Appends the tree as people read it.
    package func append(to writer: inout ByteWriter, _ style: TextStyle) {
        let whole = tree.nodes[0]
        var table = TextTable(["prefix", ">keys", ">bytes", ">share", ">memory", ""])
        table.add([
            "all keys", Quantities.count(whole.keyCount), Quantities.bytes(whole.byteCount),
            "100 %", Quantities.bytes(whole.memory), "",
        ])
        let lines = tree.outline(
            depth: options.depth,
            limit: options.limit,
            minimumShare: options.minimumShare
        )
        for line in lines {
            table.add([
                line.branches + line.name,
                Quantities.count(line.keyCount),
                Quantities.bytes(line.byteCount),
                Quantities.share(line.byteCount, of: whole.byteCount),
                Quantities.bytes(line.memory),
                String(repeating: "█", count: line.byteCount * 24 / max(1, whole.byteCount)),
            ])
        }
        table.append(to: &writer, style)
    }
}
