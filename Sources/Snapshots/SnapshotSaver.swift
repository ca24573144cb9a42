import Bytes
import Dump
import Platform
import RDB
import Store
import Synchronization

/// Writes the data set to an RDB file, in slices, while it changes.
///
/// The core walks the data and encodes it; a thread of the saver's own writes the bytes to a
/// temporary file, syncs it, renames it and syncs the directory, so that a crash leaves the old
/// file or the new one. When the disk cannot follow, the walk waits; whoever changes the data
/// never does.
package final class SnapshotSaver: SnapshotSink {
    /// What a save came to.
    package enum Result: Sendable {
        case saved(byteCount: Int)
        case failed(String)
        case cancelled
    }

    /// What is written besides the keys.
    package struct Contents: Sendable {
        package var target = Target.neutral
        package var isCompressing = true
        package var isWritingChecksum = true
        package var auxiliary: [(ByteString, ByteString)] = []
        package var functions: [ByteString] = []
        package var moduleData: [ModuleData] = []

        package init() {}
    }

    private var writer: FileWriter
    private let file: PendingFile
    private let thread: WorkerThread
    private let countsAccesses: Bool?
    private var database = -1
    /// What each database holds, until it was said.
    private var sizes: [(keys: Int, deadlines: Int)?]
    /// What comes behind the keys.
    private let trailers: [ModuleData]
    private var failure: String?
    private var isWalking = true

    /// Begins a save of `data` as it is now to the file `name`.
    ///
    /// `onProgress` runs on the saver's thread when the disk has caught up or the save has
    /// ended; it should wake the core and do nothing else. `countsAccesses` says whether keys
    /// are written with their frequency or their idle time; nil for neither.
    package init(
        _ data: borrowing DataSet,
        to name: String,
        in storage: any Storage,
        _ contents: Contents,
        countsAccesses: Bool? = nil,
        onProgress: @escaping @Sendable () -> Void
    ) throws(RDBError) {
        let file = PendingFile(name, in: storage, onProgress: onProgress)
        var options = FileWriter.Options()
        options.isCompressing = contents.isCompressing
        options.isWritingChecksum = contents.isWritingChecksum
        var writer = try FileWriter(for: contents.target, to: file, options: options)
        for (name, value) in contents.auxiliary { try writer.auxiliary(name, value) }
        for data in contents.moduleData where data.comesBeforeKeys {
            try writer.moduleAuxiliary(data.auxiliary, data.pieces.bytes)
        }
        for source in contents.functions { try writer.function(source.bytes) }
        self.writer = writer
        self.file = file
        self.countsAccesses = countsAccesses
        trailers = contents.moduleData.filter { !$0.comesBeforeKeys }
        var sizes: [(keys: Int, deadlines: Int)?] = []
        for number in 0..<data.databaseCount {
            sizes.append((data[number].count, data[number].deadlineCount))
        }
        self.sizes = sizes
        do throws(SystemError) {
            thread = try WorkerThread("snapshot") { file.write() }
        } catch {
            throw RDBError(.transferFailed, at: 0, "cannot start a thread", cause: error)
        }
        data.beginSnapshot(into: self)
    }

    /// Walks on over about `limit` buckets of keys, unless the disk is behind.
    ///
    /// To be called until `result` is there.
    package func advance(_ data: borrowing DataSet, _ limit: Int) {
        guard isWalking, !file.isBehind else { return }
        guard data.advanceSnapshot(limit) else { return }
        isWalking = false
        if failure == nil {
            do throws(RDBError) {
                for data in trailers {
                    try writer.moduleAuxiliary(data.auxiliary, data.pieces.bytes)
                }
                try writer.finish()
            } catch {
                failure = "\(error)"
            }
        }
        file.end(failure)
    }

    /// Whether there is something for `advance` to do right now.
    package var canAdvance: Bool { isWalking && !file.isBehind }

    /// What the save came to; nil while it runs.
    package var result: Result? {
        guard let result = file.result else { return nil }
        thread.join()
        return result
    }

    /// Gives the save up; it still has to be advanced until `result` is there.
    package func cancel(_ data: borrowing DataSet) {
        file.cancel()
        data.cancelSnapshot()
    }

    /// Bytes that were encoded so far.
    package var byteCount: Int { writer.count }

    /// Advances to the end; the caller waits for the disk.
    package func finish(_ data: borrowing DataSet) -> Result {
        while true {
            advance(data, 1024)
            if let result { return result }
            if !canAdvance { file.awaitProgress() }
        }
    }

    package func take(_ entry: Entry, database number: Int) {
        guard failure == nil else { return }
        do throws(RDBError) {
            if number != database {
                database = number
                try writer.database(UInt64(number))
                if let size = sizes[number].take() {
                    try writer.sizes(keys: UInt64(size.keys), deadlines: UInt64(size.deadlines))
                }
            }
            try writer.beginKey(
                entry.key,
                deadline: entry.deadline,
                idleSeconds: countsAccesses == false ? UInt64(entry.idleSeconds) : nil,
                frequency: countsAccesses == true ? UInt8(entry.frequency) : nil
            )
            try write(entry, to: &writer.value)
        } catch {
            failure = "key '\(ByteString(entry.key))' in database \(number): \(error)"
            entry.keyspace.cancelSnapshot()
        }
    }
}
