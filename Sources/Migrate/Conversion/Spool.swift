import Bytes
import Glibc
import Platform
import RDB

/// Bytes that are written once and read back: in memory as long as they are few, else in a file
/// without a name, which goes away with the process.
final class Spool: ByteSink {
    private var storage: SpoolStorage

    /// What is held in memory unless told otherwise.
    static let usualMemory = 4 << 20

    init(maximumMemory: Int = Spool.usualMemory) {
        storage = SpoolStorage(maximumMemory: maximumMemory)
    }

    /// How many bytes.
    var byteCount: Int { storage.byteCount }

    func write(_ bytes: RawSpan) throws {
        try storage.append(bytes)
    }

    func append(_ bytes: RawSpan) throws(SystemError) {
        try storage.append(bytes)
    }

    /// Appends `count` bytes from `offset` on to `buffer`; they must be there.
    func read(_ count: Int, at offset: Int, into buffer: inout ByteWriter) throws(SystemError) {
        try storage.read(count, at: offset, into: &buffer)
    }

    /// Forgets everything.
    func removeAll() {
        storage.removeAll()
    }
}

/// What a spool holds, and where.
private struct SpoolStorage: ~Copyable {
    private let maximumMemory: Int
    private var memory = ByteWriter()
    private var file: (any StorageFile)?
    private var fileByteCount = 0

    init(maximumMemory: Int) {
        self.maximumMemory = maximumMemory
    }

    var byteCount: Int { fileByteCount + memory.count }

    mutating func append(_ bytes: RawSpan) throws(SystemError) {
        memory.append(bytes)
        if memory.count >= maximumMemory { try spill() }
    }

    private mutating func spill() throws(SystemError) {
        if file == nil { file = try makeFile() }
        try file?.write(memory.bytes, at: fileByteCount)
        fileByteCount += memory.count
        memory.removeAll()
    }

    private func makeFile() throws(SystemError) -> any StorageFile {
        let folder = unsafe getenv("TMPDIR").map { unsafe String(cString: $0) } ?? "/tmp"
        let storage = try DiskStorage(path: folder)
        let moment = SystemTime().monotonicTime.nanoseconds
        let name = "larder-migrate-\(getpid())-\(moment)"
        let file = try storage.create(name)
        try storage.remove(name)
        return file
    }

    func read(_ count: Int, at offset: Int, into buffer: inout ByteWriter) throws(SystemError) {
        precondition(offset + count <= byteCount, "a spool is read up to its end")
        var offset = offset
        var count = count
        if offset < fileByteCount, let file {
            let part = min(count, fileByteCount - offset)
            _ = try file.read(part, at: offset, into: &buffer)
            offset += part
            count -= part
        }
        if count > 0 {
            buffer.append(memory.bytes.part(from: offset - fileByteCount, count: count))
        }
    }

    mutating func removeAll() {
        memory.removeAll(keepingCapacityUpTo: maximumMemory * 2)
        file = nil
        fileByteCount = 0
    }
}

/// What is in a spool, from its start.
struct SpoolSource: ByteSource {
    let spool: Spool
    private var offset = 0

    init(_ spool: Spool) {
        self.spool = spool
    }

    var remainingByteCount: Int? { spool.byteCount - offset }

    mutating func read(into room: inout OutputRawSpan) throws {
        let count = min(room.freeCapacity, spool.byteCount - offset)
        guard count > 0 else { return }
        var buffer = ByteWriter(reserving: count)
        try spool.read(count, at: offset, into: &buffer)
        offset += count
        unsafe room.withUnsafeMutableBytes { target, filled in
            unsafe buffer.bytes.withUnsafeBytes { bytes in
                let free = unsafe UnsafeMutableRawBufferPointer(rebasing: target[filled...])
                unsafe free.copyMemory(from: bytes)
                filled += bytes.count
            }
        }
    }
}
