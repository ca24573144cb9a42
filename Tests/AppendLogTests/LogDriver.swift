import AppendLog
import Bytes
import Platform
import TestKit

/// What a log was given and what it promised, kept outside of it.
struct LogModel {
    /// Every byte that was appended, by the history it was appended in.
    var stream: [UInt8] = []
    /// Offsets at which no transaction is open.
    var boundaries: Set<Int> = [0]
    /// How much was written to files: no death of the process may undo it.
    var written = 0
    /// How much was promised to survive a power cut.
    var durable = 0
    /// Which bytes each replication id stands for.
    var histories: [ReplicationID: [UInt8]] = [:]
}

extension LogModel {
    /// What is wrong with what a start found, if anything.
    func problem(with found: FoundLog?) -> String? {
        let stream = found?.stream ?? []
        let offset = found?.recovered.offset ?? 0
        if offset != stream.count { return "\(stream.count) bytes up to offset \(offset)" }
        if stream.count < durable { return "\(durable) promised, \(stream.count) there" }
        if !stream.isPrefix(of: self.stream) { return "not a prefix of what was appended" }
        if !boundaries.contains(stream.count) { return "a transaction is split" }
        if let id = found?.recovered.lineage?.id, let history = histories[id] {
            // Would an id stand for other bytes than it did, a replica would not notice.
            if !stream.isPrefix(of: history) { return "\(id) stands for other bytes" }
        }
        return nil
    }

    /// Forgets what did not survive.
    mutating func continues(from found: FoundLog?) {
        stream = found?.stream ?? []
        boundaries = boundaries.filter { $0 <= stream.count }
        written = stream.count
        durable = 0
    }
}

extension FoundLog {
    /// What a second start finds to repair.
    var problemAfterRepair: String? {
        recovered.tornTail.map { "the tail is torn again: \($0)" }
    }
}

extension [UInt8] {
    /// Byte by byte, but fast in a debug build, too.
    fileprivate func isPrefix(of other: [UInt8]) -> Bool {
        count <= other.count && bytes.equals(other.bytes.part(from: 0, count: count))
    }
}

/// Drives a log writer as the log thread does, on a simulated disk, one step after the other.
struct LogDriver: ~Copyable {
    var model: LogModel
    let storage: SimulatedStorage
    let clock: SimulatedClock
    /// Whether a sync has failed: what was written since the last one may be lost.
    private(set) var isInDoubt = false
    /// What was handed over and is not written.
    private var pending: [UInt8] = []
    private var writer: LogWriter
    private var stage: LogStage?
    private var generator: SeededGenerator
    private let directory: LogDirectory

    init(
        _ storage: SimulatedStorage,
        continuing recovered: RecoveredLog?,
        _ model: LogModel,
        _ compression: LogCompression,
        clock: SimulatedClock,
        seed: UInt64
    ) throws(SystemError) {
        var generator = SeededGenerator(seed: seed)
        directory = LogDirectory(storage: storage)
        writer = try LogWriter(
            continuing: recovered,
            in: directory,
            compression: compression,
            time: clock,
            generator: &generator
        )
        self.generator = generator
        self.storage = storage
        self.model = model
        self.clock = clock
        self.model.written = writer.offset
        self.model.durable = writer.durableOffset
        if compression != .no { openStage() }
        noteHistory()
    }

    /// The log works without one, too, if the disk has none to give.
    private mutating func openStage() {
        stage = try? LogStage(
            in: directory,
            writer.lineage.id,
            at: model.stream.count,
            halfByteCount: 3000
        )
    }

    var offset: StreamOffset { writer.offset }

    /// Hands over a batch of random requests, some of them in transactions.
    ///
    /// What is staged is answered at once and written some other time.
    mutating func append(largest: Int = 400) throws(SystemError) {
        let isIdle = Int.random(in: 0..<8, using: &generator) == 0
        let pause = Int.random(in: 0...(isIdle ? 20_000 : 700), using: &generator)
        clock.advance(by: .milliseconds(pause))
        var batch: [UInt8] = []
        var boundaries: [Int] = []
        let start = model.stream.count
        for _ in 0..<Int.random(in: 1...4, using: &generator) {
            let isTransaction = Int.random(in: 0..<4, using: &generator) == 0
            if isTransaction { batch += Array("*1\r\n$5\r\nMULTI\r\n".utf8) }
            for _ in 0..<(isTransaction ? Int.random(in: 1...3, using: &generator) : 1) {
                batch += request(largest)
            }
            if isTransaction { batch += Array("*1\r\n$4\r\nEXEC\r\n".utf8) }
            boundaries.append(start + batch.count)
        }
        // The bytes are in the model before the log has them: whatever the log keeps of a
        // batch that failed must be a prefix of it.
        model.stream += batch
        model.boundaries.formUnion(boundaries)
        noteHistory()
        let settled = isInDoubt ? model.durable : writer.offset
        pending += batch
        let isStaged = stage?.append(batch.bytes, at: start) { settled } ?? false
        if isStaged, !isInDoubt { model.written = model.stream.count }
        if !isStaged || Int.random(in: 0..<3, using: &generator) == 0 { try flush() }
    }

