import Bytes
import RESP
import Store

extension Command {
    static let setAlgebra: [Command] = [
        Command("sdiff", .atLeast(2), keys: .all, [.readonly], difference),
        Command("sdiffstore", .atLeast(3), keys: .all, [.write, .denyOOM], storeDifference),
        Command("sinter", .atLeast(2), keys: .all, [.readonly], intersection),
        Command("sintercard", .atLeast(3), [.readonly, .movableKeys], intersectionCount),
        Command("sinterstore", .atLeast(3), keys: .all, [.write, .denyOOM], storeIntersection),
        Command("sunion", .atLeast(2), keys: .all, [.readonly], union),
        Command("sunionstore", .atLeast(3), keys: .all, [.write, .denyOOM], storeUnion),
    ]
}

private func intersection(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    let sets = try engine.sets(request, 1..<request.count)
    let mark = reply.beginSet()
    var count = 0
    forEachCommon(sets) { member in
        reply.bulk(member)
        count += 1
        return true
    }
    reply.endSet(mark, count: count)
}

private func intersectionCount(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    guard let keyCount = DecimalText.parseInteger(request[1]), keyCount > 0 else {
        throw .text("ERR numkeys should be greater than 0")
    }
    guard keyCount <= request.count - 2 else {
        throw .text("ERR Number of keys can't be greater than number of args")
    }
    let end = 2 + Int(keyCount)
    var limit: Int64 = 0
    var index = end
    while index < request.count {
        guard request.is(index, "limit"), index + 1 < request.count else { throw .syntax }
        guard let number = DecimalText.parseInteger(request[index + 1]), number >= 0 else {
            throw .text("ERR LIMIT can't be negative")
        }
        limit = number
        index += 2
    }
    let sets = try engine.sets(request, 2..<end)
    var count = 0
    forEachCommon(sets) { _ in
        count += 1
        return count != limit
    }
    reply.integer(count)
}

private func storeIntersection(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    let sets = try engine.sets(request, 2..<request.count)
    var result = ResultSet(request.key, in: engine.dataSet.scratch)
    forEachCommon(sets) { member in
        result.add(member)
        return true
    }
    reply.integer(engine.store(result, at: request.key, "sinterstore"))
}

/// Visits the members that every set has, until a visit returns false.
private func forEachCommon(_ sets: [SetValue?], _ visit: (borrowing PackedValue) -> Bool) {
    guard sets.allSatisfy({ $0 != nil }) else { return }
    let ordered = sets.compactMap { $0 }.sorted { $0.count < $1.count }
    ordered[0].visitMembers(while: { member in
        for set in ordered.dropFirst() where !set.contains(member) { return true }
        return visit(member)
    })
}

private func difference(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    let sets = try engine.sets(request, 1..<request.count)
    let mark = reply.beginSet()
    var count = 0
    forEachDifferent(sets) { member in
        reply.bulk(member)
        count += 1
    }
    reply.endSet(mark, count: count)
}

private func storeDifference(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    let sets = try engine.sets(request, 2..<request.count)
    var result = ResultSet(request.key, in: engine.dataSet.scratch)
    forEachDifferent(sets) { result.add($0) }
    reply.integer(engine.store(result, at: request.key, "sdiffstore"))
}

/// Visits the members of the first set that no other has.
private func forEachDifferent(_ sets: [SetValue?], _ visit: (borrowing PackedValue) -> Void) {
    guard let first = sets[0] else { return }
    // The largest set is the likeliest to have a member.
    let others = sets.dropFirst().compactMap { $0 }.sorted { $0.count > $1.count }
    first.forEachMember { member in
        for set in others where set.contains(member) { return }
        visit(member)
    }
}

private func union(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    let sets = try engine.sets(request, 1..<request.count)
    var result = ResultSet(request.key, in: engine.dataSet.scratch)
    for set in sets { set?.forEachMember { result.add($0) } }
    guard let set = result.set?.value else { return reply.set(0) }
    reply.set(set.count)
    set.forEachMember { reply.bulk($0) }
    engine.dataSet.scratch.remove(set.entry)
}

private func storeUnion(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    let sets = try engine.sets(request, 2..<request.count)
    var result = ResultSet(request.key, in: engine.dataSet.scratch)
    for set in sets { set?.forEachMember { result.add($0) } }
    reply.integer(engine.store(result, at: request.key, "sunionstore"))
}

/// A set that is being built where no client sees it.
private struct ResultSet: ~Escapable {
    private let key: RawSpan
    private let scratch: Keyspace
    /// Nil as long as it has no member.
    private(set) var set: OpenSet?

    @_lifetime(copy key)
    init(_ key: RawSpan, in scratch: Keyspace) {
        self.key = key
        self.scratch = scratch
    }

    @_lifetime(self: copy self)
    mutating func add(_ member: borrowing PackedValue) {
        if let set {
            set.add(member)
            return
        }
        let set = scratch.insertSet(key, toHold: member)
        set.add(member)
        self.set = set
    }
}

extension Engine {
    /// The sets that a range of arguments names, nil for each key that is absent.
    fileprivate mutating func sets(
        _ request: borrowing Request,
        _ range: Range<Int>
    ) throws(CommandError) -> [SetValue?] {
        let expiredBefore = statistics.expiredKeys
        var sets: [SetValue?] = []
        sets.reserveCapacity(range.count)
        for index in range { sets.append(try set(request[index])) }
        guard statistics.expiredKeys != expiredBefore else { return sets }
        // A lookup removed an expired key, and with that may have moved others.
        return range.map { keyspace.find(request[$0])?.set }
    }

    /// Puts a result in the place of whatever `key` holds; returns how many members it has.
    fileprivate mutating func store(
        _ result: borrowing ResultSet,
        at key: RawSpan,
        _ event: StaticString
    ) -> Int {
        guard let set = result.set else {
            storeNothing(at: key)
            return 0
        }
        if let old = lookupForWrite(key) { keyspace.remove(old) }
        let count = set.value.count
        dataSet.scratch.move(set.open.entry, to: key, in: keyspace)
        changed(key, .set, event)
        return count
    }
}
