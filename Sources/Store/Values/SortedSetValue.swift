import Bytes
import Structures

/// A sorted set to be read: members in the order of their scores, then of their bytes.
@safe
package struct SortedSetValue {
    let entry: Entry

    var indexed: UnsafeMutablePointer<IndexedSortedSet>? {
        guard entry.encoding == .indexedSortedSet else { return nil }
        return unsafe entry.valuePointer.assumingMemoryBound(to: IndexedSortedSet.self)
    }

    var packed: PackedSortedSet { unsafe PackedSortedSet(bytes: entry.valueBytes) }

    /// Whether the set is one listpack.
    package var isPacked: Bool { entry.encoding == .packedSortedSet }

    /// How many members.
    package var count: Int {
        guard let indexed = unsafe indexed else { return entry.packedCount / 2 }
        return unsafe indexed.pointee.index.count
    }

    /// The score of `member`.
    package func score(of member: RawSpan) -> Double? {
        guard let indexed = unsafe indexed else {
            return unsafe packed.find(member)?.score
        }
        return unsafe indexed.pointee.find(member)?.score
    }

    /// How many members come before `member`, and its score.
    package func rank(of member: RawSpan) -> (rank: Int, score: Double)? {
        guard let indexed = unsafe indexed else { return unsafe packed.rank(of: member) }
        guard let node = unsafe indexed.pointee.find(member) else { return nil }
        return unsafe (indexed.pointee.index.rank(of: node), node.score)
    }

    /// The ranks of the members with a score in `range`.
    package func ranks(of range: ScoreRange) -> Range<Int> {
        guard let indexed = unsafe indexed else { return unsafe packed.ranks(of: range) }
        let index = unsafe indexed
        let lower =
            unsafe range.excludesMinimum
            ? index.pointee.index.firstRank(scoreAbove: range.minimum)
            : index.pointee.index.firstRank(scoreAtLeast: range.minimum)
        let upper =
            unsafe range.excludesMaximum
            ? index.pointee.index.firstRank(scoreAtLeast: range.maximum)
            : index.pointee.index.firstRank(scoreAbove: range.maximum)
        return lower..<max(lower, upper)
    }

    /// The ranks of the members between two bounds, in a set where all scores are the same.
    package func ranks(from least: borrowing LexBound, to most: borrowing LexBound) -> Range<Int> {
        let lower = rank(ofFirstAt: least)
        return lower..<max(lower, rank(ofFirstBeyond: most))
    }

    private func rank(ofFirstAt bound: borrowing LexBound) -> Int {
        switch bound {
        case .lowest: 0
        case .highest: count
        case .inclusive(let member): firstRank(member, passesEqual: false)
        case .exclusive(let member): firstRank(member, passesEqual: true)
        }
    }

    private func rank(ofFirstBeyond bound: borrowing LexBound) -> Int {
        switch bound {
        case .lowest: 0
        case .highest: count
        case .inclusive(let member): firstRank(member, passesEqual: true)
        case .exclusive(let member): firstRank(member, passesEqual: false)
        }
    }

    private func firstRank(_ member: RawSpan, passesEqual: Bool) -> Int {
        guard let indexed = unsafe indexed else {
            return unsafe packed.firstRank(member, passesEqual: passesEqual)
        }
        return unsafe passesEqual
            ? indexed.pointee.index.firstRank(memberAbove: member)
            : indexed.pointee.index.firstRank(memberAtLeast: member)
    }

    /// Visits the members of these ranks with their scores, in order or from the last on.
    package func forEach(
        in ranks: Range<Int>,
        isReversed: Bool = false,
        _ visit: (PackedValue, Double) -> Void
    ) {
        guard !ranks.isEmpty else { return }
        guard let indexed = unsafe indexed else {
            return unsafe packed.forEach(in: ranks, isReversed: isReversed, visit)
        }
        var cursor = unsafe indexed.pointee.index.cursor(
            at: isReversed ? ranks.upperBound : ranks.lowerBound
        )
        for _ in ranks {
            guard let node = isReversed ? cursor.previous() : cursor.next() else { return }
            visit(.bytes(node.member), node.score)
        }
    }

    /// Visits every member with its score, in order.
    package func forEachMember(_ visit: (PackedValue, Double) -> Void) {
        forEach(in: 0..<count, visit)
    }

    /// Visits the members at a cursor and returns the next; a packed set is visited at once.
    package func scan(_ cursor: UInt64, _ visit: (PackedValue, Double) -> Void) -> UInt64 {
        guard let indexed = unsafe indexed else {
            forEachMember(visit)
            return 0
        }
        return unsafe indexed.pointee.table.scan(cursor) { slot in
            let node = unsafe SortedSetNode(slot.node)
            visit(.bytes(node.member), node.score)
        }
    }

    /// Visits `wanted` different members by chance, each equally likely.
    package func sample(_ wanted: Int, _ visit: (PackedValue, Double) -> Void) {
        let environment = unsafe entry.keyspace.environment
        let count = self.count
        guard unsafe indexed != nil, wanted < count / 4 else {
            var sampler = Sampler(wanted, of: count)
            return forEach(in: 0..<count) { member, score in
                if unsafe sampler.takes(&environment.pointee.random) { visit(member, score) }
            }
        }
        // Robert Floyd's way to draw without putting back: of the first k ranks one by chance,
        // or the last of them if that was drawn already (Bentley, "A sample of brilliance",
        // 1987).
        var drawn: Set<Int> = []
        for last in (count - wanted)..<count {
            let choice = unsafe Int(environment.pointee.random.next() >> 1) % (last + 1)
            let rank = drawn.insert(choice).inserted ? choice : last
            drawn.insert(rank)
            forEach(in: rank..<(rank + 1), visit)
        }
    }

    /// Visits the members with their scores, in order, until a visit returns false.
    package func visitMembers(while visit: (borrowing PackedValue, Double) -> Bool) {
        guard let indexed = unsafe indexed else {
            var cursor = unsafe PackedCursor(entry.valueBytes)
            while unsafe !cursor.isAtEnd {
                let member = unsafe cursor
                unsafe cursor.advance()
                guard unsafe visit(member.value(), cursor.score) else { return }
                unsafe cursor.advance()
            }
            return
        }
        var cursor = unsafe indexed.pointee.index.cursor(at: 0)
        while let node = cursor.next(), visit(.bytes(node.member), node.score) {}
    }

    /// Visits one member by chance, each equally likely.
    package func random(_ visit: (PackedValue, Double) -> Void) {
        let choice = unsafe Int(entry.keyspace.environment.pointee.random.next() >> 33) % count
        forEach(in: choice..<(choice + 1), visit)
    }
}

