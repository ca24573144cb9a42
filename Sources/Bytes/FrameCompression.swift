import CLZ4
import CZstd

/// Compressed bytes are not what a compressor wrote.
public struct DamagedFrame: Error, Equatable, Sendable {
    /// What the library says about it.
    public let reason: String

    /// Describes damage.
    public init(_ reason: String) {
        self.reason = reason
    }
}

/// How far a decompressor got with what it was given.
public struct DecompressionStep: Equatable, Sendable {
    /// Bytes of the input that are done with.
    public var consumed: Int
    /// Whether a frame ended after them: what follows is another's.
    public var endsFrame: Bool

    /// Describes progress.
    public init(consumed: Int, endsFrame: Bool) {
        self.consumed = consumed
        self.endsFrame = endsFrame
    }
}

/// Writes LZ4 frames of linked blocks, each with a checksum.
///
/// A block refers back to the 64 KiB before it, so that many small blocks compress about as
/// well as one large one.
@safe
public struct LZ4Compressor: ~Copyable {
    private let context: OpaquePointer
    private var preferences = LZ4F_preferences_t()

    /// What ends a frame: the length of a block that is not there.
    public static let endMark: UInt32 = 0

    /// Allocates a compressor; frames begin with `beginFrame`.
    public init() {
        var created: OpaquePointer?
        let code = unsafe LZ4F_createCompressionContext(&created, UInt32(LZ4F_VERSION))
        guard LZ4F_isError(code) == 0, let created = unsafe created else {
            preconditionFailure("out of memory for an LZ4 compressor")
        }
        unsafe context = created
        preferences.frameInfo.blockSizeID = LZ4F_max256KB
        preferences.frameInfo.blockMode = LZ4F_blockLinked
        preferences.frameInfo.blockChecksumFlag = LZ4F_blockChecksumEnabled
    }

    deinit {
        unsafe LZ4F_freeCompressionContext(context)
    }

    /// Appends the header of a new frame; a frame not ended before is forgotten.
    public mutating func beginFrame(into output: inout ByteWriter) {
        unsafe output.append(upTo: Int(LZ4F_HEADER_SIZE_MAX)) { room in
            unsafe checked(LZ4F_compressBegin(context, room.baseAddress, room.count, &preferences))
        }
    }

    /// Appends `bytes` as one block or more, all of it: nothing stays in the compressor.
    public mutating func append(_ bytes: RawSpan, into output: inout ByteWriter) {
        let bound = unsafe LZ4F_compressBound(bytes.byteCount, &preferences)
        unsafe output.append(upTo: bound) { room in
            unsafe bytes.withUnsafeBytes { source in
                let full = unsafe checked(
                    LZ4F_compressUpdate(
                        context,
                        room.baseAddress,
                        room.count,
                        source.baseAddress,
                        source.count,
                        nil
                    )
                )
                let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: room[full...])
                return unsafe full
                    + checked(LZ4F_flush(context, rest.baseAddress, rest.count, nil))
            }
        }
    }

    /// The library only refuses what the arguments above never are.
    private func checked(_ code: Int) -> Int {
        if LZ4F_isError(code) != 0 {
            let name = unsafe LZ4F_getErrorName(code).map { unsafe String(cString: $0) } ?? "?"
            preconditionFailure("LZ4 refused to compress: \(name)")
        }
        return code
    }
}

/// Reads LZ4 frames, in pieces of any size.
@safe
public struct LZ4Decompressor: ~Copyable {
    private let context: OpaquePointer

    /// Allocates a decompressor that expects the beginning of a frame.
    public init() {
        var created: OpaquePointer?
        let code = unsafe LZ4F_createDecompressionContext(&created, UInt32(LZ4F_VERSION))
        guard LZ4F_isError(code) == 0, let created = unsafe created else {
            preconditionFailure("out of memory for an LZ4 decompressor")
        }
        unsafe context = created
    }

    deinit {
        unsafe LZ4F_freeDecompressionContext(context)
    }

    /// Forgets the frame it is in.
    public mutating func reset() {
        unsafe LZ4F_resetDecompressionContext(context)
    }

