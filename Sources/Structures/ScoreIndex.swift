import Bytes

/// Members of a sorted set by score, then member, and by rank: a counted B+tree.
///
/// The nodes belong to the hash table beside it, which finds them by member; the tree holds
/// pointers to them. A leaf entry is 10 bytes: 6 of pointer and 4 of the score, enough to
/// search without following the pointer unless scores tie. Leaves grow in small steps, so
/// that the tree stays below 12 bytes a member whatever the order of insertion.
///
///                       branch: separators, children, counts
///              ________________________|_________________________
///             |                        |                         |
///          branch                   branch                    branch
///        ___|____ ...             ___|____ ...              ___|____ ...
///       |        |               |        |                |        |
///      leaf     leaf            leaf     leaf             leaf     leaf
///       | ...                                                        |
///     node (score, member) ... owned by the hash table ...         node
///
/// Changes go down the tree once and split or join on the way, before they are needed: there
/// is no way back up, no recursion and no parent pointer. An order of insertion that only
/// ascends, or only descends, leaves full leaves behind. Every operation takes O(log n)
/// unless it says otherwise.
@safe
public struct ScoreIndex: ~Copyable {
    let arena: Arena
    @usableFromInline var root: UnsafeMutableRawPointer?
    @usableFromInline var entryCount = 0
    var blockByteCount = 0
    /// Branches on the way to a leaf.
    @usableFromInline var height = 0
    let leafCapacity: Int16
    let branchCapacity: Int16
    /// Who sees members before they change; nil but during a walk.
    var witness: (any ScoreWitness)?
    /// The version of the leaves that were shown; of all, when nobody watches.
    var version: UInt8 = 0

    /// An empty index that allocates nothing yet.
    public init(arena: Arena) {
        self.init(
            arena: arena,
            leafCapacity: ScoreLeaf.largestCapacity,
            branchCapacity: ScoreBranch.largestCapacity
        )
    }

    /// An index of smaller blocks, so that a test reaches a deep tree with few entries.
    ///
    /// Both capacities are multiples of four.
    package init(arena: Arena, leafCapacity: Int, branchCapacity: Int) {
        precondition(leafCapacity % 4 == 0 && 4...ScoreLeaf.largestCapacity ~= leafCapacity)
        precondition(4...ScoreBranch.largestCapacity ~= branchCapacity)
        self.arena = arena
        self.leafCapacity = Int16(leafCapacity)
        self.branchCapacity = Int16(branchCapacity)
        unsafe root = nil
    }

    deinit {
        var rest = unsafe ScoreBlocks(root: root, height: height, arena: arena)
        while !rest.free(upTo: .max) {}
    }

    /// How many members.
    @inlinable public var count: Int { entryCount }

    /// Whether there are none.
    @inlinable public var isEmpty: Bool { entryCount == 0 }

    /// Bytes of memory that the tree takes, without the nodes.
    public var byteCount: Int { blockByteCount }

    // Ranks.

    /// How many members come before `node`, which is here.
    public func rank(of node: SortedSetNode) -> Int {
        let target = ScoreTarget(node)
        var block = unsafe filledRoot
        var rank = 0
        for _ in 0..<height {
            let branch = unsafe ScoreBranch(block)
            let index = branch.childIndex(of: target)
            rank &+= branch.entryCount(before: index)
            unsafe block = branch.child(at: index)
        }
        return unsafe rank &+ ScoreLeaf(block).index(of: node, key: target.key)
    }

    /// The node that `rank` others come before.
    public func node(at rank: Int) -> SortedSetNode {
        precondition(rank >= 0 && rank < entryCount, "no member has this rank")
        let (leaf, index) = unsafe ScoreIndex.leaf(ofRank: rank, below: filledRoot, height: height)
        return leaf.node(at: index)
    }

