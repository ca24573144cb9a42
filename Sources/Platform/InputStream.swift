import CLinux
import Glibc

/// A file, pipe or standard input that is read from front to back.
package final class InputStream {
    /// What the user called it; `-` is standard input.
    package let path: String
    /// How long it is; nil for a pipe, a terminal or a device.
    package let byteCount: Int?
    /// Bytes read so far.
    package private(set) var offset = 0
    private let descriptor: Int32

    /// Opens the file at `path`, or takes standard input for `-`.
    package init(path: String) throws(SystemError) {
        self.path = path
        if path == "-" {
            descriptor = STDIN_FILENO
        } else {
            descriptor = try retrying("open", path) { unsafe open(path, O_RDONLY | O_CLOEXEC) }
        }
        var status = stat()
        let code = unsafe fstat(descriptor, &status)
        let isRegular = code == 0 && status.st_mode & S_IFMT == S_IFREG
        byteCount = isRegular ? Int(status.st_size) : nil
        if isRegular { posix_fadvise(descriptor, 0, 0, POSIX_FADV_SEQUENTIAL) }
    }

    deinit {
        if descriptor != STDIN_FILENO { close(descriptor) }
    }

    /// Appends the next bytes to `room`, as many as there are right now; none at the end.
    ///
    /// Throws `SystemError.interruption` once `Signals` says that the process shall end.
    package func read(into room: inout OutputRawSpan) throws(SystemError) {
        try unsafe room.withUnsafeMutableBytes { buffer, filled throws(SystemError) in
            let free = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[filled...])
            filled += try unsafe read(into: free)
        }
    }

    @unsafe
    private func read(into free: UnsafeMutableRawBufferPointer) throws(SystemError) -> Int {
        while true {
            try Signals.heedTermination()
            let count = unsafe Glibc.read(descriptor, free.baseAddress, free.count)
            if count >= 0 {
                offset += count
                return count
            }
            if errno != EINTR { throw SystemError("read", path, code: errno) }
        }
    }
}

extension Paths {
    /// Creates a directory unless it is there; says whether it was not.
    package static func createDirectory(_ path: String) throws(SystemError) -> Bool {
        do {
            _ = try retrying("mkdir", path) { unsafe mkdir(path, 0o755) }
            return true
        } catch {
            if error.code == EEXIST, isDirectory(path) { return false }
            throw error
        }
    }

    /// Removes a directory that has nothing in it.
    package static func removeEmptyDirectory(_ path: String) throws(SystemError) {
        _ = try retrying("rmdir", path) { unsafe rmdir(path) }
    }

    /// Whether a directory lies at `path`.
    package static func isDirectory(_ path: String) -> Bool {
        var status = stat()
        return unsafe stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }
}
