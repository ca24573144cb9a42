import Bytes
import RDB

/// A value as commands would show it: what tests compare.
enum Value: Equatable {
    case string([UInt8])
    case list([[UInt8]])
    case set(Set<[UInt8]>)
    case sortedSet([[UInt8]: Double])
    case hash([[UInt8]: Field])
    case stream(Stream)
    case module(String, [Item])

    struct Field: Equatable {
        var value: [UInt8]
        var deadline: Int64?
    }

    enum Item: Equatable {
        case signed(Int64)
        case unsigned(UInt64)
        case float(UInt32)
        case double(UInt64)
        case string([UInt8])
    }

    struct Stream: Equatable {
        var entries: [Entry] = []
        var state: StreamState?
        var groups: [[UInt8]: Group] = [:]

        struct Entry: Equatable {
            var id: StreamID
            var fields: [[UInt8]] = []
        }

        struct Group: Equatable {
            var group: StreamGroup
            var pending: [StreamID: Pending] = [:]
            var consumers: [[UInt8]: StreamConsumer] = [:]
        }

        struct Pending: Equatable {
            var entry: PendingEntry
            var consumer: [UInt8]?
        }
    }
}

/// A key with everything that belongs to it.
struct Key: Equatable {
    var value: Value
    var encoding: Encoding
    var deadline: Int64?
    var idleSeconds: UInt64?
    var frequency: UInt8?
    var metadata: ByteString?

    static func == (one: Key, other: Key) -> Bool {
        one.value == other.value && one.deadline == other.deadline
            && one.idleSeconds == other.idleSeconds && one.frequency == other.frequency
            && one.metadata == other.metadata
    }
}

/// All of a file.
struct Content: Equatable {
    var keys: [UInt64: [[UInt8]: Key]] = [:]
    var functions: [[UInt8]] = []
    var auxiliaries: [[UInt8]: [UInt8]] = [:]
    var modules: [ModuleAuxiliary] = []
    var format: Format?
    var checksum: UInt64?
    var hasMore = false

    static func == (one: Content, other: Content) -> Bool {
        one.keys == other.keys && one.functions == other.functions
    }

    /// Reads a file, in pieces of `pieceByteCount` bytes.
    init(
        reading file: [UInt8],
        reporting: Reporting = .elements,
        validation: Validation = [],
        pieceByteCount: Int = .max,
        largestWholeString: Int = .max,
        largestWholePacked: Int = .max,
        options: (inout FileReader.Options) -> Void = { _ in }
    ) throws(RDBError) {
        var readerOptions = FileReader.Options()
        readerOptions.validation = validation
        options(&readerOptions)
        var reader = FileReader(
            MemorySource(file, pieceByteCount: pieceByteCount),
            options: readerOptions
        )
        while true {
            let next = try reader.next()
            let text = try Self.longText(&reader)
            switch next {
            case .key(let record):
                let name = text ?? ByteString(reader.key).array
                var collector = Collector(
                    reporting: reporting,
                    largestWholeString: largestWholeString,
                    largestWholePacked: largestWholePacked
                )
                try reader.readValue(into: &collector)
                keys[reader.database, default: [:]][name] = Key(
                    value: collector.value,
                    encoding: record.encoding,
                    deadline: record.deadline,
                    idleSeconds: record.idleSeconds,
                    frequency: record.frequency,
                    metadata: record.metadata
                )
            case .function(let source): functions.append(text ?? source.array)
            case .auxiliary(let name, let value): auxiliaries[name.array] = text ?? value.array
            case .moduleAuxiliary(let module): modules.append(module)
            case .end(let checksum):
                format = reader.format
                self.checksum = checksum
                hasMore = try reader.hasMore()
                return
            default: break
            }
        }
    }

    /// The text that was too long to be read.
    private static func longText(_ reader: inout FileReader) throws(RDBError) -> [UInt8]? {
        guard let byteCount = reader.longTextByteCount else { return nil }
        var text: [UInt8] = []
        try reader.readLongText { part throws(RDBError) in text += ByteString(part).array }
        guard text.count == byteCount else {
            throw RDBError(.invalidLength, at: 0, "\(byteCount) announced, \(text.count) came")
        }
        return text
    }
}

/// Puts a value together from what a walk reports.
struct Collector: PayloadVisitor {
    var value = Value.string([])
    var reporting = Reporting.elements
    var largestWholeString = Int.max
    var largestWholeElement: Int { largestWholeString }
    var largestWholePacked = Int.max
    var extent = Extent()
    /// How often something came whole.
    var wholeCount = 0
    var isEnded = false

