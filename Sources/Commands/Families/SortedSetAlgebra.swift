import Bytes
import RESP
import Store

extension Command {
    static let sortedSetAlgebra: [Command] = [
        Command("zdiff", .atLeast(3), [.readonly, .movableKeys], difference),
        Command(
            "zdiffstore",
            .atLeast(4),
            keys: .first,
            [.write, .denyOOM, .movableKeys],
            storeDifference
        ),
        Command("zinter", .atLeast(3), [.readonly, .movableKeys], intersection),
        Command("zintercard", .atLeast(3), [.readonly, .movableKeys], intersectionCount),
        Command(
            "zinterstore",
            .atLeast(4),
            keys: .first,
            [.write, .denyOOM, .movableKeys],
            storeIntersection
        ),
        Command("zunion", .atLeast(3), [.readonly, .movableKeys], union),
        Command(
            "zunionstore",
            .atLeast(4),
            keys: .first,
            [.write, .denyOOM, .movableKeys],
            storeUnion
        ),
    ]
}

private enum Operation {
    case union
    case intersection
    case difference
}

/// What a command of this family is made of.
private struct AlgebraForm {
    let command: String
    let operation: Operation
    /// Whether the result becomes a key: the first argument.
    var isStored = false
    /// Whether only the number of members is asked for.
    var isCounted = false

    var firstArgument: Int { isStored ? 2 : 1 }
}

/// A sorted set, or a set whose members all have the score 1.
private enum Operand {
    case absent
    case sortedSet(SortedSetValue)
    case set(SetValue)

    init(_ entry: Entry?) throws(CommandError) {
        guard let entry else {
            self = .absent
            return
        }
        switch entry.kind {
        case .sortedSet: self = .sortedSet(entry.sortedSet)
        case .set: self = .set(entry.set)
        default: throw .wrongType
        }
    }

    var count: Int {
        switch self {
        case .absent: 0
        case .sortedSet(let set): set.count
        case .set(let set): set.count
        }
    }

    func score(of member: RawSpan) -> Double? {
        switch self {
        case .absent: nil
        case .sortedSet(let set): set.score(of: member)
        case .set(let set): set.contains(member) ? 1 : nil
        }
    }

    func visitMembers(while visit: (borrowing PackedValue, Double) -> Bool) {
        switch self {
        case .absent: return
        case .sortedSet(let set): set.visitMembers(while: visit)
        case .set(let set): set.visitMembers(while: { visit($0, 1) })
        }
    }
}

/// The arguments of one command: its operands and options.
private struct AlgebraQuery {
    let operation: Operation
    var operands: [(operand: Operand, weight: Double)] = []
    var aggregate = ScoreAggregate.sum
    var withScores = false
    /// 0: no limit.
    var limit = 0

    init(
        _ request: borrowing Request,
        _ form: AlgebraForm,
        _ engine: inout Engine
    ) throws(CommandError) {
        operation = form.operation
        let start = form.firstArgument
        let keyCount = try request.integer(start)
        guard keyCount > 0 else {
            throw .text("ERR at least 1 input key is needed for '\(form.command)' command")
        }
        guard keyCount < request.count - start else { throw .syntax }
        let keys = (start + 1)..<(start + 1 + Int(keyCount))
        for index in keys { _ = try Operand(engine.lookup(request[index])) }
        // Only now: a lookup that removed an expired key may have moved others.
        for index in keys {
            operands.append((try Operand(engine.keyspace.find(request[index])), 1))
        }
        try readOptions(request, from: keys.upperBound, form)
        guard operation != .difference else { return }
        // The order in which scores are added up shows in the sums.
        operands = operands.enumerated()
            .sorted {
                ($0.element.operand.count, $0.offset) < ($1.element.operand.count, $1.offset)
            }
            .map(\.element)
    }

    private mutating func readOptions(
        _ request: borrowing Request,
        from start: Int,
        _ form: AlgebraForm
    ) throws(CommandError) {
        var index = start
        let combines = operation != .difference && !form.isCounted
        while index < request.count {
            let rest = request.count - index - 1
            if combines, rest >= operands.count, request.is(index, "weights") {
                for operand in operands.indices {
                    index += 1
                    operands[operand].weight = try AlgebraQuery.weight(request, index)
                }
            } else if combines, rest >= 1, request.is(index, "aggregate") {
                index += 1
                aggregate = try AlgebraQuery.aggregate(request, index)
            } else if !form.isStored, !form.isCounted, request.is(index, "withscores") {
                withScores = true
            } else if form.isCounted, rest >= 1, request.is(index, "limit") {
                index += 1
                limit = try request.integer(index, atLeast: 0, else: "ERR LIMIT can't be negative")
            } else {
                throw .syntax
            }
            index += 1
        }
    }

