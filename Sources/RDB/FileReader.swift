import Bytes

/// Reads a file record by record, from a source that gives it in any pieces.
///
///     var reader = FileReader(source)
///     while true {
///         switch try reader.next() {
///         case .key(let record): … reader.key … try reader.readValue(into: &visitor)
///         case .end: return
///         default: break
///         }
///     }
///
/// A value that is not read is skipped by the next call of `next`. Memory grows with the longest
/// string, not with the file, the value or what either claims. After an error the reader is of
/// no further use: there is no way to find where the next record begins.
public struct FileReader: ~Copyable {
    var walk: PayloadWalk
    let options: Options
    private var keyWriter = ByteWriter()
    var pending = Pending.start
    private var recordOffset = 0
    private var keys = DuplicateCheck(isOn: false)
    private var seenDatabases: [UInt64: DuplicateCheck] = [:]

    /// The format of the file; nil before the first record was read.
    public internal(set) var format: Format?
    /// The database that keys belong to.
    public internal(set) var database: UInt64 = 0

    /// What a reader does beyond reading.
    public struct Options: Sendable {
        /// What to look for beyond what it takes to read on.
        public var validation: Validation = []
        /// Whether to compute the checksum and compare it.
        public var isVerifyingChecksum = true
        /// Whether to try files of versions that are newer than this reader.
        public var isAcceptingUnknownVersions = false
        /// The most bytes of a key's name, a library of functions or an auxiliary value that are
        /// brought into memory; of a longer one there is none, and `readLongText` hands it out.
        ///
        /// Long names are not looked at for keys that are there twice.
        public var largestWholeText = Int.max
        /// Whether `head` is kept, so that whole records can be copied.
        public var isKeepingHeads = false

        /// Reads on as far as the layout allows, and verifies the checksum.
        public init() {}
    }

    /// What has to be read before the next record.
    enum Pending {
        case start
        case nothing
        case value(Encoding)
        case moduleItems
        /// A text that was too long to be read, and the value after it if it is a key's name.
        case longText(StringForm, Encoding?)
        case end
    }

    /// Reads a file from `source`; nothing is read yet.
    public init(_ source: any ByteSource, options: Options = Options()) {
        self.init(Input(source, isChecksumming: options.isVerifyingChecksum), options)
    }

    init(_ input: consuming Input, _ options: Options) {
        walk = PayloadWalk(input, validation: options.validation)
        self.options = options
        keys = walk.duplicates(.keys)
    }

    /// The key of the last key record.
    public var key: RawSpan {
        @_lifetime(borrow self)
        get { keyWriter.bytes }
    }

    /// How many bytes the name of the last key has, also if it was too long to be read.
    public private(set) var keyByteCount = 0

    /// How many bytes the text of the last record has that was too long to be read, and is still to
    /// be; nil if there is none.
    public var longTextByteCount: Int? {
        guard case .longText(let form, _) = pending else { return nil }
        return form.byteCount
    }

    /// Hands out the text of the last record that was too long to be read, in parts and in order.
    ///
    /// It has to be read before the value, or is skipped.
    public mutating func readLongText(
        _ body: (RawSpan) throws(RDBError) -> Void
    ) throws(RDBError) {
        guard case .longText(let form, let encoding) = pending else {
            preconditionFailure("the last record has no text that was not read")
        }
        pending = encoding.map { .value($0) } ?? .nothing
        do {
            try walk.input.readParts(form) { part, _, _ throws(RDBError) in try body(part) }
        } catch {
            throw located(error)
        }
    }

    /// Gives the last key, whose name was too long to be read, a shorter one.
    public mutating func nameKey(_ name: RawSpan) {
        keyWriter.removeAll()
        keyWriter.append(name)
    }

    /// The bytes of the last record, as they are, without its value; until that is read.
    public var head: RawSpan {
        @_lifetime(borrow self)
        get { walk.input.held() }
    }

    /// How many bytes the value of the last key record has, if it is one string and all of it has
    /// come already.
    @inline(__always)
    mutating func wholeValueByteCount() throws(RDBError) -> Int? {
        guard case .value(let encoding) = pending else { return nil }
        switch encoding {
        case .string, .hashZipmap, .listZiplist, .setIntset, .sortedSetZiplist, .hashZiplist,
            .hashListpack, .sortedSetListpack, .setListpack:
            return walk.input.wholeStringByteCount()
        default:
            return nil
        }
    }

    /// The bytes of the last record, and `count` bytes of its value.
    @_lifetime(borrow self)
    func record(withValue count: Int) -> RawSpan {
        walk.input.held(with: count)
    }

    /// Where in the file the next byte is; after the end, where whatever follows begins.
    public var offset: Int { walk.input.position }

    /// Bytes that are still to be read, if that is known.
    public var remainingByteCount: Int? {
        walk.input.remainingByteCount
    }

