import Bytes
import Structures
import TestKit
import Testing

/// A member as the twin knows it.
private struct Member: Comparable, Hashable {
    var score: Double
    var name: ByteString

    static func < (one: Member, other: Member) -> Bool {
        (one.score, one.name) < (other.score, other.name)
    }
}

/// An index and its nodes beside a sorted array.
private final class Subject {
    let arena = Arena()
    var index: ScoreIndex
    var nodes: [ByteString: SortedSetNode] = [:]
    var twin: [Member] = []

    init(leafCapacity: Int = 100, branchCapacity: Int = 42) {
        index = ScoreIndex(
            arena: arena,
            leafCapacity: leafCapacity,
            branchCapacity: branchCapacity
        )
    }

    deinit {
        for node in nodes.values { node.free(in: arena) }
        while !index.destroy(upTo: 3) {}
        precondition(arena.usedByteCount == 0, "blocks are left")
        arena.destroy()
    }

    /// Where `member` is in the twin or belongs.
    func place(of member: Member) -> Int {
        var low = 0
        var high = twin.count
        while low < high {
            let middle = (low + high) / 2
            if twin[middle] < member { low = middle + 1 } else { high = middle }
        }
        return low
    }

    func set(_ name: ByteString, _ score: Double) {
        let member = Member(score: score, name: name)
        if let node = nodes[name] {
            twin.remove(at: place(of: Member(score: node.score, name: name)))
            index.reposition(node, score: score)
        } else {
            let node = SortedSetNode(score: score, member: name.bytes, in: arena)
            nodes[name] = node
            index.insert(node)
        }
        twin.insert(member, at: place(of: member))
    }

    func remove(_ name: ByteString) {
        guard let node = nodes.removeValue(forKey: name) else { return }
        twin.remove(at: place(of: Member(score: node.score, name: name)))
        index.remove(node)
        node.free(in: arena)
    }

    func removeRange(_ ranks: Range<Int>) {
        var removed: [ByteString] = []
        index.removeRange(ranks) { node in
            let name = ByteString(node.member)
            removed.append(name)
            nodes[name] = nil
            node.free(in: arena)
        }
        #expect(removed == twin[ranks].map(\.name))
        twin.removeSubrange(ranks)
    }

    func member(_ node: SortedSetNode) -> Member {
        Member(score: node.score, name: ByteString(node.member))
    }

    func walk(from rank: Int, count: Int) -> [Member] {
        var result: [Member] = []
        var cursor = index.cursor(at: rank)
        while result.count < count, let node = cursor.next() { result.append(member(node)) }
        return result
    }

    func walkBack(from rank: Int, count: Int) -> [Member] {
        var result: [Member] = []
        var cursor = index.cursor(at: rank)
        while result.count < count, let node = cursor.previous() { result.append(member(node)) }
        return result
    }

    func check() {
        index.checkInvariants()
        #expect(index.count == twin.count)
        #expect(walk(from: 0, count: .max) == twin)
        #expect(walkBack(from: twin.count, count: .max) == twin.reversed())
    }
}

/// What scores a test draws.
enum ScoreDraw: CaseIterable, Sendable {
    case few
    case uniform
    case clocks
    case extremes

    func score(_ random: inout SeededGenerator) -> Double {
        switch self {
        case .few:
            return Double(Int.random(in: -2...2, using: &random)) * 0.5
        case .uniform:
            return Double.random(in: -1...1, using: &random)
        case .clocks:
            return 1_700_000_000_000 + Double(Int.random(in: 0..<5000, using: &random))
        case .extremes:
            let special: [Double] = [
                0, -0.0, .infinity, -.infinity, .leastNonzeroMagnitude, -.leastNonzeroMagnitude,
                .greatestFiniteMagnitude, -.greatestFiniteMagnitude, 1, -1,
            ]
            if let score = special.randomElement(using: &random),
                Bool.random(using: &random)
            {
                return score
            }
            let score = Double(bitPattern: random.next())
            return score.isNaN ? 0 : score
        }
    }
}

struct ScoreIndexTests {
    static let capacities = [(4, 4), (8, 5), (12, 16), (100, 42)]

