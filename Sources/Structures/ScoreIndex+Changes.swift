extension ScoreIndex {
    /// Adds `node`, whose member is not here yet.
    ///
    /// The caller keeps it alive and in place until it is removed.
    public mutating func insert(_ node: SortedSetNode) {
        place(node, isLast: false)
    }

    /// Adds `node`, which comes behind all others: the way to build from sorted input.
    ///
    /// Does not search, so an index of n members is built in O(n).
    public mutating func append(_ node: SortedSetNode) {
        assert(isBehindAll(node), "not the last")
        place(node, isLast: true)
    }

    /// Whether `append` may add `node`.
    public func isBehindAll(_ node: SortedSetNode) -> Bool {
        guard var block = unsafe root, entryCount > 0 else { return true }
        for _ in 0..<height {
            let branch = unsafe ScoreBranch(block)
            unsafe block = branch.child(at: branch.count - 1)
        }
        let leaf = unsafe ScoreLeaf(block)
        return ScoreTarget(node).follows(leaf.node(at: leaf.count - 1))
    }

    private mutating func place(_ node: SortedSetNode, isLast: Bool) {
        let target = ScoreTarget(node)
        makeRoomAtRoot()
        var block = unsafe filledRoot
        var parent: (branch: ScoreBranch, index: Int)?
        var edges: ScoreEdges = [.first, .last]
        for level in stride(from: height, to: 0, by: -1) {
            let branch = unsafe ScoreBranch(block)
            var index = isLast ? branch.count - 1 : branch.childIndex(of: target)
            if level > 1, unsafe ScoreBranch(branch.child(at: index)).isFull {
                splitBranch(branch, index, edges.narrowed(to: index, of: branch.count))
                if isLast {
                    index = branch.count - 1
                } else if !isBefore(target, branch, index + 1) {
                    index += 1
                }
            }
            edges = edges.narrowed(to: index, of: branch.count)
            branch.add(1, at: index)
            unsafe block = branch.child(at: index)
            parent = (branch, index)
        }
        var leaf = unsafe ScoreLeaf(block)
        var position = isLast ? leaf.count : leaf.insertionPosition(of: target)
        if leaf.isFull {
            (leaf, position) = makeRoom(in: leaf, below: parent, at: position, for: node, edges)
        }
        leaf.insert(node, key: target.key, at: position)
        noteSeen(leaf, position)
        entryCount += 1
    }

    private func isBefore(_ target: ScoreTarget, _ branch: ScoreBranch, _ index: Int) -> Bool {
        let key = unsafe branch.keys[index]
        if key != target.key { return target.key < key }
        return unsafe ScoreTarget.compare(target.member, branch.node(at: index).memberBuffer) < 0
    }

    /// Sees to it that there is a root and that it can take one more child.
    private mutating func makeRoomAtRoot() {
        guard let root = unsafe root else {
            unsafe self.root = unsafe makeLeaf(capacity: min(8, Int(leafCapacity))).address
            return
        }
        let isFull =
            unsafe height == 0
            ? ScoreLeaf(root).count == Int(leafCapacity) : ScoreBranch(root).isFull
        guard isFull else { return }
        let branch = makeBranch()
        unsafe branch.insert(root, entryCount: entryCount, at: 0)
        unsafe self.root = unsafe branch.address
        height += 1
        guard height > 1 else { return }
        splitBranch(branch, 0, [.first, .last])
    }

    /// Moves the upper children of the full child at `index` to a new one behind it.
    ///
    /// At the edges of the tree the split is uneven: what is added in order fills its blocks.
    private mutating func splitBranch(_ parent: ScoreBranch, _ index: Int, _ edges: ScoreEdges) {
        let left = unsafe ScoreBranch(parent.child(at: index))
        let count = left.count
        var kept = count / 2
        if edges == .last { kept = count - 1 }
        if edges == .first { kept = 1 }
        let right = makeBranch()
        right.copyEntries(from: left, at: kept, count: count - kept, to: 0)
        right.count = count - kept
        left.count = kept
        let moved = right.totalEntryCount
        unsafe parent.insert(right.address, entryCount: moved, at: index + 1)
        unsafe parent.setSeparator(at: index + 1, key: right.keys[0], node: right.node(at: 0))
        parent.add(-moved, at: index)
    }

    /// Grows or splits a full leaf; says where `node` now goes.
    private mutating func makeRoom(
        in leaf: ScoreLeaf,
        below parent: (branch: ScoreBranch, index: Int)?,
        at position: Int,
        for node: SortedSetNode,
        _ edges: ScoreEdges
    ) -> (ScoreLeaf, Int) {
        let count = leaf.count
        guard count == Int(leafCapacity), let (branch, index) = parent else {
            let grown = resize(leaf, toCapacity: min(count + 8, Int(leafCapacity)))
            replace(below: parent, grown)
            return (grown, position)
        }
        // The count above already includes the new entry.
        if position == count, edges.contains(.last) {
            let right = makeLeaf(capacity: edgeCapacity)
            unsafe branch.insert(right.address, entryCount: 1, at: index + 1)
            branch.setSeparator(at: index + 1, key: ScoreOrder.key(of: node.score), node: node)
            branch.add(-1, at: index)
            return (right, 0)
        }
        if position == 0, edges.contains(.first) {
            let left = makeLeaf(capacity: edgeCapacity)
            unsafe branch.insert(left.address, entryCount: 1, at: 0)
            branch.setSeparator(at: 1, key: leaf.key(at: 0), node: leaf.node(at: 0))
            branch.add(-1, at: 1)
            return (left, 0)
        }
        return splitLeaf(leaf, below: branch, at: index, position)
    }

    private mutating func splitLeaf(
        _ leaf: ScoreLeaf,
        below branch: ScoreBranch,
        at index: Int,
        _ position: Int
    ) -> (ScoreLeaf, Int) {
        let count = leaf.count
        let kept = count / 2
        let left = makeCopy(of: leaf, 0..<kept)
        let right = makeCopy(of: leaf, kept..<count)
        let isLeft = position <= kept
        unsafe branch.setChild(at: index, left.address)
        unsafe branch.insert(
            right.address,
            entryCount: count - kept + (isLeft ? 0 : 1),
            at: index + 1
        )
        branch.setSeparator(at: index + 1, key: right.key(at: 0), node: right.node(at: 0))
        branch.add(kept - count - (isLeft ? 0 : 1), at: index)
        free(leaf)
        return isLeft ? (left, position) : (right, position - kept)
    }

    /// Removes `node`, which is here; the caller frees it.
    public mutating func remove(_ node: SortedSetNode) {
        let target = ScoreTarget(node)
        var block = unsafe filledRoot
        var parent: (branch: ScoreBranch, index: Int)?
        var separated: (branch: ScoreBranch, index: Int)?
        for level in stride(from: height, to: 0, by: -1) {
            let branch = unsafe ScoreBranch(block)
            var index = branch.childIndex(of: target)
            if needsFilling(branch, index, level: level) {
                fill(branch, index, level: level)
                index = branch.childIndex(of: target)
            }
            branch.add(-1, at: index)
            if index > 0, branch.node(at: index) == node { separated = (branch, index) }
            unsafe block = branch.child(at: index)
            parent = (branch, index)
        }
        let leaf = unsafe ScoreLeaf(block)
        let index = leaf.index(of: node, key: target.key)
        passDoor(leaf, index)
        leaf.remove(at: index)
        entryCount -= 1
        if let (branch, index) = separated {
            branch.setSeparator(at: index, key: leaf.key(at: 0), node: leaf.node(at: 0))
        }
        shrink(leaf, below: parent)
        dropRootsWithOneChild()
    }

    /// Removes the members of `ranks`; gives each to `body`, which may free it.
    public mutating func removeRange(_ ranks: Range<Int>, _ body: (SortedSetNode) -> Void) {
        precondition(ranks.lowerBound >= 0 && ranks.upperBound <= count, "no such ranks")
        var rest = ranks.count
        while rest > 0 { rest -= removeSome(at: ranks.lowerBound, upTo: rest, body) }
    }

    /// Removes members from `rank` on, all in one leaf; returns how many.
    private mutating func removeSome(
        at rank: Int,
        upTo limit: Int,
        _ body: (SortedSetNode) -> Void
    ) -> Int {
        fillPath(toRank: rank)
        let (leaf, start) = unsafe ScoreIndex.leaf(ofRank: rank, below: filledRoot, height: height)
        // A leaf that is not the root keeps one entry: the next round joins it with another.
        let spared = height > 0 && start == 0 ? 1 : 0
        let removedCount = min(limit, leaf.count - start - spared)
        var block = unsafe filledRoot
        var parent: (branch: ScoreBranch, index: Int)?
        var separated: (branch: ScoreBranch, index: Int)?
        var rest = rank
        for _ in 0..<height {
            let branch = unsafe ScoreBranch(block)
            let (index, restBelow) = branch.child(ofRank: rest)
            branch.add(-removedCount, at: index)
            if index > 0 { separated = (branch, index) }
            rest = restBelow
            unsafe block = branch.child(at: index)
            parent = (branch, index)
        }
        passDoor(leaf)
        for index in start..<(start + removedCount) { body(leaf.node(at: index)) }
        leaf.remove(at: start, count: removedCount)
        entryCount -= removedCount
        if start == 0, let (branch, index) = separated {
            branch.setSeparator(at: index, key: leaf.key(at: 0), node: leaf.node(at: 0))
        }
        shrink(leaf, below: parent)
        dropRootsWithOneChild()
        return removedCount
    }

    /// Fills every block on the way to `rank` that has few entries.
    private mutating func fillPath(toRank rank: Int) {
        dropRootsWithOneChild()
        var block = unsafe filledRoot
        var rest = rank
        for level in stride(from: height, to: 0, by: -1) {
            let branch = unsafe ScoreBranch(block)
            var (index, restBelow) = branch.child(ofRank: rest)
            if needsFilling(branch, index, level: level) {
                fill(branch, index, level: level)
                (index, restBelow) = branch.child(ofRank: rest)
            }
            rest = restBelow
            unsafe block = branch.child(at: index)
        }
        dropRootsWithOneChild()
    }

    /// Gives `node`, which is here, another score and its new place.
    ///
    /// A place in the same leaf, as after a small step, costs one way down the tree.
    public mutating func reposition(_ node: SortedSetNode, score: Double) {
        let old = ScoreTarget(node)
        let newKey = ScoreOrder.key(of: score)
        let new = unsafe ScoreTarget(key: newKey, member: old.member)
        guard newKey != old.key else { return node.setScore(score) }
        var block = unsafe filledRoot
        var separated: (branch: ScoreBranch, index: Int)?
        var isBeforeNextLeaf = true
        for _ in 0..<height {
            let branch = unsafe ScoreBranch(block)
            let index = branch.childIndex(of: old)
            if index > 0 { separated = (branch, index) }
            // The separator closest to the leaf, found last, is the one that bounds it.
            if index + 1 < branch.count { isBeforeNextLeaf = isBefore(new, branch, index + 1) }
            unsafe block = branch.child(at: index)
        }
        let leaf = unsafe ScoreLeaf(block)
        let index = leaf.index(of: node, key: old.key)
        // What is first in its leaf separates it from the one before: it may only go up, and
        // whoever comes first afterwards takes over. Others must stay behind the first.
        let isBehindPreviousLeaf =
            separated == nil || (index == 0 ? newKey > old.key : new.follows(leaf.node(at: 0)))
        guard isBeforeNextLeaf, isBehindPreviousLeaf else {
            remove(node)
            node.setScore(score)
            return insert(node)
        }
        passDoor(leaf, index)
        leaf.remove(at: index)
        node.setScore(score)
        let position = leaf.insertionPosition(of: new)
        leaf.insert(node, key: newKey, at: position)
        noteSeen(leaf, position)
        if index == 0, let (branch, index) = separated {
            branch.setSeparator(at: index, key: leaf.key(at: 0), node: leaf.node(at: 0))
        }
    }

    // Blocks.

    private mutating func makeLeaf(capacity: Int) -> ScoreLeaf {
        let leaf = ScoreLeaf(capacity: capacity, in: arena)
        leaf.version = version
        blockByteCount += Arena.roundedByteCount(leaf.byteCount)
        return leaf
    }

    /// A leaf with some entries of another and room for a few more.
    private mutating func makeCopy(of leaf: ScoreLeaf, _ range: Range<Int>) -> ScoreLeaf {
        let copy = makeLeaf(capacity: roomyCapacity(for: range.count))
        copy.version = leaf.version
        copy.origin = leaf.origin
        copy.shift = leaf.shift
        copy.append(from: leaf, range)
        return copy
    }

    private func roomyCapacity(for count: Int) -> Int {
        min((count + 8) & ~3, Int(leafCapacity))
    }

    /// The capacity of a new leaf at an edge, which is likely to be filled: all there is, once
    /// that does not show in the whole.
    private var edgeCapacity: Int {
        min(max(entryCount / 8 & ~3, 4), Int(leafCapacity))
    }

    private mutating func resize(_ leaf: ScoreLeaf, toCapacity capacity: Int) -> ScoreLeaf {
        blockByteCount -= Arena.roundedByteCount(leaf.byteCount)
        let resized = leaf.resized(toCapacity: capacity, in: arena)
        blockByteCount += Arena.roundedByteCount(resized.byteCount)
        return resized
    }

    private mutating func free(_ leaf: ScoreLeaf) {
        blockByteCount -= Arena.roundedByteCount(leaf.byteCount)
        leaf.free(in: arena)
    }

    private mutating func makeBranch() -> ScoreBranch {
        let branch = ScoreBranch(capacity: Int(branchCapacity), in: arena)
        blockByteCount += Arena.roundedByteCount(branch.byteCount)
        return branch
    }

    private mutating func free(_ branch: ScoreBranch) {
        blockByteCount -= Arena.roundedByteCount(branch.byteCount)
        branch.free(in: arena)
    }

    private mutating func replace(
        below parent: (branch: ScoreBranch, index: Int)?,
        _ leaf: ScoreLeaf
    ) {
        if let (branch, index) = parent {
            unsafe branch.setChild(at: index, leaf.address)
        } else {
            unsafe root = unsafe leaf.address
        }
    }

    /// Gives back what a leaf has lost.
    private mutating func shrink(
        _ leaf: ScoreLeaf,
        below parent: (branch: ScoreBranch, index: Int)?
    ) {
        guard leaf.capacity - leaf.count >= 20 else { return }
        replace(below: parent, resize(leaf, toCapacity: roomyCapacity(for: leaf.count)))
    }

    private mutating func dropRootsWithOneChild() {
        while height > 0, let root = unsafe root, unsafe ScoreBranch(root).count == 1 {
            let branch = unsafe ScoreBranch(root)
            unsafe self.root = unsafe branch.child(at: 0)
            height -= 1
            free(branch)
        }
        if entryCount == 0, let root = unsafe root {
            unsafe free(ScoreLeaf(root))
            unsafe self.root = nil
        }
    }

    // Filling: no block is left with less than a quarter, so that the tree stays low.

    private func needsFilling(_ branch: ScoreBranch, _ index: Int, level: Int) -> Bool {
        guard branch.count > 1 else { return false }
        let child = unsafe branch.child(at: index)
        if level == 1 { return unsafe ScoreLeaf(child).count <= max(1, Int(leafCapacity) / 4) }
        return unsafe ScoreBranch(child).count <= max(1, Int(branchCapacity) / 4)
    }

    /// Joins the child at `index` with a neighbour, or lets the two share evenly.
    private mutating func fill(_ branch: ScoreBranch, _ index: Int, level: Int) {
        let left = index > 0 ? index - 1 : 0
        if level == 1 {
            fillLeaf(branch, left)
        } else {
            fillBranch(branch, left)
        }
    }

    private mutating func fillLeaf(_ branch: ScoreBranch, _ index: Int) {
        let left = unsafe ScoreLeaf(branch.child(at: index))
        let right = unsafe ScoreLeaf(branch.child(at: index + 1))
        passDoor(left)
        passDoor(right)
        let total = left.count + right.count
        let isJoined = total <= Int(leafCapacity) * 3 / 4
        let joined = makeLeaf(capacity: isJoined ? roomyCapacity(for: total) : (total + 3) & ~3)
        joined.cover(left, right)
        joined.append(from: left, 0..<left.count)
        joined.append(from: right, 0..<right.count)
        free(left)
        free(right)
        if isJoined {
            branch.add(branch.entryCount(at: index + 1), at: index)
            unsafe branch.setChild(at: index, joined.address)
            branch.remove(at: index + 1)
            return
        }
        let half = total / 2
        let newLeft = makeCopy(of: joined, 0..<half)
        let newRight = makeCopy(of: joined, half..<total)
        let moved = half - branch.entryCount(at: index)
        branch.add(moved, at: index)
        branch.add(-moved, at: index + 1)
        unsafe branch.setChild(at: index, newLeft.address)
        unsafe branch.setChild(at: index + 1, newRight.address)
        branch.setSeparator(at: index + 1, key: newRight.key(at: 0), node: newRight.node(at: 0))
        free(joined)
    }

    private mutating func fillBranch(_ parent: ScoreBranch, _ index: Int) {
        let left = unsafe ScoreBranch(parent.child(at: index))
        let right = unsafe ScoreBranch(parent.child(at: index + 1))
        let total = left.count + right.count
        // What separates the two is kept above; below, the first child's place is vacant.
        unsafe right.setSeparator(
            at: 0,
            key: parent.keys[index + 1],
            node: parent.node(at: index + 1)
        )
        if total <= Int(branchCapacity) * 3 / 4 {
            left.copyEntries(from: right, at: 0, count: right.count, to: left.count)
            left.count = total
            parent.add(parent.entryCount(at: index + 1), at: index)
            parent.remove(at: index + 1)
            return free(right)
        }
        let half = total / 2
        if left.count < half {
            let moved = half - left.count
            left.copyEntries(from: right, at: 0, count: moved, to: left.count)
            right.moveEntries(from: moved, to: 0, count: right.count - moved)
        } else {
            let moved = left.count - half
            right.moveEntries(from: 0, to: moved, count: right.count)
            right.copyEntries(from: left, at: half, count: moved, to: 0)
        }
        left.count = half
        right.count = total - half
        unsafe parent.setSeparator(at: index + 1, key: right.keys[0], node: right.node(at: 0))
        let entryCount = left.totalEntryCount
        let moved = entryCount - parent.entryCount(at: index)
        parent.add(moved, at: index)
        parent.add(-moved, at: index + 1)
    }
}

/// Which ends of the tree a block lies at.
struct ScoreEdges: OptionSet {
    let rawValue: UInt8

    static let first = ScoreEdges(rawValue: 1)
    static let last = ScoreEdges(rawValue: 2)

    /// The ends at which child `index` of `count` lies.
    func narrowed(to index: Int, of count: Int) -> ScoreEdges {
        var edges = self
        if index > 0 { edges.remove(.first) }
        if index < count - 1 { edges.remove(.last) }
        return edges
    }
}