    /// The leaf that holds the entry of this rank, and its index there.
    ///
    /// The rank that follows the last gives the last leaf and its count.
    @usableFromInline
    static func leaf(
        ofRank rank: Int,
        below root: UnsafeMutableRawPointer,
        height: Int
    ) -> (leaf: ScoreLeaf, index: Int) {
        var block = unsafe root
        var rest = rank
        for _ in 0..<height {
            let branch = unsafe ScoreBranch(block)
            let (index, restBelow) = branch.child(ofRank: rest)
            unsafe block = branch.child(at: index)
            rest = restBelow
        }
        return unsafe (ScoreLeaf(block), rest)
    }

    /// The root of an index that has entries.
    var filledRoot: UnsafeMutableRawPointer {
        guard let root = unsafe root else { preconditionFailure("an empty index has no members") }
        return unsafe root
    }

    /// How many members have a score less than `score`: the rank of the first that has not.
    public func firstRank(scoreAtLeast score: Double) -> Int {
        firstRank(KeyProbe(key: ScoreOrder.key(of: score)))
    }

    /// How many members have a score up to `score`: the rank of the first with a greater one.
    public func firstRank(scoreAbove score: Double) -> Int {
        // Keys are integers; the next one belongs to the next score.
        firstRank(KeyProbe(key: ScoreOrder.key(of: score) + 1))
    }

    /// How many members come before the place of `score` and `member`.
    ///
    /// A walk that lets others change the set between its slices continues from here.
    public func firstRank(score: Double, memberAtLeast member: RawSpan) -> Int {
        unsafe member.withUnsafeBytes { member in
            let key = ScoreOrder.key(of: score)
            return unsafe firstRank(TargetProbe(target: ScoreTarget(key: key, member: member)))
        }
    }

    /// How many members come before `member`, in a set where all scores are the same.
    ///
    /// Where they are not, some rank.
    public func firstRank(memberAtLeast member: RawSpan) -> Int {
        unsafe member.withUnsafeBytes { member in
            unsafe firstRank(MemberProbe(member: member, isAfterEqual: false))
        }
    }

    /// How many members come up to `member`, in a set where all scores are the same.
    ///
    /// Where they are not, some rank.
    public func firstRank(memberAbove member: RawSpan) -> Int {
        unsafe member.withUnsafeBytes { member in
            unsafe firstRank(MemberProbe(member: member, isAfterEqual: true))
        }
    }

    private func firstRank(_ probe: some ScoreProbe) -> Int {
        guard var block = unsafe root else { return 0 }
        var rank = 0
        for _ in 0..<height {
            let branch = unsafe ScoreBranch(block)
            let index = probe.childIndex(in: branch)
            rank &+= branch.entryCount(before: index)
            unsafe block = branch.child(at: index)
        }
        return unsafe rank &+ probe.position(in: ScoreLeaf(block))
    }

    // The end.

    /// Frees at most `limit` blocks of the tree; true once there are none.
    ///
    /// Not the nodes: whoever owns them frees them, before or after. Once begun, nothing else
    /// may be asked of the index, which is empty at the end.
    public mutating func destroy(upTo limit: Int) -> Bool {
        var rest = unsafe ScoreBlocks(root: root, height: height, arena: arena)
        let isDone = rest.free(upTo: limit)
        unsafe root = unsafe rest.root
        if isDone {
            height = 0
            entryCount = 0
            blockByteCount = 0
        }
        return isDone
    }

    /// Checks what must hold between any two calls; tests call it after every step.
    public func checkInvariants() {
        guard let root = unsafe root else {
            precondition(entryCount == 0 && height == 0 && blockByteCount == 0)
            return
        }
        var bytes = 0
        let count = unsafe checkBlock(root, level: height, least: nil, bytes: &bytes)
        precondition(count == entryCount, "the count is stale")
        precondition(bytes == blockByteCount, "the memory account is stale")
        var cursor = cursor(at: 0)
        guard var previous = cursor.next() else {
            precondition(entryCount == 0)
            return
        }
        var walked = 1
        while let next = cursor.next() {
            precondition(ScoreTarget(next).follows(previous), "leaves are not in order")
            previous = next
            walked += 1
        }
        precondition(walked == entryCount)
    }

