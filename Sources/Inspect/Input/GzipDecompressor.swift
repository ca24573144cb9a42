import Bytes
import CZlib

/// Reads gzip members, in pieces of any size.
@safe
struct GzipDecompressor: ~Copyable {
    private let stream: UnsafeMutablePointer<z_stream>

    /// Allocates a decompressor that expects the beginning of a member.
    init() {
        unsafe stream = .allocate(capacity: 1)
        unsafe stream.initialize(to: unsafe z_stream())
        // 16 = a gzip header and trailer, 15 = the largest window.
        let size = unsafe Int32(MemoryLayout<z_stream>.size)
        let code = unsafe inflateInit2_(stream, 16 + 15, ZLIB_VERSION, size)
        precondition(code == Z_OK, "out of memory for a gzip decompressor")
    }

    deinit {
        unsafe inflateEnd(stream)
        unsafe stream.deallocate()
    }

    /// Appends what `input` decompresses to, up to its end, the end of the member, or about
    /// `limit` bytes.
    mutating func decompress(
        _ input: RawSpan,
        into output: inout ByteWriter,
        upTo limit: Int
    ) throws(DamagedFrame) -> DecompressionStep {
        var code = Z_OK
        var consumed = 0
        unsafe output.append(upTo: limit) { room in
            unsafe input.withUnsafeBytes { source in
                let start = unsafe source.bindMemory(to: Bytef.self).baseAddress
                unsafe stream.pointee.next_in = UnsafeMutablePointer(mutating: start)
                unsafe stream.pointee.avail_in = UInt32(source.count)
                unsafe stream.pointee.next_out = room.bindMemory(to: Bytef.self).baseAddress
                unsafe stream.pointee.avail_out = UInt32(room.count)
                unsafe code = inflate(stream, Z_NO_FLUSH)
                unsafe consumed = source.count - Int(stream.pointee.avail_in)
                return unsafe room.count - Int(stream.pointee.avail_out)
            }
        }
        switch code {
        case Z_STREAM_END:
            unsafe inflateReset(stream)
            return DecompressionStep(consumed: consumed, endsFrame: true)
        case Z_OK, Z_BUF_ERROR:
            return DecompressionStep(consumed: consumed, endsFrame: false)
        default:
            let message = unsafe stream.pointee.msg.map { unsafe String(cString: $0) }
            throw DamagedFrame(message ?? "not gzip")
        }
    }
}
