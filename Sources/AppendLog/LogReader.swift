import Bytes
import Platform

/// Reads a log from its base to its last whole transaction.
///
///     guard var reader = try LogReader(directory) else { ... there is no log ... }
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
///     let log = try EffectLog(continuing: reader.recovered, in: directory) { ... }
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

    /// How a log is read.
    package struct Options: Equatable, Sendable {
        /// Whether a log whose last write was cut is read up to there (`aof-load-truncated`).
        package var acceptsTornTail = true
        /// How much of the log to read.
        package var limit = Limit.all

        package init() {}
    }

    /// A point of the stream to stop at.
    package enum Limit: Equatable, Sendable {
        case all
        /// No request that ends after this offset.
        case offset(StreamOffset)
        /// Nothing after the first mark that is later.
        case time(WallTime)
    }

    private let directory: LogDirectory
    private let manifest: Manifest
    private let options: Options
    /// The files to read: fewer than the manifest names if a tail is torn.
    private var files: [LogFile]
    private var nextFile = 0
    private var cursor: SegmentCursor?
    private var startsFile = false
    private var awaitsSnapshotEnd = false
    private var handedOut = ByteWriter()
    private var isFinished = false
    private var staged = ByteString([])
    private var hasReadStage = false

    private var offset: StreamOffset?
    private var lineage: Lineage?
    private var durableOffset: StreamOffset = 0
    private var wasClosed = false
    private var requestCount = 0
    private var tornTail: RecoveredLog.TornTail?
    private var unproven: [RecoveredLog.Unproven] = []

    /// Opens the log in `directory`; nil if there is none.
    package init?(_ directory: LogDirectory, _ options: Options = Options()) throws(LogError) {
        guard let manifest = try directory.loadManifest(), manifest.isLog else { return nil }
        var files: [LogFile] = []
        do throws(SystemError) {
            for entry in manifest.filesToRead {
                let path = directory.path(of: entry, in: manifest)
                files.append(try LogFile(entry, path, in: directory))
            }
        } catch {
            throw .storage(error)
        }
        self.directory = directory
        self.manifest = manifest
        self.options = options
        self.files = files
        offset = manifest.base?.position?.offset
        lineage = manifest.base?.position?.lineage
    }

    /// The requests that `next` found: whole requests and whole transactions.
    package var effects: RawSpan {
        @_lifetime(borrow self)
        get { handedOut.bytes }
    }

    /// How much of the stream was handed out.
    package var position: StreamOffset { offset ?? 0 }

    /// Bytes of all files together, for showing progress.
    package var totalByteCount: Int { files.reduce(0) { $0 + $1.byteCount } }

    /// Goes on after the RDB that fills the first `byteCount` bytes of the file.
    package mutating func snapshotEnded(at byteCount: Int) throws(LogError) {
        precondition(awaitsSnapshotEnd, "no snapshot was being read")
        awaitsSnapshotEnd = false
        try open(files[nextFile - 1], from: byteCount)
    }

    /// Finds what to do next.
    package mutating func next() throws(LogError) -> Step {
        precondition(!awaitsSnapshotEnd, "where the snapshot ends is not known yet")
        handedOut.removeAll()
        while !isFinished {
            if cursor == nil {
                guard nextFile < files.count else { break }
                let file = files[nextFile]
                nextFile += 1
                startsFile = true
                if file.holdsSnapshot {
                    awaitsSnapshotEnd = true
                    return .snapshot(path: file.path)
                }
                try open(file, from: 0)
            }
            if try findEffects() {
                defer { startsFile = false }
                return .effects(startsFile: startsFile)
            }
        }
        if try readStage() { return .effects(startsFile: false) }
        isFinished = true
        cursor = nil
        return .end
    }

    /// Everything a writer must know to go on; to be asked for after `.end`.
    package var recovered: RecoveredLog {
        var kept = manifest
        for dropped in tornTail?.droppedFiles ?? [] {
            kept.increments.removeAll { $0 == dropped }
        }
        return RecoveredLog(
            manifest: kept,
            offset: offset ?? 0,
            lineage: lineage,
            wasClosed: wasClosed,
            requestCount: requestCount,
            staged: staged,
            tornTail: tornTail,
            unproven: wasClosed ? [] : unproven
        )
    }

    private mutating func open(_ file: LogFile, from start: Int) throws(LogError) {
        var limit: Int?
        if !isPromised(nextFile - 1) { limit = try examine(file, from: start) }
        do throws(SystemError) {
            let reader = try SegmentReader(directory.storage, file.path, from: start)
            var cursor = SegmentCursor(reader, at: offset)
            if let limit { cursor.limit(to: limit) }
            self.cursor = consume cursor
        } catch {
            throw .storage(error)
        }
    }

    /// Moves to the next effects of the file; false at its end.
    private mutating func findEffects() throws(LogError) -> Bool {
        while let event = try advance() {
            switch event {
            case .effects:
                if takeEffects() { return true }
                if isFinished { return false }
            case .mark(let mark):
                if case .time(let last) = options.limit, mark.time > last {
                    isFinished = true
                    return takeEffects()
                }
                lineage = mark.lineage
                offset = offset ?? mark.offset
                wasClosed = mark.isClosing
                durableOffset = max(durableOffset, mark.durableOffset)
            case .end:
                cursor = nil
                return false
            }
        }
        return false
    }

    /// Goes on with what was staged and is in no segment; false if nothing is.
    private mutating func readStage() throws(LogError) -> Bool {
        guard !isFinished, !hasReadStage, !wasClosed, let lineage, let offset else {
            return false
        }
        hasReadStage = true
        let found: StagedEffects
        do throws(SystemError) {
            found = try StagedEffects(directory, lineage.id, after: offset)
        } catch {
            throw .storage(error)
        }
        var last = StreamOffset.max
        switch options.limit {
        case .all: break
        case .offset(let limit): last = limit
        // When staged effects came is not known, only that they are the last.
        case .time: return false
        }
        let whole = RequestScanner.whole(found.effects.bytes, upTo: last - offset)
        guard whole.byteCount > 0 else { return false }
        handedOut.append(found.effects.bytes.part(from: 0, count: whole.byteCount))
        staged = ByteString(handedOut.bytes)
        requestCount += whole.requestCount
        self.offset = offset + whole.byteCount
        return true
    }

    private mutating func advance() throws(LogError) -> SegmentCursor.Event? {
        let path = files[nextFile - 1].path
        do throws(SegmentReader.Failure) {
            return try cursor?.advance()
        } catch {
            switch error {
            case .storage(let error):
                throw .storage(error)
            case .cut(let place, let problem), .unreadable(let place, let problem):
                if goesOnElsewhere(at: cursor?.wholeStreamOffset) { return .end }
                throw .damaged(
                    LogDamage(
                        file: path,
                        fileOffset: place,
                        streamOffset: cursor?.wholeStreamOffset ?? 0,
                        durableOffset: durableOffset > offset ?? 0 ? durableOffset : nil,
                        problem: problem
                    )
                )
            }
        }
    }

    /// Hands out what the cursor found, or as much of it as the limit allows.
    private mutating func takeEffects() -> Bool {
        var last = StreamOffset.max
        if case .offset(let limit) = options.limit { last = limit }
        guard let taken = cursor?.takeWhole(upTo: last, into: &handedOut) else { return false }
        isFinished = isFinished || !taken.isAll
        guard !handedOut.isEmpty else { return false }
        offset = taken.end
        requestCount += taken.requestCount
        wasClosed = false
        return true
    }
}

