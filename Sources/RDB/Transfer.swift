import Bytes

/// Where bytes come from.
///
/// Calls move many bytes, so dynamic dispatch costs nothing that shows.
public protocol ByteSource {
    /// Appends the next bytes to `room`, as many as there are right now but at least one.
    ///
    /// Appending none means that there are no more.
    mutating func read(into room: inout OutputRawSpan) throws

    /// How many bytes are still to come, if that is known.
    ///
    /// A reader that knows refuses a false length at once, instead of after having
    /// read all that there is.
    var remainingByteCount: Int? { get }

    /// Whether the source takes the checksum of what it gives, so that the reader need not.
    var keepsChecksum: Bool { get }

    /// The checksum of the bytes up to `offset`, which it has given; asked if it `keepsChecksum`.
    mutating func checksum(upTo offset: Int) throws -> UInt64
}

extension ByteSource {
    /// Not known.
    public var remainingByteCount: Int? { nil }
    /// It does not.
    public var keepsChecksum: Bool { false }
    /// Never asked.
    public func checksum(upTo offset: Int) throws -> UInt64 { 0 }
}

/// Where bytes go.
///
/// Calls move many bytes, so dynamic dispatch costs nothing that shows.
public protocol ByteSink: AnyObject {
    /// Takes all of `bytes`.
    func write(_ bytes: RawSpan) throws
}

/// Bytes in memory as a source.
public struct MemorySource: ByteSource {
    private let array: [UInt8]
    private var position = 0
    private let pieceByteCount: Int

    /// A source of `array`, at most `pieceByteCount` bytes a call.
    public init(_ array: [UInt8], pieceByteCount: Int = .max) {
        self.array = array
        self.pieceByteCount = pieceByteCount
    }

    /// Appends as much as fits.
    public mutating func read(into room: inout OutputRawSpan) {
        let count = min(room.freeCapacity, array.count - position, pieceByteCount)
        unsafe room.withUnsafeMutableBytes { buffer, filled in
            let target = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[filled...])
            unsafe target.copyBytes(from: array[position..<(position + count)])
            filled += count
        }
        position += count
    }

    /// What is left.
    public var remainingByteCount: Int? { array.count - position }
}

/// Bytes in memory as a sink.
public final class MemorySink: ByteSink {
    /// Everything written.
    public private(set) var array: [UInt8] = []

    /// An empty sink.
    public init() {}

    /// Takes all of `bytes`.
    public func write(_ bytes: RawSpan) {
        unsafe bytes.withUnsafeBytes { unsafe array.append(contentsOf: $0) }
    }
}
