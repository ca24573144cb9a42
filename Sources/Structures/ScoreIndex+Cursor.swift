/// A place between two members of a `ScoreIndex`, from which to step either way.
///
/// A step costs a few instructions; at the end of a leaf, one way down the tree.
@safe
public struct ScoreCursor: ~Escapable {
    @usableFromInline let root: UnsafeMutableRawPointer?
    @usableFromInline let height: Int
    @usableFromInline let entryCount: Int
    @usableFromInline var leaf: ScoreLeaf?
    @usableFromInline var index = 0
    @usableFromInline var rest: Int

    @_lifetime(borrow owner)
    init(_ owner: borrowing ScoreIndex, rank: Int) {
        unsafe root = unsafe owner.root
        height = owner.height
        entryCount = owner.count
        rest = rank
        locate(rank)
    }

    /// How many members come before this place.
    @inlinable public var rank: Int { rest }

    /// The member behind this place, or nil at the end; moves past it.
    @inlinable
    @_lifetime(self: copy self)
    public mutating func next() -> SortedSetNode? {
        guard rest < entryCount, var leaf else { return nil }
        if index == leaf.count {
            locate(rest)
            leaf = unsafe self.leaf.unsafelyUnwrapped
        }
        let node = leaf.node(at: index)
        index &+= 1
        rest &+= 1
        return node
    }

    /// The member before this place, or nil at the start; moves before it.
    @inlinable
    @_lifetime(self: copy self)
    public mutating func previous() -> SortedSetNode? {
        guard rest > 0, var leaf else { return nil }
        if index == 0 {
            locate(rest &- 1)
            leaf = unsafe self.leaf.unsafelyUnwrapped
            index &+= 1
        }
        index &-= 1
        rest &-= 1
        return leaf.node(at: index)
    }

    @usableFromInline
    @_lifetime(self: copy self)
    mutating func locate(_ rank: Int) {
        guard let root = unsafe root else { return }
        (leaf, index) = unsafe ScoreIndex.leaf(ofRank: rank, below: root, height: height)
    }
}

extension ScoreIndex {
    /// The place before the member of `rank`; `count` is the one behind the last.
    @_lifetime(borrow self)
    public func cursor(at rank: Int) -> ScoreCursor {
        precondition(rank >= 0 && rank <= entryCount, "no member has this rank")
        return ScoreCursor(self, rank: rank)
    }
}
