import Bytes
import Platform

/// Takes a log back to a point of its stream: what came later is dropped.
///
///     let rewind = try LogRewind(directory, to: .offset(81920))
///     for drop in rewind.drops { print(drop) }
///     try rewind.perform()
///
/// For a log that nobody has open. What is dropped stays beside the log under names that end in
/// `.cut-0`.
package struct LogRewind {
    /// Where the stream ends afterwards.
    package private(set) var end: StreamOffset
    /// Requests that are kept after the base.
    package private(set) var requestCount = 0
    /// What goes, in words; empty if the log does not reach beyond the point.
    package private(set) var drops: [String] = []

    private let directory: LogDirectory
    private let manifest: Manifest
    private let limit: LogReader.Limit
    /// Increments that are kept as they are.
    private var kept: [Manifest.Entry] = []
    /// The increment that the point lies in; its beginning is kept.
    private var split: Manifest.Entry?
    private var dropped: [Manifest.Entry] = []

    /// Looks for the point, and changes nothing.
    package init(_ directory: LogDirectory, to limit: LogReader.Limit) throws(LogError) {
        guard let manifest = try directory.loadManifest(), manifest.isLog else {
            throw .missingFile(directory.manifestPath)
        }
        self.directory = directory
        self.manifest = manifest
        self.limit = limit
        end = manifest.base?.position?.offset ?? 0
        if case .offset(let offset) = limit, offset < end { throw .beforeBase(end) }
        for entry in manifest.increments {
            if split == nil, dropped.isEmpty {
                try look(at: entry)
            } else {
                try drop(entry)
            }
        }
        // A log has a file at least, if only one that holds nothing.
        if kept.isEmpty, split == nil, manifest.base == nil, !dropped.isEmpty {
            split = dropped.removeFirst()
        }
        if !drops.isEmpty, try hasStage() {
            drops.append("\(directory.stagePath): what was staged")
        }
    }

    private mutating func drop(_ entry: Manifest.Entry) throws(LogError) {
        dropped.append(entry)
        drops.append("\(directory.path(entry.name)): all of it")
    }

    /// Sees how much of an increment lies before the point.
    private mutating func look(at entry: Manifest.Entry) throws(LogError) {
        var part = try earlyPart(of: entry)
        var scrap = ByteWriter()
        while try part.next(into: &scrap) { scrap.removeAll() }
        if part.isWhole {
            kept.append(entry)
        } else if part.requestCount == 0 {
            try drop(entry)
        } else {
            split = entry
            drops.append("\(part.path): what comes after offset \(part.end) of the stream")
        }
        end = max(end, part.end)
        requestCount += part.requestCount
    }

    private func earlyPart(of entry: Manifest.Entry) throws(LogError) -> EarlyPart {
        var following: StreamOffset?
        if let index = manifest.increments.firstIndex(of: entry),
            index + 1 < manifest.increments.count
        {
            let next = manifest.increments[index + 1]
            let path = directory.path(next.name)
            let file = try onDisk { () throws(SystemError) in
                try LogFile(next, path, in: directory)
            }
            following = file.firstMark?.offset
        }
        return try EarlyPart(entry, in: directory, upTo: limit, following: following)
    }

    private func hasStage() throws(LogError) -> Bool {
        try onDisk { () throws(SystemError) in try directory.storage.exists(directory.stagePath) }
    }

    /// Drops what comes after the point.
    ///
    /// A crash in the middle leaves the log as it was, or as it is to be.
    package func perform() throws(LogError) {
        guard !drops.isEmpty else { return }
        var changed = manifest
        changed.increments = kept
        if let split { changed.increments.append(try copyBeginning(of: split)) }
        try onDisk { () throws(SystemError) in
            // Would it be read behind the shorter log, it could follow without a gap.
            try setAside(directory.stagePath)
            try directory.storage.syncDirectory(directory.folder)
            try directory.storeManifest(changed)
            for entry in dropped + (split.map { [$0] } ?? []) {
                try setAside(directory.path(entry.name))
            }
            try directory.storage.syncDirectory(directory.folder)
        }
    }

    private func setAside(_ path: String) throws(SystemError) {
        guard try directory.storage.exists(path) else { return }
        try directory.storage.rename(path, to: "\(path).cut-0")
    }

    /// Writes what is kept of an increment to a file of its own.
    private func copyBeginning(of entry: Manifest.Entry) throws(LogError) -> Manifest.Entry {
        var part = try earlyPart(of: entry)
        let sequence = manifest.highestSequence + 1
        let name = directory.incrementName(sequence, part.format)
        let copy = Manifest.Entry(name: name, sequence: sequence)
        let file = try onDisk { () throws(SystemError) in
            let path = directory.path(name)
            if try directory.storage.exists(path) { try directory.storage.remove(path) }
            return try directory.storage.create(path)
        }
        let (format, mark) = (part.format, part.mark)
        var writer = try onDisk { () throws(SystemError) in
            try SegmentWriter(copy, format, file, beginningWith: mark)
        }
        var effects = ByteWriter()
        while try part.next(into: &effects) {
            try append(effects, part.mark, to: &writer)
            effects.removeAll()
        }
        try onDisk { () throws(SystemError) in
            try file.sync()
            try directory.storage.syncDirectory(directory.folder)
        }
        return copy
    }

    private func append(
        _ effects: borrowing ByteWriter,
        _ last: Mark,
        to writer: inout SegmentWriter
    ) throws(LogError) {
        // With the times of the marks that were read, so that they can be asked for again.
        var mark = last
        mark.offset = writer.offset
        mark.isClosing = false
        do throws(SystemError) {
            try writer.write(effects.bytes, mark, now: MonotonicTime(nanoseconds: 0))
        } catch {
            throw .storage(error)
        }
    }
}

