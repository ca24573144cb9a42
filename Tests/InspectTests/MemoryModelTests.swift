import Bytes
import Glibc
import Inspect
import RDB
import Testing

/// What memory models come to; `Tests/EndToEnd/test_inspect_memory.py` compares them with real
/// servers.
struct `Memory models` {
    /// The classes that jemalloc prints as `arenas.bin.<i>.size` and `arenas.lextent.<i>.size`.
    @Test
    func `jemalloc has four sizes to a doubling`() {
        let blocks = BlockSizes(.allocator(.jemalloc))
        let classes = [
            8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512,
            640, 768, 896, 1024, 1280, 1536, 1792, 2048, 2560, 3072, 3584, 4096, 5120, 6144, 7168,
            8192, 10240, 12288, 14336, 16384, 20480, 24576, 28672, 32768,
        ]
        var index = 0
        for size in 1...32768 {
            if size > classes[index] { index += 1 }
            #expect(blocks(size) == classes[index])
        }
        #expect(BlockSizes(.allocator(.jemallocSystem))(17) == 32)
        #expect(BlockSizes(.allocator(.jemallocSystem))(129) == 160)
    }

    @Test(arguments: [1, 24, 25, 40, 41, 100, 1000, 4096, 70_000])
    func `glibc gives what its malloc gives`(byteCount: Int) throws {
        let real = try #require(usableSize(ofBlockOf: byteCount))
        // A rest too small for a block of its own stays with the one before it.
        let expected = BlockSizes(.allocator(.libc))(byteCount)
        #expect(real == expected || real == expected + 16)
    }

    /// In a process of its own: where others gave large blocks back, none are mapped.
    @Test
    func `glibc maps large blocks by the page`() async {
        await #expect(processExitsWith: .success) {
            for byteCount in [131_072, 200_001, 1 << 20] {
                let real = try #require(usableSize(ofBlockOf: byteCount))
                #expect(real == BlockSizes(.allocator(.libc))(byteCount))
            }
        }
    }

    @Test
    func `a radix tree of ids counts its branches, runs and keys`() {
        var tree = RadixTreeSize(BlockSizes(.arena), header: 24)
        #expect(tree.byteCount() == 24 + 8)
        tree.add(1, 0)
        // One run of 16 characters and the key's node.
        #expect(tree.byteCount() == 24 + 32 + 16)
        tree.add(2, 0)
        // A run of 7 to a branch of two, and from there runs of 8 to the keys.
        #expect(tree.byteCount() == 24 + 24 + 24 + 2 * (24 + 16))
        for id in 3...256 { tree.add(UInt64(id), 0) }
        // 1 to 255 differ in one byte, 256 in the one before it.
        let branch = (4 + 255 + 7) / 8 * 8 + 8 * 255
        #expect(tree.byteCount() == 24 + 24 + 24 + branch + 256 * (24 + 16))
    }

    @Test
    func `tables have the places that servers give them`() {
        let tables = TableSizes(BlockSizes(.arena))
        #expect(tables.places(1) == 32)
        #expect(tables.places(4) == 32)
        #expect(tables.places(5) == 64)
        #expect(tables.places(1 << 20) == 8 << 20)
        #expect(tables.byteCount(5, .chains, hasValues: true) == 64 + 5 * 24)
        #expect(tables.byteCount(7, .buckets, hasValues: false) == 128)
        let million = tables.byteCount(1_000_000, .buckets, hasValues: false)
        // 2^18 buckets, of which some percent overflow.
        #expect(million > 64 << 18 && million < 68 << 18)
    }

    @Test
    func `a short value moves into the object of its key`() {
        let separate = ServerModel(.redis70, .jemalloc)
        let embedded = ServerModel(.valkey91, .jemalloc)
        let value = StringShape(byteCount: 8)
        // Entry 24, key 18 -> 24, object with value 28 -> 32.
        #expect(separate.string(16, hasDeadline: false, value: value) == 80)
        // Object 8, key 19, value 12 -> 40.
        #expect(embedded.string(16, hasDeadline: false, value: value) == 40)
        #expect(embedded.string(16, hasDeadline: true, value: value) == 48)
        let number = StringShape(byteCount: 4, integer: 1234)
        #expect(separate.string(16, hasDeadline: false, value: number) == 48)
    }
}

/// What the system's malloc really gives for a block of `byteCount`.
private func usableSize(ofBlockOf byteCount: Int) -> Int? {
    typealias Function = @convention(c) (UnsafeMutableRawPointer) -> Int
    guard let block = malloc(byteCount), let symbol = dlsym(nil, "malloc_usable_size") else {
        return nil
    }
    defer { free(block) }
    return unsafeBitCast(symbol, to: Function.self)(block)
}