/// Scores from one bound to another.
package struct ScoreRange: Sendable {
    package var minimum: Double
    package var maximum: Double
    package var excludesMinimum = false
    package var excludesMaximum = false

    package init(
        _ minimum: Double,
        _ maximum: Double,
        excludesMinimum: Bool = false,
        excludesMaximum: Bool = false
    ) {
        self.minimum = minimum
        self.maximum = maximum
        self.excludesMinimum = excludesMinimum
        self.excludesMaximum = excludesMaximum
    }

    func isPassed(by score: Double) -> Bool {
        excludesMaximum ? score >= maximum : score > maximum
    }

    func isReached(by score: Double) -> Bool {
        excludesMinimum ? score > minimum : score >= minimum
    }
}

/// Where a range of members by their bytes begins or ends.
package enum LexBound: ~Escapable {
    case lowest
    case highest
    case inclusive(RawSpan)
    case exclusive(RawSpan)
}

/// How a member's score may be changed: the options of ZADD.
///
/// Plain properties: an option set's array literals are not specialised in other modules, and
/// cost more there than the change itself.
package struct ScoreChange: Sendable {
    /// Members that exist stay as they are.
    package var onlyNew = false
    /// No member is added.
    package var onlyExisting = false
    /// A score may only rise.
    package var onlyGreater = false
    /// A score may only fall.
    package var onlyLess = false
    /// The number is added to the score.
    package var increments = false

    package init(increments: Bool = false) {
        self.increments = increments
    }

    /// The score that `old` becomes, or nil if it must stay.
    func newScore(from old: Double, _ number: Double) -> Double? {
        if onlyNew { return nil }
        let score = increments ? old + number : number
        if onlyLess, score >= old { return nil }
        if onlyGreater, score <= old { return nil }
        return score
    }
}

