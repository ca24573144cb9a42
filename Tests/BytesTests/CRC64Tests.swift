import Bytes
import Testing

struct CRC64Tests {
    @Test func `the check value of the Jones polynomial`() {
        let digits = Array("123456789".utf8)
        let checksum = CRC64.checksum(digits.bytes)
        #expect(checksum == 0xE9C6_D914_C4B8_D9CA)
        #expect(CRC64().value == 0)
    }

    @Test func `any cut into pieces gives the same`() {
        let bytes = (0..<500).map { UInt8(truncatingIfNeeded: $0 &* 37 ^ $0 >> 3) }
        var bitwise: UInt64 = 0
        for byte in bytes {
            bitwise ^= UInt64(byte)
            for _ in 0..<8 {
                bitwise = bitwise >> 1 ^ (bitwise & 1 == 1 ? 0x95AC_9329_AC4B_C9B5 : 0)
            }
        }
        for cut in 0...bytes.count {
            var checksum = CRC64()
            checksum.update(bytes.bytes.part(from: 0, count: cut))
            checksum.update(bytes.bytes.part(from: cut, count: bytes.count - cut))
            #expect(checksum.value == bitwise)
        }
    }

    @Test(arguments: [0, 1, 7, 8, 63, 1000, 65_537])
    func `many zero bytes at once are as many zero bytes`(count: Int) {
        let start = Array("REDIS0011".utf8)
        var one = CRC64()
        one.update(start.bytes)
        var other = one
        one.update([UInt8](repeating: 0, count: count).bytes)
        other.update(zeroByteCount: count)
        #expect(one == other)
    }
}