    /// Writes what was handed over.
    mutating func flush() throws(SystemError) {
        let batch = pending
        guard !batch.isEmpty else { return }
        try writer.write(batch.bytes)
        pending = []
        // While bytes are in doubt, nobody is told that theirs were written.
        if !isInDoubt { model.written = model.stream.count }
    }

    mutating func sync() throws(SystemError) {
        if Bool.random(using: &generator) { try flush() }
        do throws(SystemError) {
            try writer.sync()
        } catch {
            isInDoubt = true
            throw error
        }
        model.durable = max(model.durable, writer.durableOffset)
    }

    mutating func beginSegment() throws(SystemError) {
        try flush()
        let compression: LogCompression? =
            Int.random(in: 0..<4, using: &generator) == 0
            ? LogCompression.allCases.randomElement(using: &generator) : nil
        if let compression { writer.change(compression) }
        try writer.beginSegment()
        if let compression { try follow(compression) }
    }

    /// A log for other servers has no stage; all that was staged is in segments here.
    private mutating func follow(_ compression: LogCompression) throws(SystemError) {
        if compression != .no {
            if stage == nil { openStage() }
        } else if stage != nil {
            try storage.remove(directory.stagePath)
            stage = nil
        }
    }

    /// Writes a base for everything so far and lets it replace that.
    ///
    /// After a failed sync, this is what puts the log right again.
    mutating func compact() throws(SystemError) {
        if !isInDoubt { try flush() }
        pending = []
        let position = Manifest.Position(offset: model.stream.count, lineage: writer.lineage)
        if isInDoubt {
            try writer.abandon(goingOnAt: position.offset)
        } else {
            try writer.beginSegment()
        }
        let first = writer.currentEntry
        // Meanwhile the log goes on.
        try append()
        try flush()
        if isInDoubt { try sync() }
        let path = directory.path("\(directory.temporaryPrefix)base")
        if try storage.exists(path) { try storage.remove(path) }
        let base = try storage.create(path)
        let prefix = Array(model.stream[..<position.offset])
        try base.write((FakeSnapshot.magic + prefix).bytes, at: 0)
        try base.sync()
        _ = try writer.files.publishBase(path, at: position, before: first.sequence)
        if isInDoubt { writer.mend(at: position.offset) }
        isInDoubt = false
        model.durable = max(model.durable, writer.durableOffset, position.offset)
        model.written = model.stream.count
        try writer.files.removeHistory(writer.files.manifest.history)
    }

    /// Seals the complete segments.
    mutating func seal() throws(SystemError) {
        try flush()
        try sync()
        for entry in writer.files.manifest.increments where entry != writer.currentEntry {
            let sealer = Sealer(directory: directory)
            if let sealed = try sealer.seal(entry, while: { true }) {
                try writer.files.replace(entry, with: sealed.name)
            }
        }
    }

    mutating func close() throws(SystemError) {
        try flush()
        try writer.close()
        model.durable = writer.durableOffset
        if try storage.exists(directory.stagePath) { try storage.remove(directory.stagePath) }
    }

    private mutating func request(_ largest: Int) -> [UInt8] {
        let isLarge = Int.random(in: 0..<20, using: &generator) == 0
        let count = Int.random(in: 0...(isLarge ? largest * 10 : largest), using: &generator)
        let isNoise = Bool.random(using: &generator)
        let value = (0..<count).map { index in
            isNoise ? UInt8.random(in: 0...255, using: &generator) : UInt8(index % 20 + 97)
        }
        return Array("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$\(count)\r\n".utf8) + value
            + Array("\r\n".utf8)
    }

    /// Remembers what the replication id stands for, and that it never stood for less.
    private mutating func noteHistory() {
        let id = writer.lineage.id
        let known = model.histories[id]?.count ?? 0
        if known <= model.stream.count { model.histories[id] = model.stream }
    }
}

/// What stands for an RDB here: the stream itself, up to the cut.
enum FakeSnapshot {
    static let magic = Array("REDIS0011".utf8)
}

/// What a start finds in a log.
struct FoundLog: Equatable {
    var stream: [UInt8] = []
    var recovered: RecoveredLog
}

/// Reads a log as a start does; nil if there is none.
func recover(_ storage: any Storage) throws(LogError) -> FoundLog? {
    let directory = LogDirectory(storage: storage)
    guard var reader = try LogReader(directory) else { return nil }
    var stream: [UInt8] = []
    while true {
        switch try reader.next() {
        case .snapshot(let path):
            var content = ByteWriter()
            do throws(SystemError) {
                let file = try storage.open(path, writable: false)
                _ = try file.read(try file.byteCount(), at: 0, into: &content)
            } catch {
                throw .storage(error)
            }
            stream = Array(ByteString(content.bytes).array.dropFirst(FakeSnapshot.magic.count))
            try reader.snapshotEnded(at: content.count)
        case .effects:
            stream += ByteString(reader.effects).array
        case .end:
            return FoundLog(stream: stream, recovered: reader.recovered)
        }
    }
}