    /// Bytes that were taken from the source and not read yet: after the end, the beginning of
    /// whatever follows.
    public var unreadBytes: RawSpan {
        @_lifetime(borrow self)
        get { walk.input.window(at: 0, count: walk.input.available) }
    }

    /// Whether a compressed string has come so far: whether the server that wrote the file was told
    /// to compress, as soon as there was anything to gain.
    public var hasCompressedStrings: Bool { walk.input.hasCompressedStrings }
    /// Whether there was one before the run that is read.
    var followsCompressedStrings = false

    /// Where in the file the byte is that says how the value of the last key is laid out.
    public private(set) var offsetOfEncoding = 0

    /// Where in the file the last record begins.
    public var offsetOfRecord: Int { recordOffset }

    /// Reads the next record.
    public mutating func next() throws(RDBError) -> Record {
        try finishPending()
        recordOffset = offset
        keyWriter.removeAll(keepingCapacityUpTo: Input.chunkByteCount)
        do {
            if options.isKeepingHeads { walk.input.hold() }
            return try readRecord()
        } catch {
            throw located(error)
        }
    }

    /// Reads the value of the last key record, or the pieces of the last module data.
    public mutating func readValue(
        into visitor: inout some PayloadVisitor & ~Copyable
    ) throws(RDBError) {
        if longTextByteCount != nil { try readLongText { _ throws(RDBError) in } }
        let value = pending
        let start = offset
        pending = .nothing
        walk.input.release()
        do {
            switch value {
            case .value(let encoding):
                try walk.walk(encoding, &visitor)
            case .moduleItems:
                let reporting = try visitor.begin(.module)
                try walk.walkModuleItems(&visitor, reporting)
                try visitor.end()
            default:
                preconditionFailure("only a key or module data has a value, and only once")
            }
        } catch {
            // A visitor that did not want it has left it unread.
            if offset == start, error.code == .unsupportedByTarget { pending = value }
            throw located(error)
        }
    }

    /// Reads the value of the last key record and writes its bytes to `sink` as they are.
    ///
    /// The visitor sees the value at the same time. The bytes of one value are worth nothing to
    /// a file of another dialect, or of a version before the encoding.
    public mutating func readValue(
        into visitor: inout some PayloadVisitor & ~Copyable,
        copyingTo sink: any ByteSink
    ) throws(RDBError) {
        try walk.input.copy(to: sink)
        try readValue(into: &visitor)
        try walk.input.copy(to: nil)
    }

    /// Moves past the value of the last key record.
    public mutating func skipValue() throws(RDBError) {
        var visitor = SkippingVisitor()
        try readValue(into: &visitor)
    }

    /// Whether the value of the last key record is a collection without elements, which servers
    /// skip; the value is still to be read.
    ///
    /// Streams can be empty. Values whose count stands behind something else are not looked at,
    /// and an intset without members is damage to every server.
    public mutating func hasEmptyValue() throws(RDBError) -> Bool {
        guard case .value(let encoding) = pending else {
            preconditionFailure("only a key that was not read yet has a value")
        }
        do {
            return try walk.input.peeksEmptyValue(encoding)
        } catch {
            throw located(error)
        }
    }

    /// The module of the last key record, whose value is one of a module and still to be read.
    public mutating func peekModule() throws(RDBError) -> ModuleID {
        guard case .value(.module) = pending else {
            preconditionFailure("only a value of a module that was not read yet has a module")
        }
        do {
            var cursor = 0
            return ModuleID(bits: try walk.input.peekNumber(at: &cursor))
        } catch {
            throw located(error)
        }
    }

    /// Whether anything follows the end of the file, such as the commands of a mixed log.
    public mutating func hasMore() throws(RDBError) -> Bool {
        try !walk.input.isAtEnd()
    }

    /// Moves past the keys of a run that was found in `unreadBytes`.
    mutating func skip(_ run: borrowing KeyRun) {
        guard case .nothing = pending else {
            preconditionFailure("a run follows a key whose value was read")
        }
        walk.input.consume(run.byteCount)
        if run.hasCompressedStrings { walk.input.hasCompressedStrings = true }
    }

    mutating func finishPending() throws(RDBError) {
        switch pending {
        case .nothing: return
        case .start: try readMagic()
        case .value, .moduleItems, .longText(_, .some): try skipValue()
        case .longText(_, nil): try readLongText { _ throws(RDBError) in }
        case .end: preconditionFailure("there is no record after the end")
        }
        pending = .nothing
    }

    private mutating func readMagic() throws(RDBError) {
        try walk.input.need(Format.magicByteCount)
        let format = try Format(magic: walk.input.window(at: 0, count: Format.magicByteCount))
        guard format.isKnown || options.isAcceptingUnknownVersions else {
            throw RDBError(.unsupportedVersion, at: 0, "\(format) is newer than this reader")
        }
        walk.input.consume(Format.magicByteCount)
        self.format = format
    }

