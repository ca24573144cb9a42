import Bytes
import Glibc
import Platform
import Synchronization

/// A disk in memory that does what disks may do.
///
/// What was written and not synced sits in a cache, as in a kernel. A power cut keeps of it
/// what the test says: nothing, everything, or sectors and directory changes that a seed
/// picks, in no order. The death of a process keeps the cache.
///
/// A sync that is told to fail marks the cache clean and loses it, as Linux does: the bytes
/// can still be read, are never written, and the next sync says that all is well.
package struct SimulatedDisk: Sendable {
    /// Bytes that reach the disk together or not at all.
    package static let sectorByteCount = 512

    struct File: Sendable {
        /// What a power cut leaves.
        var stored: [UInt8] = []
        /// What a process reads.
        var cached: [UInt8] = []
        /// Sectors of `cached` that a sync would write.
        var dirty: Set<Int> = []
        var isSizeDirty = false
        /// Blocks held behind the end.
        var reservedByteCount = 0

        var allocatedByteCount: Int { max(cached.count, reservedByteCount) }
    }

    /// A change of a directory that a power cut may lose.
    enum DirectoryChange: Sendable {
        case link(String, Int)
        case rename(String, String, Int)
        case unlink(String)

        var folders: Set<Substring> {
            switch self {
            case .link(let name, _), .unlink(let name): [folder(of: name)]
            case .rename(let name, let newName, _): [folder(of: name), folder(of: newName)]
            }
        }

        func apply(to names: inout [String: Int]) {
            switch self {
            case .link(let name, let file): names[name] = file
            case .unlink(let name): names[name] = nil
            case .rename(let name, let newName, let file):
                names[name] = nil
                names[newName] = file
            }
        }
    }

    /// What a power cut leaves of what was not synced.
    package enum Loss: Sendable, CaseIterable {
        case dropAll
        case keepAll
        case random
    }

    var files: [Int: File] = [:]
    var storedNames: [String: Int] = [:]
    var names: [String: Int] = [:]
    var changes: [DirectoryChange] = []
    var nextFile = 0
    /// Bytes the disk has; nil for as many as it takes.
    package var capacity: Int?

    package init() {}

    /// The disk after a power cut.
    package func afterPowerCut(
        _ loss: Loss,
        using generator: inout some RandomNumberGenerator
    ) -> SimulatedDisk {
        var disk = self
        switch loss {
        case .dropAll:
            disk.names = storedNames
        case .keepAll:
            break
        case .random:
            disk.names = storedNames
            // Changes of a directory get to the disk in any order, or do not.
            for change in changes where Bool.random(using: &generator) {
                change.apply(to: &disk.names)
            }
        }
        disk.storedNames = disk.names
        disk.changes = []
        for (id, file) in files.sorted(by: { $0.key < $1.key }) {
            let content: [UInt8]
            switch loss {
            case .dropAll: content = file.stored
            case .keepAll:
                var synced = file
                synced.store()
                content = synced.stored
            case .random: content = file.torn(using: &generator)
            }
            disk.files[id] = File(stored: content, cached: content)
        }
        return disk
    }

    /// Changes one bit, on the disk and for every reader.
    package mutating func flipBit(_ bit: Int, of name: String) {
        guard let id = names[name] else { return }
        let mask = UInt8(1) << UInt8(bit % 8)
        if files[id, default: File()].cached.count > bit / 8 {
            files[id]?.cached[bit / 8] ^= mask
        }
        if files[id, default: File()].stored.count > bit / 8 {
            files[id]?.stored[bit / 8] ^= mask
        }
    }

    /// The names of all files.
    package var fileNames: [String] { names.keys.sorted() }

    /// What a file holds for its readers.
    package func content(of name: String) -> [UInt8]? {
        names[name].flatMap { files[$0]?.cached }
    }

    var usedByteCount: Int {
        var used = 0
        for file in files.values { used += file.allocatedByteCount }
        return used
    }
}

extension SimulatedDisk.File {
    /// The file with some of its unsynced sectors.
    func torn(using generator: inout some RandomNumberGenerator) -> [UInt8] {
        let size = SimulatedDisk.sectorByteCount
        var content = stored
        if isSizeDirty {
            // The length gets to the disk by itself: before the data, after it, or in part.
            let shorter = min(stored.count, cached.count)
            let longer = max(stored.count, cached.count)
            let count =
                switch Int.random(in: 0..<3, using: &generator) {
                case 0: stored.count
                case 1: cached.count
                default: Int.random(in: shorter...longer, using: &generator)
                }
            if count < content.count { content.removeLast(content.count - count) }
            content += [UInt8](repeating: 0, count: count - content.count)
        }
        for sector in dirty.sorted() where Bool.random(using: &generator) {
            let start = sector * size
            let end = min(start + size, cached.count, content.count)
            if start < end { content.replaceSubrange(start..<end, with: cached[start..<end]) }
        }
        return content
    }
}

