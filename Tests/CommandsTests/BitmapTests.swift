import Bytes
import RESP
import TestKit
import Testing

struct BitmapTests {
    let larder = EngineDriver()

    @Test func `bits are set, read, counted and found`() {
        #expect(larder("setbit b 7 1") == 0)
        #expect(larder("setbit b 7 1") == 1)
        #expect(larder("setbit b 100 1") == 0)
        #expect(larder("getbit b 100") == 1)
        #expect(larder("getbit b 5000") == 0)
        #expect(larder("strlen b") == 13)
        #expect(larder("bitcount b") == 2)
        #expect(larder("bitcount b 8 -1 bit") == 1)
        #expect(larder("bitpos b 1 1") == 100)
        #expect(larder("bitpos b 0") == 0)
        #expect(
            larder("setbit b 4294967296 1") == "-ERR bit offset is not an integer or out of range"
        )
        #expect(larder("object encoding b") == "raw")
    }

    @Test func `strings combine bit by bit, short ones followed by zeros`() {
        larder("mset a abcdefghij b ab")
        #expect(larder("bitop and d a b") == 10)
        #expect(larder("bitcount d") == larder("bitcount b"))
        #expect(larder("bitop xor d a a none") == 10)
        #expect(larder("bitcount d") == 0)
        #expect(larder("bitop not a a") == 10)
        #expect(larder("bitop or d none") == 0)
        #expect(larder("exists d") == 0)
    }

    @Test func `fields wrap, saturate or fail`() {
        #expect(larder("bitfield f set u8 0 255 get u4 #1 incrby i5 3 1") == [0, 15, 0])
        larder("del f")
        #expect(larder("bitfield f overflow sat incrby u2 #3 5 incrby i8 #4 -300") == [3, -128])
        #expect(larder("bitfield f overflow fail incrby u2 #3 1") == [nil])
        #expect(larder("bitfield f incrby u2 #3 1") == [0])
        #expect(larder("bitfield_ro f get i8 #4") == [-128])
        #expect(larder("bitfield g set u63 1 -1 get i64 0") == [0, .integer(.max)])
    }

    /// Drives fields and an array of single bits with the same random steps.
    @Test(arguments: [1, 2, 3] as [UInt64])
    func `agrees with an array of bits`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var bits = [Bool](repeating: false, count: 4096)
        larder("setbit f 4095 0")
        for _ in 0..<500 {
            let width = Int.random(in: 1...62, using: &random)
            let offset = Int.random(in: 0..<(4096 - width), using: &random)
            let value = Int64.random(in: 0..<(1 << Int64(width)), using: &random)
            var old: Int64 = 0
            for index in 0..<width {
                old = old << 1 | (bits[offset + index] ? 1 : 0)
                bits[offset + index] = value >> Int64(width - 1 - index) & 1 == 1
            }
            #expect(larder("bitfield f set u\(width) \(offset) \(value)") == [.integer(old)])
            let start = Int.random(in: 0..<4096, using: &random)
            let end = Int.random(in: start..<4096, using: &random)
            let part = bits[start...end]
            let count = Int64(part.count { $0 })
            #expect(larder("bitcount f \(start) \(end) bit") == .integer(count))
            for bit in [true, false] {
                let index = Int64(part.firstIndex(of: bit) ?? -1)
                #expect(
                    larder("bitpos f \(bit ? 1 : 0) \(start) \(end) bit") == .integer(index)
                )
            }
        }
    }
}
