/// Moves over the entries of a listpack from an untrusted source, checks each, and looks into none.
///
///     var scan = try ListpackScan(bytes)
///     while let entry = try scan.next() { … scan.integer(at: entry) … }
///
/// After the end, the listpack is as sound as `ListpackReader.Checks.everything` finds it, and it
/// took less time: whoever walks it in either direction need not look.
public struct ListpackScan: ~Escapable {
    @usableFromInline let bytes: RawSpan
    @usableFromInline let end: Int
    @usableFromInline var offset = Listpack.headerByteCount
    @usableFromInline var entries = 0
    @usableFromInline let stated: Int?

    /// Checks header and end, and stands before the first entry.
    @inlinable
    @_lifetime(copy bytes)
    public init(_ bytes: RawSpan) throws(ListpackError) {
        stated = try ListpackReader(bytes).statedCount
        self.bytes = bytes
        end = bytes.byteCount - 1
    }

    /// How many entries were passed.
    @inlinable public var count: Int { entries }

    /// Moves past the next entry and says where it begins; nil after the last.
    @inlinable @inline(__always)
    @_lifetime(self: copy self)
    public mutating func next() throws(ListpackError) -> Int? {
        let start = offset
        guard start < end else {
            if let stated, stated != entries { throw ListpackError(.wrongCount, at: 4) }
            return nil
        }
        let first = load(start, as: UInt8.self)
        let size: Int
        switch first {
        case 0..<0x80: size = 1
        case 0x80..<0xC0: size = 1 + Int(first & 0x3F)
        case 0xC0..<0xE0: size = 2
        case 0xF1...0xF3: size = Int(first - 0xF1) + 3
        case 0xF4: size = 9
        default: size = try longEncodingByteCount(at: start, first)
        }
        // Inside the end there must be room for a back length of one byte at least.
        guard size < end - start else { throw ListpackError(.overrun, at: start) }
        if size < 128 {
            guard load(start + size, as: UInt8.self) == UInt8(truncatingIfNeeded: size) else {
                throw ListpackError(.wrongBackLength, at: start + size)
            }
            offset = start + size + 1
        } else {
            offset = try checkLongBackLength(of: size, from: start)
        }
        entries += 1
        return start
    }

    /// The integer of an entry that was passed; nil if it is a string.
    @inlinable @inline(__always)
    public func integer(at entry: Int) -> Int64? {
        let first = checkedLoad(entry, as: UInt8.self)
        switch first {
        case 0..<0x80: return Int64(first)
        case 0xC0..<0xE0:
            let bits = Int64(first & 0x1F) << 8 | Int64(checkedLoad(entry + 1, as: UInt8.self))
            return bits >= 4096 ? bits - 8192 : bits
        case 0xF1: return Int64(Int16(littleEndian: checkedLoad(entry + 1, as: Int16.self)))
        case 0xF2:
            let low = UInt16(littleEndian: checkedLoad(entry + 1, as: UInt16.self))
            return Int64(checkedLoad(entry + 3, as: Int8.self)) << 16 | Int64(low)
        case 0xF3: return Int64(Int32(littleEndian: checkedLoad(entry + 1, as: Int32.self)))
        case 0xF4: return Int64(littleEndian: checkedLoad(entry + 1, as: Int64.self))
        default: return nil
        }
    }

    /// The bytes of an entry that was passed and is a string.
    @inlinable @inline(__always)
    @_lifetime(copy self)
    public func string(at entry: Int) -> RawSpan {
        let first = checkedLoad(entry, as: UInt8.self)
        if first < 0xC0 { return bytes.part(from: entry + 1, count: Int(first & 0x3F)) }
        if first < 0xF0 {
            let count = Int(first & 0x0F) << 8 | Int(checkedLoad(entry + 1, as: UInt8.self))
            return bytes.part(from: entry + 2, count: count)
        }
        let count = Int(UInt32(littleEndian: checkedLoad(entry + 1, as: UInt32.self)))
        return bytes.part(from: entry + 5, count: count)
    }

    @inlinable @inline(__always)
    func load<T: BitwiseCopyable>(_ position: Int, as type: T.Type) -> T {
        unsafe bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: position, as: type)
    }

    /// For places that a caller names.
    @inlinable @inline(__always)
    func checkedLoad<T: BitwiseCopyable>(_ position: Int, as type: T.Type) -> T {
        unsafe bytes.unsafeLoadUnaligned(fromByteOffset: position, as: type)
    }

    @usableFromInline
    func longEncodingByteCount(at offset: Int, _ first: UInt8) throws(ListpackError) -> Int {
        let room = end - offset
        switch first {
        case 0xE0..<0xF0:
            guard room >= 2 else { throw ListpackError(.overrun, at: offset) }
            return 2 + (Int(first & 0x0F) << 8 | Int(load(offset + 1, as: UInt8.self)))
        case 0xF0:
            guard room >= 5 else { throw ListpackError(.overrun, at: offset) }
            return 5 + Int(UInt32(littleEndian: load(offset + 1, as: UInt32.self)))
        default:
            let reason: ListpackError.Reason = first == Listpack.end ? .earlyEnd : .unknownEncoding
            throw ListpackError(reason, at: offset)
        }
    }

    @usableFromInline
    func checkLongBackLength(of size: Int, from offset: Int) throws(ListpackError) -> Int {
        let count = Listpack.backLengthByteCount(size)
        guard count <= end - offset - size else { throw ListpackError(.overrun, at: offset) }
        var value = 0
        for index in 0..<count {
            let byte = load(offset + size + index, as: UInt8.self)
            guard (byte & 0x80 != 0) == (index > 0) else {
                throw ListpackError(.wrongBackLength, at: offset + size)
            }
            value = value << 7 | Int(byte & 0x7F)
        }
        guard value == size else { throw ListpackError(.wrongBackLength, at: offset + size) }
        return offset + size + count
    }
}

extension Listpack {
    /// Checks a whole listpack from an untrusted source and returns how many elements it has.
    public static func check(_ bytes: RawSpan) throws(ListpackError) -> Int {
        var scan = try ListpackScan(bytes)
        while try scan.next() != nil {}
        return scan.count
    }
}
