import Bytes
import RESP
import Store

extension Command {
    static let sortedSets: [Command] = [
        Command("zadd", .atLeast(4), keys: .first, [.write, .denyOOM, .fast], add),
        Command("zincrby", .exactly(4), keys: .first, [.write, .denyOOM, .fast], increment),
        Command("zrem", .atLeast(3), keys: .first, [.write, .fast], remove),
        Command("zcard", .exactly(2), keys: .first, [.readonly, .fast], count),
        Command("zscore", .exactly(3), keys: .first, [.readonly, .fast], score),
        Command("zmscore", .atLeast(3), keys: .first, [.readonly, .fast], scores),
        Command("zrank", .atLeast(3), keys: .first, [.readonly, .fast], rank),
        Command("zrevrank", .atLeast(3), keys: .first, [.readonly, .fast], reverseRank),
        Command("zpopmin", .atLeast(2), keys: .first, [.write, .fast], popLeast),
        Command("zpopmax", .atLeast(2), keys: .first, [.write, .fast], popGreatest),
        Command("zrandmember", .atLeast(2), keys: .first, [.readonly], random),
        Command("zscan", .atLeast(3), keys: .first, [.readonly], scan),
    ]
}

/// The options of ZADD, and where its scores begin.
private struct AddOptions {
    var change = ScoreChange()
    var countsUpdates = false
    var firstScore = 2

    init(_ request: borrowing Request) throws(CommandError) {
        while firstScore < request.count, take(request) { firstScore += 1 }
        let rest = request.count - firstScore
        guard rest > 0, rest % 2 == 0 else { throw .syntax }
        if change.onlyNew, change.onlyExisting {
            throw .text("ERR XX and NX options at the same time are not compatible")
        }
        let isLimited = change.onlyGreater || change.onlyLess
        guard !(change.onlyGreater && change.onlyLess), !(change.onlyNew && isLimited) else {
            throw .text("ERR GT, LT, and/or NX options at the same time are not compatible")
        }
        if change.increments, rest > 2 {
            throw .text("ERR INCR option supports a single increment-element pair")
        }
    }

    private mutating func take(_ request: borrowing Request) -> Bool {
        // Nearly every score begins with a digit, a sign or a point, and no option does.
        let word = request[firstScore]
        guard word.byteCount > 1, word.byte(at: 0) >= UInt8(ascii: "A") else { return false }
        if request.is(firstScore, "nx") {
            change.onlyNew = true
        } else if request.is(firstScore, "xx") {
            change.onlyExisting = true
        } else if request.is(firstScore, "gt") {
            change.onlyGreater = true
        } else if request.is(firstScore, "lt") {
            change.onlyLess = true
        } else if request.is(firstScore, "ch") {
            countsUpdates = true
        } else if request.is(firstScore, "incr") {
            change.increments = true
        } else {
            return false
        }
        return true
    }
}

private func add(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    let options = try AddOptions(request)
    let start = options.firstScore
    let first = try request.double(start)
    var longest = request[start + 1].byteCount
    for index in stride(from: start + 2, to: request.count, by: 2) {
        _ = try request.double(index)
        longest = max(longest, request[index + 1].byteCount)
    }
    let count = (request.count - start) / 2
    let entry = try engine.lookupForWrite(request.key, .sortedSet)
    if entry == nil, options.change.onlyExisting {
        return options.change.increments ? reply.null() : reply.integer(0)
    }
    let set =
        entry?.open().sortedSet
        ?? engine.keyspace.insertSortedSet(request.key, toHold: count, longest: longest)
    set.prepare(toHold: count, longest: longest)
    if options.change.increments {
        return try engine.finishIncrement(
            set.set(request[start + 1], first, options.change),
            request.key,
            &reply
        )
    }
    var added = 0
    var updated = 0
    for index in stride(from: start, to: request.count, by: 2) {
        let score = index == start ? first : try request.double(index)
        switch set.set(request[index + 1], score, options.change) {
        case .added: added += 1
        case .updated: updated += 1
        case .same, .refused, .notANumber: break
        }
    }
    if added + updated > 0 {
        engine.changed(request.key, .sortedSet, "zadd", count: added + updated)
    }
    reply.integer(options.countsUpdates ? added + updated : added)
}

private func increment(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    let number = try request.double(2)
    let member = request[3]
    let set =
        try engine.lookupForWrite(request.key, .sortedSet)?.open().sortedSet
        ?? engine.keyspace.insertSortedSet(request.key, toHold: 1, longest: member.byteCount)
    set.prepare(toHold: 1, longest: member.byteCount)
    try engine.finishIncrement(
        set.set(member, number, ScoreChange(increments: true)),
        request.key,
        &reply
    )
}

extension Engine {
    fileprivate mutating func finishIncrement(
        _ outcome: ScoreOutcome,
        _ key: RawSpan,
        _ reply: inout ReplyWriter
    ) throws(CommandError) {
        switch outcome {
        case .added(let score), .updated(let score):
            changed(key, .sortedSet, "zincr")
            reply.double(score)
        case .same(let score): reply.double(score)
        case .refused: reply.null()
        case .notANumber: throw .text("ERR resulting score is not a number (NaN)")
        }
    }
}

private func remove(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    guard let entry = try engine.lookupForWrite(request.key, .sortedSet) else {
        return reply.integer(0)
    }
    let set = entry.open().sortedSet
    var removed = 0
    var isEmpty = false
    for index in 2..<request.count where set.remove(request[index]) {
        removed += 1
        isEmpty = set.value.count == 0
        if isEmpty { break }
    }
    reply.integer(removed)
    guard removed > 0 else { return }
    engine.changed(request.key, .sortedSet, "zrem", count: removed)
    if isEmpty { engine.removeEmptied(entry, request.key) }
}

