import Bytes
import RDB

/// One file being written.
///
/// It is written for the newest format that its destination reads. If in the end nothing in it
/// needs that, it gets the magic of the format that more servers read: apart from deadlines of
/// hash fields the two are the same.
package final class Output {
    /// The records.
    var writer: FileWriter
    /// Where they go.
    package let file: any Destinable
    /// The slots whose keys it has; nil for all.
    package let slots: ClosedRange<Int>?
    /// Keys written.
    package internal(set) var keyCount = 0
    /// How long it is, once it is finished; what follows in the same file is not part of it.
    package private(set) var byteCount = 0
    /// Its checksum, once it is finished.
    package private(set) var checksum: UInt64 = 0
    /// Whether there is a hash whose fields have deadlines.
    var hasFieldDeadlines = false
    /// Highest database with a key.
    package private(set) var highestDatabase: UInt64?

    private var database: UInt64?
    private var isFinished = false
    private let plainTarget: Target

    /// Begins a file.
    init(
        _ file: any Destinable,
        for target: Target,
        plain plainTarget: Target,
        slots: ClosedRange<Int>? = nil
    ) throws(RDBError) {
        self.file = file
        self.slots = slots
        self.plainTarget = plainTarget
        writer = try FileWriter(for: target, to: file)
    }

    /// A part of a file, without its beginning and its end.
    init(partFor target: Target, plain plainTarget: Target, _ sink: MemorySink) {
        file = sink
        slots = nil
        self.plainTarget = plainTarget
        writer = FileWriter(recordsFor: target, to: sink)
    }

    /// Begins the part anew, for keys that go into a database.
    func beginPart(in number: UInt64) {
        writer = FileWriter(recordsFor: writer.target, to: file)
        database = number
        keyCount = 0
        hasFieldDeadlines = false
    }

    /// Takes the keys of a part, which were written to `sink`.
    func take(_ part: Output, _ sink: MemorySink) throws(RDBError) {
        if let number = part.database { try select(number) }
        var bytes = ByteWriter()
        swap(&bytes, &sink.bytes)
        defer { swap(&bytes, &sink.bytes) }
        try writer.keys(bytes.bytes)
        keyCount += part.keyCount
        if part.hasFieldDeadlines { hasFieldDeadlines = true }
    }

    /// What the file says it is.
    package var format: Format { hasFieldDeadlines ? writer.target.format : plainTarget.format }

    /// Sees to it that the next key goes into a database.
    func select(_ number: UInt64) throws(RDBError) {
        guard database != number else { return }
        database = number
        highestDatabase = max(highestDatabase ?? 0, number)
        try writer.database(number)
    }

    /// Writes the end, unless that was done.
    func finish() throws(MigrationError) {
        guard !isFinished else { return }
        isFinished = true
        let isRelabelled = format != writer.target.format
        do {
            checksum =
                isRelabelled ? try writer.finish(relabelled: format) : try writer.finish()
        } catch {
            throw .output(error)
        }
        byteCount = file.byteCount
        guard isRelabelled else { return }
        do {
            try file.overwriteStart(ByteString(format.description).bytes)
        } catch {
            throw .system(error)
        }
    }
}
