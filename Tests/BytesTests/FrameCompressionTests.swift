import Bytes
import TestKit
import Testing

struct FrameCompressionTests {
    /// Text that repeats itself, then noise, in pieces of many sizes.
    private func pieces(seed: UInt64) -> [[UInt8]] {
        var generator = SeededGenerator(seed: seed)
        return (0..<60).map { index in
            let count = Int.random(in: 0...(index % 20 == 0 ? 300_000 : 300), using: &generator)
            let isNoise = index % 7 == 0
            return (0..<count).map { offset in
                isNoise ? .random(in: 0...255, using: &generator) : UInt8(offset % 61)
            }
        }
    }

    @Test func `LZ4 blocks give back what went in, whatever the pieces`() throws {
        let pieces = pieces(seed: 1)
        var compressor = LZ4Compressor()
        var frame = ByteWriter()
        compressor.beginFrame(into: &frame)
        for piece in pieces { compressor.append(piece.bytes, into: &frame) }
        frame.appendInteger(LZ4Compressor.endMark)
        let frameByteCount = frame.count
        frame.append("next")

        for step in [1, 1000, frame.count] {
            var decompressor = LZ4Decompressor()
            var output = ByteWriter()
            var position = 0
            while position < frameByteCount {
                let count = min(step, frame.count - position)
                let piece = frame.bytes.part(from: position, count: count)
                let progress = try decompressor.decompress(piece, into: &output)
                position += progress.consumed
                if progress.endsFrame { break }
            }
            #expect(position == frameByteCount)
            let isSame = output.bytes.equals(Array(pieces.joined()).bytes)
            #expect(isSame)
        }
    }

    @Test func `a changed bit in an LZ4 block is noticed`() {
        var compressor = LZ4Compressor()
        var frame = ByteWriter()
        compressor.beginFrame(into: &frame)
        compressor.append(Array("one block, one checksum".utf8).bytes, into: &frame)
        frame.overwrite(at: 15, with: frame.bytes.byte(at: 15) ^ 1)
        var decompressor = LZ4Decompressor()
        var output = ByteWriter()
        #expect(throws: DamagedFrame.self) {
            _ = try decompressor.decompress(frame.bytes, into: &output)
        }
    }

    @Test func `Zstandard frames give back what went in, and notice a changed bit`() throws {
        let content = Array(pieces(seed: 2).joined())
        var compressor = ZstdCompressor(level: 3)
        var frame = ByteWriter()
        compressor.compress(content.bytes, into: &frame)
        #expect(frame.count < content.count)
        let frameByteCount = frame.count
        frame.append("next")
        var decompressor = ZstdDecompressor()
        var output = ByteWriter()
        let step = try decompressor.decompress(frame.bytes, into: &output)
        #expect(step == DecompressionStep(consumed: frameByteCount, endsFrame: true))
        let isSame = output.bytes.equals(content.bytes)
        #expect(isSame)

        frame.overwrite(at: 4000, with: frame.bytes.byte(at: 4000) ^ 1)
        #expect(throws: DamagedFrame.self) {
            _ = try decompressor.decompress(frame.bytes, into: &output)
        }
    }

    @Test func `CRC-32C of the standard check string`() {
        #expect(CRC32C.checksum(Array("123456789".utf8).bytes) == 0xE306_9283)
        #expect(CRC32C.checksum([UInt8]().bytes) == 0)
    }
}
