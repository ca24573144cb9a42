import Bytes

/// The parts of keys as a tree, with how many keys lie under each and how large they are.
///
///     user:17:cart, user:18:cart, user:18:seen, queue
///
///     ├ user:          3 keys
///     │   └ *:         3 keys        17 and 18 are ids
///     │       ├ cart   2 keys
///     │       └ seen   1 key
///     └ queue          1 key
///
/// Ids are folded into `*` as they come. A node that gets more children than a person would read
/// keeps the heavy ones, and all others become `*`. So the tree stays small for any number of
/// keys: `maximumNodeCount` nodes at the most.
package struct PrefixTree: Sendable {
    /// Index 0 is the root, which stands for all keys.
    package private(set) var nodes: [Node]
    /// What separates the parts.
    package let separator: UInt8
    /// How many parts of a key count; what follows is left out.
    package let depth: Int

    private let foldsIDs: Bool
    private let maximumChildCount: Int
    private let maximumNodeCount: Int
    /// The names of all nodes.
    private var names: [UInt8] = []
    /// An open hash table from parent and name to the index of a node; 0 = empty.
    private var table: [Int32]
    private var usedCount = 1

    /// A part of keys.
    package struct Node: Sendable {
        /// Keys under it.
        package var keyCount = 0
        /// Bytes of their records.
        package var byteCount = 0
        /// Bytes of memory that the target needs for them.
        package var memory = 0
        /// The part before; -1 for the root.
        package var parent: Int32 = -1
        /// Whether it is what ids and the rest were folded into.
        package var isFolded = false
        /// Whether the separator follows, that is whether it is not the end of keys.
        package var isInner = false
        /// The first of its children; 0 if there is none.
        var firstChild: Int32 = 0
        /// The next child of its parent; 0 if there is none.
        var nextSibling: Int32 = 0
        var childCount: Int32 = 0
        /// Whether names that are new are folded.
        var isFull = false
        var nameOffset = 0
        var nameCount = 0
        var hash: UInt64 = 0
    }

    /// An empty tree.
    package init(
        separator: UInt8 = UInt8(ascii: ":"),
        depth: Int = 4,
        foldsIDs: Bool = true,
        maximumChildCount: Int = 400,
        maximumNodeCount: Int = 30_000
    ) {
        self.separator = separator
        self.depth = max(1, depth)
        self.foldsIDs = foldsIDs
        self.maximumChildCount = maximumChildCount
        self.maximumNodeCount = maximumNodeCount
        nodes = [Node()]
        table = Array(repeating: 0, count: 1024)
    }

    /// Counts a key.
    package mutating func add(_ key: RawSpan, byteCount: Int, memory: Int) {
        var node = 0
        count(node, byteCount, memory)
        var start = 0
        for _ in 0..<depth {
            let end = key.firstIndex(of: separator, from: start)
            let segment = key.part(from: start, count: (end ?? key.byteCount) - start)
            node = child(of: node, segment, isInner: end != nil)
            count(node, byteCount, memory)
            guard let end else { return }
            start = end + 1
        }
    }

    @inline(__always)
    private mutating func count(_ node: Int, _ byteCount: Int, _ memory: Int) {
        nodes[node].keyCount += 1
        nodes[node].byteCount += byteCount
        nodes[node].memory += memory
    }

    private mutating func child(of parent: Int, _ segment: RawSpan, isInner: Bool) -> Int {
        if foldsIDs, SegmentPattern.isID(segment) { return folded(of: parent, isInner) }
        let hash = Self.hash(segment, parent, isInner, isFolded: false)
        if let found = find(parent, hash, segment, isInner, isFolded: false) { return found }
        if nodes[parent].isFull || usedCount >= maximumNodeCount {
            return folded(of: parent, isInner)
        }
        if nodes[parent].childCount >= maximumChildCount {
            fold(parent)
            return folded(of: parent, isInner)
        }
        return insert(parent, hash, segment, isInner, isFolded: false)
    }

    /// The child of `parent` that ids are folded into.
    private mutating func folded(of parent: Int, _ isInner: Bool) -> Int {
        let name: [UInt8] = []
        let hash = Self.hash(name.bytes, parent, isInner, isFolded: true)
        return find(parent, hash, name.bytes, isInner, isFolded: true)
            ?? insert(parent, hash, name.bytes, isInner, isFolded: true)
    }
}

// The table.

extension PrefixTree {
    private static func hash(
        _ name: RawSpan,
        _ parent: Int,
        _ isInner: Bool,
        isFolded: Bool
    ) -> UInt64 {
        let multiplier: UInt64 = 0x9E37_79B9_7F4A_7C15
        var hash = UInt64(
            truncatingIfNeeded: parent &* 4 &+ (isInner ? 2 : 0) &+ (isFolded ? 1 : 0)
        )
        hash = (hash ^ UInt64(name.byteCount) << 40) &* multiplier
        var offset = 0
        while name.byteCount - offset >= 8 {
            hash = (hash ^ hash >> 29 ^ name.word(at: offset)) &* multiplier
            offset += 8
        }
        while offset < name.byteCount {
            hash = (hash ^ UInt64(name.byte(at: offset))) &* multiplier
            offset += 1
        }
        return hash ^ hash >> 32
    }

