import Bytes

/// Moves over records in memory; what is not whole, or not as it should be, is refused.
struct RunScanner: ~Escapable {
    let bytes: RawSpan
    var position = 0
    /// The type byte of the last head.
    private(set) var typeByte: UInt8 = 0
    /// Whether a compressed string was passed.
    private(set) var hasCompressedStrings = false

    @_lifetime(copy bytes)
    init(_ bytes: RawSpan) {
        self.bytes = bytes
    }

    var remaining: Int { bytes.byteCount - position }

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
            key.nameStart = UInt32(truncatingIfNeeded: string.lowerBound)
            key.nameCount = UInt32(truncatingIfNeeded: string.count)
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
                key.packedCount = UInt32(truncatingIfNeeded: count)
                return true
            }
            key.packedCount = UInt32(truncatingIfNeeded: count / 2)
            return count % 2 == 0
        case .scored:
            guard let range = readPlainString(),
                let count = ScoredListpack.memberCount(
                    bytes.part(from: range.lowerBound, count: range.count)
                ),
                count > 0
            else { return false }
            key.packedCount = UInt32(truncatingIfNeeded: count)
            return true
        case .intset:
            guard let range = readPlainString(),
                let intset = try? Intset(
                    bytes.part(from: range.lowerBound, count: range.count),
                    offset: 0
                ),
                intset.firstOutOfOrder() == nil
            else { return false }
            key.packedCount = UInt32(truncatingIfNeeded: intset.count)
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
    mutating func skip(stringsPerItem: Int, extra: Int) -> Bool {
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
    mutating func readCount() -> Int? {
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
    mutating func readPlainString() -> Range<Int>? {
        guard let count = readCount(), count <= remaining else { return nil }
        position += count
        return (position - count)..<position
    }

    @inline(__always)
    @_lifetime(self: copy self)
    mutating func skipString() -> Bool {
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
            hasCompressedStrings = true
        default: return false
        }
        return remaining >= 0
    }

    func load<Value: FixedWidthInteger & BitwiseCopyable>(as type: Value.Type) -> Value {
        Value(
            littleEndian: unsafe bytes.unsafeLoadUnaligned(fromByteOffset: position, as: type)
        )
    }
}
