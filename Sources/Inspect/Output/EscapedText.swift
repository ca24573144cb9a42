import Bytes

/// Keys and values as people read them, safe for a terminal and reversible.
///
///     caf\xe9\x0a      an invalid byte and a line feed
///     C:\\temp         a backslash
///     größe            other text stays as it is
///
/// What is escaped as `\xNN`: control characters, the characters that turn the direction of a
/// line, and bytes that are not UTF-8. `\\` is a backslash. Everything else stands for itself.
package enum EscapedText {
    /// The escaped form of `bytes`.
    package static func escape(_ bytes: RawSpan) -> String {
        var writer = ByteWriter()
        writer.append(escaped: bytes)
        return writer.bytes.text
    }

    /// The escaped form for a table, cut after about `limit` characters.
    package static func abbreviate(_ bytes: RawSpan, _ limit: Int = 72) -> String {
        let whole = bytes.byteCount <= limit * 4
        let text = escape(whole ? bytes : bytes.part(from: 0, count: limit * 4))
        if whole, text.count <= limit { return text }
        return text.prefix(limit) + "… (\(Quantities.count(bytes.byteCount)) bytes)"
    }

    /// The bytes that `text` stands for; nil if an escape is not whole.
    package static func unescape(_ text: String) -> ByteString? {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "\\") else {
                bytes.append(byte)
                continue
            }
            switch rest.popFirst() {
            case UInt8(ascii: "\\"): bytes.append(byte)
            case UInt8(ascii: "x"):
                let digits = String(decoding: rest.prefix(2), as: UTF8.self)
                guard digits.utf8.count == 2, let value = UInt8(digits, radix: 16) else {
                    return nil
                }
                bytes.append(value)
                rest = rest.dropFirst(2)
            default: return nil
            }
        }
        return ByteString(bytes)
    }
}

extension ByteWriter {
    /// Appends the escaped form of `bytes`; in a quoted cell, with each quote twice.
    package mutating func append(escaped bytes: RawSpan, doublesQuotes: Bool = false) {
        var offset = 0
        while offset < bytes.byteCount {
            let byte = bytes.byte(at: offset)
            switch byte {
            case UInt8(ascii: "\""):
                append(byte)
                if doublesQuotes { append(byte) }
                offset += 1
            case UInt8(ascii: "\\"):
                append("\\\\")
                offset += 1
            case 0x20..<0x7F:
                let plain = bytes.plainTextCount(from: offset)
                append(bytes.part(from: offset, count: plain))
                offset += plain
            case 0..<0x80, 0x80..<0xC2, 0xF5...:
                append(escapeOf: byte)
                offset += 1
            default: offset += append(characterAt: offset, of: bytes)
            }
        }
    }

    /// Appends a character of several bytes, or the escape of what is none; says how many bytes it
    /// has.
    private mutating func append(characterAt offset: Int, of bytes: RawSpan) -> Int {
        let length = UTF8Check.length(of: bytes, at: offset)
        if length > 0, !isHidden(bytes, offset, length) {
            append(bytes.part(from: offset, count: length))
            return length
        }
        for index in 0..<max(1, length) { append(escapeOf: bytes.byte(at: offset + index)) }
        return max(1, length)
    }

    /// `\xNN`, in one go: noise has many of them.
    @inline(__always)
    private mutating func append(escapeOf byte: UInt8) {
        let digits = UInt32(digit(byte >> 4)) << 16 | UInt32(digit(byte & 15)) << 24
        appendInteger(digits | UInt32(UInt8(ascii: "x")) << 8 | UInt32(UInt8(ascii: "\\")))
    }

    private func digit(_ value: UInt8) -> UInt8 {
        value + (value < 10 ? UInt8(ascii: "0") : UInt8(ascii: "a") - 10)
    }

    /// Whether a character of several bytes is a control, or moves others about.
    private func isHidden(_ bytes: RawSpan, _ offset: Int, _ length: Int) -> Bool {
        let first = bytes.byte(at: offset)
        let second = bytes.byte(at: offset + 1)
        if length == 2 { return first == 0xC2 && second < 0xA0 }
        guard length == 3, first == 0xE2 else { return false }
        let third = bytes.byte(at: offset + 2)
        // U+2028 to U+202E and U+2066 to U+2069.
        return second == 0x80 && (0xA8...0xAE).contains(third)
            || second == 0x81 && (0xA6...0xA9).contains(third)
    }
}
