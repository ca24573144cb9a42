import Bytes

/// A prefix as a report shows it.
package struct PrefixAmount: Equatable, Sendable {
    /// Such as `user:*:cart`.
    package var path: ByteString
    /// How many parts it has.
    package var depth: Int
    package var keyCount: Int
    package var byteCount: Int
    package var memory: Int
}

extension PrefixTree {
    /// What a node stands for.
    package func amount(of index: Int) -> PrefixAmount {
        var depth = 0
        var current = index
        while current > 0 {
            depth += 1
            current = Int(nodes[current].parent)
        }
        return PrefixAmount(
            path: path(to: index),
            depth: depth,
            keyCount: nodes[index].keyCount,
            byteCount: nodes[index].byteCount,
            memory: nodes[index].memory
        )
    }

    /// The children of a node, the heaviest first.
    package func sortedChildren(of index: Int) -> [Int] {
        children(of: index).sorted { one, other in
            if nodes[one].byteCount != nodes[other].byteCount {
                return nodes[one].byteCount > nodes[other].byteCount
            }
            return name(of: one) < name(of: other)
        }
    }

    /// The prefixes that tell most about where the bytes are, none of them inside another.
    ///
    /// From the top on, the heaviest is replaced by its children as long as one of them has most
    /// of it: `app:` by `app:user:` and `app:queue`, if the former has half of all or more.
    package func heaviest(_ limit: Int) -> [PrefixAmount] {
        var found: [Int] = []
        var open = sortedChildren(of: 0)
        while found.count < limit, !open.isEmpty {
            let index = open.removeFirst()
            let below = sortedChildren(of: index)
            if let first = below.first, nodes[first].byteCount * 2 >= nodes[index].byteCount {
                open += below
                open.sort { nodes[$0].byteCount > nodes[$1].byteCount }
            } else {
                found.append(index)
            }
        }
        return found.map { amount(of: $0) }
    }

    /// The nodes as lines of a drawn tree, the heaviest first, those below `share` of the whole
    /// summed up.
    package func outline(depth: Int, limit: Int, minimumShare: Double) -> [OutlineLine] {
        var lines: [OutlineLine] = []
        append(0, indent: "", depth: depth, limit, minimumShare, to: &lines)
        return lines
    }

    /// A line of a drawn tree.
    package struct OutlineLine: Sendable {
        /// The branches before the name.
        package var branches: String
        package var name: String
        package var keyCount: Int
        package var byteCount: Int
        package var memory: Int
    }

    private func append(
        _ index: Int,
        indent: String,
        depth: Int,
        _ limit: Int,
        _ minimumShare: Double,
        to lines: inout [OutlineLine]
    ) {
        guard depth > 0 else { return }
        let least = Int(Double(nodes[0].byteCount) * minimumShare)
        let all = sortedChildren(of: index)
        let shown = all.prefix(limit).filter { nodes[$0].byteCount >= least }
        let hidden = all.dropFirst(shown.count)
        for (position, child) in shown.enumerated() {
            let isLast = position == shown.count - 1 && hidden.isEmpty
            lines.append(
                OutlineLine(
                    branches: indent + (isLast ? "└ " : "├ "),
                    name: EscapedText.abbreviate(name(of: child).bytes),
                    keyCount: nodes[child].keyCount,
                    byteCount: nodes[child].byteCount,
                    memory: nodes[child].memory
                )
            )
            append(
                child,
                indent: indent + (isLast ? "  " : "│ "),
                depth: depth - 1,
                limit,
                minimumShare,
                to: &lines
            )
        }
        guard !hidden.isEmpty else { return }
        lines.append(
            OutlineLine(
                branches: indent + "└ ",
                name: "(\(Quantities.count(hidden.count)) more)",
                keyCount: hidden.reduce(0) { $0 + nodes[$1].keyCount },
                byteCount: hidden.reduce(0) { $0 + nodes[$1].byteCount },
                memory: hidden.reduce(0) { $0 + nodes[$1].memory }
            )
        )
    }
}