private func count(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    reply.integer(try engine.lookup(request.key, .sortedSet)?.sortedSet.count ?? 0)
}

private func score(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    let set = try engine.lookup(request.key, .sortedSet)?.sortedSet
    guard let score = set?.score(of: request[2]) else { return reply.null() }
    reply.double(score)
}

private func scores(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    let set = try engine.lookup(request.key, .sortedSet)?.sortedSet
    reply.array(request.count - 2)
    for index in 2..<request.count {
        if let score = set?.score(of: request[index]) {
            reply.double(score)
        } else {
            reply.null()
        }
    }
}

private func rank(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    try rank(request, "zrank", isReversed: false, &engine, &reply)
}

private func reverseRank(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    try rank(request, "zrevrank", isReversed: true, &engine, &reply)
}

private func rank(
    _ request: borrowing Request,
    _ command: String,
    isReversed: Bool,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    guard request.count <= 4 else { throw .wrongArity(command: command) }
    let withScore = request.count == 4
    if withScore, !request.is(3, "withscore") { throw .syntax }
    let set = try engine.lookup(request.key, .sortedSet)?.sortedSet
    guard let set, let (rank, score) = set.rank(of: request[2]) else {
        return withScore ? reply.nullArray() : reply.null()
    }
    if withScore { reply.array(2) }
    reply.integer(isReversed ? set.count - 1 - rank : rank)
    if withScore { reply.double(score) }
}

/// One of the ends of a sorted set.
enum ScoreEnd {
    case least
    case greatest

    var popEvent: StaticString { self == .least ? "zpopmin" : "zpopmax" }
    var popCommand: StaticString { self == .least ? "ZPOPMIN" : "ZPOPMAX" }
}

private func popLeast(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    try pop(request, .least, &engine, &reply)
}

private func popGreatest(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    try pop(request, .greatest, &engine, &reply)
}

private func pop(
    _ request: borrowing Request,
    _ end: ScoreEnd,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    guard request.count <= 3 else { throw .syntax }
    let limit = request.count == 3 ? try request.positiveInteger(2) : nil
    guard let entry = try engine.lookupForWrite(request.key, .sortedSet) else {
        return reply.array(0)
    }
    let count = min(limit ?? 1, entry.sortedSet.count)
    let isPaired = limit != nil && reply.protocolVersion == .resp3
    reply.array(isPaired ? count : 2 * count)
    engine.pop(count, from: entry, request.key, end, isPaired: isPaired, &reply)
}

extension Engine {
    /// Takes `count` members off a sorted set and replies with each and its score, in arrays of
    /// two if `isPaired`.
    mutating func pop(
        _ count: Int,
        from entry: Entry,
        _ key: RawSpan,
        _ end: ScoreEnd,
        isPaired: Bool,
        _ reply: inout ReplyWriter
    ) {
        guard count > 0 else { return }
        let set = entry.open().sortedSet
        let total = set.value.count
        let ranks = end == .least ? 0..<count : (total - count)..<total
        set.value.forEach(in: ranks, isReversed: end == .greatest) { member, score in
            if isPaired { reply.array(2) }
            reply.bulk(member)
            reply.double(score)
        }
        remove(ranks, from: set, entry, key, end.popEvent)
    }

    /// Removes members; a set that is empty then goes away.
    mutating func remove(
        _ ranks: Range<Int>,
        from set: OpenSortedSet,
        _ entry: Entry,
        _ key: RawSpan,
        _ event: StaticString
    ) {
        if ranks.count == set.value.count {
            changed(key, .sortedSet, event, count: ranks.count)
            return removeEmptied(entry, key)
        }
        set.remove(in: ranks)
        changed(key, .sortedSet, event, count: ranks.count)
    }
}

private func random(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    guard request.count > 2 else {
        let set = try engine.lookup(request.key, .sortedSet)?.sortedSet
        guard let set else { return reply.null() }
        return set.random { member, _ in reply.bulk(member) }
    }
    let count = try drawCount(request)
    let withScores = request.count > 3
    if withScores {
        guard request.count == 4, request.is(3, "withscores") else { throw .syntax }
        guard count.magnitude <= Int.max / 2 else { throw .text("ERR value is out of range") }
    }
    let set = try engine.lookup(request.key, .sortedSet)?.sortedSet
    guard let set, count != 0 else { return reply.array(0) }
    let isPaired = withScores && reply.protocolVersion == .resp3
    let drawn = count < 0 ? -count : min(count, set.count)
    reply.array(withScores && !isPaired ? 2 * drawn : drawn)
    func add(_ member: borrowing PackedValue, _ score: Double, to reply: inout ReplyWriter) {
        if isPaired { reply.array(2) }
        reply.bulk(member)
        if withScores { reply.double(score) }
    }
    if count < 0 {
        for _ in 0..<drawn { set.random { add($0, $1, to: &reply) } }
    } else {
        set.sample(drawn) { add($0, $1, to: &reply) }
    }
}

private func scan(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    _ = try request.cursor(2)
    guard let entry = try engine.lookup(request.key, .sortedSet) else {
        return ScanResults(reply.protocolVersion).finish(0, &reply)
    }
    let set = entry.sortedSet
    let isLarge = entry.encoding == .indexedSortedSet
    let options = try ScanOptions(request, cursorAt: 2, .sortedSet)
    var found = ScanResults(reply.protocolVersion)
    let cursor = options.walk { cursor, visited in
        set.scan(cursor) { member, score in
            visited += 1
            guard options.accepts(member) else { return }
            found.add(member)
            if !options.isWithoutValues { found.add(score: score, ofLargeSet: isLarge) }
        }
    }
    found.finish(cursor, &reply)
}
