import Structures
import Testing

struct EmptyPagesTests {
    @Test func `pages that nothing lies in go back in steps and come again`() {
        let arena = Arena()
        defer { arena.destroy() }
        for round in 0..<3 as Range<UInt8> {
            let blocks = (0..<100_000).map { _ in arena.allocate(128) }
            for block in blocks { block.storeBytes(of: round, toByteOffset: 127, as: UInt8.self) }
            let held = arena.heldByteCount
            #expect(!arena.hasEmptyPages)
            #expect(
                blocks.allSatisfy { $0.load(fromByteOffset: 127, as: UInt8.self) == round }
            )
            for block in blocks { arena.free(block, 128) }
            #expect(arena.usedByteCount == 0)
            #expect(arena.heldByteCount < held / 100)
            var steps = 0
            while arena.hasEmptyPages {
                arena.releaseEmptyPages()
                steps += 1
            }
            // Some are kept for a queue that fills and drains.
            #expect(steps > 100)
        }
    }
}
