import Bytes
import RDB

/// Writes values as the requests that make them.
struct RequestValueWriter: ElementVisitor, ~Copyable {
    var printer: Printer
    private(set) var kind = ValueKind.string
    private var key = ByteString([])
    /// What the key stands for if that is too long to be held.
    private var longKey: LongText?
    /// Words of the request that is being gathered.
    private var words = ByteWriter()
    private var wordCount = 0
    /// Fields of the gathered request that have a deadline: where each is a word in `words`.
    private var deadlines: [(offset: Int, count: Int, deadline: Int64)] = []
    private var stream = RequestStreamState()
    /// The member or field name of an element that comes in parts.
    private var name = SpooledBytes()
    /// The name of a group or consumer that comes in parts.
    private var longName: SpooledBytes?
    /// Whether nothing was written: servers keep no empty collections.
    private(set) var isEmpty = true

    /// What a request holds at most.
    private static let maximumWordCount = 256
    private static let maximumByteCount = 64 << 10

    init(to printer: consuming Printer) {
        self.printer = printer
    }

    mutating func beginKey(_ name: RawSpan, _ longName: LongText?) {
        key = ByteString(name)
        longKey = longName
    }

    /// Appends the key as a word of a request.
    mutating func appendKey() throws(RDBError) {
        let key = key
        try append(word: key.bytes, longKey)
    }

    /// Appends a text, or the longer one that it stands for, as a word of a request.
    mutating func append(word text: RawSpan, _ longText: LongText?) throws(RDBError) {
        guard let longText else { return printer.buffer.append(word: text) }
        try print(longText.bytes)
    }

    mutating func begin(_ encoding: Encoding) -> Reporting {
        kind = encoding.kind
        isEmpty = true
        // A value that broke off has left some.
        words.removeAll()
        wordCount = 0
        deadlines.removeAll(keepingCapacity: true)
        longName = nil
        stream = RequestStreamState(hasCounters: encoding != .stream1)
        return .encoded
    }

    mutating func end() throws(RDBError) {
        try flushRequest()
        if kind == .stream {
            isEmpty = false
            stream.finishGroup()
        }
        try printer.flushIfFull()
    }

    private mutating func flushRequest() throws(RDBError) {
        guard wordCount > 0 else { return }
        // Taken out while they are written.
        var gathered = ByteWriter()
        swap(&gathered, &words)
        defer { swap(&gathered, &words) }
        let name: StaticString
        switch kind {
        case .list: name = "RPUSH"
        case .set: name = "SADD"
        case .sortedSet: name = "ZADD"
        default: name = "HSET"
        }
        printer.buffer.append(request: wordCount + 2, name)
        try appendKey()
        printer.buffer.append(gathered.bytes)
        for field in deadlines {
            printer.buffer.append(request: 6, "HPEXPIREAT")
            try appendKey()
            printer.buffer.append(word: field.deadline)
            printer.buffer.append(text: "FIELDS")
            printer.buffer.append(word: Int64(1))
            printer.buffer.append(gathered.bytes.part(from: field.offset, count: field.count))
        }
        deadlines.removeAll(keepingCapacity: true)
        gathered.removeAll(keepingCapacityUpTo: Self.maximumByteCount * 4)
        wordCount = 0
        isEmpty = false
    }

    /// Ends the request if it is long enough.
    @inline(__always)
    private mutating func endElement(_ count: Int) throws(RDBError) {
        wordCount += count
        if wordCount >= Self.maximumWordCount || words.count >= Self.maximumByteCount {
            try flushRequest()
            try printer.flushIfFull()
        }
    }

    var largestWholeString: Int { 1 << 20 }

    mutating func string(_ value: PackedValue) throws(RDBError) {
        printer.buffer.append(request: 3, "SET")
        try appendKey()
        printer.buffer.append(word: value)
        isEmpty = false
    }

    mutating func stringPart(
        _ bytes: RawSpan,
        at offset: Int,
        of byteCount: Int
    ) throws(RDBError) {
        if offset == 0 {
            printer.buffer.append(request: 3, "SET")
            try appendKey()
            printer.buffer.beginWord(byteCount)
        }
        printer.buffer.append(bytes)
        if offset + bytes.byteCount == byteCount { printer.buffer.append("\r\n") }
        isEmpty = false
        try printer.flushIfFull()
    }

