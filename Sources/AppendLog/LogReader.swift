import Bytes
import Platform

/// Reads a log from its base to its last whole transaction.
///
///     var reader = try LogReader(directory)
///     reading: while true {
///         switch try reader.next() {
///         case .snapshot(let path):
///             reader.snapshotEnded(at: try loader.load(path))
///         case .effects(let startsFile):
///             if startsFile { database = 0 }
///             try apply(reader.effects)
///         case .end:
///             break reading
///         }
///     }
///     let recovered = reader.recovered
///
/// It writes nothing, so that a log can be looked at while it is in use or is evidence. What
/// has to be repaired is in `recovered`; whoever goes on writing repairs it first.
package struct LogReader: ~Copyable {
    /// What `next` found.
    package enum Step: Equatable {
        /// The file begins with an RDB, which the caller reads from the file's first byte on.
        ///
        /// Then it must call `snapshotEnded`: effects may follow in the same file.
        case snapshot(path: String)
        /// `effects` now holds requests to apply.
        ///
        /// Database 0 is the selected one where a file starts.
        case effects(startsFile: Bool)
        /// That was all.
        case end
    }

    private let directory: LogDirectory
    private let manifest: Manifest
    private let cutsTornTail: Bool

    private var files: ArraySlice<Manifest.Entry>
    private var segment: SegmentReader?
    private var startsFile = false
    private var awaitsSnapshotEnd = false

    /// Read and not yet forgotten; begins with the effects last handed out.
    private var window = ByteWriter()
    private var effectsByteCount = 0
    /// What follows the effects and is no part of the stream.
    private var remarkByteCount = 0
    /// Where in the file the window begins.
    private var windowFileOffset = 0

    private var offset: StreamOffset = 0
    private var lineage: Lineage?
    private var cut: RecoveredLog.Cut?
    private var isClosed = false

    /// Opens the log in `directory`; nil if there is none.
    ///
    /// `cutsTornTail` false refuses a log whose last write was cut, as
    /// `aof-load-truncated no` demands.
    package init?(_ directory: LogDirectory, cutsTornTail: Bool = true) throws(LogError) {
        guard let manifest = try directory.loadManifest() else { return nil }
        self.directory = directory
        self.manifest = manifest
        self.cutsTornTail = cutsTornTail
        files = manifest.filesToRead[...]
        if let position = manifest.base?.position {
            offset = position.offset
            lineage = position.lineage
        }
    }

    /// The requests that `next` found: whole ones only.
    package var effects: RawSpan {
        @_lifetime(borrow self)
        get { window.bytes.part(from: 0, count: effectsByteCount) }
    }

    /// How much of the stream was handed out.
    package var position: StreamOffset { offset }

    /// Goes on after the RDB that fills the first `byteCount` bytes of the file.
    package mutating func snapshotEnded(at byteCount: Int) {
        precondition(awaitsSnapshotEnd, "no snapshot was being read")
        awaitsSnapshotEnd = false
        segment?.seek(to: byteCount)
        windowFileOffset = byteCount
    }

    /// Finds what to do next.
    package mutating func next() throws(LogError) -> Step {
        precondition(!awaitsSnapshotEnd, "where the snapshot ends is not known yet")
        forgetEffects()
        while true {
            if segment == nil {
                guard let entry = files.popFirst() else { return .end }
                if let path = try open(entry) { return .snapshot(path: path) }
            }
            if startsFile, cut == nil { try examineTail() }
            if try findEffects() {
                defer { startsFile = false }
                return .effects(startsFile: startsFile)
            }
            segment = nil
        }
    }

    /// Everything a writer must know to go on; to be asked for after `.end`.
    package var recovered: RecoveredLog {
        RecoveredLog(
            manifest: manifest,
            offset: offset,
            lineage: lineage,
            wasClosed: isClosed,
            cut: cut
        )
    }

    /// Opens the next file; its path if an RDB begins it.
    private mutating func open(_ entry: Manifest.Entry) throws(LogError) -> String? {
        let path = directory.path(entry.name)
        var head = ByteWriter()
        do throws(SystemError) {
            let segment = try SegmentReader(directory.storage, path)
            try segment.head(5, into: &head)
            self.segment = segment
        } catch {
            throw .storage(error)
        }
        window.removeAll()
        windowFileOffset = 0
        startsFile = true
        guard head.bytes.text == "REDIS" || head.bytes.text == "VALKE" else { return nil }
        awaitsSnapshotEnd = true
        return path
    }

    private mutating func read() throws(LogError) -> Bool {
        do throws(SystemError) {
            return try segment?.read(into: &window) ?? false
        } catch {
            throw .storage(error)
        }
    }

    private mutating func forgetEffects() {
        let forgotten = effectsByteCount + remarkByteCount
        window.removeFirst(forgotten)
        windowFileOffset += forgotten
        effectsByteCount = 0
        remarkByteCount = 0
    }

    /// Reads until the window begins with whole requests; false at the end of the file.
    private mutating func findEffects() throws(LogError) -> Bool {
        while true {
            try scanWindow()
            offset += effectsByteCount
            if effectsByteCount > 0 { return true }
            forgetEffects()
            if try !read() {
                guard window.isEmpty else { throw .damaged(damage(at: 0, "a request is cut")) }
                return false
            }
        }
    }

    private mutating func scanWindow() throws(LogError) {
        while effectsByteCount < window.count {
            switch RequestScanner.next(in: window.bytes, at: effectsByteCount) {
            case .request(_, let end):
                effectsByteCount = end
                isClosed = false
            case .remark(let end):
                remarkByteCount = end - effectsByteCount
                noteMark()
                if effectsByteCount > 0 { return }
                forgetEffects()
            case .incomplete:
                return
            case .malformed(let place, let problem):
                throw .damaged(damage(at: place, problem))
            }
        }
    }

    private mutating func noteMark() {
        let found = Mark(
            line: window.bytes.part(from: effectsByteCount, count: remarkByteCount)
        )
        guard let mark = found else { return }
        lineage = mark.lineage
        isClosed = mark.isClosing
    }

    private func damage(at place: Int, _ problem: String) -> LogDamage {
        LogDamage(
            file: segment?.path ?? "",
            fileOffset: windowFileOffset + place,
            streamOffset: offset,
            problem: problem
        )
    }

    /// Looks ahead, before anything of the last file is handed out, for where it really ends.
    private mutating func examineTail() throws(LogError) {
        guard files.isEmpty, var ahead = segment else { return }
        let start = windowFileOffset
        var tail = TailScanner()
        do throws(SystemError) {
            while tail.problem == nil, try ahead.read(into: &tail.window) { tail.scan() }
        } catch {
            throw .storage(error)
        }
        tail.finish()
        guard let problem = tail.problem else { return }
        let end = start + tail.wholeByteCount
        guard problem.isTorn, cutsTornTail else {
            throw .damaged(damage(at: tail.position, problem.text))
        }
        cut = RecoveredLog.Cut(
            file: ahead.path,
            fileOffset: end,
            byteCount: ahead.limit - end,
            problem: problem.text
        )
        segment?.limit = end
    }
}

