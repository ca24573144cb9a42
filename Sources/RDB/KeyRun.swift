import Bytes

/// Keys that follow each other, lie whole in the bytes at hand, and go over as they are.
///
///     run.find(in: reader.unreadBytes, reader.format)
///     for key in run.keys { … }
///     try writer.copy(run, from: &reader)
///
/// A quick look ahead for whoever copies files: what it does not know, or what is not as servers
/// write it, ends the run, and is the next thing that the reader reads. Compact collections of a
/// run are sound throughout; sorted sets among them are left to the reader, who looks at scores.
public struct KeyRun: ~Copyable {
    /// The keys found.
    public private(set) var keys: [Key] = []
    private let target: Target
    private var forms = InlineArray<256, Form>(repeating: .foreign)
    private var dialect: Format.Dialect?

    /// A run ends after so many keys.
    private static let maximumCount = 512

    /// A key and where it lies, in bytes from the start of the run.
    public struct Key: Sendable {
        /// Where its name begins, and how long that is; what an integer stands for has no bytes.
        public fileprivate(set) var name = 0..<0
        /// The integer whose text is the name.
        public fileprivate(set) var integer: Int64?
        /// Where its record begins.
        public fileprivate(set) var start = 0
        /// Where its record ends.
        public fileprivate(set) var end = 0
        /// When it expires, in milliseconds since 1970.
        public fileprivate(set) var deadline: Int64?
        /// How its value is laid out.
        public fileprivate(set) var encoding = Encoding.string
        /// How many elements a compact collection has.
        public fileprivate(set) var packedCount = 0
    }

    /// What has to be done to move past a value.
    enum Form: UInt8, BitwiseCopyable {
        case foreign
        case string
        case strings
        case pairs
        case scores
        case packed
        case intset
        case nodes
    }

    /// Finds keys that can be copied for `target`.
    public init(for target: Target) {
        self.target = target
    }

    /// How many bytes the keys take.
    public var byteCount: Int { keys.last?.end ?? 0 }

    /// Looks for keys at the front of `bytes`, which are of a file of `format`; those whose
    /// deadline is past at `now` end the run.
    public mutating func find(in bytes: RawSpan, _ format: Format?, now: Int64) {
        keys.removeAll(keepingCapacity: true)
        guard let format else { return }
        if dialect != format.dialect { learn(format.dialect) }
        var scanner = RunScanner(bytes)
        while keys.count < Self.maximumCount {
            var key = Key(start: scanner.position)
            guard scanner.readHead(&key), let form = form(&scanner, &key),
                scanner.skipValue(form, &key), (key.deadline ?? .max) > now
            else { return }
            key.end = scanner.position
            keys.append(key)
        }
    }

    private func form(_ scanner: inout RunScanner, _ key: inout Key) -> Form? {
        let typeByte = scanner.typeByte
        let form = forms[Int(typeByte)]
        guard form != .foreign, let dialect,
            let encoding = Encoding(typeByte: typeByte, in: dialect)
        else { return nil }
        key.encoding = encoding
        return scanner.readName(&key) ? form : nil
    }

    private mutating func learn(_ dialect: Format.Dialect) {
        self.dialect = dialect
        for index in forms.indices {
            guard let encoding = Encoding(typeByte: UInt8(index), in: dialect),
                target.accepts(encoding)
            else {
                forms[index] = .foreign
                continue
            }
            forms[index] =
                switch encoding {
                case .string: .string
                case .list, .set: .strings
                case .hash: .pairs
                case .sortedSet: .scores
                case .hashListpack, .setListpack: .packed
                case .setIntset: .intset
                case .listQuicklist2: .nodes
                default: .foreign
                }
        }
    }
}

/// Moves over records in memory; what is not whole, or not as it should be, is refused.
private struct RunScanner: ~Escapable {
    private let bytes: RawSpan
    private(set) var position = 0
    /// The type byte of the last head.
    private(set) var typeByte: UInt8 = 0

    @_lifetime(copy bytes)
    init(_ bytes: RawSpan) {
        self.bytes = bytes
    }

    private var remaining: Int { bytes.byteCount - position }

    /// Reads up to the type byte.
    @_lifetime(self: copy self)
    mutating func readHead(_ key: inout KeyRun.Key) -> Bool {
        while remaining > 0 {
            let byte = bytes.byte(at: position)
            position += 1
            switch byte {
            case Opcode.deadlineMilliseconds:
                guard remaining >= 8 else { return false }
                key.deadline = load(as: Int64.self)
                position += 8
            case Opcode.deadlineSeconds:
                guard remaining >= 4 else { return false }
                key.deadline = Int64(load(as: Int32.self)) * 1000
                position += 4
            case Opcode.idle:
                guard readCount() != nil else { return false }
            case Opcode.frequency:
                position += 1
            default:
                typeByte = byte
                return remaining > 0
            }
        }
        return false
    }

