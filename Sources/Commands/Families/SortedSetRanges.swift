import Bytes
import RESP
import Store

extension Command {
    static let sortedSetRanges: [Command] = [
        Command("zrange", .atLeast(4), keys: .first, [.readonly], range),
        Command("zrevrange", .atLeast(4), keys: .first, [.readonly], reverseRange),
        Command("zrangebyscore", .atLeast(4), keys: .first, [.readonly], rangeByScore),
        Command("zrevrangebyscore", .atLeast(4), keys: .first, [.readonly], reverseRangeByScore),
        Command("zrangebylex", .atLeast(4), keys: .first, [.readonly], rangeByLex),
        Command("zrevrangebylex", .atLeast(4), keys: .first, [.readonly], reverseRangeByLex),
        Command("zrangestore", .atLeast(5), keys: .firstTwo, [.write, .denyOOM], storeRange),
        Command("zcount", .exactly(4), keys: .first, [.readonly, .fast], countByScore),
        Command("zlexcount", .exactly(4), keys: .first, [.readonly, .fast], countByLex),
        Command("zremrangebyrank", .exactly(4), keys: .first, [.write], removeByRank),
        Command("zremrangebyscore", .exactly(4), keys: .first, [.write], removeByScore),
        Command("zremrangebylex", .exactly(4), keys: .first, [.write], removeByLex),
    ]
}

/// What the two bounds of a range are.
private enum RangeKind {
    case rank
    case score
    case lex
}

/// A range of members as ZRANGE and its kin name it; the bounds stay in the request.
private struct RangeQuery {
    let first: Int
    var kind: RangeKind
    var isReversed: Bool
    var withScores = false
    var offset: Int64 = 0
    /// Negative: no limit.
    var limit: Int64 = -1

    /// Reads what follows the bounds, which are the argument `first` and the one behind it.
    ///
    /// A kind or a direction that is not nil is fixed by the command.
    init(
        _ request: borrowing Request,
        first: Int,
        kind: RangeKind?,
        isReversed: Bool?,
        isStored: Bool = false
    ) throws(CommandError) {
        self.first = first
        var chosenKind = kind
        var chosenDirection = isReversed
        var index = first + 2
        while index < request.count {
            if !isStored, request.is(index, "withscores") {
                withScores = true
            } else if request.is(index, "limit"), index + 2 < request.count {
                offset = try request.integer(index + 1)
                limit = try request.integer(index + 2)
                index += 2
            } else if chosenDirection == nil, request.is(index, "rev") {
                chosenDirection = true
            } else if chosenKind == nil, request.is(index, "bylex") {
                chosenKind = .lex
            } else if chosenKind == nil, request.is(index, "byscore") {
                chosenKind = .score
            } else {
                throw .syntax
            }
            index += 1
        }
        self.kind = chosenKind ?? .rank
        self.isReversed = chosenDirection ?? false
        if limit != -1, self.kind == .rank {
            throw .text(
                "ERR syntax error, LIMIT is only supported in combination with either BYSCORE or "
                    + "BYLEX"
            )
        }
        if withScores, self.kind == .lex {
            throw .text("ERR syntax error, WITHSCORES not supported in combination with BYLEX")
        }
    }

    /// The bounds by score or by bytes come greatest first when reversed.
    private var least: Int { isReversed && kind != .rank ? first + 1 : first }
    private var greatest: Int { isReversed && kind != .rank ? first : first + 1 }

    /// Refuses bounds that are none.
    func check(_ request: borrowing Request) throws(CommandError) {
        switch kind {
        case .rank:
            _ = try request.integer(first)
            _ = try request.integer(first + 1)
        case .score: _ = try request.scoreRange(least, greatest)
        case .lex:
            _ = try request.lexBound(least)
            _ = try request.lexBound(greatest)
        }
    }

    /// The ranks of the members in the range.
    func ranks(
        _ request: borrowing Request,
        of set: SortedSetValue
    ) throws(CommandError) -> Range<Int> {
        switch kind {
        case .rank:
            let count = set.count
            let slice = slice(
                try request.integer(first),
                try request.integer(first + 1),
                of: count
            )
            guard isReversed else { return slice }
            return (count - slice.upperBound)..<(count - slice.lowerBound)
        case .score:
            let ranks = set.ranks(of: try request.scoreRange(least, greatest))
            return limited(ranks, isPacked: set.isPacked)
        case .lex:
            let ranks = set.ranks(
                from: try request.lexBound(least),
                to: try request.lexBound(greatest)
            )
            return limited(ranks, isPacked: set.isPacked)
        }
    }

    private func limited(_ ranks: Range<Int>, isPacked: Bool) -> Range<Int> {
        // Valkey counts a negative offset from the other end, except in packed sets.
        let offset = offset < 0 && !isPacked ? offset + Int64(ranks.count) : offset
        guard offset >= 0, offset < ranks.count else {
            return ranks.lowerBound..<ranks.lowerBound
        }
        let rest = ranks.count - Int(offset)
        let kept = limit < 0 ? rest : min(rest, Int(limit))
        let lower =
            isReversed ? ranks.lowerBound + rest - kept : ranks.lowerBound + Int(offset)
        return lower..<(lower + kept)
    }
}

extension Request {
    /// Two bounds by score, as `1.5`, `(1.5` without the bound itself, or `-inf`.
    func scoreRange(_ least: Int, _ greatest: Int) throws(CommandError) -> ScoreRange {
        let (minimum, excludesMinimum) = try scoreBound(least)
        let (maximum, excludesMaximum) = try scoreBound(greatest)
        return ScoreRange(
            minimum,
            maximum,
            excludesMinimum: excludesMinimum,
            excludesMaximum: excludesMaximum
        )
    }

