import Bytes
import Testing

private func compressed(_ text: [UInt8], limit: Int? = nil) -> [UInt8]? {
    var compressor = LZFCompressor()
    var output = ByteWriter()
    guard compressor.compress(text.bytes, limit: limit ?? text.count * 2 + 8, to: &output) else {
        return nil
    }
    return ByteString(output.bytes).array
}

private func expanded(_ data: [UInt8], byteCount: Int) throws(LZFError) -> [UInt8] {
    var output = ByteWriter()
    try LZF.decompress(data.bytes, byteCount: byteCount, to: &output)
    return ByteString(output.bytes).array
}

/// Text with repetitions at many distances.
private func text(count: Int, seed: UInt64, alphabet: UInt64) -> [UInt8] {
    var state = seed
    func random(below bound: Int) -> Int {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Int(state >> 33) % bound
    }
    var bytes: [UInt8] = []
    while bytes.count < count {
        if bytes.isEmpty || random(below: 3) == 0 {
            for _ in 0...random(below: 40) { bytes.append(UInt8(random(below: Int(alphabet)))) }
        } else {
            let distance = 1 + random(below: min(bytes.count, 9000))
            let start = bytes.count - distance
            for index in 0..<random(below: 400) { bytes.append(bytes[start + index]) }
        }
    }
    return Array(bytes.prefix(count))
}

/// Expands data that comes in pieces of up to `pieceByteCount` bytes beyond an instruction's.
private func expandedInPieces(
    _ data: [UInt8],
    byteCount: Int,
    pieceByteCount: Int
) throws(LZFError) -> [UInt8] {
    var expansion = LZFExpansion(byteCount: byteCount)
    var output: [UInt8] = []
    var offset = 0
    while offset < data.count {
        let end = min(data.count, offset + LZFExpansion.longestInstruction + pieceByteCount)
        let piece = Array(data[offset..<end])
        offset += try expansion.expand(piece.bytes, isLast: end == data.count)
        output += ByteString(expansion.piece).array
    }
    return output
}

struct LZFTests {
    @Test(arguments: [0, 1, 100, 100_000])
    func `data in pieces expands to the same`(pieceByteCount: Int) throws {
        for count in [21, 8192, 70_000, 65_536 + 8192, 300_000] {
            for alphabet in [2, 26] as [UInt64] {
                let original = text(count: count, seed: UInt64(count), alphabet: alphabet)
                let data = try #require(compressed(original))
                let found = try expandedInPieces(
                    data,
                    byteCount: count,
                    pieceByteCount: pieceByteCount
                )
                #expect(found == original)
                for wrong in [count - 1, count + 1] {
                    #expect(throws: LZFError.self) {
                        try expandedInPieces(
                            data,
                            byteCount: wrong,
                            pieceByteCount: pieceByteCount
                        )
                    }
                }
                let cut = Array(data.dropLast())
                #expect(throws: LZFError.self) {
                    try expandedInPieces(cut, byteCount: count, pieceByteCount: pieceByteCount)
                }
            }
        }
    }

    @Test func `what servers wrote expands`() throws {
        let letters = [UInt8](repeating: 0x61, count: 21)
        #expect(try expanded([0x01, 0x61, 0x61, 0xE0, 0x0A, 0x00], byteCount: 21) == letters)
        #expect(compressed(letters).map(\.count) == 5)
    }

    @Test(arguments: 1...7)
    func `short periods repeat`(distance: Int) throws {
        let seed = (0..<distance).map { UInt8($0 + 1) }
        for length in 3...40 {
            var data = [UInt8(distance - 1)] + seed
            if length < 9 {
                data += [UInt8((length - 2) << 5), UInt8(distance - 1)]
            } else {
                data += [0xE0, UInt8(length - 9), UInt8(distance - 1)]
            }
            let expected = (0..<(distance + length)).map { seed[$0 % distance] }
            #expect(try expanded(data, byteCount: expected.count) == expected)
        }
    }

    @Test(arguments: [1, 2, 3, 4, 5, 6] as [UInt64])
    func `compressing and expanding gives the same`(seed: UInt64) throws {
        var compressor = LZFCompressor()
        var output = ByteWriter()
        for count in [4, 5, 20, 21, 64, 300, 4096, 8192, 20_000, 100_000] {
            for alphabet in [2, 26, 256] as [UInt64] {
                let original = text(count: count, seed: seed &+ UInt64(count), alphabet: alphabet)
                output.removeAll()
                let limit = original.count + original.count / 32 + 8
                guard compressor.compress(original.bytes, limit: limit, to: &output) else {
                    Issue.record("no room for \(count) bytes")
                    continue
                }
                let data = ByteString(output.bytes).array
                #expect(try expanded(data, byteCount: count) == original)
            }
        }
    }

    @Test func `what does not get shorter is left alone`() {
        let distinct = Array(0..<30 as Range<UInt8>)
        #expect(compressed(distinct, limit: distinct.count - 4) == nil)
        #expect(compressed([1, 1, 1]) == nil)
    }

    @Test func `damage is named`() {
        #expect(throws: LZFError.truncated) { try expanded([0x03, 1, 2], byteCount: 4) }
        #expect(throws: LZFError.truncated) { try expanded([0x00, 1, 0x20], byteCount: 4) }
        #expect(throws: LZFError.truncated) { try expanded([0x00, 1, 0xE0, 9], byteCount: 19) }
        #expect(throws: LZFError.badReference) { try expanded([0x20, 0], byteCount: 3) }
        #expect(throws: LZFError.badReference) { try expanded([0, 1, 0x20, 1], byteCount: 4) }
        #expect(throws: LZFError.tooLong) { try expanded([0x01, 1, 2], byteCount: 1) }
        #expect(throws: LZFError.tooLong) { try expanded([0, 1, 0x20, 0], byteCount: 3) }
        #expect(throws: LZFError.tooShort) { try expanded([0x01, 1, 2], byteCount: 3) }
        #expect(throws: LZFError.impossibleByteCount) { try expanded([0, 1], byteCount: 1000) }
    }

    @Test func `any bytes expand or are refused`() {
        for seed in 1...2000 as ClosedRange<UInt64> {
            let data = text(count: 40, seed: seed, alphabet: 256)
            for count in [0, 1, 40, 500] { _ = try? expanded(data, byteCount: count) }
        }
    }
}
