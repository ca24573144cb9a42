import Bytes
import Platform
import RDB

/// Text on its way to standard output or into a file.
///
/// What is appended to `buffer` is written once there is enough of it.
package struct Printer: ~Copyable {
    /// What was not written yet.
    package var buffer = ByteWriter()
    /// Nil if the text stays in the buffer.
    private let stream: OutputStream?

    /// Bytes that are not in the buffer any more.
    private var writtenByteCount = 0

    private static let pieceByteCount = 64 << 10
    /// What is kept at the most; whoever wants more has to write.
    private static let keptByteCount = 1 << 20

    /// Prints to standard output, or into a new file that appears when it is finished.
    package init(to path: String? = nil) throws(InspectError) {
        guard let path, path != "-" else {
            stream = OutputStream()
            return
        }
        do {
            stream = try OutputStream(path: path)
        } catch {
            throw InspectError(path, .system(error))
        }
    }

    /// Keeps text in the buffer, until another takes it; throws `RDBError.stopped` once that is
    /// too much.
    init(keeping: Void) {
        stream = nil
    }

    /// Writes what there is if it is enough; for consumers, whose errors are RDB's.
    @inline(__always)
    package mutating func flushIfFull() throws(RDBError) {
        guard buffer.count >= Self.pieceByteCount else { return }
        try flushForConsumer()
    }

    private mutating func flushForConsumer() throws(RDBError) {
        guard stream != nil else {
            if buffer.count > Self.keptByteCount { throw .stopped }
            return
        }
        do {
            try flush()
        } catch {
            throw RDBError(.transferFailed, at: 0, "cannot write on", cause: error)
        }
    }

    /// Takes what another has kept.
    mutating func take(_ other: inout Printer) throws(RDBError) {
        if other.buffer.count < Self.pieceByteCount {
            buffer.append(other.buffer.bytes)
            try flushIfFull()
        } else {
            try flushForConsumer()
            swap(&buffer, &other.buffer)
            try flushForConsumer()
            swap(&buffer, &other.buffer)
        }
        other.buffer.removeAll()
    }

    /// How much was printed so far.
    var byteCount: Int { writtenByteCount + buffer.count }

    /// Takes back what was printed after `byteCount`, as far as it was not written.
    mutating func takeBack(to byteCount: Int) {
        buffer.truncate(to: min(buffer.count, max(0, byteCount - writtenByteCount)))
    }

    /// Writes what there is.
    package mutating func flush() throws(InspectError) {
        do {
            try write()
        } catch {
            throw InspectError(stream?.path ?? "", .system(error))
        }
    }

    /// Writes what there is if it is enough.
    mutating func writeIfFull() throws(SystemError) {
        if buffer.count >= Self.pieceByteCount { try write() }
    }

    private mutating func write() throws(SystemError) {
        guard let stream else { return }
        try stream.write(buffer.bytes)
        writtenByteCount += buffer.count
        buffer.removeAll(keepingCapacityUpTo: Self.pieceByteCount * 4)
    }

    /// Writes the rest; a file gets its name now.
    package mutating func finish() throws(InspectError) {
        try flush()
        do {
            try stream?.publish()
        } catch {
            throw InspectError(stream?.path ?? "", .system(error))
        }
    }
}