private func folder(of name: String) -> Substring {
    name.lastIndex(of: "/").map { name[..<$0] } ?? ""
}

/// A process's view of a simulated disk, with faults on order.
package final class SimulatedStorage: Storage {
    private let state: Mutex<State>

    struct State: Sendable {
        var disk: SimulatedDisk
        var faults: Faults
        /// Calls that change something, so far.
        var callCount = 0
        var syncCount = 0
        var readCount = 0
        /// Told after each call that changes something.
        var observer: (@Sendable (SimulatedDisk) -> Void)?
    }

    /// What is to go wrong; calls are counted from 1.
    package struct Faults: Sendable {
        /// The call that changes something and fails, and all after it if `failsForEver`.
        package var failingCall: Int?
        package var failsForEver = false
        /// With which error.
        package var failureCode = EIO
        /// The sync that fails once.
        package var failingSync: Int?
        /// The read that fails.
        package var failingRead: Int?

        package init() {}
    }

    package init(_ disk: SimulatedDisk = SimulatedDisk(), faults: Faults = Faults()) {
        state = Mutex(State(disk: disk, faults: faults))
    }

    /// The disk as it is now, cache included.
    package var disk: SimulatedDisk { state.withLock { $0.disk } }

    /// How many calls changed something.
    package var callCount: Int { state.withLock { $0.callCount } }

    /// Calls `observer` after each call that changes something.
    package func observe(_ observer: @escaping @Sendable (SimulatedDisk) -> Void) {
        state.withLock { $0.observer = observer }
    }

    /// Changes what is to go wrong.
    package func setFaults(_ faults: Faults) {
        state.withLock { state in
            state.faults = faults
            state.callCount = 0
            state.syncCount = 0
            state.readCount = 0
        }
    }

    /// Changes how much the disk holds.
    package func setCapacity(_ capacity: Int?) {
        state.withLock { $0.disk.capacity = capacity }
    }

    /// Runs a call that changes something, unless it is to fail.
    fileprivate func change<Result: Sendable>(
        _ call: String,
        _ name: String,
        _ body: (inout State) throws(SystemError) -> Result
    ) throws(SystemError) -> Result {
        let (result, told) = try state.withLock {
            state throws(SystemError) -> (
                Result, (SimulatedDisk, @Sendable (SimulatedDisk) -> Void)?
            )
            in
            state.callCount += 1
            if let failing = state.faults.failingCall {
                let fails =
                    state.faults.failsForEver
                    ? state.callCount >= failing : state.callCount == failing
                if fails { throw SystemError(call, name, code: state.faults.failureCode) }
            }
            let result = try body(&state)
            return (result, state.observer.map { (state.disk, $0) })
        }
        if let told { told.1(told.0) }
        return result
    }

    package func create(_ name: String) throws(SystemError) -> any StorageFile {
        let id = try change("open", name) { state throws(SystemError) in
            guard state.disk.names[name] == nil else {
                throw SystemError("open", name, code: EEXIST)
            }
            let id = state.disk.nextFile
            state.disk.nextFile += 1
            state.disk.files[id] = SimulatedDisk.File()
            state.disk.names[name] = id
            state.disk.changes.append(.link(name, id))
            return id
        }
        return SimulatedFile(self, name, id)
    }

    package func open(_ name: String, writable: Bool) throws(SystemError) -> any StorageFile {
        let id = try state.withLock { state throws(SystemError) in
            guard let id = state.disk.names[name] else {
                throw SystemError("open", name, code: ENOENT)
            }
            return id
        }
        return SimulatedFile(self, name, id)
    }

    package func map(_ name: String, byteCount: Int) throws(SystemError) -> any MappedFile {
        let id = try change("mmap", name) { state throws(SystemError) in
            let used = state.disk.names[name].flatMap { state.disk.files[$0]?.allocatedByteCount }
            let free = state.disk.capacity.map { $0 - state.disk.usedByteCount } ?? .max
            guard byteCount - (used ?? 0) <= free else {
                throw SystemError("mmap", name, code: ENOSPC)
            }
            let id = state.disk.names[name] ?? state.disk.nextFile
            if state.disk.names[name] == nil {
                state.disk.nextFile += 1
                state.disk.files[id] = SimulatedDisk.File()
                state.disk.names[name] = id
                state.disk.changes.append(.link(name, id))
            }
            let length = state.disk.files[id]?.cached.count ?? 0
            if length < byteCount { state.disk.files[id]?.resize(to: byteCount) }
            return id
        }
        return SimulatedMapping(self, id)
    }

    /// Changes a file as a store to memory does: it cannot fail.
    fileprivate func store(_ bytes: [UInt8], at offset: Int, in id: Int) {
        let told = state.withLock { state in
            state.disk.files[id]?.write(bytes[...], at: offset)
            return state.observer.map { (state.disk, $0) }
        }
        if let told { told.1(told.0) }
    }

    package func rename(_ name: String, to newName: String) throws(SystemError) {
        try change("rename", name) { state throws(SystemError) in
            guard let id = state.disk.names[name] else {
                throw SystemError("rename", name, code: ENOENT)
            }
            let change = SimulatedDisk.DirectoryChange.rename(name, newName, id)
            change.apply(to: &state.disk.names)
            state.disk.changes.append(change)
        }
    }

    package func remove(_ name: String) throws(SystemError) {
        try change("unlink", name) { state throws(SystemError) in
            guard let id = state.disk.names[name] else {
                throw SystemError("unlink", name, code: ENOENT)
            }
            state.disk.names[name] = nil
            state.disk.changes.append(.unlink(name))
            state.disk.files[id]?.reservedByteCount = 0
        }
    }

    package func exists(_ name: String) throws(SystemError) -> Bool {
        state.withLock { $0.disk.names[name] != nil }
    }

    package func names(in folder: String) throws(SystemError) -> [String] {
        state.withLock { state in
            state.disk.names.keys.compactMap { name in
                let parts = name.split(separator: "/")
                let isInside = parts.dropLast().joined(separator: "/") == folder
                return isInside ? parts.last.map { String($0) } : nil
            }
        }
    }

    package func createFolder(_ name: String) throws(SystemError) {}

    package func syncDirectory(_ folder: String) throws(SystemError) {
        try change("fsync", folder) { state throws(SystemError) in
            var kept: [SimulatedDisk.DirectoryChange] = []
            for change in state.disk.changes {
                if change.folders.contains(folder[...]) {
                    change.apply(to: &state.disk.storedNames)
                } else {
                    kept.append(change)
                }
            }
            state.disk.changes = kept
        }
    }

    package func freeByteCount() throws(SystemError) -> Int {
        state.withLock { state in
            (state.disk.capacity ?? 1 << 40) - state.disk.usedByteCount
        }
    }

    package func lock() throws(SystemError) {}

    fileprivate func read(
        _ id: Int,
        _ name: String,
        _ count: Int,
        at offset: Int
    ) throws(SystemError) -> [UInt8] {
        try state.withLock { state throws(SystemError) in
            state.readCount += 1
            if state.readCount == state.faults.failingRead {
                throw SystemError("read", name, code: EIO)
            }
            let content = state.disk.files[id]?.cached ?? []
            guard offset < content.count else { return [] }
            return Array(content[offset..<min(content.count, offset + count)])
        }
    }

    fileprivate func byteCount(_ id: Int) -> Int {
        state.withLock { $0.disk.files[id]?.cached.count ?? 0 }
    }
}

