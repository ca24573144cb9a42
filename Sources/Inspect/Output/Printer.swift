import Bytes
import Platform
import RDB

/// Text on its way to standard output or into a file.
///
/// What is appended to `buffer` is written once there is enough of it.
package struct Printer: ~Copyable {
    /// What was not written yet.
    package var buffer = ByteWriter()
    private let stream: OutputStream

    private static let pieceByteCount = 64 << 10

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

    /// Writes what there is if it is enough; for consumers, whose errors are RDB's.
    @inline(__always)
    package mutating func flushIfFull() throws(RDBError) {
        guard buffer.count >= Self.pieceByteCount else { return }
        do {
            try flush()
        } catch {
            throw RDBError(.transferFailed, at: 0, "cannot write on", cause: error)
        }
    }

    /// Writes what there is.
    package mutating func flush() throws(InspectError) {
        do {
            try write()
        } catch {
            throw InspectError(stream.path, .system(error))
        }
    }

    /// Writes what there is if it is enough.
    mutating func writeIfFull() throws(SystemError) {
        if buffer.count >= Self.pieceByteCount { try write() }
    }

    private mutating func write() throws(SystemError) {
        try stream.write(buffer.bytes)
        buffer.removeAll(keepingCapacityUpTo: Self.pieceByteCount * 4)
    }

    /// Writes the rest; a file gets its name now.
    package mutating func finish() throws(InspectError) {
        try flush()
        do {
            try stream.publish()
        } catch {
            throw InspectError(stream.path, .system(error))
        }
    }
}
