import Structures
import TestKit
import Testing

struct DueIndexTests {
    /// Drives the index and a sorted array with the same random steps.
    @Test(arguments: [1, 2, 3] as [UInt64])
    func `gives words back in order of their moments`(seed: UInt64) {
        let arena = Arena()
        defer { arena.destroy() }
        var random = SeededGenerator(seed: seed)
        do {
            var index = DueIndex(arena: arena)
            var twin: [(deadline: Int64, hash: UInt64)] = []
            let start: Int64 = 1_700_000_000_000
            for _ in 0..<5000 {
                if Bool.random(using: &random) {
                    let deadline = start + Int64.random(in: 0..<1000, using: &random)
                    let hash = random.next()
                    index.insert(deadline, hash: hash)
                    twin.append((deadline, hash & 0xFF_FFFF))
                } else {
                    let now = start + Int64.random(in: 0..<1000, using: &random)
                    let least = twin.min { $0 < $1 }
                    let isDue = least.map { $0.deadline <= now } ?? false
                    #expect(index.popDue(now) == (isDue ? least?.hash : nil))
                    if isDue, let place = twin.firstIndex(where: { $0 == least ?? (0, 0) }) {
                        twin.remove(at: place)
                    }
                }
                #expect(index.count == twin.count)
                #expect(index.earliest == twin.map(\.deadline).min())
                index.checkInvariants()
            }
        }
        #expect(arena.usedByteCount == 0)
    }

    @Test func `moments out of range do no harm`() {
        let arena = Arena()
        defer { arena.destroy() }
        do {
            var index = DueIndex(arena: arena)
            index.insert(.max, hash: 1)
            #expect(index.earliest == nil)
            index.insert(-5, hash: 2)
            #expect(index.popDue(1_700_000_000_000) == 2)
            index.removeAll()
        }
        #expect(arena.usedByteCount == 0)
    }
}