    /// Drives the index and a sorted array with the same random steps.
    ///
    /// A failure names its seed. Add that seed to the list, and it stays fixed.
    @Test(arguments: ScoreDraw.allCases, [1, 2, 3] as [UInt64])
    func `agrees with a sorted array`(draw: ScoreDraw, seed: UInt64) {
        for (leafCapacity, branchCapacity) in ScoreIndexTests.capacities {
            var random = SeededGenerator(seed: seed)
            let subject = Subject(leafCapacity: leafCapacity, branchCapacity: branchCapacity)
            for step in 0..<1600 {
                // Phases of growth and of shrinking, so that every block is split and joined.
                let grows = (step / 400).isMultiple(of: 2)
                let name = ByteString("m\(Int.random(in: 0..<600, using: &random))")
                if Int.random(in: 0..<10, using: &random) < (grows ? 8 : 3) {
                    subject.set(name, draw.score(&random))
                } else {
                    subject.remove(name)
                }
                if step.isMultiple(of: 125) { subject.check() }
                if step.isMultiple(of: 19) { compareRanks(subject, draw, &random) }
            }
            subject.check()
        }
    }

    private func compareRanks(
        _ subject: Subject,
        _ draw: ScoreDraw,
        _ random: inout SeededGenerator
    ) {
        let twin = subject.twin
        let score = draw.score(&random)
        let below = twin.count { $0.score < score }
        let through = twin.count { $0.score <= score }
        #expect(subject.index.firstRank(scoreAtLeast: score) == below)
        #expect(subject.index.firstRank(scoreAbove: score) == through)
        let name = ByteString("m\(Int.random(in: 0..<600, using: &random))")
        let place = subject.index.firstRank(score: score, memberAtLeast: name.bytes)
        #expect(place == subject.place(of: Member(score: score, name: name)))
        guard let chosen = twin.indices.randomElement(using: &random) else { return }
        let node = subject.index.node(at: chosen)
        #expect(subject.member(node) == twin[chosen])
        #expect(subject.nodes[twin[chosen].name] == node)
        #expect(subject.index.rank(of: node) == chosen)
        #expect(subject.walk(from: chosen, count: 9) == Array(twin[chosen...].prefix(9)))
        #expect(subject.walkBack(from: chosen, count: 9) == twin[..<chosen].suffix(9).reversed())
    }