    private func checkBlock(
        _ block: UnsafeMutableRawPointer,
        level: Int,
        least: SortedSetNode?,
        bytes: inout Int
    ) -> Int {
        if level == 0 {
            let leaf = unsafe ScoreLeaf(block)
            leaf.checkInvariants()
            precondition(witness != nil || leaf.version == version, "a walk has left out a leaf")
            if leaf.version == version {
                precondition((0..<leaf.count).allSatisfy { !leaf.isFlagged($0) }, "a stale flag")
            }
            precondition(leaf.count > 0 || height == 0, "a leaf is empty")
            precondition(least == nil || leaf.node(at: 0) == least, "a separator is stale")
            bytes += Arena.roundedByteCount(leaf.byteCount)
            return leaf.count
        }
        let branch = unsafe ScoreBranch(block)
        precondition(branch.count > 0 && branch.count <= branch.capacity)
        bytes += Arena.roundedByteCount(branch.byteCount)
        for index in 0..<branch.count {
            let least = index == 0 ? least : branch.node(at: index)
            if index > 0 {
                let key = ScoreOrder.key(of: branch.node(at: index).score)
                precondition(unsafe branch.keys[index] == key, "a separator's key is stale")
            }
            let count = unsafe checkBlock(
                branch.child(at: index),
                level: level - 1,
                least: least,
                bytes: &bytes
            )
            precondition(count == branch.entryCount(at: index), "a count is stale")
        }
        return branch.totalEntryCount
    }
}

/// A place in the order, found block by block.
private protocol ScoreProbe {
    func childIndex(in branch: ScoreBranch) -> Int
    func position(in leaf: ScoreLeaf) -> Int
}

private struct KeyProbe: ScoreProbe {
    let key: UInt64

    func childIndex(in branch: ScoreBranch) -> Int { branch.childIndex(ofKey: key) }
    func position(in leaf: ScoreLeaf) -> Int { leaf.position(ofKey: key) }
}

private struct TargetProbe: ScoreProbe {
    let target: ScoreTarget

    func childIndex(in branch: ScoreBranch) -> Int { branch.childIndex(of: target) }
    func position(in leaf: ScoreLeaf) -> Int { leaf.position(of: target) }
}

@safe
private struct MemberProbe: ScoreProbe {
    let member: UnsafeRawBufferPointer
    let isAfterEqual: Bool

    func isPassed(by node: SortedSetNode) -> Bool {
        let order = unsafe ScoreTarget.compare(node.memberBuffer, member)
        return order < 0 || (order == 0 && isAfterEqual)
    }

    func childIndex(in branch: ScoreBranch) -> Int {
        var low = 1
        var high = branch.count
        while low < high {
            let middle = (low + high) >> 1
            if isPassed(by: branch.node(at: middle)) { low = middle + 1 } else { high = middle }
        }
        return low - 1
    }

    func position(in leaf: ScoreLeaf) -> Int {
        var low = 0
        var high = leaf.count
        while low < high {
            let middle = (low + high) >> 1
            if isPassed(by: leaf.node(at: middle)) { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

/// The blocks of a tree that nobody searches any more.
@safe
struct ScoreBlocks: ~Copyable {
    var root: UnsafeMutableRawPointer?
    let height: Int
    let arena: Arena

    init(root: UnsafeMutableRawPointer?, height: Int, arena: Arena) {
        unsafe self.root = unsafe root
        self.height = height
        self.arena = arena
    }

    /// Frees at most `limit` blocks, last leaf first; true once there are none.
    mutating func free(upTo limit: Int) -> Bool {
        var rest = limit
        while let root = unsafe root {
            guard rest > 0 else { return false }
            rest -= 1
            var parent: ScoreBranch?
            var block = unsafe root
            var level = height
            while level > 0, unsafe ScoreBranch(block).count > 0 {
                let branch = unsafe ScoreBranch(block)
                parent = branch
                unsafe block = branch.child(at: branch.count - 1)
                level -= 1
            }
            if level > 0 {
                unsafe ScoreBranch(block).free(in: arena)
            } else {
                unsafe ScoreLeaf(block).free(in: arena)
            }
            if let parent {
                parent.count -= 1
            } else {
                unsafe self.root = nil
            }
        }
        return true
    }
}
