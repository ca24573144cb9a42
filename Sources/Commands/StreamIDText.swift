import Bytes
import RESP
import Store

/// An id of a stream entry as a client spelled it.
///
/// `ms-sequence`, or `ms` alone, or `ms-*` where the sequence is to be found. Both numbers are
/// taken as `strtoull` takes them where they are not canonical, as Valkey does. A zero byte ends
/// the text.
struct StreamIDText {
    let id: StreamEntryID
    /// The sequence was `*`.
    let isOpen: Bool

    private static let largestByteCount = 127

    /// Reads an id; nil if it is none.
    init?(_ text: RawSpan, missingSequence: UInt64 = 0, allowsOpen: Bool = false) {
        guard text.byteCount <= StreamIDText.largestByteCount else { return nil }
        let text = text.untilZero
        guard let dash = text.firstDash else {
            guard let milliseconds = UnsignedText.parse(text) else { return nil }
            id = StreamEntryID(milliseconds, missingSequence)
            isOpen = false
            return
        }
        let rest = text.part(from: dash + 1, count: text.byteCount - dash - 1)
        guard let milliseconds = UnsignedText.parse(text.part(from: 0, count: dash)) else {
            return nil
        }
        isOpen = allowsOpen && rest.isText("*")
        guard let sequence = isOpen ? 0 : UnsignedText.parse(rest) else { return nil }
        id = StreamEntryID(milliseconds, sequence)
    }
}

/// Unsigned numbers as `strtoull` reads them.
private enum UnsignedText {
    static func parse(_ text: RawSpan) -> UInt64? {
        if let canonical = DecimalText.parseInteger(text) { return UInt64(exactly: canonical) }
        var index = 0
        while index < text.byteCount, isSpace(text.byte(at: index)) { index += 1 }
        var isNegative = false
        if index < text.byteCount {
            let sign = text.byte(at: index)
            isNegative = sign == UInt8(ascii: "-")
            if isNegative || sign == UInt8(ascii: "+") { index += 1 }
        }
        guard index < text.byteCount else { return nil }
        var value: UInt64 = 0
        while index < text.byteCount {
            let digit = text.byte(at: index) &- UInt8(ascii: "0")
            let (scaled, overflows) = value.multipliedReportingOverflow(by: 10)
            let (sum, carries) = scaled.addingReportingOverflow(UInt64(digit))
            guard digit <= 9, !overflows, !carries else { return nil }
            value = sum
            index += 1
        }
        return isNegative ? 0 &- value : value
    }

    private static func isSpace(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: " ") || (9...13).contains(byte)
    }
}

extension RawSpan {
    /// The bytes before the first zero.
    fileprivate var untilZero: RawSpan {
        @_lifetime(copy self)
        get {
            var count = 0
            while count < byteCount, byte(at: count) != 0 { count += 1 }
            return part(from: 0, count: count)
        }
    }

    fileprivate var firstDash: Int? {
        for index in 0..<byteCount where byte(at: index) == UInt8(ascii: "-") { return index }
        return nil
    }

    /// Whether the text is a single character, a zero byte behind it aside.
    func isText(_ character: Unicode.Scalar) -> Bool {
        byteCount >= 1 && byte(at: 0) == UInt8(ascii: character)
            && (byteCount == 1 || byte(at: 1) == 0)
    }
}

extension CommandError {
    static let invalidStreamID = CommandError.text(
        "ERR Invalid stream ID specified as stream command argument"
    )
}

extension Request {
    /// The id that an argument spells in full, or without its sequence.
    func streamID(_ index: Int) throws(CommandError) -> StreamEntryID {
        guard let text = StreamIDText(self[index]) else { throw .invalidStreamID }
        return text.id
    }

    /// The ids that arguments spell, or none of them.
    func streamIDs(_ range: Range<Int>) throws(CommandError) -> [StreamEntryID] {
        var ids: [StreamEntryID] = []
        ids.reserveCapacity(range.count)
        for index in range { ids.append(try streamID(index)) }
        return ids
    }

    /// The first id of a range: `-`, `+`, an id, or `(` and one that is not part of it.
    func firstID(_ index: Int) throws(CommandError) -> StreamEntryID {
        let (id, isExcluded) = try bound(index, missingSequence: 0)
        guard isExcluded else { return id }
        guard let next = id.next else { throw .text("ERR invalid start ID for the interval") }
        return next
    }

    /// The last id of a range.
    func lastID(_ index: Int) throws(CommandError) -> StreamEntryID {
        let (id, isExcluded) = try bound(index, missingSequence: .max)
        guard isExcluded else { return id }
        guard let previous = id.previous else {
            throw .text("ERR invalid end ID for the interval")
        }
        return previous
    }

    private func bound(
        _ index: Int,
        missingSequence: UInt64
    ) throws(CommandError) -> (StreamEntryID, isExcluded: Bool) {
        let text = self[index]
        let isExcluded = text.byteCount > 1 && text.byte(at: 0) == UInt8(ascii: "(")
        if !isExcluded, let id = text.openEnd { return (id, false) }
        let rest = isExcluded ? text.part(from: 1, count: text.byteCount - 1) : text
        guard let read = StreamIDText(rest, missingSequence: missingSequence) else {
            throw .invalidStreamID
        }
        return (read.id, isExcluded)
    }
}

extension RawSpan {
    /// What `-` and `+` stand for.
    var openEnd: StreamEntryID? {
        isText("-") ? .zero : isText("+") ? .maximum : nil
    }
}

extension StreamEntryID {
    /// The most bytes of the text: two numbers of 64 bits.
    private static let maximumByteCount = 41

    /// Lends the text to `body`.
    func withText<Result>(_ body: (RawSpan) -> Result) -> Result {
        unsafe withUnsafeTemporaryAllocation(
            byteCount: StreamEntryID.maximumByteCount,
            alignment: 1
        ) { room in
            let start = unsafe room.baseAddress.unsafelyUnwrapped
            var count = unsafe StreamEntryID.write(milliseconds, to: start)
            unsafe (start + count).storeBytes(of: UInt8(ascii: "-"), as: UInt8.self)
            count += 1
            count += unsafe StreamEntryID.write(sequence, to: start + count)
            return unsafe body(room.bytes.extracting(first: count))
        }
    }

    private static func write(_ value: UInt64, to room: UnsafeMutableRawPointer) -> Int {
        if let value = Int64(exactly: value) { return unsafe DecimalText.write(value, to: room) }
        let head = unsafe DecimalText.write(Int64(value / 10), to: room)
        let digit = UInt8(ascii: "0") + UInt8(value % 10)
        unsafe (room + head).storeBytes(of: digit, as: UInt8.self)
        return head + 1
    }
}

extension ReplyWriter {
    /// An id as a string.
    mutating func bulk(_ id: StreamEntryID) {
        id.withText { bulk($0) }
    }

    /// An entry: its id, and its fields and values.
    mutating func entry(_ entry: StreamEntry) {
        array(2)
        bulk(entry.id)
        array(entry.fieldCount * 2)
        entry.forEachField { field, value in
            bulk(field)
            bulk(value)
        }
    }
}

extension Effects {
    mutating func argument(_ id: StreamEntryID) {
        id.withText { argument($0) }
    }
}
