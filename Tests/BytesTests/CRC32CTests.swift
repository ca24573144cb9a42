import Bytes
import TestKit
import Testing

/// The checksum of the log.
struct CRC32CTests {
    @Test func `the check value of the catalogue comes out`() {
        #expect(CRC32C.checksum(Array("123456789".utf8).bytes) == 0xE306_9283)
        #expect(CRC32C.checksum([UInt8]().bytes) == 0)
    }

    @Test func `the instruction and the tables agree at every length`() {
        var generator = SeededGenerator(seed: 1)
        for count in 0..<200 {
            let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
            let previous = UInt32.random(in: 0...(.max), using: &generator)
            let folded = bytes.withUnsafeBytes { CRC32C.fold($0, after: previous) }
            #expect(CRC32C.checksum(bytes.bytes, after: previous) == folded)
        }
    }

    @Test func `a checksum goes on where another ended`() {
        let bytes = Array("many turns in one block".utf8)
        for split in 0...bytes.count {
            let first = CRC32C.checksum(Array(bytes[..<split]).bytes)
            let whole = CRC32C.checksum(Array(bytes[split...]).bytes, after: first)
            #expect(whole == CRC32C.checksum(bytes.bytes))
        }
    }
}
