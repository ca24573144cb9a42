import Bytes
import Testing

struct ByteReaderTests {
    @Test func `reads what a writer wrote`() throws {
        var writer = ByteWriter()
        writer.append(7)
        writer.appendInteger(UInt32(0x0102_0304))
        writer.appendBigEndian(UInt64(0x0102_0304_0506_0708))
        writer.append("tail")
        var reader = ByteReader(writer.bytes)
        #expect(try reader.readByte() == 7)
        #expect(try reader.readInteger(as: UInt32.self) == 0x0102_0304)
        #expect(try reader.readBigEndian(as: UInt64.self) == 0x0102_0304_0506_0708)
        #expect(reader.rest.text == "tail")
        #expect(reader.remaining == 4)
        let tail = try reader.readBytes(4).text
        #expect(tail == "tail")
        let isAtEnd = reader.isAtEnd
        #expect(isAtEnd)
    }

    @Test func `a read past the end does not move`() {
        let bytes: [UInt8] = [1, 2, 3]
        var reader = ByteReader(bytes.bytes)
        #expect(throws: Truncated(offset: 0, missing: 1)) {
            _ = try reader.readInteger(as: UInt32.self)
        }
        #expect(throws: Truncated(offset: 0, missing: 2)) { try reader.skip(5) }
        #expect(reader.position == 0)
    }
}
