import Bytes
import Platform
import RDB

/// The files of one snapshot on disk, under other names until they are whole.
final class SnapshotOutput: FinishedFile {
    private let storage: any Storage
    private let isWritingChecksum: Bool
    private var targets: [Target]
    private var aside: AsideFile?

    /// Pages are sent to the disk when so many bytes are dirty, so that the last sync is short.
    private static let writeBackByteCount = 8 << 20

    private struct Target {
        let name: String
        let temporaryName: String
        let head: ByteString
        var file: (any StorageFile)?
        var offset = 0
        /// Everything before is on its way to the disk.
        var writeBackOffset = 0
        var checksum = CRC64()
        private var gap = 0..<0

        init(_ file: SnapshotSaver.File) {
            name = file.name
            // Beside the file, so that the rename stays within one folder.
            let start = name.lastIndex(of: "/").map(name.index(after:)) ?? name.startIndex
            temporaryName = "\(name[..<start])temp-\(name[start...])"
            head = file.head
        }

        var folder: String {
            guard let slash = name.lastIndex(of: "/") else { return "" }
            return String(name[..<slash])
        }

        mutating func write(_ bytes: RawSpan) throws(SystemError) {
            checksum.update(bytes)
            try file?.write(bytes, at: offset)
            offset += bytes.byteCount
        }

        mutating func writeGap(byteCount: Int) throws(SystemError) {
            let start = offset
            try write([UInt8](repeating: 0, count: byteCount).bytes)
            gap = start..<offset
        }

        mutating func fillGap(_ bytes: RawSpan) throws(SystemError) {
            precondition(bytes.byteCount == gap.count, "a gap is filled as a whole")
            try file?.write(bytes, at: gap.lowerBound)
            // The checksum is linear: what zeros and these bytes differ by is shifted past what
            // follows them.
            var difference = CRC64()
            difference.update(bytes)
            difference.update(zeroByteCount: offset - gap.upperBound)
            checksum = CRC64(continuing: checksum.value ^ difference.value)
        }

        mutating func beginWriteBack() {
            file?.beginWriteBack(of: writeBackOffset..<offset)
            writeBackOffset = offset
        }
    }

    init(
        _ files: [SnapshotSaver.File],
        isWritingChecksum: Bool,
        in storage: any Storage
    ) {
        targets = files.map(Target.init)
        self.isWritingChecksum = isWritingChecksum
        self.storage = storage
    }

    /// Bytes of the first file so far.
    var byteCount: Int { targets.first?.offset ?? 0 }

    /// Creates the files and writes what they say ahead of the keys.
    func open() throws(SystemError) {
        for index in targets.indices {
            targets[index].file = try SnapshotOutput.create(targets[index].temporaryName, storage)
            let head = targets[index].head
            try targets[index].write(head.bytes)
        }
    }

    static func create(
        _ name: String,
        _ storage: any Storage
    ) throws(SystemError) -> any StorageFile {
        if try storage.exists(name) { try storage.remove(name) }
        return try storage.create(name)
    }

    func write(_ bytes: RawSpan) throws {
        for index in targets.indices { try targets[index].write(bytes) }
    }

    func putAside(_ bytes: RawSpan, as number: Int) throws {
        let aside = try self.aside ?? AsideFile(beside: targets[0].temporaryName, in: storage)
        self.aside = aside
        try aside.append(bytes, number)
    }

    func fetch(_ number: Int, _ body: (RawSpan) throws -> Void) throws {
        try aside?.fetch(number, body)
    }

    func writeGap(byteCount: Int) throws {
        for index in targets.indices { try targets[index].writeGap(byteCount: byteCount) }
    }

    func fillGap(_ bytes: RawSpan) throws {
        for index in targets.indices { try targets[index].fillGap(bytes) }
    }

    func writeBackNowAndThen() {
        for index in targets.indices
        where targets[index].offset - targets[index].writeBackOffset >= Self.writeBackByteCount {
            targets[index].beginWriteBack()
        }
    }

    /// Ends the files and gives them their names; returns how long the first is.
    func publish() throws(SystemError) -> Int {
        for index in targets.indices {
            var end = ByteWriter(reserving: 8)
            end.appendInteger(isWritingChecksum ? targets[index].checksum.value : 0)
            try targets[index].write(end.bytes)
            try targets[index].file?.sync()
        }
        for target in targets {
            try storage.rename(target.temporaryName, to: target.name)
            // The rename itself lives in the directory. Without this, a power cut can bring
            // back the old snapshot after the log that led up to it is gone.
            try storage.syncDirectory(target.folder)
        }
        return byteCount
    }

    /// Removes what is left over.
    func close(keeping isSaved: Bool) {
        aside?.remove()
        guard !isSaved else { return }
        for target in targets where target.file != nil { try? storage.remove(target.temporaryName) }
    }
}

/// A file for parts of values whose turn has not come yet.
///
/// They come in small pieces of many values in turn. What belongs together is gathered in
/// memory for a while, so that the disk sees long writes and few places have to be remembered.
private final class AsideFile {
    private let storage: any Storage
    private let name: String
    private let file: any StorageFile
    private var end = 0
    private var parts: [Int: Part] = [:]
    /// Those that have bytes in memory, and how many these are.
    private var gathered: [Part] = []
    private var gatheredByteCount = 0

    private static let gatheredBound = 4 << 20

    /// What was put aside under one number.
    private final class Part {
        /// Where the earlier bytes lie in the file.
        var extents: [Range<Int>] = []
        /// The others.
        var bytes = ByteWriter()
    }

    init(beside other: String, in storage: any Storage) throws(SystemError) {
        name = "\(other).parts"
        self.storage = storage
        file = try SnapshotOutput.create(name, storage)
    }

    func append(_ bytes: RawSpan, _ number: Int) throws(SystemError) {
        let part = part(number)
        if part.bytes.isEmpty { gathered.append(part) }
        part.bytes.append(bytes)
        gatheredByteCount += bytes.byteCount
        if gatheredByteCount >= Self.gatheredBound { try writeGathered() }
    }

    private func part(_ number: Int) -> Part {
        if let part = parts[number] { return part }
        let part = Part()
        parts[number] = part
        return part
    }

    private func writeGathered() throws(SystemError) {
        var all = ByteWriter(reserving: gatheredByteCount)
        for part in gathered where !part.bytes.isEmpty {
            let start = end + all.count
            all.append(part.bytes.bytes)
            part.extents.append(start..<(end + all.count))
            part.bytes = ByteWriter()
        }
        gathered.removeAll(keepingCapacity: true)
        gatheredByteCount = 0
        try file.write(all.bytes, at: end)
        end += all.count
    }

    func fetch(_ number: Int, _ body: (RawSpan) throws -> Void) throws {
        guard let part = parts.removeValue(forKey: number) else { return }
        var buffer = ByteWriter()
        for range in part.extents {
            var position = range.lowerBound
            while position < range.upperBound {
                buffer.removeAll()
                let wanted = min(range.upperBound - position, 1 << 20)
                let count = try file.read(wanted, at: position, into: &buffer)
                guard count > 0 else {
                    throw SystemError("read", "\(name): what was put aside is gone", code: 5)
                }
                try body(buffer.bytes)
                position += count
            }
        }
        gatheredByteCount -= part.bytes.count
        // Taken out, because it may still be among those that are to be written.
        var rest = ByteWriter()
        swap(&rest, &part.bytes)
        if !rest.isEmpty { try body(rest.bytes) }
    }

    func remove() {
        try? storage.remove(name)
    }
}
