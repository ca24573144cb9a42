import Bytes

/// Which of the two forms a client asked for with `HELLO`.
public enum ProtocolVersion: Int, Sendable {
    case resp2 = 2
    case resp3 = 3
}

/// Writes replies, and alone knows how RESP2 and RESP3 spell them.
///
/// A command says what shape its reply has; nothing is built in memory first. Where the count
/// is known only at the end, a deferred array takes it then:
///
///     let mark = reply.beginArray()
///     while let member = next() { reply.bulk(member); count += 1 }
///     reply.endArray(mark, count: count)
public struct ReplyWriter: ~Copyable, Sendable {
    /// The form of what is written from now on.
    public var protocolVersion: ProtocolVersion
    private var output = ByteWriter()

    /// A place in the output, valid until something before it is taken back.
    public struct Mark: Sendable {
        fileprivate let offset: Int
    }

    /// Starts empty.
    public init(_ protocolVersion: ProtocolVersion = .resp2) {
        self.protocolVersion = protocolVersion
    }

    /// What was written and not yet taken away.
    public var bytes: RawSpan {
        @_lifetime(borrow self)
        get { output.bytes }
    }

    /// Bytes written and not yet taken away.
    public var byteCount: Int { output.count }

    /// Forgets the bytes, once sent; keeps the memory unless it is larger than `limit`.
    public mutating func removeAll(keepingCapacityUpTo limit: Int = .max) {
        output.removeAll(keepingCapacityUpTo: limit)
    }

    // What every reply is made of.

    /// `OK`.
    public mutating func ok() {
        output.append("+OK\r\n")
    }

    /// A short text that is not data, such as `QUEUED`.
    public mutating func status(_ text: StaticString) {
        output.append(UInt8(ascii: "+"))
        output.append(text)
        output.append("\r\n")
    }

    /// A short text that is not data; line ends in it become spaces.
    public mutating func status(_ text: RawSpan) {
        line(UInt8(ascii: "+"), text)
    }

    /// A string of any bytes.
    public mutating func bulk(_ bytes: RawSpan) {
        output.append(bulk: bytes)
    }

    /// A string the program knows.
    public mutating func bulk(_ text: StaticString) {
        header(UInt8(ascii: "$"), text.utf8CodeUnitCount)
        output.append(text)
        output.append("\r\n")
    }

    /// A string made for this reply.
    public mutating func bulk(_ text: String) {
        header(UInt8(ascii: "$"), text.utf8.count)
        output.append(utf8: text)
        output.append("\r\n")
    }

    /// An integer as a string.
    public mutating func bulk(decimal value: Int64) {
        header(UInt8(ascii: "$"), DecimalText.byteCount(of: value))
        output.append(decimal: value)
        output.append("\r\n")
    }

    /// An integer.
    public mutating func integer(_ value: Int64) {
        output.append(line: UInt8(ascii: ":"), value)
    }

    /// An integer.
    public mutating func integer(_ value: Int) {
        integer(Int64(value))
    }

    /// Nothing, where a string could be.
    public mutating func null() {
        switch protocolVersion {
        case .resp2: output.append("$-1\r\n")
        case .resp3: output.append("_\r\n")
        }
    }

    /// Nothing, where an array could be.
    public mutating func nullArray() {
        switch protocolVersion {
        case .resp2: output.append("*-1\r\n")
        case .resp3: output.append("_\r\n")
        }
    }

    /// Why a command was refused: a code, a space and a sentence.
    public mutating func error(_ text: StaticString) {
        output.append(UInt8(ascii: "-"))
        output.append(text)
        output.append("\r\n")
    }

    /// Why a command was refused; line ends in the text, which may quote input, become spaces.
    public mutating func error(_ text: String) {
        var text = text
        text.withUTF8 { unsafe error(UnsafeRawBufferPointer($0).bytes) }
    }

    /// Why a command was refused; line ends in the text become spaces, at its ends they go.
    public mutating func error(_ text: RawSpan) {
        var (start, end) = (0, text.byteCount)
        while start < end, Self.isLineEnd(text.byte(at: start)) { start += 1 }
        while start < end, Self.isLineEnd(text.byte(at: end - 1)) { end -= 1 }
        line(UInt8(ascii: "-"), text.extracting(start..<end))
    }

