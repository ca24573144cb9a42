import AppendLog
import Bytes
import Platform
import RDB

extension Inspection {
    /// Reads a log: its base, and the commands since.
    ///
    /// `summary` is that of the RDB at the front of the file if it was read already.
    func readLog<Consumer: RecordConsumer & ~Copyable>(
        at location: LogLocation,
        _ summary: FileSummary,
        into consumer: inout Consumer,
        _ pass: Pass<Consumer>
    ) throws(RDBError) {
        var summary = summary
        guard var log = try open(location) else {
            let error = InspectError(location.root, .missing("there is no log"))
            throw RDBError(.transferFailed, at: 0, "", cause: error)
        }
        while true {
            try heedTermination()
            switch try next(&log, location) {
            case .snapshot(let path):
                if summary.format == nil {
                    summary = try readBase("\(location.root)/\(path)", into: &consumer, pass)
                }
                try snapshotEnded(&log, at: summary.byteCount, location)
            case .effects(let startsFile):
                commandNotes?.add(location.root)
                try consumer.effects(log.effects, startsFile: startsFile)
            case .end:
                summary.log = log.recovered
                return try consumer.end(summary)
            }
        }
    }

    private func heedTermination() throws(RDBError) {
        do {
            try Signals.heedTermination()
        } catch {
            throw RDBError(.transferFailed, at: 0, "", cause: error)
        }
    }

    private func readBase<Consumer: RecordConsumer & ~Copyable>(
        _ path: String,
        into consumer: inout Consumer,
        _ pass: Pass<Consumer>
    ) throws(RDBError) -> FileSummary {
        do throws(RDBError) {
            let stream: InputStream
            let source: FileSource
            do {
                stream = try InputStream(path: path)
                source = try FileSource(stream, progress: progress)
            } catch {
                throw RDBError(.transferFailed, at: 0, "", cause: error)
            }
            let summary = try readRecords(source, into: &consumer, pass).0
            progress?.finishFile(byteCount: stream.offset)
            return summary
        } catch {
            // The file of the log, not the log, is what is damaged.
            throw RDBError(.transferFailed, at: 0, "", cause: InspectError(path, error))
        }
    }

    private func open(_ location: LogLocation) throws(RDBError) -> LogReader? {
        do {
            return try LogReader(location.directory)
        } catch {
            throw failure(error, location)
        }
    }

    private func next(
        _ log: inout LogReader,
        _ location: LogLocation
    ) throws(RDBError) -> LogReader.Step {
        do {
            return try log.next()
        } catch {
            throw failure(error, location)
        }
    }

    private func snapshotEnded(
        _ log: inout LogReader,
        at byteCount: Int,
        _ location: LogLocation
    ) throws(RDBError) {
        do {
            try log.snapshotEnded(at: byteCount)
        } catch {
            throw failure(error, location)
        }
    }

    private func failure(_ error: LogError, _ location: LogLocation) -> RDBError {
        let cause = InspectError(location.root, .log(error))
        return RDBError(.transferFailed, at: 0, "", cause: cause)
    }
}
