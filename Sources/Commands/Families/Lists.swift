import Bytes
import RESP
import Store

extension Command {
    static let lists: [Command] = [
        Command("lpush", .atLeast(3), keys: .first, [.write, .denyOOM, .fast], leftPush),
        Command("rpush", .atLeast(3), keys: .first, [.write, .denyOOM, .fast], rightPush),
        Command("lpushx", .atLeast(3), keys: .first, [.write, .denyOOM, .fast], leftPushIfThere),
        Command("rpushx", .atLeast(3), keys: .first, [.write, .denyOOM, .fast], rightPushIfThere),
        Command("lpop", .atLeast(2), keys: .first, [.write, .fast], leftPop),
        Command("rpop", .atLeast(2), keys: .first, [.write, .fast], rightPop),
        Command("llen", .exactly(2), keys: .first, [.readonly, .fast], length),
        Command("lindex", .exactly(3), keys: .first, [.readonly], element),
        Command("lrange", .exactly(4), keys: .first, [.readonly], range),
        Command("lpos", .atLeast(3), keys: .first, [.readonly], positions),
        Command("lset", .exactly(4), keys: .first, [.write, .denyOOM], set),
        Command("linsert", .exactly(5), keys: .first, [.write, .denyOOM], insert),
        Command("lrem", .exactly(4), keys: .first, [.write], remove),
        Command("ltrim", .exactly(4), keys: .first, [.write], trim),
    ]
}

/// One of the ends of a list.
enum ListEnd {
    case left
    case right

    var popEvent: StaticString { self == .left ? "lpop" : "rpop" }
    var pushEvent: StaticString { self == .left ? "lpush" : "rpush" }
    var name: StaticString { self == .left ? "LEFT" : "RIGHT" }

    /// The positions of the `count` elements nearest to this end.
    func range(_ count: Int, of total: Int) -> Range<Int> {
        self == .left ? 0..<count : (total - count)..<total
    }
}

extension OpenList {
    func push(_ element: RawSpan, _ end: ListEnd) {
        if end == .left {
            prepend(element, isPrepared: true)
        } else {
            append(element, isPrepared: true)
        }
    }
}

extension Request {
    /// The argument at `index` as an end of a list.
    func listEnd(_ index: Int) throws(CommandError) -> ListEnd {
        if self.is(index, "left") { return .left }
        if self.is(index, "right") { return .right }
        throw .syntax
    }
}

private func leftPush(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    try push(request, .left, onlyIfThere: false, &engine, &reply)
}

private func rightPush(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    try push(request, .right, onlyIfThere: false, &engine, &reply)
}

private func leftPushIfThere(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    try push(request, .left, onlyIfThere: true, &engine, &reply)
}

private func rightPushIfThere(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    try push(request, .right, onlyIfThere: true, &engine, &reply)
}

private func push(
    _ request: borrowing Request,
    _ end: ListEnd,
    onlyIfThere: Bool,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    let entry = try engine.lookupForWrite(request.key, .list)
    if entry == nil, onlyIfThere { return reply.integer(0) }
    let list = entry?.open().list ?? engine.keyspace.insertList(request.key)
    var byteCount = 0
    for index in 2..<request.count { byteCount += request[index].byteCount }
    list.prepare(toAdd: request.count - 2, byteCount: byteCount)
    for index in 2..<request.count { list.push(request[index], end) }
    reply.integer(list.value.count)
    engine.changed(request.key, .list, end.pushEvent, count: request.count - 2)
}

private func leftPop(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    try pop(request, .left, "lpop", &engine, &reply)
}

private func rightPop(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    try pop(request, .right, "rpop", &engine, &reply)
}

private func pop(
    _ request: borrowing Request,
    _ end: ListEnd,
    _ command: String,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    guard request.count <= 3 else { throw .wrongArity(command: command) }
    let count = request.count == 3 ? try request.positiveInteger(2) : nil
    guard let entry = try engine.lookupForWrite(request.key, .list) else {
        return count == nil ? reply.null() : reply.nullArray()
    }
    guard let count else {
        return engine.popOne(from: entry, request.key, end, &reply)
    }
    engine.pop(count, from: entry, request.key, end, &reply)
}

extension Engine {
    /// Takes an element off a list and replies with it.
    mutating func popOne(
        from entry: Entry,
        _ key: RawSpan,
        _ end: ListEnd,
        _ reply: inout ReplyWriter
    ) {
        let list = entry.open().list
        let count = list.value.count
        reply.bulk(list.value.element(at: end == .left ? 0 : count - 1))
        finishPop(1, of: count, list, entry, key, end)
    }

    /// Takes up to `limit` elements off a list and replies with an array of them.
    mutating func pop(
        _ limit: Int,
        from entry: Entry,
        _ key: RawSpan,
        _ end: ListEnd,
        _ reply: inout ReplyWriter
    ) {
        let list = entry.open().list
        let total = list.value.count
        let count = min(limit, total)
        reply.array(count)
        guard count > 0 else { return }
        list.value.forEach(in: end.range(count, of: total), isReversed: end == .right) {
            reply.bulk($0)
        }
        finishPop(count, of: total, list, entry, key, end)
    }

    /// Removes what was popped; a list that is empty then goes away.
    mutating func finishPop(
        _ count: Int,
        of total: Int,
        _ list: OpenList,
        _ entry: Entry,
        _ key: RawSpan,
        _ end: ListEnd
    ) {
        if count == total {
            changed(key, .list, end.popEvent, count: count)
            return removeEmptied(entry, key)
        }
        list.remove(in: end.range(count, of: total))
        list.settle()
        changed(key, .list, end.popEvent, count: count)
    }
}