    private static func weight(
        _ request: borrowing Request,
        _ index: Int
    ) throws(CommandError) -> Double {
        guard let weight = DecimalText.parseDoubleInRange(request[index]) else {
            throw .text("ERR weight value is not a float")
        }
        return weight
    }

    private static func aggregate(
        _ request: borrowing Request,
        _ index: Int
    ) throws(CommandError) -> ScoreAggregate {
        if request.is(index, "sum") { return .sum }
        if request.is(index, "min") { return .least }
        if request.is(index, "max") { return .greatest }
        throw .syntax
    }

    /// The result, which the keyspace is only needed to make.
    func result(in keyspace: Keyspace) -> SortedSetBuilder {
        var result = SortedSetBuilder(in: keyspace)
        switch operation {
        case .union:
            for (operand, weight) in operands {
                operand.visitMembers { member, score in
                    result.merge(member, weighted(score, weight), aggregate)
                    return true
                }
            }
        case .intersection:
            forEachCommon { member, score in
                result.add(member, score)
                return true
            }
        case .difference:
            operands[0].operand.visitMembers { member, score in
                let isElsewhere = operands.dropFirst().contains { other in
                    member.withText { other.operand.score(of: $0) != nil }
                }
                if !isElsewhere { result.add(member, score) }
                return true
            }
        }
        return result
    }

    /// Visits the members that every operand has, until a visit returns false.
    func forEachCommon(_ visit: (RawSpan, Double) -> Bool) {
        let (smallest, weight) = operands[0]
        smallest.visitMembers { member, score in
            member.withText { member in
                var total = weighted(score, weight)
                for (other, weight) in operands.dropFirst() {
                    guard let score = other.score(of: member) else { return true }
                    // Infinity times zero stays what it is, and loses against any number.
                    total = aggregate(total, score * weight)
                }
                return visit(member, total)
            }
        }
    }

    private func weighted(_ score: Double, _ weight: Double) -> Double {
        let product = score * weight
        // Infinity times zero.
        return product.isNaN ? 0 : product
    }
}

private func union(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    try run(AlgebraForm(command: "zunion", operation: .union), request, &engine, &reply)
}

private func intersection(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    try run(AlgebraForm(command: "zinter", operation: .intersection), request, &engine, &reply)
}

private func difference(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    try run(AlgebraForm(command: "zdiff", operation: .difference), request, &engine, &reply)
}

private func run(
    _ form: AlgebraForm,
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    let query = try AlgebraQuery(request, form, &engine)
    let result = query.result(in: engine.keyspace)
    let isPaired = query.withScores && reply.protocolVersion == .resp3
    reply.array(query.withScores && !isPaired ? 2 * result.count : result.count)
    result.forEachMember { member, score in
        if isPaired { reply.array(2) }
        reply.bulk(member)
        if query.withScores { reply.double(score) }
    }
}

private func intersectionCount(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    let form = AlgebraForm(command: "zintercard", operation: .intersection, isCounted: true)
    let query = try AlgebraQuery(request, form, &engine)
    var count = 0
    query.forEachCommon { _, _ in
        count += 1
        return count != query.limit
    }
    reply.integer(count)
}

private func storeUnion(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    let form = AlgebraForm(command: "zunionstore", operation: .union, isStored: true)
    try store(form, "zunionstore", request, &engine, &reply)
}

private func storeIntersection(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    let form = AlgebraForm(command: "zinterstore", operation: .intersection, isStored: true)
    try store(form, "zinterstore", request, &engine, &reply)
}

private func storeDifference(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    let form = AlgebraForm(command: "zdiffstore", operation: .difference, isStored: true)
    try store(form, "zdiffstore", request, &engine, &reply)
}

private func store(
    _ form: AlgebraForm,
    _ event: StaticString,
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    let result = try AlgebraQuery(request, form, &engine).result(in: engine.keyspace)
    reply.integer(engine.store(result, at: request.key, event))
}

extension Engine {
    /// Puts a result in the place of whatever `key` holds; returns how many members it has.
    ///
    /// It is one change, or with `countingMembers` as many as there are members.
    mutating func store(
        _ result: consuming SortedSetBuilder,
        at key: RawSpan,
        _ event: StaticString,
        countingMembers: Bool = false
    ) -> Int {
        let count = result.count
        guard count > 0 else {
            storeNothing(at: key)
            return 0
        }
        if let old = lookupForWrite(key) { keyspace.remove(old) }
        result.store(at: key)
        changed(key, .sortedSet, event, count: countingMembers ? count : 1)
        return count
    }
}