    /// Appends what `input` decompresses to, up to the end of `input` or of the frame.
    ///
    /// Once there are `limit` bytes it returns, too; there may then be more of the input to
    /// come even if all of it is consumed. After it threw, `reset` is the only call allowed.
    public mutating func decompress(
        _ input: RawSpan,
        into output: inout ByteWriter,
        upTo limit: Int = .max
    ) throws(DamagedFrame) -> DecompressionStep {
        let start = output.count
        var consumed = 0
        while true {
            let rest = input.part(from: consumed, count: input.byteCount - consumed)
            var code = 0
            let before = output.count
            unsafe output.append(upTo: 256 << 10) { room in
                unsafe rest.withUnsafeBytes { source in
                    var taken = source.count
                    var made = room.count
                    unsafe code = LZ4F_decompress(
                        context,
                        room.baseAddress,
                        &made,
                        source.baseAddress,
                        &taken,
                        nil
                    )
                    consumed += taken
                    return LZ4F_isError(code) == 0 ? made : 0
                }
            }
            if LZ4F_isError(code) != 0 {
                let name = unsafe LZ4F_getErrorName(code).map { unsafe String(cString: $0) }
                throw DamagedFrame(name ?? "damaged")
            }
            if code == 0 { return DecompressionStep(consumed: consumed, endsFrame: true) }
            let roomWasEnough = output.count - before < 256 << 10
            if consumed == input.byteCount && roomWasEnough || output.count - start >= limit {
                return DecompressionStep(consumed: consumed, endsFrame: false)
            }
        }
    }
}

/// Writes Zstandard frames with a checksum of their content.
@safe
public struct ZstdCompressor: ~Copyable {
    private let context: OpaquePointer

    /// Allocates a compressor for frames of a level: 1 is fast, 19 is small.
    public init(level: Int) {
        guard let created = unsafe ZSTD_createCCtx() else {
            preconditionFailure("out of memory for a Zstandard compressor")
        }
        unsafe context = created
        unsafe ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, Int32(level))
        unsafe ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1)
    }

    deinit {
        unsafe ZSTD_freeCCtx(context)
    }

    /// Appends `bytes` as a frame of its own.
    public mutating func compress(_ bytes: RawSpan, into output: inout ByteWriter) {
        unsafe output.append(upTo: ZSTD_compressBound(bytes.byteCount)) { room in
            unsafe bytes.withUnsafeBytes { source in
                let count = unsafe ZSTD_compress2(
                    context,
                    room.baseAddress,
                    room.count,
                    source.baseAddress,
                    source.count
                )
                precondition(ZSTD_isError(count) == 0, "Zstandard refused to compress")
                return count
            }
        }
    }
}

/// Reads Zstandard frames, in pieces of any size.
@safe
public struct ZstdDecompressor: ~Copyable {
    private let context: OpaquePointer

    /// Allocates a decompressor that expects the beginning of a frame.
    public init() {
        guard let created = unsafe ZSTD_createDCtx() else {
            preconditionFailure("out of memory for a Zstandard decompressor")
        }
        unsafe context = created
    }

    deinit {
        unsafe ZSTD_freeDCtx(context)
    }

    /// Forgets the frame it is in.
    public mutating func reset() {
        unsafe ZSTD_DCtx_reset(context, ZSTD_reset_session_only)
    }

    /// Appends what `input` decompresses to, up to the end of `input` or of the frame.
    ///
    /// Once there are `limit` bytes it returns, too; there may then be more of the input to
    /// come even if all of it is consumed. After it threw, `reset` is the only call allowed.
    public mutating func decompress(
        _ input: RawSpan,
        into output: inout ByteWriter,
        upTo limit: Int = .max
    ) throws(DamagedFrame) -> DecompressionStep {
        let start = output.count
        var consumed = 0
        while true {
            let rest = input.part(from: consumed, count: input.byteCount - consumed)
            var code = 0
            var roomWasEnough = true
            unsafe output.append(upTo: 128 << 10) { room in
                unsafe rest.withUnsafeBytes { source in
                    var from = unsafe ZSTD_inBuffer(
                        src: source.baseAddress,
                        size: source.count,
                        pos: 0
                    )
                    var to = unsafe ZSTD_outBuffer(dst: room.baseAddress, size: room.count, pos: 0)
                    unsafe code = ZSTD_decompressStream(context, &to, &from)
                    unsafe consumed += from.pos
                    unsafe roomWasEnough = to.pos < to.size
                    return unsafe to.pos
                }
            }
            if ZSTD_isError(code) != 0 {
                let name = unsafe ZSTD_getErrorName(code).map { unsafe String(cString: $0) }
                throw DamagedFrame(name ?? "damaged")
            }
            if code == 0 { return DecompressionStep(consumed: consumed, endsFrame: true) }
            if consumed == input.byteCount && roomWasEnough || output.count - start >= limit {
                return DecompressionStep(consumed: consumed, endsFrame: false)
            }
        }
    }
}
