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
///
/// A thread of its own writes it, so that what follows is converted meanwhile.
package final class OutputFile: Destinable {
    package var name: String { work.stream.path }
    package private(set) var byteCount = 0
    private let work: WritingThread
    private var thread: WorkerThread?

    /// Creates the file that will be at `path`.
    package init(path: String) throws(SystemError) {
        work = WritingThread(try OutputStream(path: path))
    }

    deinit {
        guard let thread else { return }
        work.end(abandoning: true)
        thread.join()
    }

    /// Takes all of `bytes`.
    package func write(_ bytes: RawSpan) throws {
        do throws(SystemError) {
            if thread == nil { thread = try WorkerThread("output") { [work] in work.run() } }
            try work.take(bytes)
        } catch {
            // Not to be taken for trouble with what is read at the same time.
            throw MigrationError.system(error)
        }
        byteCount += bytes.byteCount
    }

    package func overwriteStart(_ bytes: RawSpan) throws(SystemError) {
        try finishWriting()
        try work.stream.overwriteStart(with: bytes)
    }

    package func publish() throws(SystemError) {
        try finishWriting()
        try work.stream.publish()
    }

    private func finishWriting() throws(SystemError) {
        guard let thread else { return }
        work.end()
        thread.join()
        self.thread = nil
        try work.check()
    }
}

/// What follows the snapshot in a file that has both: the commands of a log.
final class LogTail: Destinable {
    let name: String
    private(set) var byteCount = 0
    /// The file, once there is the snapshot.
    var file: (any Destinable)?

    init(name: String) {
        self.name = name
    }

    func write(_ bytes: RawSpan) throws {
        try file?.write(bytes)
        byteCount += bytes.byteCount
    }

    func overwriteStart(_ bytes: RawSpan) {}
    func publish() {}
}

/// Keeps what it takes: a part of a file.
final class MemorySink: Destinable {
    let name = ""
    /// What was written.
    var bytes = ByteWriter()

    var byteCount: Int { bytes.count }

    func write(_ bytes: RawSpan) {
        self.bytes.append(bytes)
    }

    func overwriteStart(_ bytes: RawSpan) {}
    func publish() {}
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