    private mutating func readRecord() throws(RDBError) -> Record {
        let dialect = format?.dialect ?? .redis
        var key = KeyRecord(encoding: .string, offset: offset)
        while true {
            let offset = offset
            let byte = try walk.input.readByte()
            switch byte {
            case Opcode.deadlineMilliseconds:
                key.deadline = try walk.input.readInteger(as: Int64.self)
            case Opcode.deadlineSeconds:
                key.deadline = Int64(try walk.input.readInteger(as: Int32.self)) * 1000
            case Opcode.idle:
                key.idleSeconds = try walk.input.readNumber()
            case Opcode.frequency:
                key.frequency = try walk.input.readByte()
            case Opcode.keyMetadata where dialect == .redis:
                key.metadata = try walk.readMetadata()
            default:
                if let encoding = Encoding(typeByte: byte, in: dialect) {
                    key.encoding = encoding
                    offsetOfEncoding = offset
                    return try readKey(key)
                }
                return try readOther(byte, dialect, offset)
            }
        }
    }

    private mutating func readKey(_ record: KeyRecord) throws(RDBError) -> Record {
        if try walk.input.isLong(at: 0, limit: options.largestWholeText) {
            try leaveLongText(before: record.encoding)
            return .key(record)
        }
        var cursor = 0
        let located = try walk.input.locateString(at: &cursor)
        // Taken out while they are filled: what they take in stays borrowed.
        var writer = ByteWriter()
        swap(&writer, &keyWriter)
        writer.append(walk.input.value(located))
        walk.input.consume(cursor)
        if keys.isOn {
            var check = DuplicateCheck(isOn: false)
            swap(&check, &keys)
            try check.insert(.bytes(writer.bytes), at: record.offset)
            swap(&check, &keys)
        }
        keyByteCount = writer.count
        swap(&writer, &keyWriter)
        pending = .value(record.encoding)
        return .key(record)
    }

    /// Leaves a text to `readLongText` that is too long to be read.
    private mutating func leaveLongText(before encoding: Encoding?) throws(RDBError) {
        let form = try walk.input.readStringForm()
        if encoding != nil { keyByteCount = form.byteCount }
        pending = .longText(form, encoding)
    }

    /// A text that is no name of a key; without bytes if it is too long to be read.
    private mutating func readText() throws(RDBError) -> ByteString {
        guard try walk.input.isLong(at: 0, limit: options.largestWholeText) else {
            return try walk.input.readByteString()
        }
        try leaveLongText(before: nil)
        return ByteString([])
    }

    /// The name of an auxiliary field; the beginning of one that is too long to be read, since no
    /// name that means anything is.
    private mutating func readName() throws(RDBError) -> ByteString {
        guard try walk.input.isLong(at: 0, limit: options.largestWholeText) else {
            return try walk.input.readByteString()
        }
        var name = ByteWriter()
        let form = try walk.input.readStringForm()
        try walk.input.readParts(form) { part, _, _ in
            let room = Self.nameBeginningByteCount - name.count
            if room > 0 { name.append(part.part(from: 0, count: min(room, part.byteCount))) }
        }
        name.append(utf8: "… (\(form.byteCount) bytes)")
        return ByteString(name.bytes)
    }

    private static let nameBeginningByteCount = 1 << 10

    private mutating func readOther(
        _ byte: UInt8,
        _ dialect: Format.Dialect,
        _ offset: Int
    ) throws(RDBError) -> Record {
        switch byte {
        case Opcode.end:
            return try readEnd()
        case Opcode.auxiliary:
            let name = try readName()
            return .auxiliary(name: name, value: try readText())
        case Opcode.database:
            let database = try walk.input.readNumber()
            select(database)
            return .database(database)
        case Opcode.sizes:
            let keys = try walk.input.readNumber()
            return .sizes(keys: keys, deadlines: try walk.input.readNumber())
        case Opcode.slotSizes:
            let slot = try walk.input.readNumber()
            let keys = try walk.input.readNumber()
            return .slotSizes(slot: slot, keys: keys, deadlines: try walk.input.readNumber())
        case Opcode.function:
            return .function(try readText())
        case Opcode.moduleAuxiliary:
            return try readModuleAuxiliary()
        case Opcode.slotImport where dialect == .valkey:
            return try readSlotImport()
        case Opcode.hashTemplate where dialect == .redis:
            return try readHashTemplate()
        case Opcode.functionBeforeRelease:
            throw RDBError(
                .unreadableType,
                at: offset,
                "functions of release candidates of Redis 7.0"
            )
        default:
            throw RDBError(.unknownType, at: offset, "no record begins with byte \(byte)")
        }
    }

