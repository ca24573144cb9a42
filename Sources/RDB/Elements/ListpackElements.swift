import Bytes

/// Reads a listpack through a window; its layout is told where `Listpack` is.
struct ListpackElements: ElementFormat {
    private let offset: Int
    private let byteCount: Int
    private let isStrict: Bool
    /// The number of elements as the header has it; nil if only a walk can tell.
    private var stated: Int?
    private var count = 0
    /// E of the string that is being read.
    private var size = 0
    private var isBegun = false

    static let damage = RDBError.Code.invalidListpack

    /// A listpack of `byteCount` bytes that begins at `offset`; back lengths are looked at if
    /// `isStrict`.
    init(_ byteCount: Int, at offset: Int, isStrict: Bool) {
        self.byteCount = byteCount
        self.offset = offset
        self.isStrict = isStrict
    }

    private func wrong(_ reason: ListpackError.Reason, at position: Int) -> RDBError {
        RDBError(ListpackError(reason, at: position - offset), in: offset)
    }

    private mutating func begin(_ input: inout Input) throws(RDBError) {
        isBegun = true
        guard byteCount >= Listpack.emptyByteCount else { throw wrong(.tooShort, at: offset) }
        try input.need(Listpack.headerByteCount)
        guard input.integer(at: 0, as: UInt32.self) == byteCount else {
            throw wrong(.wrongByteCount, at: offset)
        }
        let count = Int(input.integer(at: 4, as: UInt16.self))
        if count != Listpack.unknownCount { stated = count }
        input.consume(Listpack.headerByteCount)
    }

    mutating func next(_ input: inout Input) throws(RDBError) -> ElementHead {
        if !isBegun { try begin(&input) }
        let start = input.position
        // The end byte stays out of reach of every entry.
        let room = offset + byteCount - 1 - start
        try input.need(min(9, room + 1))
        let first = input.byte(at: 0)
        guard room > 0 else {
            guard first == Listpack.end else { throw wrong(.missingEnd, at: start) }
            if let stated, stated != count { throw PackedReader.wrongCount(stated, offset) }
            input.consume(1)
            guard try input.isAtEnd() else { throw wrong(.earlyEnd, at: start) }
            return .end
        }
        if let stated, stated == count { throw PackedReader.wrongCount(stated, offset) }
        count += 1
        func byte(_ index: Int) throws(RDBError) -> Int {
            guard index < room else { throw wrong(.overrun, at: start) }
            return Int(input.byte(at: index))
        }
        func load<T: FixedWidthInteger & BitwiseCopyable>(_: T.Type) throws(RDBError) -> T {
            guard MemoryLayout<T>.size < room else { throw wrong(.overrun, at: start) }
            return input.integer(at: 1, as: T.self)
        }
        let head: (ElementHead, byteCount: Int)
        switch first {
        case 0..<0x80: head = (.integer(Int64(first)), 1)
        case 0x80..<0xC0: head = (.string(Int(first & 0x3F)), 1)
        case 0xC0..<0xE0:
            let bits = Int64(first & 0x1F) << 8 | Int64(try byte(1))
            head = (.integer(bits >= 4096 ? bits - 8192 : bits), 2)
        case 0xE0..<0xF0: head = (.string(Int(first & 0x0F) << 8 | (try byte(1))), 2)
        case 0xF0: head = (.string(Int(try load(UInt32.self))), 5)
        case 0xF1: head = (.integer(Int64(try load(Int16.self))), 3)
        case 0xF2:
            let high = Int64(Int8(truncatingIfNeeded: try byte(3)))
            head = (.integer(high << 16 | Int64(try load(UInt16.self))), 4)
        case 0xF3: head = (.integer(Int64(try load(Int32.self))), 5)
        case 0xF4: head = (.integer(try load(Int64.self)), 9)
        default: throw wrong(first == Listpack.end ? .earlyEnd : .unknownEncoding, at: start)
        }
        size = head.byteCount
        if case .string(let count) = head.0 { size += count }
        guard size + Listpack.backLengthByteCount(size) <= room else {
            throw wrong(.overrun, at: start)
        }
        input.consume(head.byteCount)
        if case .integer = head.0 { try endString(&input) }
        return head.0
    }

    /// Moves past the back length.
    mutating func endString(_ input: inout Input) throws(RDBError) {
        let byteCount = Listpack.backLengthByteCount(size)
        try input.need(byteCount)
        var value = 0
        for index in 0..<byteCount {
            let byte = input.byte(at: index)
            guard !isStrict || (byte & 0x80 != 0) == (index > 0) else {
                throw wrong(.wrongBackLength, at: input.position)
            }
            value = value << 7 | Int(byte & 0x7F)
        }
        guard !isStrict || value == size else {
            throw wrong(.wrongBackLength, at: input.position)
        }
        input.consume(byteCount)
    }
}
