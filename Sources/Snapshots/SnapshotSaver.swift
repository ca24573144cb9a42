import Bytes
import Dump
import Platform
import RDB
import Store
import Synchronization

/// Writes the data set to RDB files, in slices, while it changes.
///
/// The core walks the data and lays it out; a thread of the saver's own compresses the strings,
/// writes the bytes to a temporary file, syncs it, renames it and syncs the directory, so that a
/// crash leaves the old file or the new one. When the disk cannot follow, the walk waits;
/// whoever changes the data never does.
package final class SnapshotSaver {
    /// What a save came to.
    package enum Result: Sendable {
        case saved(byteCount: Int)
        case failed(String)
        case cancelled

        var isSaved: Bool {
            if case .saved = self { return true }
            return false
        }
    }

    /// A file to write, and what it says ahead of the keys.
    package struct File: Sendable {
        let name: String
        let head: ByteString

        package init(
            _ name: String,
            _ contents: Contents,
            auxiliary: [(ByteString, ByteString)]
        ) throws(RDBError) {
            self.name = name
            let sink = MemorySink()
            var writer = try FileWriter(for: contents.target, to: sink)
            for (name, value) in auxiliary { try writer.auxiliary(name, value) }
            for data in contents.moduleData where data.comesBeforeKeys {
                try writer.moduleAuxiliary(ModuleAuxiliary(data), data.pieces.bytes)
            }
            for source in contents.functions { try writer.function(source.bytes) }
            try writer.flush()
            head = ByteString(sink.array)
        }
    }

    /// How files are written, and what is in them besides the keys.
    package struct Contents: Sendable {
        package var target = RDB.Target.neutral
        package var isCompressing = true
        package var isWritingChecksum = true
        package var functions: [ByteString] = []
        package var moduleData: [ModuleData] = []
        /// Whether keys are written with their frequency or their idle time; nil for neither.
        package var countsAccesses: Bool?

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
    private var isAside = false
    private var packed = ListpackWriter()
    /// The most bytes that were kept for the walk.
    private var keptByteCount = 0

    /// Begins a save of `data` as it is now to `files`.
    ///
    /// `onProgress` runs on the saver's thread when the disk has caught up or the save has
    /// ended; it should wake the core and do nothing else.
    package init(
        _ data: borrowing DataSet,
        to files: [File],
        in storage: any Storage,
        _ contents: Contents,
        onProgress: @escaping @Sendable () -> Void
    ) throws(RDBError) {
        let file = PendingFile(
            files,
            isWritingChecksum: contents.isWritingChecksum,
            in: storage,
            onProgress: onProgress
        )
        writer = FileWriter(
            recordsFor: contents.target,
            to: file,
            isCompressing: contents.isCompressing
        )
        self.file = file
        countsAccesses = contents.countsAccesses
        trailers = contents.moduleData.filter { !$0.comesBeforeKeys }
        var sizes: [(keys: Int, deadlines: Int)?] = []
        for number in 0..<data.databaseCount {
            sizes.append((data[number].count, data[number].deadlineCount))
        }
        self.sizes = sizes
        do throws(SystemError) {
            thread = try WorkerThread("snapshot") {
                WorkerThread.lowerPriority(to: .low)
                file.write()
            }
        } catch {
            throw RDBError(.transferFailed, at: 0, "cannot start a thread", cause: error)
        }
        data.beginSnapshot(into: self)
    }

    /// Walks on over about `limit` keys or KiB, unless the disk is behind.
    ///
    /// To be called until `result` is there.
    package func advance(_ data: borrowing DataSet, _ limit: Int) {
        guard canAdvance else { return }
        // Nobody writes any more: what is left of the walk is for the data set alone.
        if file.result != nil { data.cancelSnapshot() }
        let isDone = data.advanceSnapshot(limit)
        keptByteCount = max(keptByteCount, data.snapshotByteCount)
        guard isDone else { return }
        isWalking = false
        if failure == nil {
            do throws(RDBError) {
                for data in trailers {
                    try writer.moduleAuxiliary(ModuleAuxiliary(data), data.pieces.bytes)
                }
                try writer.endRecords()
            } catch {
                failure = "\(error)"
            }
        }
        file.end(failure)
    }

    /// Whether there is something for `advance` to do right now.
    package var canAdvance: Bool { isWalking && (!file.isBehind || file.result != nil) }

    /// Whether so much waits for the disk that what clients change should wait, too.
    package var isOverflowing: Bool { file.isOverflowing }

    /// What the save came to; nil while it runs.
    package var result: Result? {
        guard !isWalking, let result = file.result else { return nil }
        thread.join()
        return result
    }

    /// Gives the save up; it still has to be advanced until `result` is there.
    package func cancel(_ data: borrowing DataSet) {
        file.cancel()
        data.cancelSnapshot()
    }

    /// Bytes that were written so far.
    package var byteCount: Int { file.writtenByteCount }

    /// Bytes of memory that are held for this snapshot, about: what waits for the disk, and what
    /// clients have removed but the walk has not seen.
    package func heldByteCount(_ data: borrowing DataSet) -> Int {
        file.pendingByteCount + data.snapshotByteCount
    }

    /// The most bytes of memory that were held for this snapshot, about.
    package var peakByteCount: Int { file.peakByteCount + keptByteCount }

    /// Advances to the end; the caller waits for the disk.
    package func finish(_ data: borrowing DataSet) -> Result {
        while true {
            advance(data, 8192)
            if let result { return result }
            if !canAdvance { file.awaitProgress() }
        }
    }
}

extension SnapshotSaver: SnapshotSink {
    package func take(_ entry: Entry, database number: Int) {
        guard failure == nil else { return }
        do throws(RDBError) {
            try select(number)
            let idle = countsAccesses == false ? UInt64(entry.idleSeconds) : nil
            let frequency = countsAccesses == true ? UInt8(entry.frequency) : nil
            if entry.encoding == .string {
                return try writer.string(
                    entry.bytes,
                    at: entry.key,
                    deadline: entry.deadline,
                    idleSeconds: idle,
                    frequency: frequency
                )
            }
            try writer.beginKey(
                entry.key,
                deadline: entry.deadline,
                idleSeconds: idle,
                frequency: frequency
            )
            try write(entry, to: &writer.value)
        } catch {
            fail(ByteString(entry.key), number, error)
            entry.keyspace.cancelSnapshot()
        }
    }

    private func select(_ number: Int) throws(RDBError) {
        guard number != database else { return }
        database = number
        try writer.database(UInt64(number))
        if let size = sizes[number].take() {
            try writer.sizes(keys: UInt64(size.keys), deadlines: UInt64(size.deadlines))
        }
    }

    private func fail(_ key: ByteString, _ number: Int, _ error: RDBError) {
        failure = "key '\(key)' in database \(number): \(error)"
    }

    /// Runs `body` unless something has failed before.
    private func attempt(_ value: LargeValue?, _ body: () throws(RDBError) -> Void) {
        guard failure == nil else { return }
        do throws(RDBError) {
            try body()
        } catch {
            failure =
                value.map { "key '\($0.key)' in database \($0.database): \(error)" } ?? "\(error)"
        }
    }

    package func begin(_ value: LargeValue) {
        attempt(value) { () throws(RDBError) in
            try select(value.database)
            let key = value.key
            try writer.beginKey(
                key.bytes,
                deadline: value.deadline,
                idleSeconds: countsAccesses == false ? UInt64(value.idleSeconds) : nil,
                frequency: countsAccesses == true ? UInt8(value.frequency) : nil
            )
            try writer.beginParts(value.layout.encoding, value.layout.extent)
        }
    }

    package func beginPart(of value: LargeValue, aside number: Int?) {
        guard let number else { return }
        attempt(value) { () throws(RDBError) in
            try writer.beginAside(number, of: value.layout.encoding, value.layout.extent)
            isAside = true
        }
    }

    package func endPart() {
        guard isAside else { return }
        isAside = false
        attempt(nil) { () throws(RDBError) in try writer.endAside() }
    }

    package func fetch(_ number: Int) {
        writer.fetch(number)
    }

    package func end(_ value: LargeValue) {
        attempt(value) { () throws(RDBError) in try writer.endParts() }
    }

    /// Writes to where the current part goes.
    private func writePart(_ body: (inout PayloadWriter) throws(RDBError) -> Void) {
        attempt(nil) { () throws(RDBError) in
            if isAside { try body(&writer.aside) } else { try body(&writer.value) }
        }
    }

    package func member(_ member: RawSpan) {
        writePart { writer throws(RDBError) in try writer.setMember(.bytes(member)) }
    }

    package func member(_ member: RawSpan, score: Double) {
        writePart { writer throws(RDBError) in
            try writer.sortedSetMember(.bytes(member), score: score)
        }
    }

    package func field(_ field: RawSpan, value: RawSpan, deadline: Int64?) {
        writePart { writer throws(RDBError) in
            try writer.hashField(.bytes(field), value: .bytes(value), deadline: deadline)
        }
    }

    package func block(_ bytes: RawSpan, count: Int, isPlain: Bool) {
        if isPlain {
            return writePart { writer throws(RDBError) in try writer.listElement(.bytes(bytes)) }
        }
        packed.append(entries: bytes, count: count)
        packed.finish { listpack in
            writePart { writer throws(RDBError) in try writer.listNode(listpack, count: count) }
        }
    }

    package func bytes(_ bytes: RawSpan) {
        writePart { writer throws(RDBError) in try writer.part(bytes) }
    }
}

// Streams.
extension SnapshotSaver {
    package func node(_ listpack: RawSpan, master: StreamEntryID, liveCount: Int) {
        writePart { writer throws(RDBError) in
            try writer.streamNode(listpack, master: StreamID(master), liveCount: liveCount)
        }
    }

    package func state(_ state: LargeStream.State) {
        writePart { writer throws(RDBError) in
            try writer.streamState(
                StreamState(
                    length: UInt64(state.count),
                    lastID: StreamID(state.lastID),
                    firstID: StreamID(state.firstID),
                    maximumDeletedID: StreamID(state.maximumDeletedID),
                    entriesAdded: state.entriesAdded,
                    groupCount: state.groupCount
                )
            )
        }
    }

    package func group(_ group: LargeStream.Group) {
        let name = group.name
        writePart { writer throws(RDBError) in
            try writer.streamGroup(
                .bytes(name.bytes),
                StreamGroup(
                    lastDeliveredID: StreamID(group.lastDeliveredID),
                    entriesRead: group.entriesRead.map { UInt64(bitPattern: $0) },
                    pendingCount: group.pendingCount
                )
            )
        }
    }

    package func pending(_ id: StreamEntryID, deliveryTime: Int64, deliveryCount: UInt64) {
        writePart { writer throws(RDBError) in
            try writer.pendingEntry(
                PendingEntry(
                    id: StreamID(id),
                    deliveryTime: deliveryTime,
                    deliveryCount: deliveryCount
                )
            )
        }
    }

    package func consumers(_ count: Int) {
        writePart { writer throws(RDBError) in try writer.streamConsumers(count: count) }
    }

    package func consumer(_ consumer: LargeStream.Consumer) {
        let name = consumer.name
        writePart { writer throws(RDBError) in
            try writer.streamConsumer(
                .bytes(name.bytes),
                StreamConsumer(
                    seenTime: consumer.seenTime,
                    activeTime: consumer.activeTime,
                    pendingCount: consumer.pendingCount
                )
            )
        }
    }

    package func pending(_ id: StreamEntryID) {
        writePart { writer throws(RDBError) in try writer.consumerPending(StreamID(id)) }
    }
}

extension LargeValue {
    /// How the value is laid out in a file.
    fileprivate var layout: (encoding: RDB.Encoding, extent: Extent) {
        switch shape {
        case .string(let byteCount): (.string, Extent(byteCount: byteCount))
        case .list(let count, let blockCount):
            (.listQuicklist2, Extent(count: count, nodeCount: blockCount))
        case .set(let count): (.set, Extent(count: count))
        case .sortedSet(let count): (.sortedSet, Extent(count: count))
        case .hash(let count, false): (.hash, Extent(count: count))
        case .hash(let count, true): (.hashDeadlines, hashExtent(count))
        case .stream(let nodeCount): (.stream3, Extent(nodeCount: nodeCount))
        }
    }

    private func hashExtent(_ count: Int) -> Extent {
        var extent = Extent(count: count)
        extent.hasFieldDeadlines = true
        return extent
    }
}

extension ModuleAuxiliary {
    fileprivate init(_ data: ModuleData) {
        self.init(module: ModuleID(bits: data.module), when: data.comesBeforeKeys ? 1 : 2)
    }
}