    private var encoding = Encoding.string
    private var stream = Value.Stream()
    private var group: [UInt8] = []
    private var consumer: [UInt8] = []
    private var items: [Value.Item] = []
    private var moduleName = ""
    /// What came in parts of the element, and of the field before it.
    private var part: [UInt8] = []
    private var field: [UInt8] = []

    init(
        reporting: Reporting = .elements,
        largestWholeString: Int = .max,
        largestWholePacked: Int = .max
    ) {
        self.reporting = reporting
        self.largestWholeString = largestWholeString
        self.largestWholePacked = largestWholePacked
    }

    private func text(_ value: PackedValue) -> [UInt8] { value.byteString.array }

    mutating func begin(_ encoding: Encoding) -> Reporting {
        self.encoding = encoding
        switch encoding.kind {
        case .string: value = .string([])
        case .list: value = .list([])
        case .set: value = .set([])
        case .sortedSet: value = .sortedSet([:])
        case .hash: value = .hash([:])
        case .stream: value = .stream(stream)
        case .module, .other: value = .module("", [])
        }
        return reporting
    }

    mutating func announce(_ extent: Extent) { self.extent = extent }

    mutating func end() {
        isEnded = true
        switch encoding.kind {
        case .stream: value = .stream(stream)
        case .module: value = .module(moduleName, items)
        default: break
        }
    }

    mutating func string(_ value: PackedValue) { self.value = .string(text(value)) }

    mutating func stringPart(_ bytes: RawSpan, at offset: Int, of byteCount: Int) {
        guard case .string(var sofar) = value, sofar.count == offset else { return }
        value = .string([])
        sofar += ByteString(bytes).array
        value = .string(sofar)
    }

    mutating func elementPart(
        _ bytes: RawSpan,
        at offset: Int,
        of byteCount: Int,
        _ role: ElementRole
    ) throws(RDBError) {
        if offset == 0 {
            if role == .hashValue || role == .streamValue { field = part }
            part = []
        }
        guard part.count == offset, offset + bytes.byteCount <= byteCount else {
            throw RDBError(.invalidLength, at: offset, "a part that does not follow the last")
        }
        part += ByteString(bytes).array
    }

    mutating func endElement(score: Double?, deadline: Int64?) {
        let (part, field) = (part, field)
        switch encoding.kind {
        case .list: listElement(.bytes(part.bytes))
        case .set: setMember(.bytes(part.bytes))
        case .sortedSet: sortedSetMember(.bytes(part.bytes), score: score ?? .nan)
        case .hash: hashField(.bytes(field.bytes), value: .bytes(part.bytes), deadline: deadline)
        case .stream: streamField(.bytes(field.bytes), value: .bytes(part.bytes))
        default: items.append(.string(part))
        }
    }

    mutating func listElement(_ element: PackedValue) {
        guard case .list(var elements) = value else { return }
        value = .string([])
        elements.append(text(element))
        value = .list(elements)
    }

    mutating func listNode(_ listpack: RawSpan, count: Int) throws(RDBError) {
        wholeCount += 1
        for element in try elements(of: listpack, count) {
            listElement(.bytes(element.bytes))
        }
    }

    mutating func setMember(_ member: PackedValue) {
        guard case .set(var members) = value else { return }
        value = .string([])
        members.insert(text(member))
        value = .set(members)
    }

    mutating func sortedSetMember(_ member: PackedValue, score: Double) {
        guard case .sortedSet(var members) = value else { return }
        value = .string([])
        members[text(member)] = score
        value = .sortedSet(members)
    }

    mutating func hashField(_ field: PackedValue, value: PackedValue, deadline: Int64?) {
        guard case .hash(var fields) = self.value else { return }
        self.value = .string([])
        fields[text(field)] = Value.Field(value: text(value), deadline: deadline)
        self.value = .hash(fields)
    }

    mutating func listpack(_ bytes: RawSpan, count: Int) throws(RDBError) {
        wholeCount += 1
        let stride = encoding.kind == .set ? 1 : 2
        let found = try elements(of: bytes, count * stride)
        for index in Swift.stride(from: 0, to: found.count, by: stride) {
            let one = found[index]
            let other = found[index + stride - 1]
            switch encoding.kind {
            case .set: setMember(.bytes(one.bytes))
            case .hash: hashField(.bytes(one.bytes), value: .bytes(other.bytes), deadline: nil)
            default:
                let score = DecimalText.parseDouble(other.bytes) ?? .nan
                sortedSetMember(.bytes(one.bytes), score: score)
            }
        }
    }

