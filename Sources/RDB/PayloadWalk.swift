import Bytes

/// What a reader looks for beyond what it needs to read on.
public struct Validation: OptionSet, Sendable {
    /// The set as bits.
    public let rawValue: UInt8

    /// A set of the given bits.
    public init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    /// Compact encodings throughout: back lengths, order, duplicates, and the counts and ids of
    /// streams.
    ///
    /// What servers call deep sanitising.
    public static let containers = Validation(rawValue: 1)
    /// Duplicates in plain sets, sorted sets and hashes; 32 bytes or more per member, while
    /// the value is walked.
    public static let members = Validation(rawValue: 2)
    /// Keys that are in a database twice; 32 bytes or more per key.
    public static let keys = Validation(rawValue: 4)

    /// Everything.
    public static let deep: Validation = [.containers, .members, .keys]
}

/// The walk over one serialised value: the only code that knows the layouts of values.
///
/// A function per layout, in the files of the kinds. Each reads its bytes in order and reports
/// what the visitor asked for.
struct PayloadWalk: ~Copyable {
    var input: Input
    let validation: Validation
    /// Field names that hashes refer to, by their id in the file.
    var templates: [UInt64: [ByteString]] = [:]
    /// A ziplist or zipmap as a listpack.
    var converted = ByteWriter()

    init(_ input: consuming Input, validation: Validation) {
        self.input = input
        self.validation = validation
    }

    /// Walks one value that is laid out as `encoding` says.
    mutating func walk<Visitor: PayloadVisitor & ~Copyable>(
        _ encoding: Encoding,
        _ visitor: inout Visitor
    ) throws(RDBError) {
        let reporting = try visitor.begin(encoding)
        switch encoding {
        case .string: try walkString(&visitor, reporting)
        case .list: try walkList(&visitor, reporting)
        case .listZiplist: try walkPackedList(&visitor, reporting)
        case .listQuicklist: try walkQuicklist(.ziplist, &visitor, reporting)
        case .listQuicklist2: try walkQuicklist(.listpack, &visitor, reporting)
        case .set: try walkSet(&visitor, reporting)
        case .setIntset: try walkIntset(&visitor, reporting)
        case .setListpack: try walkPackedSet(&visitor, reporting)
        case .sortedSetText: try walkSortedSet(.text, &visitor, reporting)
        case .sortedSet: try walkSortedSet(.binary, &visitor, reporting)
        case .sortedSetZiplist: try walkPackedSortedSet(.ziplist, &visitor, reporting)
        case .sortedSetListpack: try walkPackedSortedSet(.listpack, &visitor, reporting)
        case .hash: try walkHash(.none, &visitor, reporting)
        case .hashDeadlines: try walkHash(.absoluteAfter, &visitor, reporting)
        case .hashDeadlinesBeforeRelease: try walkHash(.absoluteBefore, &visitor, reporting)
        case .hashRelativeDeadlines: try walkHash(.relative, &visitor, reporting)
        case .hashZipmap: try walkPackedHash(.zipmap, &visitor, reporting)
        case .hashZiplist: try walkPackedHash(.ziplist, &visitor, reporting)
        case .hashListpack: try walkPackedHash(.listpack, &visitor, reporting)
        case .hashListpackDeadlines: try walkDeadlineListpack(hasBase: true, &visitor, reporting)
        case .hashListpackDeadlinesBeforeRelease:
            try walkDeadlineListpack(hasBase: false, &visitor, reporting)
        case .hashTemplate: try walkHash(.none, &visitor, reporting)
        case .hashTemplateReference: try walkTemplateReference(&visitor, reporting)
        case .hashTemplateListpackReference: try walkTemplateListpack(&visitor, reporting)
        case .stream1: try walkStream(version: 1, &visitor, reporting)
        case .stream2: try walkStream(version: 2, &visitor, reporting)
        case .stream3: try walkStream(version: 3, &visitor, reporting)
        case .stream4: try walkStream(version: 4, &visitor, reporting)
        case .stream5: try walkStream(version: 5, &visitor, reporting)
        case .module: try walkModule(&visitor, reporting)
        case .moduleBeforeRelease, .array, .hashTemplateListpack, .rateLimiter:
            throw RDBError(
                .unreadableType,
                at: input.position,
                "the layout of \(encoding.name) is not known"
            )
        }
        try visitor.end()
    }

    /// A compact encoding that was brought into memory.
    struct Packed {
        /// Where its bytes lie; nil if they were converted.
        let located: Located?
        /// Bytes from the first unconsumed one to after it.
        let cursor: Int
        /// Where in the file its data begins, or, if compressed, its string.
        let offset: Int
    }

    /// The containers that hold elements in one string.
    enum Container {
        case listpack
        case ziplist
        case zipmap
        case intset
    }

    /// Brings a compact encoding into memory, as a listpack unless it is an intset.
    mutating func locatePacked(_ container: Container) throws(RDBError) -> Packed {
        var cursor = 0
        let located = try input.locateString(at: &cursor)
        var offset = input.position
        if case .window(let start, _) = located { offset += start }
        switch container {
        case .listpack, .intset:
            return Packed(located: located, cursor: cursor, offset: offset)
        case .ziplist:
            converted = try convert(located, offset) { bytes, writer throws(RDBError) in
                try Ziplist.convert(bytes, to: &writer, offset: offset)
            }
        case .zipmap:
            converted = try convert(located, offset) { bytes, writer throws(RDBError) in
                try Zipmap.convert(bytes, to: &writer, offset: offset)
            }
        }
        return Packed(located: nil, cursor: cursor, offset: offset)
    }

