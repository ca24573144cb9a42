import Bytes
import Platform

/// Writes batches of effects to segments, one after the other, and syncs them.
///
/// It has no thread of its own and never waits but for the disk: `EffectLog` runs it on the
/// log thread, and the tests run it step by step on a disk that fails.
struct LogWriter: ~Copyable {
    let directory: LogDirectory
    private(set) var manifest: Manifest
    private(set) var lineage: Lineage
    /// How much of the stream was written to files.
    private(set) var offset: StreamOffset
    /// How much of it is known to survive a power cut.
    private(set) var durableOffset: StreamOffset
    private(set) var segment: Segment
    private let time: any TimeSource
    private var scratch = ByteWriter()

    /// The file being written.
    struct Segment {
        var file: any StorageFile
        var byteCount = 0
        var lastMark: MonotonicTime
        var lastMarkByteCount = 0
    }

    /// Repairs what a crash left and begins a new segment after it.
    init(
        continuing recovered: RecoveredLog?,
        in directory: LogDirectory,
        time: any TimeSource,
        generator: inout some RandomNumberGenerator
    ) throws(SystemError) {
        let offset = recovered?.offset ?? 0
        var lineage = recovered?.lineage ?? Lineage(id: ReplicationID(using: &generator))
        if let recovered {
            if let cut = recovered.cut { try LogWriter.repair(cut, in: directory.storage) }
            // A replica may hold bytes that the crash took from this log. Under a new id it is
            // found out; under the old one both would count on and silently differ.
            if !recovered.wasClosed && recovered.lineage != nil {
                lineage = lineage.branching(at: offset, using: &generator)
            }
        }
        try directory.storage.createFolder(directory.folder)
        try directory.storage.syncDirectory("")
        var manifest = recovered?.manifest ?? Manifest()
        let segment = try LogWriter.createSegment(
            Mark(
                lineage: lineage,
                offset: offset,
                durableOffset: offset,
                time: time.wallTime
            ),
            &manifest,
            directory,
            time
        )
        self.directory = directory
        self.manifest = manifest
        self.lineage = lineage
        self.offset = offset
        self.durableOffset = offset
        self.segment = segment
        self.time = time
    }

    /// Keeps the bytes of a torn tail aside and cuts them off.
    private static func repair(
        _ cut: RecoveredLog.Cut,
        in storage: any Storage
    ) throws(SystemError) {
        let file = try storage.open(cut.file, writable: true)
        var bytes = ByteWriter()
        _ = try file.read(cut.byteCount, at: cut.fileOffset, into: &bytes)
        let asideName = "\(cut.file).cut-\(cut.fileOffset)"
        if try storage.exists(asideName) { try storage.remove(asideName) }
        let aside = try storage.create(asideName)
        try aside.write(bytes.bytes, at: 0)
        try aside.sync()
        try file.truncate(to: cut.fileOffset)
        try file.sync()
    }

    /// Creates a segment, and makes it count.
    private static func createSegment(
        _ mark: Mark,
        _ manifest: inout Manifest,
        _ directory: LogDirectory,
        _ time: any TimeSource
    ) throws(SystemError) -> Segment {
        let sequence = manifest.highestSequence + 1
        let name = "\(directory.fileName).\(sequence).incr.aof"
        var bytes = ByteWriter()
        mark.writeLine(to: &bytes)
        let path = directory.path(name)
        if try directory.storage.exists(path) { try directory.storage.remove(path) }
        let file = try directory.storage.create(path)
        try file.write(bytes.bytes, at: 0)
        try file.sync()
        var extended = manifest
        extended.increments.append(Manifest.Entry(name: name, sequence: sequence))
        try directory.storeManifest(extended)
        manifest = extended
        return Segment(
            file: file,
            byteCount: bytes.count,
            lastMark: time.monotonicTime,
            lastMarkByteCount: bytes.count
        )
    }

    /// Writes a batch: whole requests and whole transactions.
    ///
    /// When it throws, nothing of the batch counts, and the same batch can be written again.
    mutating func write(_ batch: RawSpan) throws(SystemError) {
        scratch.removeAll(keepingCapacityUpTo: 1 << 20)
        if isMarkDue {
            mark().writeLine(to: &scratch)
            try segment.file.write(scratch.bytes, at: segment.byteCount)
            segment.byteCount += scratch.count
            segment.lastMark = time.monotonicTime
            segment.lastMarkByteCount = segment.byteCount
        }
        try segment.file.write(batch, at: segment.byteCount)
        segment.byteCount += batch.byteCount
        offset += batch.byteCount
    }

    /// Ends the segment and begins the next one.
    mutating func beginSegment() throws(SystemError) {
        try sync()
        segment = try LogWriter.createSegment(mark(), &manifest, directory, time)
    }

    /// Makes everything written survive a power cut.
    mutating func sync() throws(SystemError) {
        guard durableOffset < offset else { return }
        let covered = offset
        try segment.file.sync()
        durableOffset = covered
    }

    /// What another thread must sync so that `offset` becomes durable.
    var unsynced: (file: any StorageFile, offset: StreamOffset)? {
        durableOffset < offset ? (segment.file, offset) : nil
    }

    /// Notes what another thread synced.
    mutating func synced(_ upTo: StreamOffset) {
        durableOffset = max(durableOffset, upTo)
    }

    /// Ends the log in good order.
    mutating func close() throws(SystemError) {
        try sync()
        scratch.removeAll()
        var mark = mark()
        mark.isClosing = true
        mark.writeLine(to: &scratch)
        try segment.file.write(scratch.bytes, at: segment.byteCount)
        segment.byteCount += scratch.count
        try segment.file.sync()
    }

    private func mark() -> Mark {
        Mark(
            lineage: lineage,
            offset: offset,
            durableOffset: durableOffset,
            time: time.wallTime
        )
    }

    private var isMarkDue: Bool {
        let age = time.monotonicTime - segment.lastMark
        let byteCount = segment.byteCount - segment.lastMarkByteCount
        return age >= .seconds(10) || (age >= .seconds(1) && byteCount >= 32 << 10)
    }
}