    private mutating func select(_ other: UInt64) {
        guard keys.isOn else {
            database = other
            return
        }
        seenDatabases[database] = keys
        keys = seenDatabases.removeValue(forKey: other) ?? DuplicateCheck(isOn: true)
        database = other
    }

    private mutating func readEnd() throws(RDBError) -> Record {
        pending = .end
        guard let format, format.hasChecksum else { return .end(checksum: nil) }
        let computed = options.isVerifyingChecksum ? try walk.input.currentChecksum() : 0
        let offset = offset
        let stored = try walk.input.readInteger(as: UInt64.self)
        if stored == 0 { return .end(checksum: nil) }
        guard stored == computed || !options.isVerifyingChecksum else {
            throw RDBError(
                .checksumMismatch,
                at: offset,
                "the file says \(hexadecimal(stored)), its bytes give \(hexadecimal(computed))"
            )
        }
        return .end(checksum: stored)
    }

    private func hexadecimal(_ value: UInt64) -> String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 16 - digits.utf8.count) + digits
    }

    private mutating func readModuleAuxiliary() throws(RDBError) -> Record {
        let module = ModuleID(bits: try walk.input.readNumber())
        let offset = offset
        guard try walk.input.readNumber() == 2 else {
            throw RDBError(.invalidModule, at: offset, "expected when to load the module data")
        }
        let when = try walk.input.readNumber()
        pending = .moduleItems
        return .moduleAuxiliary(ModuleAuxiliary(module: module, when: when))
    }

    /// String (job), count; each: first slot, last slot.
    private mutating func readSlotImport() throws(RDBError) -> Record {
        let job = try walk.input.readByteString()
        var slots: [ClosedRange<UInt64>] = []
        for _ in 0..<(try walk.input.readCount()) {
            let offset = offset
            let first = try walk.input.readNumber()
            let last = try walk.input.readNumber()
            guard first <= last, last < 16384 else {
                throw RDBError(.invalidLength, at: offset, "no slots \(first) to \(last)")
            }
            slots.append(first...last)
        }
        return .slotImport(job: job, slots: slots)
    }

    /// Id, count, the field names as strings.
    private mutating func readHashTemplate() throws(RDBError) -> Record {
        let id = try walk.input.readNumber()
        var fields: [ByteString] = []
        for _ in 0..<(try walk.input.readCount()) {
            fields.append(try walk.input.readByteString())
        }
        walk.templates[id] = fields
        return .hashTemplate(id: id, fields: fields)
    }

    private func located(_ error: RDBError) -> RDBError {
        var error = error
        error.recordOffset = recordOffset
        if keyWriter.count > 0 { error.key = ByteString(keyWriter.bytes) }
        return error
    }
}

extension Input {
    /// How many bytes the string that comes next has, prefix included, if it is in the window.
    fileprivate func wholeStringByteCount() -> Int? {
        guard available >= 9 else { return nil }
        var cursor = 1
        let first = byte(at: 0)
        var count = Int(first & 0x3F)
        switch first {
        case 0..<0x40: break
        case 0x40..<0x80:
            count = count << 8 | Int(byte(at: 1))
            cursor = 2
        case 0x80:
            count = Int(integer(at: 1, as: UInt32.self).byteSwapped)
            cursor = 5
        case 0xC0...0xC2:
            count = 1 << (first & 3)
        default:
            return nil
        }
        return cursor + count <= available ? cursor + count : nil
    }

    /// Whether the value that comes next says in its first bytes that it is an empty collection.
    mutating func peeksEmptyValue(_ encoding: Encoding) throws(RDBError) -> Bool {
        var cursor = 0
        switch encoding {
        case .list, .set, .sortedSetText, .sortedSet, .hash, .listQuicklist, .listQuicklist2:
            return try peekNumber(at: &cursor) == 0
        case .hashListpack, .setListpack, .sortedSetListpack:
            return try peeksCount(4, UInt16.self, of: 7)
        case .hashZiplist, .listZiplist, .sortedSetZiplist:
            return try peeksCount(8, UInt16.self, of: 11)
        case .hashZipmap:
            return try peeksCount(0, UInt8.self, of: 2)
        default:
            return false
        }
    }

    /// Whether the container that comes next has a zero at an offset; a compressed one is not
    /// empty, since those are not worth it.
    private mutating func peeksCount<Count: FixedWidthInteger & BitwiseCopyable>(
        _ offset: Int,
        _ type: Count.Type,
        of byteCount: Int
    ) throws(RDBError) -> Bool {
        var cursor = 0
        guard case .plain(let count) = try peekStringForm(at: &cursor), count == byteCount else {
            return false
        }
        try need(cursor + count)
        return integer(at: cursor + offset, as: type) == 0
    }
}
