import Bytes
import RDB

// What is asked most, each in one pass.
extension Inspection {
    /// Counts everything, estimates the memory `target` needs, and digests if that is wished.
    public func summary(
        memoryFor target: MemoryTarget = .valkey91,
        isDigesting: Bool = false
    ) throws(InspectError) -> Summary {
        var options = Summary.Options()
        options.isDigesting = isDigesting
        var summary = Summary(options, memory: MemoryTally(target))
        try read(into: &summary)
        return summary
    }

    /// The digest of the content: the same for all files and servers that hold it.
    public func digest() throws(InspectError) -> ContentDigest {
        var consumer = DigestConsumer()
        try read(into: &consumer)
        return consumer.digest
    }

    /// Calls `body` with the name of each key and what is known of it, in the order of the files.
    public func forEachKey(
        memoryFor target: MemoryTarget = .valkey91,
        _ body: (RawSpan, KeyRow) -> Void
    ) throws(InspectError) {
        // The closure does not leave the call that it was lent for.
        try withoutActuallyEscaping(body) { body throws(InspectError) in
            var consumer = KeyCalls(measure: ValueMeasure(memory: MemoryTally(target)), body)
            try read(into: &consumer)
        }
    }

    /// The first fault that checking everything finds, or nil if all is sound; throws if that
    /// cannot be found out.
    public func firstFault() throws(InspectError) -> InspectError? {
        try CheckReport(self).files.lazy.compactMap(\.fault).first
    }

    /// Writes everything to a new file, which appears when it is complete.
    public func export(_ format: ExportFormat, to path: String) throws(InspectError) {
        _ = try export(format, KeyFilter(), to: path)
    }

    /// Writes what `filter` admits to a file, or to standard output.
    ///
    /// Returns how many records could not be expressed.
    package func export(
        _ format: ExportFormat,
        _ filter: KeyFilter,
        to path: String?
    ) throws(InspectError) -> Int {
        let selection = try ExportSelection(filter, in: self)
        let printer = try Printer(to: path)
        switch format {
        case .json:
            var export = JSONExport(selection, to: printer)
            try read(into: &export, orFlush: { _ = try? $0.flush() })
            try export.finish()
        case .csv:
            var export = CSVExport(selection, to: printer)
            try read(into: &export, orFlush: { _ = try? $0.flush() })
            try export.finish()
        case .requests, .restores:
            var export = RequestExport(
                selection,
                isRestoringAll: format == .restores,
                to: printer
            )
            try read(into: &export, orFlush: { _ = try? $0.flush() })
            try export.finish()
            return export.lostCount
        }
        return 0
    }

    /// Reads everything; what was sound before a fault is not kept back.
    package func read<Consumer: SharedConsumer & ~Copyable>(
        into consumer: inout Consumer,
        orFlush flush: (inout Consumer) -> Void
    ) throws(InspectError) {
        do {
            try read(into: &consumer)
        } catch {
            flush(&consumer)
            throw error
        }
    }
}

/// What a data set can be written as.
public enum ExportFormat: String, Sendable, CaseIterable {
    /// An object a line, without loss.
    case json
    /// A row for each element; without groups of streams.
    case csv
    /// Requests that make the data anew in any server.
    case requests = "resp"
    /// `RESTORE` requests with the bytes of the file, for servers that read it.
    case restores = "restore"
}

/// Measures each key and calls back.
private struct KeyCalls: SharedConsumer {
    var measure: ValueMeasure
    let body: (RawSpan, KeyRow) -> Void

    init(measure: ValueMeasure, _ body: @escaping (RawSpan, KeyRow) -> Void) {
        self.measure = measure
        self.body = body
    }

    mutating func key(_ record: KeyRecord, _ reader: inout FileReader) throws(RDBError) {
        let row = try measure.measure(record, &reader)
        body(reader.key, row)
    }

    func makePart(_ options: FileReader.Options) -> RunPart<MeasuredKeys> {
        RunPart(options, MeasuredKeys(measure))
    }

    mutating func take(_ part: RunPart<MeasuredKeys>) {
        part.consumer.removeAll(body)
    }
}
