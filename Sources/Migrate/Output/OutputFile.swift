import Bytes
import Platform
import RDB

/// Where a converted file goes.
///
/// Nothing is to be seen of it before `publish`.
package protocol Destinable: ByteSink {
    /// What it will be called.
    var name: String { get }
    /// Bytes taken so far.
    var byteCount: Int { get }
    /// Replaces the first bytes.
    func overwriteStart(_ bytes: RawSpan) throws(SystemError)
    /// Makes it survive a power cut, and gives it its name.
    func publish() throws(SystemError)
}

/// A file that appears under its name only when it is whole.
package final class OutputFile: Destinable {
    package var name: String { stream.path }
    package private(set) var byteCount = 0
    private let stream: OutputStream

    /// Creates the file that will be at `path`.
    package init(path: String) throws(SystemError) {
        stream = try OutputStream(path: path)
    }

    /// Takes all of `bytes`.
    package func write(_ bytes: RawSpan) throws {
        do {
            try stream.write(bytes)
        } catch {
            // Not to be taken for trouble with what is read at the same time.
            throw MigrationError.system(error)
        }
        byteCount += bytes.byteCount
    }

    package func overwriteStart(_ bytes: RawSpan) throws(SystemError) {
        try stream.overwriteStart(with: bytes)
    }

    package func publish() throws(SystemError) {
        try stream.publish()
    }
}

/// Takes bytes and keeps none: what a plan writes to.
package final class CountingSink: Destinable {
    package let name: String
    package private(set) var byteCount = 0

    /// A sink for what would have that name.
    package init(name: String) {
        self.name = name
    }

    /// Counts.
    package func write(_ bytes: RawSpan) {
        byteCount += bytes.byteCount
    }

    package func overwriteStart(_ bytes: RawSpan) {}
    package func publish() {}
}