    private func scoreBound(_ index: Int) throws(CommandError) -> (Double, isExcluded: Bool) {
        var text = self[index]
        let isExcluded = text.byteCount > 0 && text.byte(at: 0) == UInt8(ascii: "(")
        if isExcluded { text = text.part(from: 1, count: text.byteCount - 1) }
        // Servers see a C string: it ends at a zero byte, and nothing at all is zero.
        for offset in 0..<text.byteCount where text.byte(at: offset) == 0 {
            text = text.part(from: 0, count: offset)
            break
        }
        if text.byteCount == 0 { return (0, isExcluded) }
        guard let value = DecimalText.parseDouble(text) else {
            throw .text("ERR min or max is not a float")
        }
        return (value, isExcluded)
    }

    /// A bound by bytes: `[member`, `(member` without the bound itself, `-` or `+`.
    @_lifetime(copy self)
    func lexBound(_ index: Int) throws(CommandError) -> LexBound {
        let text = self[index]
        if text.byteCount > 0 {
            let member = text.part(from: 1, count: text.byteCount - 1)
            switch text.byte(at: 0) {
            case UInt8(ascii: "["): return .inclusive(member)
            case UInt8(ascii: "("): return .exclusive(member)
            case UInt8(ascii: "-") where isEmpty(member): return .lowest
            case UInt8(ascii: "+") where isEmpty(member): return .highest
            default: break
            }
        }
        throw .text("ERR min or max not valid string range item")
    }

    /// Whether there is nothing before a zero byte, where servers see a C string end.
    private func isEmpty(_ text: RawSpan) -> Bool {
        text.byteCount == 0 || text.byte(at: 0) == 0
    }
}

private func range(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    try range(request, nil, isReversed: nil, &engine, &reply)
}

private func reverseRange(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    try range(request, .rank, isReversed: true, &engine, &reply)
}

private func rangeByScore(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    try range(request, .score, isReversed: false, &engine, &reply)
}

private func reverseRangeByScore(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    try range(request, .score, isReversed: true, &engine, &reply)
}

private func rangeByLex(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    try range(request, .lex, isReversed: false, &engine, &reply)
}

private func reverseRangeByLex(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    try range(request, .lex, isReversed: true, &engine, &reply)
}

private func range(
    _ request: borrowing Request,
    _ kind: RangeKind?,
    isReversed: Bool?,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    let query = try RangeQuery(request, first: 2, kind: kind, isReversed: isReversed)
    try query.check(request)
    guard let set = try engine.lookup(request.key, .sortedSet)?.sortedSet else {
        return reply.array(0)
    }
    let ranks = try query.ranks(request, of: set)
    guard query.withScores else {
        reply.array(ranks.count)
        return set.forEach(in: ranks, isReversed: query.isReversed) { member, _ in
            reply.bulk(member)
        }
    }
    let isPaired = reply.protocolVersion == .resp3
    reply.array(isPaired ? ranks.count : 2 * ranks.count)
    set.forEach(in: ranks, isReversed: query.isReversed) { member, score in
        if isPaired { reply.array(2) }
        reply.bulk(member)
        reply.double(score)
    }
}

private func storeRange(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    let query = try RangeQuery(request, first: 3, kind: nil, isReversed: nil, isStored: true)
    try query.check(request)
    var result = SortedSetBuilder(in: engine.keyspace)
    if let set = try engine.lookup(request[2], .sortedSet)?.sortedSet {
        let ranks = try query.ranks(request, of: set)
        let limits = engine.dataSet.limits
        // As Valkey adds them one by one, to a listpack for as long as that does; which has no -0.
        var isPacked = query.kind != .rank || ranks.count <= limits.sortedSetEntries
        set.forEach(in: ranks, isReversed: query.isReversed) { member, score in
            member.withText { text in
                isPacked =
                    isPacked && text.byteCount <= limits.sortedSetValue
                    && result.count < limits.sortedSetEntries
                result.add(text, isPacked ? score + 0 : score)
            }
        }
    }
    reply.integer(engine.store(result, at: request.key, "zrangestore"))
}

private func countByScore(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    let range = try request.scoreRange(2, 3)
    let set = try engine.lookup(request.key, .sortedSet)?.sortedSet
    reply.integer(set?.ranks(of: range).count ?? 0)
}

private func countByLex(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    let least = try request.lexBound(2)
    let most = try request.lexBound(3)
    let set = try engine.lookup(request.key, .sortedSet)?.sortedSet
    reply.integer(set?.ranks(from: least, to: most).count ?? 0)
}

private func removeByRank(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    try removeRange(request, .rank, "zremrangebyrank", &engine, &reply)
}

private func removeByScore(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    try removeRange(request, .score, "zremrangebyscore", &engine, &reply)
}

private func removeByLex(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    try removeRange(request, .lex, "zremrangebylex", &engine, &reply)
}

private func removeRange(
    _ request: borrowing Request,
    _ kind: RangeKind,
    _ event: StaticString,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    let query = try RangeQuery(request, first: 2, kind: kind, isReversed: false)
    try query.check(request)
    guard let entry = try engine.lookupForWrite(request.key, .sortedSet) else {
        return reply.integer(0)
    }
    let ranks = try query.ranks(request, of: entry.sortedSet)
    reply.integer(ranks.count)
    guard !ranks.isEmpty else { return }
    engine.remove(ranks, from: entry.open().sortedSet, entry, request.key, event)
}