    private func find(
        _ parent: Int,
        _ hash: UInt64,
        _ name: RawSpan,
        _ isInner: Bool,
        isFolded: Bool
    ) -> Int? {
        var slot = Int(truncatingIfNeeded: hash) & (table.count - 1)
        while table[slot] != 0 {
            let index = Int(table[slot])
            if nodes[index].hash == hash, Int(nodes[index].parent) == parent,
                nodes[index].isInner == isInner, nodes[index].isFolded == isFolded,
                names.bytes.part(
                    from: nodes[index].nameOffset,
                    count: nodes[index].nameCount
                ).equals(name)
            {
                return index
            }
            slot = (slot + 1) & (table.count - 1)
        }
        return nil
    }

    private mutating func insert(
        _ parent: Int,
        _ hash: UInt64,
        _ name: RawSpan,
        _ isInner: Bool,
        isFolded: Bool
    ) -> Int {
        var node = Node()
        node.parent = Int32(parent)
        node.isInner = isInner
        node.isFolded = isFolded
        node.hash = hash
        node.nameOffset = names.count
        node.nameCount = name.byteCount
        unsafe name.withUnsafeBytes { unsafe names.append(contentsOf: $0) }
        nodes.append(node)
        usedCount += 1
        link(nodes.count - 1, to: parent)
        // A quarter full: folding puts nodes in a second time before the table is built anew.
        if nodes.count * 4 > table.count {
            rebuildTable(count: table.count * 2)
        } else {
            place(nodes.count - 1)
        }
        return nodes.count - 1
    }

    private mutating func link(_ index: Int, to parent: Int) {
        nodes[index].parent = Int32(parent)
        nodes[index].nextSibling = nodes[parent].firstChild
        nodes[parent].firstChild = Int32(index)
        nodes[parent].childCount += 1
    }

    private mutating func place(_ index: Int) {
        var slot = Int(truncatingIfNeeded: nodes[index].hash) & (table.count - 1)
        while table[slot] != 0 { slot = (slot + 1) & (table.count - 1) }
        table[slot] = Int32(index)
    }

    private mutating func rebuildTable(count: Int) {
        table = Array(repeating: 0, count: count)
        for index in nodes.indices.dropFirst() where nodes[index].parent >= 0 { place(index) }
    }
}

// Folding.

extension PrefixTree {
    /// Folds the light children of a node that has too many.
    private mutating func fold(_ parent: Int) {
        nodes[parent].isFull = true
        let light = nodes[parent].keyCount / 50
        let all = children(of: parent)
        for child in all where !nodes[child].isFolded && nodes[child].keyCount <= light {
            unlink(child)
            merge(child, into: folded(of: parent, nodes[child].isInner))
        }
        rebuildTable(count: table.count)
    }

    /// Adds a node that was taken out of the tree, and all below it, to another.
    private mutating func merge(_ source: Int, into target: Int) {
        nodes[target].keyCount += nodes[source].keyCount
        nodes[target].byteCount += nodes[source].byteCount
        nodes[target].memory += nodes[source].memory
        for child in children(of: source) {
            let node = nodes[child]
            let name = Array(names[node.nameOffset..<(node.nameOffset + node.nameCount)])
            let hash = Self.hash(name.bytes, target, node.isInner, isFolded: node.isFolded)
            unlink(child)
            let known = find(
                target,
                hash,
                name.bytes,
                node.isInner,
                isFolded: node.isFolded
            )
            if let known {
                merge(child, into: known)
            } else {
                usedCount += 1
                nodes[child].hash = hash
                link(child, to: target)
                place(child)
            }
        }
        nodes[source].firstChild = 0
    }

    /// Takes a node out of the tree; it stays in the table until that is built anew.
    private mutating func unlink(_ index: Int) {
        usedCount -= 1
        let parent = Int(nodes[index].parent)
        nodes[index].parent = -1
        nodes[parent].childCount -= 1
        var previous: Int32 = 0
        var current = nodes[parent].firstChild
        while current != 0, Int(current) != index {
            previous = current
            current = nodes[Int(current)].nextSibling
        }
        if previous == 0 {
            nodes[parent].firstChild = nodes[index].nextSibling
        } else {
            nodes[Int(previous)].nextSibling = nodes[index].nextSibling
        }
    }

    /// The children of a node, in no order.
    package func children(of index: Int) -> [Int] {
        var found: [Int] = []
        var current = nodes[index].firstChild
        while current != 0 {
            found.append(Int(current))
            current = nodes[Int(current)].nextSibling
        }
        return found
    }

    /// The name of a node as it is shown: `*` for what was folded, the separator if it follows.
    package func name(of index: Int) -> ByteString {
        let node = nodes[index]
        var name =
            node.isFolded
            ? [UInt8(ascii: "*")]
            : Array(names[node.nameOffset..<(node.nameOffset + node.nameCount)])
        if node.isInner { name.append(separator) }
        return ByteString(name)
    }

    /// The names from the root to a node.
    package func path(to index: Int) -> ByteString {
        var parts: [ByteString] = []
        var current = index
        while current > 0 {
            parts.append(name(of: current))
            current = Int(nodes[current].parent)
        }
        return ByteString(parts.reversed().flatMap(\.array))
    }
}

extension RawSpan {
    /// Where the first `byte` is, from `start` on.
    func firstIndex(of byte: UInt8, from start: Int) -> Int? {
        var offset = start
        while offset < byteCount {
            if self.byte(at: offset) == byte { return offset }
            offset += 1
        }
        return nil
    }
}
