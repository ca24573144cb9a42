import Bytes
import Platform

/// Writes batches of effects to segments, one after the other, and syncs them.
///
/// It has no thread of its own and waits for nothing but the disk: `EffectLog` runs it on the
/// log thread, and the tests run it step by step on a disk that fails.
package struct LogWriter: ~Copyable {
    package let files: LogFiles
    package private(set) var lineage: Lineage
    /// How much of the stream was written to files.
    package private(set) var offset: StreamOffset
    /// How much of it is known to survive a power cut, and is promised in marks.
    package private(set) var durableOffset: StreamOffset
    /// What was synced, also while earlier bytes are lost.
    package private(set) var syncedOffset: StreamOffset
    /// Whether the disk has room for what comes next.
    package private(set) var hasRoom = true
    /// Whether bytes before `offset` are lost to this log until a base stands for them.
    package private(set) var isBroken = false

    private var segment: SegmentWriter
    /// Segments before it that were not synced yet.
    private var older: [(file: any StorageFile, end: StreamOffset)] = []
    /// The form of the segments that are begun next.
    private var format: SegmentFormat
    private let time: any TimeSource

    /// Repairs what a crash left and begins a new segment after it.
    ///
    /// `beginning` says how the log begins if there is none to continue.
    package init(
        continuing recovered: RecoveredLog?,
        orBeginning beginning: LogBeginning = LogBeginning(),
        in directory: LogDirectory,
        compression: LogCompression,
        time: any TimeSource,
        generator: inout some RandomNumberGenerator
    ) throws(SystemError) {
        let offset = recovered?.offset ?? beginning.offset
        var lineage =
            recovered?.lineage
            ?? Lineage(id: ReplicationID(using: &generator), previous: beginning.ancestor)
        if let recovered {
            try LogRepair(directory: directory).repair(recovered)
            // A replica may hold bytes that the crash took from this log. Under a new id it is
            // found out; under the old one both would count on and silently differ.
            if !recovered.wasClosed && recovered.lineage != nil {
                lineage = lineage.branching(at: offset, using: &generator)
            }
        }
        try directory.storage.createFolder(directory.folder)
        try directory.storage.syncDirectory("")
        var manifest: Manifest
        if let known = recovered?.manifest ?? beginning.replaced {
            manifest = known
        } else {
            manifest = try directory.begunManifest()
        }
        try directory.adopt(&manifest)
        try directory.removePending(&manifest)
        manifest.addsPending = beginning.replaced != nil
        let files = LogFiles(directory, manifest)
        let format = SegmentFormat(compression)
        let staged = recovered?.staged ?? ByteString([])
        let segment = try LogWriter.createSegment(
            files,
            format,
            Mark(
                lineage: lineage,
                offset: offset - staged.byteCount,
                durableOffset: offset - staged.byteCount,
                time: time.wallTime
            ),
            time.monotonicTime,
            staged: staged
        )
        try files.removeHistory(files.manifest.history)
        self.files = files
        self.format = format
        self.lineage = lineage
        self.offset = offset
        durableOffset = offset
        syncedOffset = offset
        self.time = time
        self.segment = segment
        isBroken = beginning.replaced != nil
    }

    private static func createSegment(
        _ files: LogFiles,
        _ format: SegmentFormat,
        _ mark: Mark,
        _ now: MonotonicTime,
        staged: ByteString = ByteString([])
    ) throws(SystemError) -> SegmentWriter {
        var head = ByteWriter()
        SegmentWriter.writeHead(mark, staged.bytes, format, to: &head)
        let (entry, file) = try files.addIncrement(format) { file throws(SystemError) in
            try file.write(head.bytes, at: 0)
        }
        return SegmentWriter(
            entry,
            format,
            file,
            at: mark.offset + staged.byteCount,
            byteCount: head.count,
            now: now
        )
    }

    /// The segment being written.
    package var currentEntry: Manifest.Entry { segment.entry }

    /// Bytes of its file.
    package var currentByteCount: Int { segment.byteCount }

    /// Its file.
    package var path: String { segment.file.name }

    /// Writes a batch: whole requests and whole transactions.
    ///
    /// When it throws, nothing of the batch counts, and the same batch can be written again.
    package mutating func write(_ batch: RawSpan) throws(SystemError) {
        hasRoom = try segment.reserve()
        let mark = mark()
        try segment.write(batch, mark, now: time.monotonicTime)
        offset = segment.offset
    }

    /// Asks again for room.
    package mutating func reserve() throws(SystemError) {
        hasRoom = try segment.reserve()
    }

    /// Chooses the form of the segments that are begun from now on.
    package mutating func change(_ compression: LogCompression) {
        format = SegmentFormat(compression)
    }

    /// Ends the segment and begins the next one; can be repeated after it threw.
    package mutating func beginSegment() throws(SystemError) {
        try segment.finish()
        let next = try LogWriter.createSegment(files, format, mark(), time.monotonicTime)
        older.append((segment.file, offset))
        segment = next
    }

    /// Gives up on what was written since `durableOffset`, and goes on at `offset`.
    ///
    /// The segment begun here counts for nothing until a base stands for all before it, and
    /// `mend` is called.
    package mutating func abandon(goingOnAt offset: StreamOffset) throws(SystemError) {
        isBroken = true
        var mark = mark()
        mark.offset = offset
        segment = try LogWriter.createSegment(files, format, mark, time.monotonicTime)
        older = []
        self.offset = offset
    }

    /// A base now stands for everything that is lost.
    package mutating func mend(at offset: StreamOffset) {
        isBroken = false
        synced(max(offset, syncedOffset))
    }

    /// Makes everything written survive a power cut.
    package mutating func sync() throws(SystemError) {
        let covered = offset
        for file in unsyncedFiles { try file.sync() }
        synced(covered)
    }

    /// What has to be synced for `offset` to become durable, in this order.
    package var unsyncedFiles: [any StorageFile] {
        syncedOffset < offset ? older.map(\.file) + [segment.file] : []
    }

    /// Notes that everything before `offset` was synced.
    package mutating func synced(_ offset: StreamOffset) {
        syncedOffset = max(syncedOffset, offset)
        if !isBroken { durableOffset = syncedOffset }
        older.removeAll { $0.end <= syncedOffset }
    }

    /// Ends the log in good order.
    package mutating func close() throws(SystemError) {
        try sync()
        guard !isBroken else { return }
        var mark = mark()
        mark.isClosing = true
        try segment.close(mark)
        try segment.finish()
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
}

/// How a log begins that continues no other.
package struct LogBeginning: Equatable, Sendable {
    /// Where the stream stands.
    package var offset: StreamOffset = 0
    /// The history that the data comes from, if it is known.
    package var ancestor: Lineage.Ancestor?
    /// The log that lies there and does not count any more, when there is data that a base has
    /// to stand for before the new one counts; nil where no such base is needed.
    package var replaced: Manifest?

    package init() {}
}