    var largestWholeElement: Int { 1 << 20 }
    var largestWholePacked: Int { LongPacked.limit }

    mutating func elementPart(
        _ bytes: RawSpan,
        at offset: Int,
        of byteCount: Int,
        _ role: ElementRole
    ) throws(RDBError) {
        if offset == 0 { try beginElement(byteCount, role) }
        switch role {
        case .sortedSetMember, .hashField: return try name.append(bytes)
        default: printer.buffer.append(bytes)
        }
        if offset + bytes.byteCount == byteCount { printer.buffer.append("\r\n") }
        try printer.flushIfFull()
    }

    /// Writes what precedes the first part of a string.
    ///
    /// A score precedes its member, and a field that expires is named twice: both wait.
    private mutating func beginElement(_ byteCount: Int, _ role: ElementRole) throws(RDBError) {
        switch role {
        case .sortedSetMember, .hashField:
            try flushRequest()
            name = SpooledBytes()
            return
        case .listElement: try beginRequest(3, "RPUSH")
        case .setMember: try beginRequest(3, "SADD")
        case .hashValue:
            try beginRequest(4, "HSET")
            try print(name)
        case .streamField, .streamValue: break
        case .moduleString: return
        }
        printer.buffer.beginWord(byteCount)
    }

    private mutating func beginRequest(_ wordCount: Int, _ command: StaticString) throws(RDBError) {
        try flushRequest()
        printer.buffer.append(request: wordCount, command)
        try appendKey()
        isEmpty = false
    }

    private mutating func print(_ word: SpooledBytes) throws(RDBError) {
        printer.buffer.beginWord(word.byteCount)
        try word.print(to: &printer)
        printer.buffer.append("\r\n")
    }

    mutating func endElement(score: Double?, deadline: Int64?) throws(RDBError) {
        if let score {
            try beginRequest(4, "ZADD")
            var text = ByteWriter()
            text.append(shortest: score)
            printer.buffer.append(word: text.bytes)
            try print(name)
        }
        if let deadline {
            try beginRequest(6, "HPEXPIREAT")
            printer.buffer.append(word: deadline)
            printer.buffer.append(text: "FIELDS")
            printer.buffer.append(word: Int64(1))
            try print(name)
        }
        try printer.flushIfFull()
    }

    mutating func listElement(_ element: PackedValue) throws(RDBError) {
        words.append(word: element)
        try endElement(1)
    }

    mutating func setMember(_ member: PackedValue) throws(RDBError) {
        words.append(word: member)
        try endElement(1)
    }

    mutating func sortedSetMember(_ member: PackedValue, score: Double) throws(RDBError) {
        var text = ByteWriter()
        text.append(shortest: score)
        words.append(word: text.bytes)
        words.append(word: member)
        try endElement(2)
    }

    mutating func hashField(
        _ field: PackedValue,
        value: PackedValue,
        deadline: Int64?
    ) throws(RDBError) {
        let offset = words.count
        words.append(word: field)
        if let deadline { deadlines.append((offset, words.count - offset, deadline)) }
        words.append(word: value)
        try endElement(2)
    }
}

// Streams.

extension RequestValueWriter {
    mutating func streamEntry(_ id: StreamID, fieldCount: Int) throws(RDBError) {
        try printer.flushIfFull()
        printer.buffer.append(request: 3 + fieldCount * 2, "XADD")
        try appendKey()
        printer.buffer.append(word: id)
        stream.lastEntry = id
    }

    mutating func streamField(_ field: PackedValue, value: PackedValue) {
        printer.buffer.append(word: field)
        printer.buffer.append(word: value)
    }

    mutating func streamState(_ state: StreamState) throws(RDBError) {
        if stream.lastEntry == nil { try makeEmptyStream() }
        let isPlain =
            state.entriesAdded == state.length && state.maximumDeletedID == .zero
            || !stream.hasCounters
        if isPlain, state.lastID == stream.lastEntry ?? .zero { return }
        printer.buffer.append(request: isPlain ? 3 : 7, "XSETID")
        try appendKey()
        printer.buffer.append(word: state.lastID)
        guard !isPlain else { return }
        printer.buffer.append(text: "ENTRIESADDED")
        printer.buffer.append(word: Int64(clamping: state.entriesAdded))
        printer.buffer.append(text: "MAXDELETEDID")
        printer.buffer.append(word: state.maximumDeletedID)
    }

