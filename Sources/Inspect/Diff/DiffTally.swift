import Bytes

/// Pairs the sorted keys of two data sets, and counts how they differ.
package struct DiffTally {
    /// Keys by the kind of their change.
    package private(set) var counts: [KeyChange.Kind: Int] = [:]
    /// Keys that are the same in both.
    package private(set) var sameCount = 0

    private let options: DataSetDiff.Options
    private var prefixes: [KeyChange.Kind: PrefixTree] = [:]
    private var before: DiffItem?
    private var after: DiffItem?

    init(_ options: DataSetDiff.Options) {
        self.options = options
    }

    /// Takes the next item; returns how the key before it changed, if the item is of another.
    mutating func add(_ bytes: RawSpan) -> KeyChange? {
        guard let item = DiffItem(reading: bytes) else { return nil }
        var change: KeyChange?
        if let known = before ?? after, known.database != item.database || known.key != item.key {
            change = finishKey()
        }
        switch item.side {
        case .before: before = item
        case .after: after = item
        }
        return change
    }

    /// How the last key changed, if it did.
    mutating func finishKey() -> KeyChange? {
        guard before != nil || after != nil else { return nil }
        let change = KeyChange(before, after, ignoringDeadlines: options.ignoresDeadlines)
        before = nil
        after = nil
        guard let change else {
            sameCount += 1
            return nil
        }
        counts[change.kind, default: 0] += 1
        prefixes[change.kind, default: PrefixTree(separator: options.separator)]
            .add(change.key.bytes, byteCount: change.byteCount, memory: 0)
        return change
    }

    /// How many keys differ.
    package var changeCount: Int { counts.values.reduce(0, +) }

    /// The prefixes under which most changed, with the counts by kind of change.
    package func prefixes(limit: Int) -> [(ByteString, [KeyChange.Kind: Int])] {
        var found: [ByteString: [KeyChange.Kind: Int]] = [:]
        for (kind, tree) in prefixes {
            for index in tree.nodes.indices.dropFirst() where tree.nodes[index].parent >= 0 {
                found[tree.path(to: index), default: [:]][kind] = tree.nodes[index].keyCount
            }
        }
        var sorted: [(path: ByteString, counts: [KeyChange.Kind: Int], sum: Int)] = []
        for (path, counts) in found {
            sorted.append((path, counts, counts.values.reduce(0, +)))
        }
        sorted.sort { $0.sum != $1.sum ? $0.sum > $1.sum : $0.path < $1.path }
        return sorted.prefix(limit).map { ($0.path, $0.counts) }
    }
}
