import Foundation
import Structures
import Testing

struct PageSupplyTests {
    @Test func `what was made ready ahead is handed out once, and given back with the rest`() throws
    {
        Thread.detachNewThread { PageSupply.run() }
        let arena = Arena()
        var blocks = (0..<200_000).map { arena.block($0) }
        try wait { PageSupply.readyByteCount > 0 }
        blocks += (200_000..<400_000).map { arena.block($0) }
        #expect(blocks.indices.allSatisfy { blocks[$0].load(as: Int.self) == $0 })
        // A sixty-fourth of 400 MB; other tests use pages at the same time.
        let share = 3 * 2 << 20
        try wait { PageSupply.readyByteCount >= share }
        #expect(PageSupply.readyByteCount <= 32 << 20)
        arena.destroy()
        try wait { PageSupply.readyByteCount < share }
    }

    private func wait(until isSo: () -> Bool) throws {
        for _ in 0..<2000 where !isSo() { usleep(5000) }
        try #require(isSo())
    }
}

extension Arena {
    /// A block of a kilobyte that begins with `number`.
    fileprivate func block(_ number: Int) -> UnsafeMutableRawPointer {
        let block = allocate(1000)
        block.storeBytes(of: number, as: Int.self)
        return block
    }
}
