import Bytes
import CLinux
import Glibc

/// A descriptor that is written from front to back: standard output, or a new file.
///
/// A new file has no name until `publish`, so that a process that ends before leaves nothing
/// behind, whatever ended it. Where the file system has no files without a name, it has a
/// temporary one; the process then has to heed `Signals` for nothing to be left.
package final class OutputStream {
    /// What the user called it; `-` is standard output.
    package let path: String
    private let descriptor: Int32
    private let temporaryPath: String
    private var holdsTemporaryName = false
    private let isNewFile: Bool
    /// Bytes written, and how many of them were sent to the disk.
    private var byteCount = 0
    private var writtenBackCount = 0

    /// Pages are sent to the disk when so many bytes are dirty, so that `publish` has little left.
    private static let writeBackByteCount = 8 << 20

    /// `O_TMPFILE`, a macro that Swift does not see.
    private static let withoutName = 0o20000000 | O_DIRECTORY

    /// Standard output.
    package init() {
        path = "-"
        descriptor = STDOUT_FILENO
        temporaryPath = ""
        isNewFile = false
    }

    /// A file that will lie at `path`.
    package init(path: String) throws(SystemError) {
        let (folder, name) = Paths.split(path)
        self.path = path
        isNewFile = true
        temporaryPath = "\(folder)/.\(name).\(getpid()).tmp"
        let unnamed = unsafe open(folder, Self.withoutName | O_RDWR | O_CLOEXEC, 0o666)
        if unnamed != -1 {
            descriptor = unnamed
            return
        }
        let path = temporaryPath
        descriptor = try retrying("open", path) {
            unsafe open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
        }
        holdsTemporaryName = true
        Signals.watch(wakingUp: -1)
    }

    deinit {
        if holdsTemporaryName { unsafe unlink(temporaryPath) }
        if isNewFile { close(descriptor) }
    }

    /// Writes all of `bytes`.
    package func write(_ bytes: RawSpan) throws(SystemError) {
        var written = 0
        while written < bytes.byteCount {
            let rest = bytes.part(from: written, count: bytes.byteCount - written)
            written += try unsafe rest.withUnsafeBytes { source throws(SystemError) in
                try retrying("write", path) {
                    unsafe Glibc.write(descriptor, source.baseAddress, source.count)
                }
            }
        }
        byteCount += written
        guard isNewFile, byteCount - writtenBackCount >= Self.writeBackByteCount else { return }
        // Where it is not supported, the sync does it all.
        _ = clinux_begin_write_back(descriptor, writtenBackCount, byteCount - writtenBackCount)
        writtenBackCount = byteCount
    }

    /// Replaces the first bytes of a new file.
    package func overwriteStart(with bytes: RawSpan) throws(SystemError) {
        precondition(isNewFile, "only a new file can be changed")
        let count = try unsafe bytes.withUnsafeBytes { source throws(SystemError) in
            try retrying("write", path) {
                unsafe pwrite(descriptor, source.baseAddress, source.count, 0)
            }
        }
        guard count == bytes.byteCount else { throw SystemError("write", path, code: EIO) }
    }

    /// Gives a new file its name, and does nothing for standard output.
    ///
    /// Whatever had that name is gone. The bytes are on disk before the name is, and so is the
    /// name before the call returns.
    package func publish() throws(SystemError) {
        guard isNewFile else { return }
        _ = try retrying("fsync", path) { fsync(descriptor) }
        if !holdsTemporaryName {
            unsafe unlink(temporaryPath)
            let source = "/proc/self/fd/\(descriptor)"
            _ = try retrying("link", temporaryPath) {
                unsafe linkat(AT_FDCWD, source, AT_FDCWD, temporaryPath, AT_SYMLINK_FOLLOW)
            }
            holdsTemporaryName = true
        }
        _ = try retrying("rename", path) { unsafe rename(temporaryPath, path) }
        holdsTemporaryName = false
        try DiskStorage(path: Paths.split(path).folder).syncDirectory("")
    }
}

/// What is known of the terminal, if there is one.
package enum Terminal {
    /// Whether standard output is one.
    package static var isOutput: Bool { isatty(STDOUT_FILENO) == 1 }
    /// Whether standard error is one.
    package static var isError: Bool { isatty(STDERR_FILENO) == 1 }

    /// Whether the user asked for no colours (`NO_COLOR` is set to anything).
    package static var hasNoColor: Bool {
        guard let value = unsafe getenv("NO_COLOR") else { return false }
        return unsafe value[0] != 0
    }

    /// Columns of the terminal behind standard error; 80 if unknown.
    package static var width: Int {
        var size = winsize()
        let code = unsafe ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size)
        return code == 0 && size.ws_col > 0 ? Int(size.ws_col) : 80
    }

    /// Writes to standard error; nobody is told if that fails.
    package static func writeError(_ text: String) {
        var text = text
        text.withUTF8 { unsafe _ = Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }
}
