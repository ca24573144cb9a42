import Bytes
import Inspect
import TestKit
import Testing

struct `A sort beyond memory` {
    private struct Item: Comparable {
        var rank: UInt64
        var content: ByteString

        static func < (one: Item, other: Item) -> Bool {
            (one.rank, one.content) < (other.rank, other.content)
        }
    }

    /// The same items through the sort and through an array.
    @Test(arguments: [1, 2, 3] as [UInt64], [1000, 20_000])
    func `agrees with one in memory`(seed: UInt64, memoryByteCount: Int) throws {
        var generator = SeededGenerator(seed: seed)
        for limit in [0, 1, 100, Int.max] {
            var sort = ExternalSort(limit: limit, memoryByteCount: memoryByteCount)
            var items: [Item] = []
            for _ in 0..<4000 {
                let content = ByteString(
                    (0..<Int.random(in: 0...40, using: &generator)).map { _ in
                        UInt8.random(in: 0...255, using: &generator)
                    }
                )
                let item = Item(
                    rank: UInt64.random(in: 0...50, using: &generator),
                    content: content
                )
                items.append(item)
                try sort.add(item.rank, content.bytes)
            }
            items.sort()
            var found: [Item] = []
            try sort.finish { rank, content in
                found.append(Item(rank: rank, content: ByteString(content)))
            }
            #expect(found == Array(items.prefix(limit)), "limit \(limit)")
        }
    }

    @Test
    func `takes items larger than its memory`() throws {
        var sort = ExternalSort(memoryByteCount: 1000)
        for rank in 0..<5 {
            let content = ByteString(Array(repeating: UInt8(rank), count: 300_000))
            try sort.add(UInt64(9 - rank), content.bytes)
        }
        var ranks: [UInt64] = []
        try sort.finish { rank, content in
            ranks.append(rank)
            #expect(content.byteCount == 300_000)
            #expect(content.byte(at: 299_999) == UInt8(9 - rank))
        }
        #expect(ranks == [5, 6, 7, 8, 9])
    }
}
