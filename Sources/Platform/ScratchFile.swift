import Bytes
import CLinux
import Glibc

/// A file for what does not fit into memory; it has no name and goes away with its owner.
package final class ScratchFile {
    /// Bytes written.
    package private(set) var byteCount = 0
    private let descriptor: Int32

    /// Creates one in `TMPDIR`, or in `/tmp`.
    package init() throws(SystemError) {
        let folder = unsafe getenv("TMPDIR").map { unsafe String(cString: $0) } ?? "/tmp"
        var path = Array("\(folder)/larder-XXXXXX".utf8CString)
        descriptor = try retrying("mkstemp", folder) {
            unsafe mkstemp(&path)
        }
        unsafe unlink(path)
    }

    deinit {
        close(descriptor)
    }

    /// Writes all of `bytes` at the end.
    package func append(_ bytes: RawSpan) throws(SystemError) {
        var written = 0
        while written < bytes.byteCount {
            let rest = bytes.part(from: written, count: bytes.byteCount - written)
            let count = try unsafe rest.withUnsafeBytes { source throws(SystemError) in
                try retrying("write", "scratch file") {
                    unsafe pwrite(descriptor, source.baseAddress, source.count, byteCount)
                }
            }
            written += count
            byteCount += count
        }
    }

    /// Appends up to `count` bytes from `offset` on to `buffer`; fewer only at the end.
    package func read(
        _ count: Int,
        at offset: Int,
        into buffer: inout ByteWriter
    ) throws(SystemError) {
        var total = 0
        while total < count {
            let before = buffer.count
            try unsafe buffer.append(upTo: count - total) { room throws(SystemError) in
                try retrying("read", "scratch file") {
                    unsafe pread(descriptor, room.baseAddress, room.count, offset + total)
                }
            }
            if buffer.count == before { return }
            total += buffer.count - before
        }
    }
}