/// What came of changing a member's score.
package enum ScoreOutcome: Sendable {
    case added(Double)
    case updated(Double)
    /// The score was that number already.
    case same(Double)
    /// The options forbade it.
    case refused
    /// Infinities of both signs were added up; nothing has changed.
    case notANumber
}

/// A sorted set to be changed.
@safe
package struct OpenSortedSet {
    package let open: OpenEntry

    /// The same set, to be read.
    package var value: SortedSetValue { SortedSetValue(entry: open.entry) }

    /// Gives `member` a score, as `change` allows.
    package func set(
        _ member: RawSpan,
        _ number: Double,
        _ change: ScoreChange = ScoreChange()
    )
        -> ScoreOutcome
    {
        guard let indexed = unsafe value.indexed else { return setPacked(member, number, change) }
        return unsafe OpenSortedSet.set(member, number, change, in: indexed)
    }

    private static func set(
        _ member: RawSpan,
        _ number: Double,
        _ change: ScoreChange,
        in indexed: UnsafeMutablePointer<IndexedSortedSet>
    ) -> ScoreOutcome {
        let hash = unsafe indexed.pointee.table.hash(member)
        guard let slot = unsafe indexed.pointee.table.find(member, hash: hash) else {
            if change.onlyExisting { return .refused }
            unsafe indexed.pointee.insert(member, number, hash: hash)
            return .added(number)
        }
        let node = unsafe SortedSetNode(slot.node)
        let old = node.score
        guard let score = change.newScore(from: old, number) else { return .refused }
        guard !score.isNaN else { return .notANumber }
        guard score != old else { return .same(old) }
        unsafe indexed.pointee.index.reposition(node, score: score)
        return .updated(score)
    }

    /// Adds a member that a file has, or gives it another score.
    package func load(_ member: RawSpan, _ score: Double) {
        guard let indexed = unsafe value.indexed else {
            _ = setPacked(member, score, ScoreChange())
            return
        }
        unsafe indexed.pointee.load(member, score)
    }

    /// Asks the processor for where `member` belongs, so that `load` finds it there.
    package func prefetch(_ member: RawSpan) {
        guard let indexed = unsafe value.indexed else { return }
        unsafe indexed.pointee.table.prefetchBucket(indexed.pointee.table.hash(member))
    }

    private func setPacked(
        _ member: RawSpan,
        _ number: Double,
        _ change: ScoreChange
    ) -> ScoreOutcome {
        if let found = unsafe value.packed.find(member) {
            guard let score = change.newScore(from: found.score, number) else { return .refused }
            guard !score.isNaN else { return .notANumber }
            guard score != found.score else { return .same(score) }
            removePacked(at: found.offset, found.byteCount, members: 1)
            insertPacked(member, score)
            return .updated(score)
        }
        if change.onlyExisting { return .refused }
        let limits = unsafe open.keyspace.environment.pointee.limits
        guard member.byteCount <= limits.sortedSetValue, value.count < limits.sortedSetEntries
        else {
            let indexed = unsafe convertToIndexed()
            unsafe indexed.pointee.insert(member, number, hash: indexed.pointee.table.hash(member))
            return .added(number)
        }
        insertPacked(member, number)
        return .added(number)
    }

    private func insertPacked(_ member: RawSpan, _ score: Double) {
        let offset = unsafe value.packed.offset(forInserting: member, score)
        open.insertPacked(PackedValue(packing: member), at: offset)
        let behind = unsafe PackedCursor(open.entry.valueBytes, at: offset).byteCount
        if let whole = unsafe PackedSortedSet.wholeNumber(score) {
            return open.insertPacked(.integer(whole), at: offset + behind)
        }
        var text = ByteWriter(reserving: 32)
        text.append(shortest: score)
        open.insertPacked(.bytes(text.bytes), at: offset + behind)
    }

    private func removePacked(at offset: Int, _ byteCount: Int, members: Int) {
        open.removePacked(at: offset, byteCount, elements: 2 * members)
    }

    /// Removes a member; returns whether it was there.
    ///
    /// A set without members must not stay: the caller removes its key.
    package func remove(_ member: RawSpan) -> Bool {
        guard let indexed = unsafe value.indexed else {
            guard let found = unsafe value.packed.find(member) else { return false }
            removePacked(at: found.offset, found.byteCount, members: 1)
            return true
        }
        return unsafe indexed.pointee.remove(member)
    }

    /// Removes the members of these ranks.
    ///
    /// A set without members must not stay: the caller removes its key.
    package func remove(in ranks: Range<Int>) {
        guard !ranks.isEmpty else { return }
        guard let indexed = unsafe value.indexed else {
            let place = unsafe value.packed.place(of: ranks)
            return removePacked(at: place.offset, place.byteCount, members: ranks.count)
        }
        unsafe indexed.pointee.remove(in: ranks)
    }

    /// Makes a packed set that `count` members of up to `byteCount` bytes will not fit into an
    /// indexed one, before they are added.
    package func prepare(toHold count: Int, longest byteCount: Int) {
        guard unsafe value.indexed == nil else { return }
        let limits = unsafe open.keyspace.environment.pointee.limits
        if count > limits.sortedSetEntries || byteCount > limits.sortedSetValue {
            unsafe convertToIndexed()
        }
    }

    /// Makes room for so many members in all, if they are more than a packed set holds.
    package func reserve(_ count: Int) {
        prepare(toHold: count, longest: 0)
        unsafe value.indexed?.pointee.table.reserve(count)
    }

    /// Makes a packed sorted set that is larger than the limits into an indexed one.
    func applyLimits() {
        guard unsafe value.indexed == nil else { return }
        prepare(toHold: value.count, longest: open.entry.longestPackedElement)
    }

    @discardableResult
    private func convertToIndexed() -> UnsafeMutablePointer<IndexedSortedSet> {
        let indexed = unsafe IndexedSortedSet.allocate(in: open.keyspace)
        var text = TextBuffer()
        value.forEach(in: 0..<value.count) { member, score in
            unsafe indexed.pointee.append(text.text(of: member), score)
        }
        unsafe open.replaceValue(.indexedSortedSet, pointer: UnsafeMutableRawPointer(indexed))
        return unsafe indexed
    }
}