    private static func isLineEnd(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "\r") || byte == UInt8(ascii: "\n")
    }

    // Shapes that RESP2 spells as strings and integers.

    /// A number in its shortest text.
    public mutating func double(_ value: Double) {
        switch protocolVersion {
        case .resp2:
            if let whole = Int64(exactly: value), whole.magnitude <= 1 << 53, whole != 0 {
                return bulk(decimal: whole)
            }
            let mark = output.count
            output.append(shortest: value)
            insertBulkHeader(at: mark)
            output.append("\r\n")
        case .resp3:
            output.append(UInt8(ascii: ","))
            output.append(shortest: value)
            output.append("\r\n")
        }
    }

    /// A number that the command has spelled itself.
    public mutating func double(text: RawSpan) {
        switch protocolVersion {
        case .resp2: bulk(text)
        case .resp3: line(UInt8(ascii: ","), text)
        }
    }

    /// Yes or no.
    public mutating func boolean(_ value: Bool) {
        switch protocolVersion {
        case .resp2: output.append(value ? ":1\r\n" : ":0\r\n")
        case .resp3: output.append(value ? "#t\r\n" : "#f\r\n")
        }
    }

    /// An integer of any size, as text.
    public mutating func bigNumber(_ digits: RawSpan) {
        switch protocolVersion {
        case .resp2: bulk(digits)
        case .resp3: line(UInt8(ascii: "("), digits)
        }
    }

    /// Text for people; `format` has three letters, `txt` or `mkd`.
    public mutating func verbatim(_ format: StaticString = "txt", _ text: RawSpan) {
        guard protocolVersion == .resp3 else { return bulk(text) }
        precondition(format.utf8CodeUnitCount == 3, "a verbatim format has three letters")
        header(UInt8(ascii: "="), text.byteCount + 4)
        output.append(format)
        output.append(UInt8(ascii: ":"))
        output.append(text)
        output.append("\r\n")
    }

    // Shapes that hold others.

    /// An array; that many replies follow.
    public mutating func array(_ count: Int) {
        header(UInt8(ascii: "*"), count)
    }

    /// A map; twice that many replies follow, keys and values in turn.
    public mutating func map(_ count: Int) {
        aggregateHeader(.map, count)
    }

    /// A set; that many replies follow.
    public mutating func set(_ count: Int) {
        aggregateHeader(.set, count)
    }

    /// Something the client did not ask for just now; that many replies follow.
    public mutating func push(_ count: Int) {
        aggregateHeader(.push, count)
    }

    /// What is told beside the next reply; twice that many replies follow, then that one.
    ///
    /// RESP2 has no form for it: there, nothing may be told.
    public mutating func attribute(_ count: Int) {
        precondition(protocolVersion == .resp3, "RESP2 has no attributes")
        header(UInt8(ascii: "|"), count)
    }

    /// An array whose count `endArray` will tell.
    public func beginArray() -> Mark {
        mark
    }

    /// A map whose count `endMap` will tell.
    public func beginMap() -> Mark {
        mark
    }

    /// A set whose count `endSet` will tell.
    public func beginSet() -> Mark {
        mark
    }

    /// Ends the array begun at `mark`.
    public mutating func endArray(_ mark: Mark, count: Int) {
        insertAggregateHeader(.array, at: mark, count)
    }

    /// Ends the map of `count` pairs begun at `mark`.
    public mutating func endMap(_ mark: Mark, count: Int) {
        insertAggregateHeader(.map, at: mark, count)
    }

    /// Ends the set begun at `mark`.
    public mutating func endSet(_ mark: Mark, count: Int) {
        insertAggregateHeader(.set, at: mark, count)
    }

    // Second thoughts, and replies prepared elsewhere.

    /// Where the output ends now.
    public var mark: Mark { Mark(offset: output.count) }

    /// Bytes written since `mark`.
    public func byteCount(since mark: Mark) -> Int {
        output.count - mark.offset
    }

    /// What was written since `mark`.
    @_lifetime(borrow self)
    public func bytes(since mark: Mark) -> RawSpan {
        output.bytes.extracting(mark.offset...)
    }

    /// Takes back what was written since `mark`, to say something else instead.
    public mutating func rewind(to mark: Mark) {
        output.truncate(to: mark.offset)
    }

    /// Appends whole replies that are bytes already.
    public mutating func append(prepared bytes: RawSpan) {
        output.append(bytes)
    }

    // How they are spelled.

    private enum Aggregate {
        case array
        case map
        case set
        case push
    }

    private mutating func header(_ type: UInt8, _ count: Int) {
        output.append(line: type, Int64(count))
    }

    private mutating func line(_ type: UInt8, _ text: RawSpan) {
        output.append(type)
        for offset in 0..<text.byteCount {
            let byte = text.byte(at: offset)
            output.append(Self.isLineEnd(byte) ? UInt8(ascii: " ") : byte)
        }
        output.append("\r\n")
    }

    private mutating func aggregateHeader(_ aggregate: Aggregate, _ count: Int) {
        let (type, counted) = spelling(of: aggregate, count)
        header(type, counted)
    }

    private func spelling(of aggregate: Aggregate, _ count: Int) -> (type: UInt8, count: Int) {
        switch (aggregate, protocolVersion) {
        case (.map, .resp2): (UInt8(ascii: "*"), count * 2)
        case (.array, _), (.set, .resp2), (.push, .resp2): (UInt8(ascii: "*"), count)
        case (.map, .resp3): (UInt8(ascii: "%"), count)
        case (.set, .resp3): (UInt8(ascii: "~"), count)
        case (.push, .resp3): (UInt8(ascii: ">"), count)
        }
    }

    /// Puts the header in front of what is already there; one move of those bytes.
    private mutating func insertAggregateHeader(
        _ aggregate: Aggregate,
        at mark: Mark,
        _ count: Int
    ) {
        let (type, counted) = spelling(of: aggregate, count)
        insertHeader(type, counted, at: mark.offset)
    }

    private mutating func insertBulkHeader(at offset: Int) {
        insertHeader(UInt8(ascii: "$"), output.count - offset, at: offset)
    }

    private mutating func insertHeader(_ type: UInt8, _ count: Int, at offset: Int) {
        unsafe withUnsafeTemporaryAllocation(byteCount: 32, alignment: 8) { room in
            let byteCount = unsafe ByteWriter.writeLine(
                type,
                Int64(count),
                to: room.baseAddress.unsafelyUnwrapped
            )
            unsafe output.insert(room.bytes.extracting(first: byteCount), at: offset)
        }
    }
}

