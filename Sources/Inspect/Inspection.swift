import AppendLog
import Bytes
import Platform
import RDB

/// The files that hold a data set, and one pass over what is in them.
///
///     let inspection = Inspection(paths: ["dump.rdb"])
///     let summary = try inspection.summary()
///
/// A path names an RDB, plain or in gzip, zstd or lz4; `-`, standard input; the directory of an
/// append-only log, or one that has such a directory; or an append-only file. Files are read in
/// the order given, as parts of one data set: those of a cluster, for example. Memory does not
/// grow with what is read.
public struct Inspection {
    /// The files, in the order they are read.
    public var paths: [String]
    /// What is looked for beyond what it takes to read on.
    public var options = FileReader.Options()
    /// Told of each piece that was read.
    package var progress: Progress?
    /// Told of the files whose commands were read, for those who count only what is in the base.
    package var commandNotes: CommandNotes?

    /// Names the files; nothing is opened yet.
    public init(paths: [String]) {
        self.paths = paths
    }

    /// Names the files, and has consumers be told of what is too long to be held.
    package init(paths: [String], holdsLongTexts: Bool) {
        self.paths = paths
        if !holdsLongTexts { options.largestWholeText = LongText.limit }
    }

    /// Reads everything once.
    public func read(
        into consumer: inout some RecordConsumer & ~Copyable
    ) throws(InspectError) {
        try read(into: &consumer, readAlone)
    }

    /// Reads everything once, on several threads.
    package func read(
        into consumer: inout some SharedConsumer & ~Copyable
    ) throws(InspectError) {
        try read(into: &consumer, readTogether)
    }

    /// How the records of an RDB are read.
    typealias Pass<Consumer: ~Copyable> =
        (inout FileReader, inout Consumer) throws(RDBError) -> FileSummary

    private func read<Consumer: RecordConsumer & ~Copyable>(
        into consumer: inout Consumer,
        _ pass: Pass<Consumer>
    ) throws(InspectError) {
        progress?.totalByteCount = totalByteCount
        for path in paths {
            do throws(RDBError) {
                if let location = try located(path) {
                    let file = FileDescription(
                        path: path,
                        compression: .none,
                        byteCount: nil,
                        isLog: true
                    )
                    try consumer.begin(file)
                    try readLog(at: location, FileSummary(), into: &consumer, pass)
                } else {
                    try readFile(path, into: &consumer, pass)
                }
            } catch {
                throw InspectError(path, error)
            }
        }
    }

    private var totalByteCount: Int? {
        var total = 0
        for path in paths {
            guard !Paths.isDirectory(path), let stream = try? InputStream(path: path),
                let count = stream.byteCount
            else { return nil }
            total += count
        }
        return total
    }

    private func located(_ path: String) throws(RDBError) -> LogLocation? {
        do {
            return try LogLocation(path)
        } catch {
            throw RDBError(.transferFailed, at: 0, "cannot look into it", cause: error)
        }
    }

    private func logFile(_ path: String) throws(RDBError) -> LogLocation {
        do {
            return try LogLocation(file: path)
        } catch {
            throw RDBError(.transferFailed, at: 0, "cannot open it", cause: error)
        }
    }

    private func readFile<Consumer: RecordConsumer & ~Copyable>(
        _ path: String,
        into consumer: inout Consumer,
        _ pass: Pass<Consumer>
    ) throws(RDBError) {
        let stream: InputStream
        let source: FileSource
        let beginning: ByteString
        do {
            stream = try InputStream(path: path)
            source = try FileSource(stream, progress: progress)
            beginning = try source.peek(1)
        } catch {
            throw RDBError(.transferFailed, at: 0, "cannot open it", cause: error)
        }
        // A log is opened anew, by those who know logs.
        let canBeLog = source.compression == .none && stream.byteCount != nil
        let isLog = canBeLog && (beginning == "*" || beginning == "#")
        try consumer.begin(
            FileDescription(
                path: path,
                compression: source.compression,
                byteCount: stream.byteCount,
                isLog: isLog
            )
        )
        if isLog {
            return try readLog(at: try logFile(path), FileSummary(), into: &consumer, pass)
        }
        let (summary, isFollowedByCommands) = try readRecords(source, into: &consumer, pass)
        progress?.finishFile(byteCount: stream.offset)
        if canBeLog, isFollowedByCommands {
            return try readLog(at: try logFile(path), summary, into: &consumer, pass)
        }
        try consumer.end(summary)
    }

    /// Reads an RDB to its end, and says whether commands follow.
    func readRecords<Consumer: RecordConsumer & ~Copyable>(
        _ source: any ByteSource,
        into consumer: inout Consumer,
        _ pass: Pass<Consumer>
    ) throws(RDBError) -> (FileSummary, isFollowedByCommands: Bool) {
        var reader = FileReader(source, options: options)
        var summary = try pass(&reader, &consumer)
        guard try reader.hasMore() else { return (summary, false) }
        let next = reader.unreadBytes.byte(at: 0)
        let isCommand = next == UInt8(ascii: "*") || next == UInt8(ascii: "#")
        summary.hasTrailingBytes = !isCommand
        return (summary, isCommand)
    }

    private func readAlone<Consumer: RecordConsumer & ~Copyable>(
        _ reader: inout FileReader,
        into consumer: inout Consumer
    ) throws(RDBError) -> FileSummary {
        while true {
            if let summary = try readRecord(&reader, into: &consumer) { return summary }
        }
    }

    private func readTogether<Consumer: SharedConsumer & ~Copyable>(
        _ reader: inout FileReader,
        into consumer: inout Consumer
    ) throws(RDBError) -> FileSummary {
        guard !options.validation.contains(.keys), let team = KeyTeam(consumer, options) else {
            return try readAlone(&reader, into: &consumer)
        }
        defer { team.stop() }
        var nextRun = 0
        while true {
            if reader.offset >= nextRun {
                if try team.give(&reader, &consumer) { continue }
                // Where the beginning of a run is not found there is none for a while.
                nextRun = reader.offset + Self.distanceOfRuns
            }
            try team.takeAll(&consumer)
            if let summary = try readRecord(&reader, into: &consumer) { return summary }
        }
    }

    private static let distanceOfRuns = 32 << 10

    /// Reads a record; what is known of the file if that was its end.
    private func readRecord<Consumer: RecordConsumer & ~Copyable>(
        _ reader: inout FileReader,
        into consumer: inout Consumer
    ) throws(RDBError) -> FileSummary? {
        let record = try reader.next()
        switch record {
        case .end(let checksum):
            var summary = FileSummary()
            summary.checksum = checksum
            summary.format = reader.format
            summary.byteCount = reader.offset
            try consumer.record(record, &reader)
            return summary
        default:
            try consumer.take(record, &reader)
        }
        return nil
    }
}

/// The logs that have commands after their base.
package final class CommandNotes {
    /// As the user named them.
    package private(set) var paths: [String] = []

    /// Notes nothing yet.
    package init() {}

    func add(_ path: String) {
        if paths.last != path { paths.append(path) }
    }
}
