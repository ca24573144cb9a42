import AppendLog
import Bytes
import Platform
import RDB

/// What is in a data set, at a glance: the consumer that counts everything in one pass.
public struct Summary: RecordConsumer {
    /// What is counted besides.
    package struct Options: Sendable {
        /// Whether to compute the content digest.
        package var isDigesting = false
        /// How many of the biggest keys are kept.
        package var largestCount = 10
        /// What separates the parts of keys.
        package var separator = UInt8(ascii: ":")
        /// The moment that deadlines are counted from, in milliseconds since 1970.
        package var now = SystemTime().wallTime.milliseconds

        /// Counts from now.
        package init() {}
    }

    /// The files, in the order they were read.
    package private(set) var files: [File] = []
    /// Counts by database, in the order they came.
    public private(set) var databases: [Database] = []
    /// Counts by encoding: index is the raw value of the encoding.
    package private(set) var encodings = Array(
        repeating: Amount(),
        count: Encoding.allCases.count
    )
    /// When keys expire.
    package private(set) var forecast: Forecast
    /// What the next record has that is too long to be held.
    private var longText: LongText?
    /// The keys with the largest records.
    package private(set) var largest: LargestKeys
    /// The parts of keys.
    package private(set) var prefixes: PrefixTree
    /// Values and other data of modules.
    package private(set) var modules: [ModuleID: ModuleUse] = [:]
    /// Commands after the RDB, which are counted and not applied.
    package private(set) var commands: CommandTally
    /// Libraries of functions.
    package private(set) var functions: [FunctionLibrary] = []
    /// The digest, if it was asked for.
    public private(set) var digest: ContentDigest?
    /// Fields of hashes that have a deadline.
    package private(set) var fieldDeadlineCount = 0
    /// What only some servers can read.
    package private(set) var features = Features()

    private var visitor: MeasureAndDigest
    private var currentDatabase = 0

    /// A file of the data set.
    package struct File: Sendable {
        package var description: FileDescription
        package var summary = FileSummary()
        /// Facts that the file says about itself, in its order.
        package var auxiliaries: [(name: ByteString, value: ByteString)] = []
        /// Commands after the RDB, or in the log.
        package var commandByteCount = 0
    }

    /// Keys, their elements and sizes.
    public struct Amount: Equatable, Sendable {
        /// Keys.
        public internal(set) var keyCount = 0
        /// Elements, members, fields and entries; bytes of strings.
        public internal(set) var elementCount = 0
        /// Bytes of the records in the file.
        public internal(set) var byteCount = 0
        /// Bytes of memory that the target needs for them.
        public internal(set) var memory = 0

        mutating func add(_ row: KeyRow) {
            keyCount += 1
            elementCount += row.elementCount
            byteCount += row.byteCount
            memory += row.memory
        }
    }

    /// A database.
    public struct Database: Equatable, Sendable {
        /// Its number.
        public let number: UInt64
        /// What is in it.
        public internal(set) var amount = Amount()
        /// Keys that have a deadline.
        public internal(set) var deadlineCount = 0
        /// Keys whose deadline has passed.
        public internal(set) var expiredCount = 0
    }

    /// Where data of a module was found.
    package struct ModuleUse: Equatable, Sendable {
        package var keyCount = 0
        package var auxiliaryCount = 0
    }

    /// A library of functions.
    package struct FunctionLibrary: Equatable, Sendable {
        /// The first line, which names engine and library.
        package var header: ByteString
        package var byteCount: Int
    }

    /// What only some servers can read.
    package struct Features: Equatable, Sendable {
        package var hasSlotSizes = false
        package var unfinishedSlotImports = 0
        package var hashTemplateCount = 0
        package var metadataKeyCount = 0
    }

    /// Counts nothing yet; `memory` knows the target whose memory is estimated.
    package init(_ options: Options = Options(), memory: MemoryTally = MemoryTally()) {
        forecast = Forecast(now: options.now)
        largest = LargestKeys(options.largestCount, by: .bytes)
        prefixes = PrefixTree(separator: options.separator)
        commands = CommandTally(keeping: 0, separator: options.separator)
        digest = options.isDigesting ? ContentDigest() : nil
        visitor = MeasureAndDigest(measure: ValueMeasure(memory: memory))
    }

    /// Whose memory is estimated.
    package var memory: MemoryTally { visitor.measure.memory }

    /// Bytes of memory that the target needs for everything: keys, values and what finds them.
    public var memoryByteCount: Int {
        databases.reduce(total.memory) { sum, database in
            sum
                + memory.tableByteCount(
                    keys: database.amount.keyCount,
                    deadlines: database.deadlineCount
                )
        }
    }