extension ByteWriter {
    /// Appends a bulk string: how requests carry arguments and replies carry data.
    mutating func append(bulk bytes: RawSpan) {
        let size = bytes.byteCount
        unsafe append(upTo: size + DecimalText.maximumIntegerByteCount + 5) { room in
            let start = unsafe room.baseAddress.unsafelyUnwrapped
            var end = unsafe Self.writeLine(UInt8(ascii: "$"), Int64(size), to: start)
            unsafe bytes.withUnsafeBytes { source in
                if let source = source.baseAddress {
                    unsafe (start + end).copyMemory(from: source, byteCount: size)
                }
            }
            end += size
            unsafe (start + end).storeBytes(of: Self.lineEnd, as: UInt16.self)
            return end + 2
        }
    }

    /// Appends a type byte and the count or value behind it.
    fileprivate mutating func append(line type: UInt8, _ value: Int64) {
        unsafe append(upTo: DecimalText.maximumIntegerByteCount + 3) { room in
            unsafe Self.writeLine(type, value, to: room.baseAddress.unsafelyUnwrapped)
        }
    }

    /// Writes `:1\r\n`; most lines have one or two digits and are one store.
    @inline(__always)
    @unsafe
    fileprivate static func writeLine(
        _ type: UInt8,
        _ value: Int64,
        to start: UnsafeMutableRawPointer
    ) -> Int {
        if 0...9 ~= value {
            let line = UInt32(type) | UInt32(truncatingIfNeeded: 0x30 + value) << 8 | 0x0A0D_0000
            unsafe start.storeBytes(of: line.littleEndian, as: UInt32.self)
            return 4
        }
        unsafe start.storeBytes(of: type, as: UInt8.self)
        let end = unsafe 1 + DecimalText.write(value, to: start + 1)
        unsafe (start + end).storeBytes(of: Self.lineEnd, as: UInt16.self)
        return end + 2
    }

    private static var lineEnd: UInt16 { UInt16(littleEndian: 0x0A0D) }
}