    @Test(arguments: [1, 2, 3] as [UInt64])
    func `finds members by name where all scores are the same`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let subject = Subject(leafCapacity: 8, branchCapacity: 6)
        for _ in 0..<500 { subject.set(ByteString("\(random.next() % 1000)"), 7) }
        let names = subject.twin.map(\.name)
        #expect(names == names.sorted())
        for _ in 0..<500 {
            let name = ByteString("\(random.next() % 1000)")
            let atLeast = subject.index.firstRank(memberAtLeast: name.bytes)
            let above = subject.index.firstRank(memberAbove: name.bytes)
            #expect(atLeast == names.count { $0 < name })
            #expect(above == names.count { $0 <= name })
        }
        let empty = ByteString("")
        #expect(subject.index.firstRank(memberAtLeast: empty.bytes) == 0)
    }

    @Test(arguments: [1, 2, 3, 4, 5] as [UInt64])
    func `removes ranges of ranks`(seed: UInt64) {
        for (leafCapacity, branchCapacity) in ScoreIndexTests.capacities {
            var random = SeededGenerator(seed: seed)
            let subject = Subject(leafCapacity: leafCapacity, branchCapacity: branchCapacity)
            for round in 0..<12 {
                for number in 0..<400 {
                    subject.set(
                        ByteString("\(round):\(number)"),
                        ScoreDraw.uniform.score(&random)
                    )
                }
                let count = subject.twin.count
                let first = Int.random(in: 0...count, using: &random)
                let end = Int.random(in: first...count, using: &random)
                subject.removeRange(first..<end)
                subject.check()
            }
            subject.removeRange(0..<subject.twin.count)
            subject.check()
            #expect(subject.index.byteCount == 0)
        }
    }

    @Test func `every range of a small index can be removed`() {
        for count in 0...14 {
            for first in 0...count {
                for end in first...count {
                    let subject = Subject(leafCapacity: 4, branchCapacity: 4)
                    for number in 0..<count { subject.set(ByteString("\(number)"), Double(number)) }
                    subject.removeRange(first..<end)
                    subject.check()
                }
            }
        }
    }

    @Test(arguments: [(4, 4), (8, 6), (100, 42)])
    func `a hundred thousand members stay in order`(leafCapacity: Int, branchCapacity: Int) {
        var random = SeededGenerator(seed: 11)
        let arena = Arena()
        defer { arena.destroy() }
        var index = ScoreIndex(
            arena: arena,
            leafCapacity: leafCapacity,
            branchCapacity: branchCapacity
        )
        var nodes: [SortedSetNode] = []
        for number in 0..<100_000 {
            let name = ByteString("player:\(number)")
            let score = Double(random.next() % 50_000)
            let node = SortedSetNode(score: score, member: name.bytes, in: arena)
            nodes.append(node)
            index.insert(node)
        }
        index.checkInvariants()
        for node in nodes.prefix(50_000) {
            index.reposition(node, score: Double(random.next() % 50_000))
        }
        index.checkInvariants()
        let order = nodes.sorted {
            ($0.score, ByteString($0.member)) < ($1.score, ByteString($1.member))
        }
        for rank in stride(from: 0, to: order.count, by: 101) {
            #expect(index.node(at: rank) == order[rank])
            #expect(index.rank(of: order[rank]) == rank)
        }
        for node in order { index.remove(node) }
        index.checkInvariants()
        for node in nodes { node.free(in: arena) }
        #expect(arena.usedByteCount == 0)
    }

    @Test(arguments: [true, false])
    func `members that arrive in order fill their leaves`(ascends: Bool) {
        let arena = Arena()
        defer { arena.destroy() }
        var index = ScoreIndex(arena: arena)
        var nodes: [SortedSetNode] = []
        let name = ByteString("m")
        for number in 0..<50_000 {
            let score = Double(ascends ? number : -number)
            let node = SortedSetNode(score: score, member: name.bytes, in: arena)
            nodes.append(node)
            if ascends, number.isMultiple(of: 2) { index.append(node) } else { index.insert(node) }
        }
        index.checkInvariants()
        #expect(Double(index.byteCount) < 10.6 * 50_000)
        for node in nodes { node.free(in: arena) }
        _ = index.destroy(upTo: .max)
        #expect(arena.usedByteCount == 0)
    }

    @Test func `random order takes less than twelve bytes a member`() {
        var random = SeededGenerator(seed: 5)
        let arena = Arena()
        defer { arena.destroy() }
        var index = ScoreIndex(arena: arena)
        var nodes: [SortedSetNode] = []
        let name = ByteString("m")
        for number in 1...200_000 {
            let score = Double.random(in: 0..<1, using: &random)
            let node = SortedSetNode(score: score, member: name.bytes, in: arena)
            nodes.append(node)
            index.insert(node)
            if number.isMultiple(of: 20_000) {
                #expect(Double(index.byteCount) < 12 * Double(number))
            }
        }
        for node in nodes { node.free(in: arena) }
        _ = index.destroy(upTo: .max)
        #expect(arena.usedByteCount == 0)
    }

    @Test func `an empty index answers`() {
        let subject = Subject()
        #expect(subject.index.firstRank(scoreAtLeast: 0) == 0)
        #expect(subject.index.firstRank(scoreAbove: .infinity) == 0)
        #expect(subject.walk(from: 0, count: 1) == [])
        #expect(subject.walkBack(from: 0, count: 1) == [])
        subject.removeRange(0..<0)
        subject.check()
    }

    @Test(arguments: [0, 1, 253, 254, 255, 70_000])
    func `a node holds a member of any length`(count: Int) {
        let arena = Arena()
        defer { arena.destroy() }
        let name = ByteString((0..<count).map { UInt8(truncatingIfNeeded: $0 &* 7) })
        let node = SortedSetNode(score: -2.5, member: name.bytes, in: arena)
        #expect(node.score == -2.5)
        #expect(ByteString(node.member) == name)
        #expect(node.byteCount == count + (count < 254 ? 9 : 13))
        node.free(in: arena)
        #expect(arena.usedByteCount == 0)
    }
}
