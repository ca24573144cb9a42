import Bytes
import Dump
import Platform
import RDB
import Store

/// Reads an RDB file into a data set.
///
///     var loader = try SnapshotLoader(file, into: data)
///     while try loader.advance(10_000) {}
///
/// Works in steps, and pauses within large values, so that a server can answer `-LOADING`
/// meanwhile.
package struct SnapshotLoader: ~Copyable {
    private var reader: FileReader
    private let options: Options
    /// The databases of the data set, which outlives the loader.
    private let databases: [Keyspace]
    /// Keys whose deadline is at this moment or before have expired.
    private let now: Int64
    private var keyspace: Keyspace

    /// What the file said about itself, and what was read of it.
    package private(set) var summary = Summary()

    package struct Options: Sendable {
        /// Leave out keys whose deadline is past; a log that follows may rely on them, so not
        /// there.
        package var dropsExpired = true
        /// Carry what modules have in the file along, instead of refusing it.
        package var keepsModules = false

        package init() {}
    }

    package struct Summary: Sendable {
        package var loadedKeys = 0
        package var expiredKeys = 0
        package var emptyKeys = 0
        package var auxiliary: [ByteString: ByteString] = [:]
        /// Sources of function libraries, kept to be written back.
        package var functions: [ByteString] = []
        /// What modules have beyond keys, kept to be written back.
        package var moduleData: [ModuleData] = []
    }

    /// Reads from `file`, which stays open meanwhile, into `data`, which must not go away.
    package init(
        _ file: any StorageFile,
        into data: borrowing DataSet,
        options: Options = Options()
    ) throws(RDBError) {
        var databases: [Keyspace] = []
        for number in 0..<data.databaseCount { databases.append(data[number]) }
        self.databases = databases
        keyspace = databases[0]
        now = data.now
        do throws(SystemError) {
            reader = FileReader(try ReadAheadSource(file))
        } catch {
            throw RDBError(.transferFailed, at: 0, "cannot read the file", cause: error)
        }
        self.options = options
    }

    /// Bytes of the file that were read.
    package var offset: Int { reader.offset }

    /// After so many bytes of the file a step is over, however few keys they are.
    private static let stepByteCount = 512 << 10

    /// Reads up to `limit` keys, a little at a time; returns whether there are more.
    ///
    /// `pause` is called within large values; it must not change the data.
    package mutating func advance(
        _ limit: Int,
        pause: () -> Void = {}
    ) throws(RDBError) -> Bool {
        // What is made of a value holds the closure, but not beyond the value.
        try withoutActuallyEscaping(pause) { pause throws(RDBError) in
            try advance(limit, pausing: pause)
        }
    }

    private mutating func advance(
        _ limit: Int,
        pausing pause: @escaping () -> Void
    ) throws(RDBError) -> Bool {
        var left = limit
        let end = reader.offset + Self.stepByteCount
        while left > 0, reader.offset < end {
            switch try reader.next() {
            case .key(let record):
                try load(record, pause)
                left -= 1
            case .database(let number):
                guard number < UInt64(databases.count) else {
                    throw RDBError(
                        .unsupportedByTarget,
                        at: reader.offsetOfRecord,
                        "database \(number): raise `databases`, now \(databases.count)"
                    )
                }
                keyspace = databases[Int(number)]
            case .auxiliary(let name, let value):
                summary.auxiliary[name] = value
            case .function(let source):
                summary.functions.append(source)
            case .moduleAuxiliary(let auxiliary):
                try load(auxiliary)
            case .sizes(let keys, _):
                reserve(keys)
            case .slotSizes, .slotImport, .hashTemplate:
                break
            case .end:
                return false
            }
        }
        return true
    }

    private mutating func load(_ auxiliary: ModuleAuxiliary) throws(RDBError) {
        guard options.keepsModules else {
            throw RDBError(
                .unsupportedByTarget,
                at: reader.offsetOfRecord,
                "data of the module \(auxiliary.module): `module-data keep` would carry it along"
            )
        }
        let pieces = MemorySink()
        var visitor = SkippingVisitor()
        try reader.readValue(into: &visitor, copyingTo: pieces)
        summary.moduleData.append(
            ModuleData(
                module: auxiliary.module.bits,
                comesBeforeKeys: auxiliary.when == 1,
                pieces: ByteString(pieces.array)
            )
        )
    }

    /// Makes the table of keys as large as it will be, as far as the file can hold that many.
    private mutating func reserve(_ keys: UInt64) {
        let possible = (reader.remainingByteCount ?? 0) / Self.leastKeyByteCount
        keyspace.reserve(min(Int(clamping: keys), possible))
    }

    /// A type, a key and a value take so many bytes at least.
    private static let leastKeyByteCount = 3

    private mutating func load(
        _ record: KeyRecord,
        _ pause: @escaping () -> Void
    ) throws(RDBError) {
        if options.dropsExpired, let deadline = record.deadline, deadline <= now {
            summary.expiredKeys += 1
            return try reader.skipValue()
        }
        guard keyspace.find(reader.key) == nil else {
            throw RDBError(.duplicate, at: reader.offsetOfRecord, "the key is there twice")
        }
        guard record.metadata == nil else {
            throw RDBError(
                .unsupportedByTarget,
                at: reader.offsetOfRecord,
                "what modules attached to a key cannot be kept"
            )
        }
        var decoder = ValueDecoder(
            reader.key,
            deadline: record.deadline,
            in: keyspace,
            keepsModules: options.keepsModules,
            byteCount: reader.remainingByteCount ?? 0,
            pause: pause
        )
        if record.encoding == .module {
            let bytes = MemorySink()
            try reader.readValue(into: &decoder, copyingTo: bytes)
            decoder.keep(module: ByteString(bytes.array).bytes)
        } else {
            try reader.readValue(into: &decoder)
        }
        guard let entry = decoder.entry else {
            summary.emptyKeys += 1
            return
        }
        summary.loadedKeys += 1
        if let idle = record.idleSeconds { entry.setIdle(seconds: Int(clamping: idle)) }
        if let frequency = record.frequency { entry.setFrequency(frequency) }
    }
}
