import Structures
import TestKit
import Testing

struct OrderedMapTests {
    private typealias Entry = OrderedMap.Entry

    /// Drives the map and a dictionary with the same random steps.
    ///
    /// A failure names its seed. Add that seed to the list, and it stays fixed.
    @Test(arguments: [4, 5, 8, 42], [1, 2, 3] as [UInt64])
    func `agrees with a dictionary`(blockCapacity: Int, seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let arena = Arena()
        defer { arena.destroy() }
        var map = OrderedMap(arena: arena, blockCapacity: blockCapacity)
        var twin: [UInt128: UInt64] = [:]
        for step in 0..<4000 {
            // Phases of growth and of shrinking, so that every block is split and joined.
            let grows = (step / 1000).isMultiple(of: 2)
            let key = UInt128(random.next() % 900) << 60
            if Int.random(in: 0..<10, using: &random) < (grows ? 8 : 3) {
                let word = random.next()
                let old = map.set(word, at: key)
                #expect(old == twin.updateValue(word, forKey: key))
            } else {
                let old = map.remove(key)
                #expect(old == twin.removeValue(forKey: key))
            }
            if step.isMultiple(of: 101) { compare(map, twin) }
            if step.isMultiple(of: 11) { compareNeighbours(map, twin, &random) }
        }
        for key in twin.keys.sorted() { map.remove(key) }
        compare(map, [:])
        #expect(arena.usedByteCount == 0)
    }

    private func compare(_ map: borrowing OrderedMap, _ twin: [UInt128: UInt64]) {
        map.checkInvariants()
        let order = twin.sorted { $0.key < $1.key }
        var walked: [(UInt128, UInt64)] = []
        var next = map.first
        while let entry = next {
            walked.append((entry.key, entry.word))
            next = map.entry(after: entry.key)
        }
        #expect(walked.map(\.0) == order.map(\.key))
        #expect(walked.map(\.1) == order.map(\.value))
        var walkedBack: [UInt128] = []
        var previous = map.last
        while let entry = previous {
            walkedBack.append(entry.key)
            previous = map.entry(before: entry.key)
        }
        #expect(walkedBack.reversed() == order.map(\.key))
        let count = map.count
        #expect(count == twin.count)
    }

    private func compareNeighbours(
        _ map: borrowing OrderedMap,
        _ twin: [UInt128: UInt64],
        _ random: inout SeededGenerator
    ) {
        let key = UInt128(random.next() % 900) << 60 &+ UInt128(random.next() % 3) &- 1
        let word = map.word(at: key)
        let after = map.entry(atOrAfter: key)?.key
        let before = map.entry(atOrBefore: key)?.key
        #expect(word == twin[key])
        #expect(after == twin.keys.filter { $0 >= key }.min())
        #expect(before == twin.keys.filter { $0 <= key }.max())
    }

    @Test func `keys at both ends of the range are keys`() {
        let arena = Arena()
        defer { arena.destroy() }
        var map = OrderedMap(arena: arena)
        map.set(1, at: 0)
        map.set(2, at: .max)
        let first = map.first
        let last = map.last
        let afterLast = map.entry(after: .max)
        let beforeFirst = map.entry(before: 0)
        let between = map.entry(after: 0)?.word
        #expect(first?.word == 1)
        #expect(last?.word == 2)
        #expect(afterLast == nil)
        #expect(beforeFirst == nil)
        #expect(between == 2)
    }

    @Test func `keys that arrive in order fill their blocks`() {
        let arena = Arena()
        defer { arena.destroy() }
        var map = OrderedMap(arena: arena)
        for number in 1...100_000 as ClosedRange<UInt64> {
            map.set(number, at: UInt128(1_700_000_000_000 + number / 3) << 64 | UInt128(number % 3))
        }
        map.checkInvariants()
        let byteCount = map.byteCount
        #expect(Double(byteCount) < 25 * 100_000)
        var isDone = false
        while !isDone { isDone = map.destroy(upTo: 10) }
        #expect(arena.usedByteCount == 0)
    }

    @Test func `keys in random order take less than thirty bytes`() {
        var random = SeededGenerator(seed: 9)
        let arena = Arena()
        defer { arena.destroy() }
        var map = OrderedMap(arena: arena)
        for number in 1...100_000 {
            map.set(0, at: UInt128(random.next()) << 64)
            guard number.isMultiple(of: 10_000) else { continue }
            let byteCount = map.byteCount
            #expect(Double(byteCount) < 30 * Double(number))
        }
        _ = map.destroy(upTo: .max)
        #expect(arena.usedByteCount == 0)
    }

    @Test func `a queue of keys stays small`() {
        let arena = Arena()
        defer { arena.destroy() }
        var map = OrderedMap(arena: arena)
        for number in 0..<50_000 as Range<UInt128> {
            map.set(0, at: number)
            if number >= 100 { map.remove(number - 100) }
        }
        map.checkInvariants()
        let byteCount = map.byteCount
        #expect(byteCount < 8000)
        _ = map.destroy(upTo: .max)
    }
}