/// The part of an increment that lies before a point of the stream.
private struct EarlyPart: ~Copyable {
    let path: String
    let format: SegmentFormat
    /// The last mark that was read.
    private(set) var mark: Mark
    /// Where the stream stands after what was read.
    private(set) var end: StreamOffset
    private(set) var requestCount = 0
    /// Whether the point is not before the end of the increment.
    private(set) var isWhole = true

    private let limit: LogReader.Limit
    /// Where the stream stands at the beginning of the next increment.
    private let following: StreamOffset?
    private var cursor: SegmentCursor
    private var isFinished = false

    init(
        _ entry: Manifest.Entry,
        in directory: LogDirectory,
        upTo limit: LogReader.Limit,
        following: StreamOffset?
    ) throws(LogError) {
        let path = directory.path(entry.name)
        let file = try onDisk { () throws(SystemError) in try LogFile(entry, path, in: directory) }
        guard let mark = file.firstMark else { throw .withoutMarks(path) }
        let reader = try onDisk { () throws(SystemError) in
            try SegmentReader(directory.storage, path)
        }
        self.path = path
        self.mark = mark
        self.limit = limit
        self.following = following
        end = mark.offset
        format = reader.format
        cursor = SegmentCursor(reader, at: nil)
    }

    /// Appends the next effects; false after the last.
    mutating func next(into output: inout ByteWriter) throws(LogError) -> Bool {
        while !isFinished {
            switch try advance() {
            case .effects:
                var last = StreamOffset.max
                if case .offset(let offset) = limit { last = offset }
                let taken = cursor.takeWhole(upTo: last, into: &output)
                if !taken.isAll { finish(isWhole: false) }
                requestCount += taken.requestCount
                end = taken.end
                if !output.isEmpty { return true }
            case .mark(let next):
                if case .time(let last) = limit, next.time > last {
                    finish(isWhole: false)
                } else {
                    mark = next
                }
            case .end:
                finish(isWhole: true)
            }
        }
        return false
    }

    private mutating func finish(isWhole: Bool) {
        self.isWhole = isWhole
        isFinished = true
    }

    private mutating func advance() throws(LogError) -> SegmentCursor.Event {
        do throws(SegmentReader.Failure) {
            return try cursor.advance()
        } catch {
            switch error {
            case .storage(let error): throw .storage(error)
            // A torn tail, which the next start sees to.
            case .cut: return .end
            // Nothing of the stream is missing if it goes on where this one stops: a lost
            // closing mark, see `LogReader`.
            case .unreadable where cursor.wholeStreamOffset == following: return .end
            case .unreadable(let place, let problem):
                throw .damaged(
                    LogDamage(
                        file: path,
                        fileOffset: place,
                        streamOffset: cursor.wholeStreamOffset,
                        problem: problem
                    )
                )
            }
        }
    }
}

/// Does something with the disk; what the disk refuses is an error of the log.
private func onDisk<Result: ~Copyable>(
    _ body: () throws(SystemError) -> Result
) throws(LogError) -> Result {
    do throws(SystemError) {
        return try body()
    } catch {
        throw .storage(error)
    }
}
