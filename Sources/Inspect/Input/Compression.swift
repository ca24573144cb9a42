import Bytes

/// How a file is compressed, as its first bytes say.
public enum Compression: String, Sendable {
    /// Not at all.
    case none
    /// RFC 1952.
    case gzip
    /// RFC 8878.
    case zstd
    /// The frame format of LZ4.
    case lz4

    /// Bytes that tell one from another.
    static let magicByteCount = 4

    /// Tells by the first bytes of a file.
    init(beginning bytes: RawSpan) {
        func begins(with magic: [UInt8]) -> Bool {
            bytes.byteCount >= magic.count
                && bytes.part(from: 0, count: magic.count).equals(magic.bytes)
        }
        if begins(with: [0x1F, 0x8B]) {
            self = .gzip
        } else if begins(with: [0x28, 0xB5, 0x2F, 0xFD]) {
            self = .zstd
        } else if begins(with: [0x04, 0x22, 0x4D, 0x18]) {
            self = .lz4
        } else {
            self = .none
        }
    }
}

/// One of the decompressors: bytes in, bytes out, a bounded amount at a time.
struct Decompressor: ~Copyable {
    private var gzip: GzipDecompressor?
    private var zstd: ZstdDecompressor?
    private var lz4: LZ4Decompressor?

    /// No call gives much more than this, whatever the input expands to.
    static let limit = 256 << 10

    init(_ compression: Compression) {
        switch compression {
        case .none: break
        case .gzip: gzip = GzipDecompressor()
        case .zstd: zstd = ZstdDecompressor()
        case .lz4: lz4 = LZ4Decompressor()
        }
    }

    /// Appends what `input` decompresses to, up to the end of `input`, of the frame or the limit.
    mutating func decompress(
        _ input: RawSpan,
        into output: inout ByteWriter
    ) throws(DamagedFrame) -> DecompressionStep {
        let limit = Self.limit
        if let step = try gzip?.decompress(input, into: &output, upTo: limit) { return step }
        if let step = try zstd?.decompress(input, into: &output, upTo: limit) { return step }
        if let step = try lz4?.decompress(input, into: &output, upTo: limit) { return step }
        output.append(input)
        return DecompressionStep(consumed: input.byteCount, endsFrame: true)
    }
}