/// An open file of a simulated disk.
private final class SimulatedFile: StorageFile {
    let name: String
    private let storage: SimulatedStorage
    private let id: Int

    init(_ storage: SimulatedStorage, _ name: String, _ id: Int) {
        self.storage = storage
        self.name = name
        self.id = id
    }

    func byteCount() throws(SystemError) -> Int { storage.byteCount(id) }

    func read(
        _ count: Int,
        at offset: Int,
        into buffer: inout ByteWriter
    ) throws(SystemError) -> Int {
        let bytes = try storage.read(id, name, count, at: offset)
        buffer.append(bytes.bytes)
        return bytes.count
    }

    func write(_ bytes: RawSpan, at offset: Int) throws(SystemError) {
        let new = ByteString(bytes).array
        guard !new.isEmpty else { return }
        let (id, name) = (id, name)
        try storage.change("write", name) { state throws(SystemError) in
            let free = state.disk.capacity.map { $0 - state.disk.usedByteCount } ?? .max
            let allocated = state.disk.files[id]?.allocatedByteCount ?? 0
            let room = free == .max ? .max : allocated + free
            // A full disk takes what fits.
            let count = min(new.count, max(0, room - offset))
            // In its place: a copy of the file for each write would be quadratic.
            if count > 0 { state.disk.files[id, default: .init()].write(new[..<count], at: offset) }
            if count < new.count { throw SystemError("write", name, code: ENOSPC) }
        }
    }