private func length(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    reply.integer(try engine.lookup(request.key, .list)?.list.count ?? 0)
}

private func element(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    guard let list = try engine.lookup(request.key, .list)?.list else { return reply.null() }
    guard let index = position(try request.integer(2), of: list.count) else { return reply.null() }
    reply.bulk(list.element(at: index))
}

private func range(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    let first = try request.integer(2)
    let last = try request.integer(3)
    guard let list = try engine.lookup(request.key, .list)?.list else { return reply.array(0) }
    let range = slice(first, last, of: list.count)
    reply.array(range.count)
    list.forEach(in: range) { reply.bulk($0) }
}

/// The options of LPOS.
private struct PositionOptions {
    /// How many matches to pass over, counted from the end if `isReversed`.
    var skipped: Int64 = 0
    var isReversed = false
    /// The most matches to tell; nil: one, and not as an array.
    var count: Int?
    /// The most elements to compare; 0: all.
    var limit = 0

    init(_ request: borrowing Request) throws(CommandError) {
        var index = 3
        while index < request.count {
            guard index + 1 < request.count else { throw .syntax }
            if request.is(index, "rank") {
                try setRank(request, index + 1)
            } else if request.is(index, "count") {
                count = try request.integer(
                    index + 1,
                    atLeast: 0,
                    else: "ERR COUNT can't be negative"
                )
            } else if request.is(index, "maxlen") {
                limit = try request.integer(
                    index + 1,
                    atLeast: 0,
                    else: "ERR MAXLEN can't be negative"
                )
            } else {
                throw .syntax
            }
            index += 2
        }
    }

    private mutating func setRank(_ request: borrowing Request, _ index: Int) throws(CommandError) {
        let rank = try request.integer(index)
        guard rank != .min else { throw .notInvertible }
        guard rank != 0 else {
            throw .text(
                "ERR RANK can't be zero: use 1 to start from the first match, 2 from the second "
                    + "... or use negative to start from the end of the list"
            )
        }
        isReversed = rank < 0
        skipped = abs(rank) - 1
    }
}

private func positions(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    let options = try PositionOptions(request)
    guard let list = try engine.lookup(request.key, .list)?.list else {
        return options.count == nil ? reply.null() : reply.array(0)
    }
    let wanted = options.count == nil ? 1 : options.count == 0 ? Int.max : options.count ?? 1
    var skipped = options.skipped
    var found = 0
    let mark = reply.beginArray()
    list.forEachIndex(
        of: request[2],
        fromEnd: options.isReversed,
        limit: options.limit == 0 ? .max : options.limit
    ) { index in
        if skipped > 0 {
            skipped -= 1
            return true
        }
        reply.integer(index)
        found += 1
        return found < wanted
    }
    if options.count != nil {
        reply.endArray(mark, count: found)
    } else if found == 0 {
        reply.null()
    }
}

private func set(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    guard let entry = try engine.lookupForWrite(request.key, .list) else { throw .noSuchKey }
    guard let index = position(try request.integer(2), of: entry.list.count) else {
        throw .outOfRange
    }
    let list = entry.open().list
    list.prepare(toAdd: 1, byteCount: request[3].byteCount)
    list.set(request[3], at: index)
    list.settle()
    engine.changed(request.key, .list, "lset")
    reply.ok()
}

private func insert(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    let isBehind = request.is(2, "after")
    guard isBehind || request.is(2, "before") else { throw .syntax }
    guard let entry = try engine.lookupForWrite(request.key, .list) else {
        return reply.integer(0)
    }
    var pivot: Int?
    entry.list.forEachIndex(of: request[3], fromEnd: false, limit: .max) { index in
        pivot = index
        return false
    }
    guard let pivot else { return reply.integer(-1) }
    let list = entry.open().list
    list.prepare(toAdd: 1, byteCount: request[4].byteCount)
    list.insert(request[4], at: isBehind ? pivot + 1 : pivot)
    engine.changed(request.key, .list, "linsert")
    reply.integer(list.value.count)
}

private func remove(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    let count = try request.integer(2)
    guard count != .min else { throw .notInvertible }
    guard let entry = try engine.lookupForWrite(request.key, .list) else {
        return reply.integer(0)
    }
    let list = entry.open().list
    let removed = list.remove(
        request[3],
        limit: count == 0 ? .max : Int(clamping: count.magnitude),
        fromEnd: count < 0
    )
    reply.integer(removed)
    guard removed > 0 else { return }
    engine.changed(request.key, .list, "lrem", count: removed)
    if list.value.count == 0 {
        engine.removeEmptied(entry, request.key)
    } else {
        list.settle()
    }
}

private func trim(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    let first = try request.integer(2)
    let last = try request.integer(3)
    guard let entry = try engine.lookupForWrite(request.key, .list) else { return reply.ok() }
    let count = entry.list.count
    let kept = slice(first, last, of: count)
    reply.ok()
    guard !kept.isEmpty else {
        engine.changed(request.key, .list, "ltrim", count: count)
        return engine.removeEmptied(entry, request.key)
    }
    let list = entry.open().list
    list.remove(in: kept.upperBound..<count)
    list.remove(in: 0..<kept.lowerBound)
    list.settle()
    engine.changed(request.key, .list, "ltrim", count: count - kept.count)
}