    /// A stream without entries comes from a group that is made with it.
    private mutating func makeEmptyStream() throws(RDBError) {
        printer.buffer.append(request: 6, "XGROUP")
        printer.buffer.append(text: "CREATE")
        try appendKey()
        printer.buffer.append(text: "larder-export")
        printer.buffer.append(text: "0")
        printer.buffer.append(text: "MKSTREAM")
        printer.buffer.append(request: 4, "XGROUP")
        printer.buffer.append(text: "DESTROY")
        try appendKey()
        printer.buffer.append(text: "larder-export")
    }

    var largestWholeName: Int { 1 << 16 }

    mutating func streamNamePart(
        _ bytes: RawSpan,
        at offset: Int,
        of byteCount: Int,
        _ role: StreamNameRole
    ) throws(RDBError) {
        let name = offset == 0 ? SpooledBytes() : longName ?? SpooledBytes()
        longName = name
        try name.append(bytes)
    }

    private mutating func takeName(_ name: PackedValue) -> RequestStreamState.Name {
        if let long = longName.take() { return .long(long) }
        return .text(name.byteString)
    }

    private mutating func append(_ name: RequestStreamState.Name) throws(RDBError) {
        switch name {
        case .text(let text): printer.buffer.append(word: text.bytes)
        case .long(let bytes): try print(bytes)
        }
    }

    mutating func streamGroup(_ name: PackedValue, _ group: StreamGroup) throws(RDBError) {
        stream.begin(group: takeName(name))
        let hasRead = stream.hasCounters && group.entriesRead != nil
        printer.buffer.append(request: hasRead ? 7 : 5, "XGROUP")
        printer.buffer.append(text: "CREATE")
        try appendKey()
        try append(stream.group)
        printer.buffer.append(word: group.lastDeliveredID)
        if hasRead, let read = group.entriesRead {
            printer.buffer.append(text: "ENTRIESREAD")
            printer.buffer.append(word: Int64(clamping: read))
        }
    }

    mutating func pendingEntry(_ entry: PendingEntry) {
        stream.pending.append(entry)
    }

    mutating func streamConsumer(_ name: PackedValue, _ consumer: StreamConsumer) throws(RDBError) {
        stream.consumer = takeName(name)
        printer.buffer.append(request: 5, "XGROUP")
        printer.buffer.append(text: "CREATECONSUMER")
        try appendKey()
        try append(stream.group)
        try append(stream.consumer)
    }

    mutating func consumerPending(_ id: StreamID) throws(RDBError) {
        guard let entry = stream.pendingEntry(id) else { return }
        printer.buffer.append(request: 12, "XCLAIM")
        try appendKey()
        try append(stream.group)
        try append(stream.consumer)
        printer.buffer.append(text: "0")
        printer.buffer.append(word: id)
        printer.buffer.append(text: "TIME")
        printer.buffer.append(word: entry.deliveryTime)
        printer.buffer.append(text: "RETRYCOUNT")
        printer.buffer.append(word: Int64(clamping: entry.deliveryCount))
        printer.buffer.append(text: "JUSTID")
        printer.buffer.append(text: "FORCE")
        try printer.flushIfFull()
    }
}

/// What of a stream is needed for the requests that follow.
struct RequestStreamState {
    var hasCounters = true
    var lastEntry: StreamID?
    var group = Name.text(ByteString([]))
    var consumer = Name.text(ByteString([]))
    /// Pending entries of the group, in the order of their ids.
    var pending: [PendingEntry] = []

    /// The name of a group or consumer.
    enum Name {
        case text(ByteString)
        /// One that is too long to be held.
        case long(SpooledBytes)
    }

    init(hasCounters: Bool = true) {
        self.hasCounters = hasCounters
    }

    mutating func begin(group name: Name) {
        group = name
        finishGroup()
    }

    mutating func finishGroup() {
        pending.removeAll()
    }

    /// The pending entry of that id.
    func pendingEntry(_ id: StreamID) -> PendingEntry? {
        var low = 0
        var high = pending.count
        while low < high {
            let middle = (low + high) / 2
            if pending[middle].id < id { low = middle + 1 } else { high = middle }
        }
        return low < pending.count && pending[low].id == id ? pending[low] : nil
    }
}