    func sync() throws(SystemError) {
        let (id, name) = (id, name)
        try storage.change("fdatasync", name) { state throws(SystemError) in
            state.syncCount += 1
            let fails = state.syncCount == state.faults.failingSync
            if !fails { state.disk.files[id]?.store() }
            state.disk.files[id]?.dirty = []
            state.disk.files[id]?.isSizeDirty = false
            if fails { throw SystemError("fdatasync", name, code: EIO) }
        }
    }

    /// The simulated kernel writes back when it likes anyway.
    func beginWriteBack(of range: Range<Int>) {}

    func reserve(upTo byteCount: Int) throws(SystemError) {
        let (id, name) = (id, name)
        try storage.change("fallocate", name) { state throws(SystemError) in
            let allocated = state.disk.files[id]?.allocatedByteCount ?? 0
            let free = state.disk.capacity.map { $0 - state.disk.usedByteCount } ?? .max
            guard byteCount - allocated <= free else {
                throw SystemError("fallocate", name, code: ENOSPC)
            }
            let reserved = max(state.disk.files[id]?.reservedByteCount ?? 0, byteCount)
            state.disk.files[id]?.reservedByteCount = reserved
        }
    }

    func truncate(to byteCount: Int) throws(SystemError) {
        let id = id
        try storage.change("ftruncate", name) { state throws(SystemError) in
            state.disk.files[id]?.resize(to: byteCount)
            state.disk.files[id]?.reservedByteCount = 0
        }
    }
}

/// A file of a simulated disk in a process's memory.
private final class SimulatedMapping: MappedFile {
    private let storage: SimulatedStorage
    private let id: Int

    init(_ storage: SimulatedStorage, _ id: Int) {
        self.storage = storage
        self.id = id
    }

    func write(_ bytes: RawSpan, at offset: Int) {
        let bytes = ByteString(bytes).array
        if !bytes.isEmpty { storage.store(bytes, at: offset, in: id) }
    }

    func write(_ word: UInt64, at offset: Int) {
        let bytes = (0..<8).map { UInt8(truncatingIfNeeded: word >> UInt64(8 * $0)) }
        storage.store(bytes, at: offset, in: id)
    }
}

extension SimulatedDisk.File {
    fileprivate mutating func write(_ bytes: ArraySlice<UInt8>, at offset: Int) {
        let size = SimulatedDisk.sectorByteCount
        if offset > cached.count { resize(to: offset) }
        let overlap = min(bytes.count, cached.count - offset)
        cached.replaceSubrange(offset..<(offset + overlap), with: bytes)
        if overlap < bytes.count { isSizeDirty = true }
        dirty.formUnion((offset / size)...((offset + bytes.count - 1) / size))
    }

    fileprivate mutating func resize(to count: Int) {
        if count < cached.count {
            cached.removeLast(cached.count - count)
        } else {
            let size = SimulatedDisk.sectorByteCount
            let start = cached.count
            cached += [UInt8](repeating: 0, count: count - cached.count)
            if start < count { dirty.formUnion((start / size)...((count - 1) / size)) }
        }
        isSizeDirty = true
    }

    /// A sync that succeeds.
    ///
    /// Only what is dirty is written: what a failed sync has dropped stays lost.
    fileprivate mutating func store() {
        let size = SimulatedDisk.sectorByteCount
        if isSizeDirty || stored.count > cached.count {
            if stored.count > cached.count { stored.removeLast(stored.count - cached.count) }
            stored += [UInt8](repeating: 0, count: cached.count - stored.count)
        }
        for sector in dirty {
            let start = sector * size
            let end = min(start + size, cached.count)
            guard start < end else { continue }
            if stored.count < end {
                stored += [UInt8](repeating: 0, count: end - stored.count)
            }
            stored.replaceSubrange(start..<end, with: cached[start..<end])
        }
    }
}