    /// Reads the name of the key.
    @_lifetime(self: copy self)
    mutating func readName(_ key: inout KeyRun.Key) -> Bool {
        guard remaining >= 5 else { return false }
        switch bytes.byte(at: position) {
        case 0xC0:
            key.integer = Int64(Int8(bitPattern: bytes.byte(at: position + 1)))
            position += 2
        case 0xC1:
            position += 1
            key.integer = Int64(load(as: Int16.self))
            position += 2
        case 0xC2:
            position += 1
            key.integer = Int64(load(as: Int32.self))
            position += 4
        default:
            guard let string = readPlainString() else { return false }
            key.name = string
        }
        return remaining >= 0
    }

    /// Moves past the value.
    @_lifetime(self: copy self)
    mutating func skipValue(_ form: KeyRun.Form, _ key: inout KeyRun.Key) -> Bool {
        switch form {
        case .foreign: return false
        case .string: return skipString()
        case .strings: return skip(stringsPerItem: 1, extra: 0)
        case .pairs: return skip(stringsPerItem: 2, extra: 0)
        case .scores: return skip(stringsPerItem: 1, extra: 8)
        case .packed:
            guard let count = readListpack(), count > 0 else { return false }
            if key.encoding == .setListpack {
                key.packedCount = count
                return true
            }
            key.packedCount = count / 2
            return count % 2 == 0
        case .intset:
            guard let range = readPlainString(),
                let intset = try? Intset(
                    bytes.part(from: range.lowerBound, count: range.count),
                    offset: 0
                ),
                intset.firstOutOfOrder() == nil
            else { return false }
            key.packedCount = intset.count
            return true
        case .nodes:
            guard let count = readCount(), count > 0 else { return false }
            for _ in 0..<count {
                guard readCount() == 2, let elements = readListpack(), elements > 0 else {
                    return false
                }
            }
            return true
        }
    }

    /// Count, then items of strings and other bytes.
    @_lifetime(self: copy self)
    private mutating func skip(stringsPerItem: Int, extra: Int) -> Bool {
        guard let count = readCount(), count > 0, count <= remaining else { return false }
        for _ in 0..<count {
            for _ in 0..<stringsPerItem {
                guard skipString() else { return false }
            }
            position += extra
        }
        return remaining >= 0
    }

    /// A listpack that is not compressed; how many elements it has.
    @_lifetime(self: copy self)
    private mutating func readListpack() -> Int? {
        guard let range = readPlainString() else { return nil }
        return try? Listpack.check(bytes.part(from: range.lowerBound, count: range.count))
    }

    /// A number that is kept as a length.
    @inline(__always)
    @_lifetime(self: copy self)
    private mutating func readCount() -> Int? {
        guard remaining > 0 else { return nil }
        let first = bytes.byte(at: position)
        if first < 0x40 {
            position += 1
            return Int(first)
        }
        return readLongCount(first)
    }

    @_lifetime(self: copy self)
    private mutating func readLongCount(_ first: UInt8) -> Int? {
        if first < 0x80 {
            guard remaining >= 2 else { return nil }
            let count = Int(first & 0x3F) << 8 | Int(bytes.byte(at: position + 1))
            position += 2
            return count
        }
        guard first == 0x80, remaining >= 5 else { return nil }
        position += 1
        let count = Int(UInt32(bitPattern: load(as: Int32.self)).byteSwapped)
        position += 4
        return count
    }

    /// A string that is neither an integer nor compressed: where its bytes are.
    @inline(__always)
    @_lifetime(self: copy self)
    private mutating func readPlainString() -> Range<Int>? {
        guard let count = readCount(), count <= remaining else { return nil }
        position += count
        return (position - count)..<position
    }

    @inline(__always)
    @_lifetime(self: copy self)
    private mutating func skipString() -> Bool {
        guard remaining > 0 else { return false }
        if bytes.byte(at: position) < 0xC0 { return readPlainString() != nil }
        return skipSpecialString()
    }

    @_lifetime(self: copy self)
    private mutating func skipSpecialString() -> Bool {
        let kind = bytes.byte(at: position)
        position += 1
        switch kind {
        case 0xC0: position += 1
        case 0xC1: position += 2
        case 0xC2: position += 4
        case 0xC3:
            guard let count = readCount(), let whole = readCount(),
                whole <= LZF.maximumByteCount(ofCompressed: count), count <= remaining
            else { return false }
            position += count
        default: return false
        }
        return remaining >= 0
    }

    private func load<Value: FixedWidthInteger & BitwiseCopyable>(as type: Value.Type) -> Value {
        Value(
            littleEndian: unsafe bytes.unsafeLoadUnaligned(fromByteOffset: position, as: type)
        )
    }
}
