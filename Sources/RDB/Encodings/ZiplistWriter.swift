import Bytes

/// Builds a ziplist, for servers that know no listpacks.
struct ZiplistWriter: ~Copyable {
    private var output = ByteWriter()
    private var count = 0
    /// Bytes of the entry before.
    private var previous = 0
    private var last = Ziplist.headerByteCount

    /// What the byte count in the header can say.
    static let maximumByteCount = Int(UInt32.max)

    init() {
        for _ in 0..<Ziplist.headerByteCount { output.append(0) }
    }

    /// Drops every element.
    mutating func removeAll() {
        output.truncate(to: Ziplist.headerByteCount)
        count = 0
        previous = 0
        last = Ziplist.headerByteCount
    }

    mutating func append(_ value: PackedValue) {
        last = output.count
        if case .bytes(let bytes) = value, appendShort(bytes) { return }
        if previous < 0xFE {
            output.append(UInt8(previous))
        } else {
            output.append(0xFE)
            output.appendInteger(UInt32(previous))
        }
        switch value {
        case .integer(let integer): append(integer: integer)
        case .bytes(let bytes):
            // A string that spells an integer is one: servers compare them so.
            if let integer = DecimalText.parseInteger(bytes) {
                append(integer: integer)
            } else {
                append(string: bytes)
            }
        }
        previous = output.count - last
        count += 1
    }

    /// Appends what most entries are: a short string, behind an entry that is not long.
    @inline(__always)
    private mutating func appendShort(_ bytes: RawSpan) -> Bool {
        let size = bytes.byteCount
        guard 1..<0x40 ~= size, previous < 0xFE, bytes.byte(at: 0) > UInt8(ascii: "9") else {
            return false
        }
        output.reserve(size + 2)
        output.append(UInt8(truncatingIfNeeded: previous))
        output.append(UInt8(truncatingIfNeeded: size))
        output.append(bytes)
        previous = size + 2
        count += 1
        return true
    }

    private mutating func append(integer: Int64) {
        if (0...12).contains(integer) {
            output.append(0xF1 + UInt8(integer))
        } else if let small = Int8(exactly: integer) {
            output.append(0xFE)
            output.appendInteger(small)
        } else if let small = Int16(exactly: integer) {
            output.append(0xC0)
            output.appendInteger(small)
        } else if (-0x80_0000...0x7F_FFFF).contains(integer) {
            output.append(0xF0)
            output.appendInteger(UInt16(truncatingIfNeeded: integer))
            output.append(UInt8(truncatingIfNeeded: integer >> 16))
        } else if let small = Int32(exactly: integer) {
            output.append(0xD0)
            output.appendInteger(small)
        } else {
            output.append(0xE0)
            output.appendInteger(integer)
        }
    }

    private mutating func append(string: RawSpan) {
        let size = string.byteCount
        if size < 0x40 {
            output.append(UInt8(size))
        } else if size < 0x4000 {
            output.appendBigEndian(UInt16(0x4000) | UInt16(size))
        } else {
            output.append(0x80)
            output.appendBigEndian(UInt32(size))
        }
        output.append(string)
    }

    /// Writes header and end, hands the bytes to `body`, and starts anew.
    mutating func finish<Failure: Error>(
        _ body: (RawSpan) throws(Failure) -> Void
    ) throws(Failure) {
        output.append(0xFF)
        output.overwrite(at: 0, with: UInt32(output.count))
        output.overwrite(at: 4, with: UInt32(last))
        output.overwrite(at: 8, with: UInt16(min(count, Ziplist.unknownCount)))
        defer { removeAll() }
        try body(output.bytes)
    }
}
