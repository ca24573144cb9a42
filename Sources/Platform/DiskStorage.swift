import Bytes
import CLinux
import Glibc

/// A directory on a real disk; every file system call of the daemon is in this file.
///
/// All names are resolved against a descriptor of the directory, so that a directory that is
/// renamed or mounted over while the daemon runs does not split its files between two places.
package final class DiskStorage: Storage {
    /// The directory as the user named it, for messages.
    package let path: String
    private let directory: Int32

    /// Opens the directory at `path`, which must exist.
    package init(path: String) throws(SystemError) {
        self.path = path
        directory = try retrying("open", path) {
            unsafe Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        }
    }

    deinit {
        close(directory)
    }

    package func create(_ name: String) throws(SystemError) -> any StorageFile {
        let flags = O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC
        return DiskFile(
            name,
            try retrying("open", name) { unsafe openat(directory, name, flags, 0o644) }
        )
    }

    package func open(_ name: String, writable: Bool) throws(SystemError) -> any StorageFile {
        let flags = (writable ? O_RDWR : O_RDONLY) | O_CLOEXEC
        return DiskFile(name, try retrying("open", name) { unsafe openat(directory, name, flags) })
    }

    package func map(_ name: String, byteCount: Int) throws(SystemError) -> any MappedFile {
        let flags = O_RDWR | O_CREAT | O_CLOEXEC
        let descriptor = try retrying("open", name) {
            unsafe openat(directory, name, flags, 0o644)
        }
        defer { close(descriptor) }
        // Also makes the file as long; where blocks cannot be reserved, zeros are written.
        let code = posix_fallocate(descriptor, 0, byteCount)
        guard code == 0 else { throw SystemError("posix_fallocate", name, code: code) }
        return try DiskMapping(name, descriptor, byteCount)
    }

    package func rename(_ name: String, to newName: String) throws(SystemError) {
        _ = try retrying("rename", name) { unsafe renameat(directory, name, directory, newName) }
    }

    package func remove(_ name: String) throws(SystemError) {
        _ = try retrying("unlink", name) { unsafe unlinkat(directory, name, 0) }
    }

    package func exists(_ name: String) throws(SystemError) -> Bool {
        do {
            _ = try retrying("access", name) { unsafe faccessat(directory, name, F_OK, 0) }
            return true
        } catch {
            if error.isMissingFile { return false }
            throw error
        }
    }

    package func names(in folder: String) throws(SystemError) -> [String] {
        if !folder.isEmpty, try !exists(folder) { return [] }
        let descriptor = try openFolder(folder)
        guard let stream = unsafe fdopendir(descriptor) else {
            let code = errno
            close(descriptor)
            throw SystemError("fdopendir", folder, code: code)
        }
        defer { unsafe closedir(stream) }
        var names: [String] = []
        while true {
            errno = 0
            guard let entry = unsafe readdir(stream) else {
                if errno != 0 { throw SystemError("readdir", folder, code: errno) }
                return names
            }
            let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != "." && name != ".." { names.append(name) }
        }
    }

    package func createFolder(_ name: String) throws(SystemError) {
        do {
            _ = try retrying("mkdir", name) { unsafe mkdirat(directory, name, 0o755) }
        } catch {
            if error.code != EEXIST { throw error }
        }
    }

    package func syncDirectory(_ folder: String) throws(SystemError) {
        let descriptor = try openFolder(folder)
        defer { close(descriptor) }
        _ = try retrying("fsync", folder.isEmpty ? path : folder) { fsync(descriptor) }
    }

    package func freeByteCount() throws(SystemError) -> Int {
        var status = statvfs()
        _ = try retrying("fstatvfs", path) { unsafe fstatvfs(directory, &status) }
        return Int(status.f_bavail) * Int(status.f_frsize)
    }

    package func lock() throws(SystemError) {
        _ = try retrying("flock", path) { flock(directory, LOCK_EX | LOCK_NB) }
    }

    private func openFolder(_ folder: String) throws(SystemError) -> Int32 {
        let name = folder.isEmpty ? "." : folder
        return try retrying("open", name) {
            unsafe openat(directory, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        }
    }
}

/// An open file on a real disk.
final class DiskFile: StorageFile {
    let name: String
    private let descriptor: Int32

    init(_ name: String, _ descriptor: Int32) {
        self.name = name
        self.descriptor = descriptor
    }

    deinit {
        close(descriptor)
    }

    func byteCount() throws(SystemError) -> Int {
        var status = stat()
        _ = try retrying("fstat", name) { unsafe fstat(descriptor, &status) }
        return status.st_size
    }

    func read(
        _ count: Int,
        at offset: Int,
        into buffer: inout ByteWriter
    ) throws(SystemError) -> Int {
        var total = 0
        while total < count {
            let before = buffer.count
            try unsafe buffer.append(upTo: count - total) { room throws(SystemError) in
                try retrying("read", name) {
                    unsafe pread(descriptor, room.baseAddress, room.count, offset + total)
                }
            }
            if buffer.count == before { break }
            total += buffer.count - before
        }
        return total
    }

    func write(_ bytes: RawSpan, at offset: Int) throws(SystemError) {
        var written = 0
        while written < bytes.byteCount {
            let rest = bytes.part(from: written, count: bytes.byteCount - written)
            let count = try unsafe rest.withUnsafeBytes { source throws(SystemError) in
                try retrying("write", name) {
                    unsafe pwrite(
                        descriptor,
                        source.baseAddress,
                        source.count,
                        offset + written
                    )
                }
            }
            // No file system does this; a loop that trusted it would never end.
            guard count > 0 else { throw SystemError("write", name, code: EIO) }
            written += count
        }
    }

    func sync() throws(SystemError) {
        _ = try retrying("fdatasync", name) { fdatasync(descriptor) }
    }

    func beginWriteBack(of range: Range<Int>) {
        // Where it is not supported, the sync does it all.
        _ = clinux_begin_write_back(descriptor, range.lowerBound, range.count)
    }

    func reserve(upTo byteCount: Int) throws(SystemError) {
        do {
            _ = try retrying("fallocate", name) {
                clinux_reserve(descriptor, byteCount)
            }
        } catch {
            if error.code != EOPNOTSUPP && error.code != ENOSYS { throw error }
        }
    }

    func truncate(to byteCount: Int) throws(SystemError) {
        _ = try retrying("ftruncate", name) { ftruncate(descriptor, byteCount) }
    }
}

/// A file of a real disk in the process's memory.
@safe
final class DiskMapping: MappedFile {
    private let memory: UnsafeMutableRawPointer
    private let byteCount: Int

    init(_ name: String, _ descriptor: Int32, _ byteCount: Int) throws(SystemError) {
        let protection = PROT_READ | PROT_WRITE
        let mapped = unsafe mmap(nil, byteCount, protection, MAP_SHARED, descriptor, 0)
        guard let memory = unsafe mapped, unsafe memory != MAP_FAILED else {
            throw SystemError("mmap", name, code: errno)
        }
        unsafe self.memory = memory
        self.byteCount = byteCount
        // A page that was given back would have to be read again while the core waits. Where
        // this is not allowed, that stays possible, and as rare as it is.
        _ = unsafe mlock(memory, byteCount)
    }

    deinit {
        unsafe munmap(memory, byteCount)
    }

    func write(_ bytes: RawSpan, at offset: Int) {
        precondition(offset >= 0 && offset + bytes.byteCount <= byteCount, "beyond the mapping")
        unsafe bytes.withUnsafeBytes { source in
            guard let start = source.baseAddress else { return }
            unsafe memcpy(memory + offset, start, source.count)
        }
    }

    func write(_ word: UInt64, at offset: Int) {
        precondition(offset >= 0 && offset + 8 <= byteCount, "beyond the mapping")
        unsafe (memory + offset).storeBytes(of: word.littleEndian, as: UInt64.self)
    }
}