    private func convert(
        _ located: Located,
        _ offset: Int,
        _ body: (RawSpan, inout ListpackWriter) throws(RDBError) -> Void
    ) throws(RDBError) -> ByteWriter {
        guard case .bytes(let bytes) = input.value(located) else {
            throw RDBError(.invalidZiplist, at: offset, "expected a container, found an integer")
        }
        var writer = ListpackWriter(reserving: bytes.byteCount + 16)
        try body(bytes, &writer)
        var output = ByteWriter()
        writer.finish { output.append($0) }
        return output
    }

    /// The bytes of a located listpack.
    @_lifetime(borrow self)
    func bytes(of packed: Packed) throws(RDBError) -> RawSpan {
        guard let located = packed.located else { return converted.bytes }
        switch input.value(located) {
        case .bytes(let bytes): return bytes
        case .integer:
            throw RDBError(
                .invalidListpack,
                at: packed.offset,
                "expected a container, found an integer"
            )
        }
    }

    /// A cursor over a located listpack.
    @_lifetime(borrow self)
    func elements(of packed: Packed) throws(RDBError) -> PackedReader {
        try PackedReader(
            try bytes(of: packed),
            offset: packed.offset,
            checks: validation.contains(.containers) ? .everything : .bounds
        )
    }

    /// How many elements a located listpack has.
    func count(of packed: Packed) throws(RDBError) -> Int {
        var reader = try elements(of: packed)
        if let count = reader.statedCount { return count }
        while try reader.next() != nil {}
        return reader.readCount
    }

    /// A located listpack as others can rely on it: made anew if there is anything wrong with it
    /// that does not keep it from being read.
    mutating func makeSound(_ packed: Packed) throws(RDBError) -> Packed {
        if packed.located == nil { return packed }
        if try isSound(packed) { return packed }
        converted = try rebuild(packed)
        return Packed(located: nil, cursor: packed.cursor, offset: packed.offset)
    }

    private func isSound(_ packed: Packed) throws(RDBError) -> Bool {
        let bytes = try bytes(of: packed)
        do {
            _ = try Listpack.check(bytes)
            return true
        } catch {
            return false
        }
    }

    private func rebuild(_ packed: Packed) throws(RDBError) -> ByteWriter {
        var reader = try elements(of: packed)
        var writer = ListpackWriter()
        while let element = try reader.next() { writer.append(element) }
        var output = ByteWriter()
        writer.finish { output.append($0) }
        return output
    }

    /// Moves past a located compact encoding.
    mutating func finish(_ packed: Packed) {
        input.consume(packed.cursor)
        if converted.capacityByteCount > Input.chunkByteCount { converted = ByteWriter() }
    }

    /// Looks for duplicates where `aspect` is asked for.
    func duplicates(_ aspect: Validation) -> DuplicateCheck {
        DuplicateCheck(isOn: validation.contains(aspect))
    }
}

/// A cursor over the elements of a listpack inside a file.
struct PackedReader: ~Escapable {
    private var reader: ListpackReader
    private let offset: Int
    private let limit: Int

    @_lifetime(copy bytes)
    init(_ bytes: RawSpan, offset: Int, checks: ListpackReader.Checks) throws(RDBError) {
        self.offset = offset
        do {
            reader = try ListpackReader(bytes, checks: checks)
        } catch {
            throw RDBError(error, in: offset)
        }
        limit = reader.statedCount ?? .max
    }

    /// The number of elements as the header has it; nil if only a walk can tell.
    var statedCount: Int? { reader.statedCount }
    /// How many elements were read.
    var readCount: Int { reader.readCount }
    /// How many elements are still to come, by the header.
    var remainingCount: Int { (reader.statedCount ?? 0) - reader.readCount }
    /// Where in the file the next element is.
    var position: Int { offset + reader.position }

    /// The next element, or nil after the last.
    ///
    /// The count of the header must be right, since it was announced: no more elements than that
    /// ever come.
    @inline(__always)
    @_lifetime(copy self)
    @_lifetime(self: copy self)
    mutating func next() throws(RDBError) -> PackedValue? {
        if reader.readCount == limit, !reader.isAtEnd { throw Self.wrongCount(limit, offset) }
        do {
            if let element = try reader.next() { return element }
        } catch {
            throw RDBError(error, in: offset)
        }
        if reader.readCount < limit, limit < .max { throw Self.wrongCount(limit, offset) }
        return nil
    }

    /// What it is if the listpack at `offset` has not as many elements as its header says.
    static func wrongCount(_ stated: Int, _ offset: Int) -> RDBError {
        RDBError(
            .invalidListpack,
            at: offset + 4,
            "the header counts \(stated) elements, but there are more or fewer"
        )
    }

    /// The next element, which must be there.
    @_lifetime(copy self)
    @_lifetime(self: copy self)
    mutating func require(_ code: RDBError.Code) throws(RDBError) -> PackedValue {
        guard let element = try next() else {
            throw RDBError(code, at: position, "expected another element, found the end")
        }
        return element
    }

    /// The next element, which must be there and an integer.
    @_lifetime(self: copy self)
    mutating func requireInteger(_ code: RDBError.Code) throws(RDBError) -> Int64 {
        let position = position
        switch try require(code) {
        case .integer(let value): return value
        case .bytes: throw RDBError(code, at: position, "expected an integer, found a string")
        }
    }
}

extension RDBError {
    /// Damage in the listpack at `offset`.
    init(_ error: ListpackError, in offset: Int) {
        self.init(.invalidListpack, at: offset + error.offset, "listpack: \(error.reason)")
    }
}