    mutating func intset(_ bytes: RawSpan, count: Int) {
        wholeCount += 1
        var reader = ByteReader(bytes)
        guard let width = try? reader.readInteger(as: UInt32.self) else { return }
        _ = try? reader.readInteger(as: UInt32.self)
        for _ in 0..<count {
            let member: Int64? =
                switch width {
                case 2: (try? reader.readInteger(as: Int16.self)).map(Int64.init)
                case 4: (try? reader.readInteger(as: Int32.self)).map(Int64.init)
                default: try? reader.readInteger(as: Int64.self)
                }
            if let member { setMember(.integer(member)) }
        }
    }

    private func elements(of listpack: RawSpan, _ count: Int) throws(RDBError) -> [[UInt8]] {
        var found: [[UInt8]] = []
        do {
            var reader = try ListpackReader(listpack, checks: .everything)
            while let element = try reader.next() { found.append(text(element)) }
        } catch {
            throw RDBError(.invalidListpack, at: error.offset, "handed over in spite of damage")
        }
        guard found.count == count else {
            throw RDBError(.invalidListpack, at: 0, "\(count) announced, \(found.count) found")
        }
        return found
    }

    mutating func streamNode(_ listpack: RawSpan, master: StreamID, liveCount: Int) throws(RDBError)
    {
        wholeCount += 1
        let all = try elements(of: listpack, Int(listpackCount(listpack)))
        func number(_ index: Int) -> Int { Int(String(decoding: all[index], as: UTF8.self)) ?? 0 }
        let before = stream.entries.count
        let fieldCount = number(2)
        var index = 4 + fieldCount
        while index < all.count {
            let flags = number(index)
            let id = StreamID(
                master.milliseconds &+ UInt64(bitPattern: Int64(number(index + 1))),
                master.sequence &+ UInt64(bitPattern: Int64(number(index + 2)))
            )
            index += 3
            var entry = Value.Stream.Entry(id: id)
            if flags & 2 != 0 {
                for field in 0..<fieldCount {
                    entry.fields += [all[3 + field], all[index + field]]
                }
                index += fieldCount + 1
            } else {
                let count = number(index)
                entry.fields = Array(all[(index + 1)..<(index + 1 + 2 * count)])
                index += 2 + 2 * count
            }
            if flags & 1 == 0 { stream.entries.append(entry) }
        }
        guard stream.entries.count - before == liveCount else {
            throw RDBError(.invalidStream, at: 0, "\(liveCount) entries announced")
        }
    }

    private func listpackCount(_ listpack: RawSpan) -> Int {
        guard var reader = try? ListpackReader(listpack) else { return 0 }
        try? reader.skipToEnd()
        return reader.readCount
    }

    mutating func streamEntry(_ id: StreamID, fieldCount: Int) {
        stream.entries.append(Value.Stream.Entry(id: id))
    }

    mutating func streamField(_ field: PackedValue, value: PackedValue) {
        stream.entries[stream.entries.count - 1].fields += [text(field), text(value)]
    }

    mutating func streamState(_ state: StreamState) { stream.state = state }

    mutating func streamGroup(_ name: PackedValue, _ group: StreamGroup) {
        self.group = text(name)
        stream.groups[self.group] = Value.Stream.Group(group: group)
    }

    mutating func pendingEntry(_ entry: PendingEntry) {
        stream.groups[group]?.pending[entry.id] = Value.Stream.Pending(entry: entry)
    }

    mutating func streamConsumer(_ name: PackedValue, _ consumer: StreamConsumer) {
        self.consumer = text(name)
        stream.groups[group]?.consumers[self.consumer] = consumer
    }

    mutating func consumerPending(_ id: StreamID) {
        stream.groups[group]?.pending[id]?.consumer = consumer
    }

    mutating func module(_ module: ModuleID) { moduleName = module.description }

    mutating func moduleItem(_ item: ModuleItem) {
        switch item {
        case .signed(let value): items.append(.signed(value))
        case .unsigned(let value): items.append(.unsigned(value))
        case .float(let value): items.append(.float(value.bitPattern))
        case .double(let value): items.append(.double(value.bitPattern))
        case .string(let value): items.append(.string(text(value)))
        }
    }
}