extension Entry {
    /// The value as a sorted set, which it must be.
    package var sortedSet: SortedSetValue {
        precondition(kind == .sortedSet, "not a sorted set")
        return SortedSetValue(entry: self)
    }
}

extension OpenEntry {
    /// The value as a sorted set, which it must be.
    package var sortedSet: OpenSortedSet {
        precondition(entry.kind == .sortedSet, "not a sorted set")
        return OpenSortedSet(open: self)
    }
}

extension Keyspace {
    /// Adds `key`, which must be absent, with a sorted set without members, as one that will
    /// hold `count` members of up to `byteCount` bytes should begin.
    package func insertSortedSet(
        _ key: RawSpan,
        toHold count: Int,
        longest byteCount: Int
    ) -> OpenSortedSet {
        let limits = unsafe environment.pointee.limits
        guard count <= limits.sortedSetEntries, byteCount <= limits.sortedSetValue else {
            let indexed = unsafe IndexedSortedSet.allocate(in: self)
            return OpenSortedSet(
                open: unsafe insert(
                    key,
                    .indexedSortedSet,
                    pointer: UnsafeMutableRawPointer(indexed)
                )
            )
        }
        let open = insert(key, .packedSortedSet, byteCount: Listpack.emptyByteCount)
        open.clearPacked(.packedSortedSet)
        return OpenSortedSet(open: open)
    }
}