/// Finds the last place of a file at which no request and no transaction is open.
private struct TailScanner: ~Copyable {
    var window = ByteWriter()
    /// Bytes of the file that may stay.
    private(set) var wholeByteCount = 0
    /// Bytes looked at.
    private(set) var position = 0
    private(set) var problem: Problem?
    private var isInTransaction = false

    struct Problem {
        var text: String
        /// Whether a write that was cut explains it.
        var isTorn: Bool
    }

    mutating func scan() {
        var scanned = 0
        defer { window.removeFirst(scanned) }
        while scanned < window.count {
            let finding = RequestScanner.next(in: window.bytes, at: scanned)
            switch finding {
            case .request(let kind, let end):
                if kind == .multi { isInTransaction = true }
                if kind == .exec { isInTransaction = false }
                position += end - scanned
                scanned = end
            case .remark(let end):
                position += end - scanned
                scanned = end
            case .incomplete:
                return
            case .malformed(let place, let text):
                position += place - scanned
                problem = Problem(text: text, isTorn: false)
                return
            }
            if !isInTransaction { wholeByteCount = position }
        }
    }

    /// To be called at the end of the file.
    mutating func finish() {
        guard problem == nil else { return }
        if !window.isEmpty {
            problem = Problem(text: "the last request is cut", isTorn: true)
        } else if isInTransaction {
            problem = Problem(text: "the last transaction is cut", isTorn: true)
        }
    }
}

/// What was found in a log, for the writer that continues it.
package struct RecoveredLog: Equatable, Sendable {
    package var manifest: Manifest
    /// Where the stream ends.
    package var offset: StreamOffset
    /// The history it belongs to; nil if another server wrote it.
    package var lineage: Lineage?
    /// Whether the writer stopped in good order.
    package var wasClosed: Bool
    /// What has to be cut off before the log can be continued.
    package var cut: Cut?

    /// A torn tail.
    package struct Cut: Equatable, Sendable {
        package var file: String
        package var fileOffset: Int
        package var byteCount: Int
        package var problem: String
    }
}