extension LogReader {
    /// Whether a later file says that all of this one was on disk.
    ///
    /// A file of another server that is followed by a file was left in good order, too.
    private func isPromised(_ index: Int) -> Bool {
        guard index + 1 < files.count else { return false }
        guard let next = files[index + 1].firstMark else { return true }
        return files[(index + 1)...].contains { file in
            file.firstMark.map { $0.durableOffset >= next.offset } ?? false
        }
    }

    /// Whether the file after the one being read goes on with the stream at `offset`.
    ///
    /// Then nothing of the stream is missing, whatever follows in this file: as when the mark
    /// that closed it was written and its sync failed, and a power cut took it after a later
    /// start had seen it.
    private func goesOnElsewhere(at offset: StreamOffset?) -> Bool {
        guard let offset, nextFile < files.count else { return false }
        return files[nextFile].firstMark?.offset == offset
    }

    /// Looks ahead, before anything of a file is handed out, for where it really ends.
    ///
    /// Returns where to stop reading, if not at the end.
    private mutating func examine(_ file: LogFile, from start: Int) throws(LogError) -> Int? {
        let following = files[nextFile...]
        let tail: Tail
        do throws(SystemError) {
            let reader = try SegmentReader(directory.storage, file.path, from: start)
            tail = try Tail(
                SegmentCursor(reader, at: offset),
                before: following.first?.firstMark
            )
        } catch {
            throw .storage(error)
        }
        if tail.hasMarks {
            unproven.append(.init(file: file.path, start: tail.provenByteCount))
        }
        guard let problem = tail.problem else { return nil }
        if goesOnElsewhere(at: tail.cut.streamOffset) { return tail.cut.fileOffset }
        if let damage = try damage(file, tail, problem) { throw .damaged(damage) }
        tornTail = RecoveredLog.TornTail(
            file: file.path,
            fileOffset: tail.cut.fileOffset,
            byteCount: file.byteCount - tail.cut.fileOffset,
            requestCount: tail.requestCount,
            problem: problem.text,
            droppedFiles: following.map(\.entry),
            needsEndMark: tail.cut.needsEndMark
        )
        files.removeSubrange(nextFile...)
        return tail.cut.fileOffset
    }

    /// Tells damage from a torn tail; nil for the latter.
    private func damage(
        _ file: LogFile,
        _ tail: Tail,
        _ problem: Tail.Problem
    ) throws(LogError) -> LogDamage? {
        var damage = LogDamage(
            file: file.path,
            fileOffset: problem.fileOffset,
            streamOffset: tail.cut.streamOffset,
            problem: problem.text
        )
        do throws(SystemError) {
            guard options.acceptsTornTail else { return damage }
            guard file.firstMark != nil else {
                // Not ours: other servers promise nothing and check nothing. What they leave
                // behind a crash ends too early, or in zeros where the data never arrived.
                if problem.isAtEnd { return nil }
                return try endsInZeros(file, from: problem.fileOffset) ? nil : damage
            }
            var starts = [(file.path, tail.cut.fileOffset)]
            starts += files[nextFile...].map { ($0.path, 0) }
            for (path, start) in starts {
                let promise = try Mark.highestPromise(
                    in: directory.storage,
                    path,
                    from: start,
                    of: file.firstMark?.lineage.id
                )
                if let promise, promise > tail.cut.streamOffset {
                    damage.durableOffset = max(damage.durableOffset ?? 0, promise)
                }
            }
        } catch {
            throw .storage(error)
        }
        return damage.durableOffset == nil ? nil : damage
    }

    private func endsInZeros(_ file: LogFile, from start: Int) throws(SystemError) -> Bool {
        let opened = try directory.storage.open(file.path, writable: false)
        var position = start
        var buffer = ByteWriter()
        while try opened.read(1 << 20, at: position, into: &buffer) > 0 {
            guard buffer.bytes.isZero else { return false }
            position += buffer.count
            buffer.removeAll()
        }
        return true
    }
}
