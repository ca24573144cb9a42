import Bytes

/// Reads a ziplist through a window; its layout is told where `Ziplist` is.
struct ZiplistElements: ElementFormat {
    private let offset: Int
    private let byteCount: Int
    private var lastOffset = 0
    private var stated = 0
    private var count = 0
    /// Where the entry begins that was read last.
    private var last: Int
    private var isBegun = false

    static let damage = RDBError.Code.invalidZiplist

    /// A ziplist of `byteCount` bytes that begins at `offset`.
    init(_ byteCount: Int, at offset: Int) {
        self.byteCount = byteCount
        self.offset = offset
        last = offset + Ziplist.headerByteCount
    }

    private mutating func begin(_ input: inout Input) throws(RDBError) {
        isBegun = true
        try input.need(Ziplist.headerByteCount)
        let stated = Int(input.integer(at: 0, as: UInt32.self))
        guard stated == byteCount else {
            throw wrong(offset, "the header says \(stated) bytes, there are \(byteCount)")
        }
        lastOffset = Int(input.integer(at: 4, as: UInt32.self))
        self.stated = Int(input.integer(at: 8, as: UInt16.self))
        input.consume(Ziplist.headerByteCount)
    }

    private func wrong(_ position: Int, _ detail: String) -> RDBError {
        RDBError(.invalidZiplist, at: position, "ziplist: \(detail)")
    }

    mutating func next(_ input: inout Input) throws(RDBError) -> ElementHead {
        if !isBegun { try begin(&input) }
        let start = input.position
        let first = try input.readByte()
        if first == 0xFF {
            try checkEnd(&input)
            return .end
        }
        let size = first == 0xFE ? Int(try input.readInteger(as: UInt32.self)) : Int(first)
        let previous = start - last
        guard size == previous else {
            throw wrong(start, "the entry before has \(previous) bytes, not \(size)")
        }
        last = start
        count += 1
        return try readHead(&input)
    }

    private func checkEnd(_ input: inout Input) throws(RDBError) {
        guard try input.isAtEnd() else { throw wrong(input.position, "an early end") }
        guard lastOffset == last - offset else {
            throw wrong(offset + 4, "the last entry is not there")
        }
        guard stated == count || stated == Ziplist.unknownCount else {
            throw wrong(offset + 8, "the header counts \(stated) entries, there are \(count)")
        }
    }

    private func readHead(_ input: inout Input) throws(RDBError) -> ElementHead {
        let position = input.position
        let encoding = try input.readByte()
        switch encoding {
        case 0..<0x40: return .string(Int(encoding))
        case 0x40..<0x80: return .string(Int(encoding & 0x3F) << 8 | Int(try input.readByte()))
        case 0x80..<0xC0:
            return .string(Int(try input.readInteger(as: UInt32.self).byteSwapped))
        case 0xC0: return .integer(Int64(try input.readInteger(as: Int16.self)))
        case 0xD0: return .integer(Int64(try input.readInteger(as: Int32.self)))
        case 0xE0: return .integer(try input.readInteger(as: Int64.self))
        case 0xF0:
            let low = Int64(try input.readInteger(as: UInt16.self))
            return .integer(Int64(try input.readInteger(as: Int8.self)) << 16 | low)
        case 0xFE: return .integer(Int64(try input.readInteger(as: Int8.self)))
        case 0xF1...0xFD: return .integer(Int64(encoding & 0x0F) - 1)
        default: throw wrong(position, "no entry has encoding \(encoding)")
        }
    }

    mutating func endString(_ input: inout Input) throws(RDBError) {}
}
