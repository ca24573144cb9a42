import Bytes

/// Finds where requests begin and end, without knowing what they ask for.
///
///     *3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\nv\r\n      a request: how many words, each with its length
///     #TS:1795380546\r\n                           a remark, between requests only
///
/// Only MULTI and EXEC mean something here: a log must not end between them.
package enum RequestScanner {
    /// What stands at a place of the stream.
    package enum Finding: Equatable {
        /// A request that ends before `end`.
        case request(Kind, end: Int)
        /// A line for readers of the file, not part of the stream.
        case remark(end: Int)
        /// The bytes end before the request does.
        case incomplete
        /// Not a request.
        case malformed(at: Int, String)
    }

    package enum Kind: Equatable {
        case multi
        case exec
        case other
    }

    /// More words than any command has; a damaged count must not look like a long request.
    package static let maximumWordCount = 1 << 24
    /// The longest word: Redis allows values of 512 MiB unless told otherwise.
    package static let maximumWordByteCount = 1 << 32
    /// The longest remark, as Redis reads them.
    package static let maximumRemarkByteCount = 1024

    /// Looks at what begins at `start`, which must be inside `bytes`.
    package static func next(in bytes: RawSpan, at start: Int) -> Finding {
        switch bytes.byte(at: start) {
        case UInt8(ascii: "*"): request(bytes, start)
        case UInt8(ascii: "#"): remark(bytes, start)
        default: .malformed(at: start, "neither a request nor a remark begins here")
        }
    }

    /// How many bytes at the front are whole requests and transactions, and how many requests.
    package static func whole(
        _ bytes: RawSpan,
        upTo limit: Int = .max
    ) -> (byteCount: Int, requestCount: Int) {
        var whole = (byteCount: 0, requestCount: 0)
        var position = 0
        var requestCount = 0
        var isInTransaction = false
        while position < bytes.byteCount {
            guard case .request(let kind, let end) = next(in: bytes, at: position), end <= limit
            else { break }
            position = end
            requestCount += 1
            if kind == .multi { isInTransaction = true }
            if kind == .exec { isInTransaction = false }
            if !isInTransaction { whole = (position, requestCount) }
        }
        return whole
    }

    private static func request(_ bytes: RawSpan, _ start: Int) -> Finding {
        var position = start + 1
        let wordCount: Int
        switch number(bytes, &position) {
        case .value(let value): wordCount = value
        case .incomplete: return .incomplete
        case .malformed: return .malformed(at: start, "a request without a count of words")
        }
        guard wordCount > 0, wordCount <= maximumWordCount else {
            return .malformed(at: start, "a request of \(wordCount) words")
        }
        var kind = Kind.other
        for index in 0..<wordCount {
            guard position < bytes.byteCount else { return .incomplete }
            let wordStart = position
            guard bytes.byte(at: position) == UInt8(ascii: "$") else {
                return .malformed(at: position, "a word without a length")
            }
            position += 1
            let length: Int
            switch number(bytes, &position) {
            case .value(let value): length = value
            case .incomplete: return .incomplete
            case .malformed: return .malformed(at: wordStart, "a word without a length")
            }
            guard length <= maximumWordByteCount else {
                return .malformed(at: wordStart, "a word of \(length) bytes")
            }
            let end = position + length
            guard end + 2 <= bytes.byteCount else {
                if end < bytes.byteCount, bytes.byte(at: end) != UInt8(ascii: "\r") {
                    return .malformed(at: end, "a word that does not end where it should")
                }
                return .incomplete
            }
            guard bytes.byte(at: end) == UInt8(ascii: "\r"),
                bytes.byte(at: end + 1) == UInt8(ascii: "\n")
            else { return .malformed(at: end, "a word that does not end where it should") }
            if index == 0, wordCount == 1 {
                kind = Kind(bytes.part(from: position, count: length))
            }
            position = end + 2
        }
        return .request(kind, end: position)
    }

    private static func remark(_ bytes: RawSpan, _ start: Int) -> Finding {
        var position = start
        while position < bytes.byteCount {
            guard position - start < maximumRemarkByteCount else {
                return .malformed(at: start, "a remark without an end")
            }
            let byte = bytes.byte(at: position)
            if byte == UInt8(ascii: "\n") { return .remark(end: position + 1) }
            // The zeros of a sector that never arrived must not join what stands around them.
            guard byte >= 0x20 || byte == UInt8(ascii: "\r") else {
                return .malformed(at: start, "a remark that is no text")
            }
            position += 1
        }
        return .incomplete
    }

    private enum Number {
        case value(Int)
        case incomplete
        case malformed
    }

    /// Reads digits and the line end after them.
    @inline(__always)
    private static func number(_ bytes: RawSpan, _ position: inout Int) -> Number {
        // Nearly every one has one digit or two, and is told from four bytes at once.
        if position + 4 <= bytes.byteCount {
            let word = UInt32(
                littleEndian: unsafe bytes.unsafeLoadUnaligned(
                    fromByteOffset: position,
                    as: UInt32.self
                )
            )
            let first = Int(word & 0xFF) &- 0x30
            let second = Int(word >> 8 & 0xFF) &- 0x30
            if 0...9 ~= first, word >> 8 & 0xFFFF == lineEnd {
                position += 3
                return .value(first)
            }
            if 0...9 ~= first, 0...9 ~= second, word >> 16 == lineEnd {
                position += 4
                return .value(first &* 10 &+ second)
            }
        }
        return longNumber(bytes, &position)
    }

    private static let lineEnd: UInt32 = 0x0A0D

    @inline(never)
    private static func longNumber(_ bytes: RawSpan, _ position: inout Int) -> Number {
        var value = 0
        let start = position
        while position < bytes.byteCount {
            let byte = bytes.byte(at: position)
            let digit = byte &- UInt8(ascii: "0")
            if digit <= 9 {
                // Twelve digits are more than any limit below allows.
                guard position - start < 12 else { return .malformed }
                value = value &* 10 &+ Int(digit)
                position += 1
                continue
            }
            guard byte == UInt8(ascii: "\r"), position > start else { return .malformed }
            guard position + 1 < bytes.byteCount else { return .incomplete }
            guard bytes.byte(at: position + 1) == UInt8(ascii: "\n") else { return .malformed }
            position += 2
            return .value(value)
        }
        return position - start > 12 ? .malformed : .incomplete
    }
}

extension RequestScanner.Kind {
    fileprivate init(_ name: RawSpan) {
        if name.equalsIgnoringCase("multi") {
            self = .multi
        } else if name.equalsIgnoringCase("exec") {
            self = .exec
        } else {
            self = .other
        }
    }
}