    /// All keys together.
    public var total: Amount {
        var total = Amount()
        for database in databases {
            total.keyCount += database.amount.keyCount
            total.elementCount += database.amount.elementCount
            total.byteCount += database.amount.byteCount
            total.memory += database.amount.memory
        }
        return total
    }

    /// Counts a file.
    public mutating func begin(_ file: FileDescription) {
        files.append(File(description: file))
    }

    /// Keeps what is known of the file.
    public mutating func end(_ file: FileSummary) {
        files[files.count - 1].summary = file
    }

    /// Counts commands by name and by the prefix of their key.
    public mutating func effects(_ requests: RawSpan, startsFile: Bool) {
        files[files.count - 1].commandByteCount += requests.byteCount
        commands.add(requests, at: 0, startsFile: startsFile)
    }

    /// Keeps a text for the record it belongs to.
    public mutating func longText(_ text: LongText?) {
        longText = text
    }

    /// Counts a key.
    public mutating func key(
        _ record: KeyRecord,
        _ reader: inout FileReader
    ) throws(RDBError) {
        _ = try count(record, &reader)
    }

    /// Counts a key, and tells what is known of it.
    mutating func count(
        _ record: KeyRecord,
        _ reader: inout FileReader
    ) throws(RDBError) -> KeyRow {
        let row = try visitor.measure(record, &reader, longText, addingTo: &digest)
        count(row, reader.key)
        if let module = visitor.measure.module {
            modules[module, default: ModuleUse()].keyCount += 1
        }
        if record.metadata != nil { features.metadataKeyCount += 1 }
        return row
    }

    @inline(__always)
    private mutating func count(_ row: KeyRow, _ key: RawSpan) {
        selectDatabase(row.database)
        databases[currentDatabase].amount.add(row)
        if let deadline = row.deadline {
            databases[currentDatabase].deadlineCount += 1
            if deadline <= forecast.now { databases[currentDatabase].expiredCount += 1 }
        }
        encodings[Int(row.encoding.rawValue)].add(row)
        fieldDeadlineCount += row.fieldDeadlineCount
        forecast.add(row)
        largest.add(key, row)
        prefixes.add(key, byteCount: row.byteCount, memory: row.memory)
    }

    /// Counts the keys of a part, and tells of each what is known.
    mutating func take(_ part: RunPart<MeasuredKeys>, _ body: (RawSpan, KeyRow) -> Void) {
        for (module, keyCount) in part.consumer.modules {
            modules[module, default: ModuleUse()].keyCount += keyCount
        }
        features.metadataKeyCount += part.consumer.metadataKeyCount
        if let digest = part.consumer.digest { self.digest?.add(digest) }
        part.consumer.removeAll { key, row in
            count(row, key)
            body(key, row)
        }
    }

    private mutating func selectDatabase(_ number: UInt64) {
        if currentDatabase < databases.count, databases[currentDatabase].number == number {
            return
        }
        if let known = databases.firstIndex(where: { $0.number == number }) {
            currentDatabase = known
        } else {
            currentDatabase = databases.count
            databases.append(Database(number: number))
        }
    }

    /// Keeps facts, and counts what is no key.
    public mutating func record(
        _ record: Record,
        _ reader: inout FileReader
    ) throws(RDBError) {
        switch record {
        case .auxiliary(let name, let value):
            // A few dozen are written; a file that has millions is not worth their memory.
            if files[files.count - 1].auxiliaries.count < 1000 {
                files[files.count - 1].auxiliaries.append((name, value))
            }
        case .function(let source):
            let header = source.array.prefix { $0 != UInt8(ascii: "\n") }.prefix(200)
            functions.append(
                FunctionLibrary(
                    header: ByteString(Array(header)),
                    byteCount: longText?.bytes.byteCount ?? source.byteCount
                )
            )
        case .moduleAuxiliary(let auxiliary):
            modules[auxiliary.module, default: ModuleUse()].auxiliaryCount += 1
        case .slotSizes: features.hasSlotSizes = true
        case .slotImport: features.unfinishedSlotImports += 1
        case .hashTemplate: features.hashTemplateCount += 1
        case .database, .sizes, .key, .end: break
        }
    }
}

extension Summary: SharedConsumer {
    package func makePart(_ options: FileReader.Options) -> RunPart<MeasuredKeys> {
        RunPart(options, MeasuredKeys(visitor.measure, isDigesting: digest != nil))
    }

    package mutating func take(_ part: RunPart<MeasuredKeys>) {
        take(part) { _, _ in }
    }
}
