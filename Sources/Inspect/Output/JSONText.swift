import Bytes

/// Bytes as JSON: text where they are text, base64 where they are not.
extension ByteWriter {
    /// Appends a JSON string if `bytes` are valid UTF-8, else `{"b64":"…"}`: nothing is lost.
    package mutating func append(json bytes: RawSpan) {
        let start = count
        append(UInt8(ascii: "\""))
        if appendEscaped(bytes) {
            append(UInt8(ascii: "\""))
            return
        }
        truncate(to: start)
        append("{\"b64\":\"")
        append(base64: bytes)
        append("\"}")
    }

    /// Appends the text of a value as JSON.
    package mutating func append(json value: borrowing PackedValue) {
        switch value {
        case .integer(let number):
            append(UInt8(ascii: "\""))
            append(decimal: number)
            append(UInt8(ascii: "\""))
        case .bytes(let bytes): append(json: bytes)
        }
    }

    /// Appends a JSON string of UTF-8 that is known to be valid.
    mutating func append(jsonText bytes: RawSpan) {
        append(UInt8(ascii: "\""))
        let isValid = appendEscaped(bytes)
        assert(isValid, "a String is always valid")
        append(UInt8(ascii: "\""))
    }

    /// Appends text with JSON's escapes; false, and some of it, if it is no valid UTF-8.
    private mutating func appendEscaped(_ bytes: RawSpan) -> Bool {
        let count = bytes.byteCount
        var offset = 0
        while offset < count {
            let plain = bytes.plainTextCount(from: offset)
            if plain > 0 {
                append(bytes.part(from: offset, count: plain))
                offset += plain
                if offset == count { break }
            }
            let byte = bytes.byte(at: offset)
            if byte < 0x80 {
                append(escapeOf: byte)
                offset += 1
            } else {
                let length = UTF8Check.length(of: bytes, at: offset)
                guard length > 0 else { return false }
                append(bytes.part(from: offset, count: length))
                offset += length
            }
        }
        return true
    }

    private mutating func append(escapeOf byte: UInt8) {
        switch byte {
        case UInt8(ascii: "\""): append("\\\"")
        case UInt8(ascii: "\\"): append("\\\\")
        case 0x0A: append("\\n")
        case 0x0D: append("\\r")
        case 0x09: append("\\t")
        default:
            append("\\u00")
            append(hexadecimal: byte)
        }
    }

    /// Appends two hexadecimal digits.
    mutating func append(hexadecimal byte: UInt8) {
        append(Self.digit(byte >> 4))
        append(Self.digit(byte & 15))
    }

    private static func digit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
    }

    /// Appends `bytes` in base64 (RFC 4648).
    mutating func append(base64 bytes: RawSpan) {
        let groupCount = bytes.byteCount / 3
        unsafe append(upTo: groupCount * 4) { room in
            for group in 0..<groupCount {
                let word = Self.group(bytes, at: group * 3, count: 3)
                unsafe room.storeBytes(of: word, toByteOffset: group * 4, as: UInt32.self)
            }
            return groupCount * 4
        }
        let left = bytes.byteCount - groupCount * 3
        guard left > 0 else { return }
        let word = Self.group(bytes, at: groupCount * 3, count: left)
        for index in 0..<4 {
            let byte = UInt8(truncatingIfNeeded: UInt32(littleEndian: word) >> UInt32(8 * index))
            append(index <= left ? byte : UInt8(ascii: "="))
        }
    }

    /// Four symbols of base64, in the order they are stored, for up to three bytes.
    @inline(__always)
    private static func group(_ bytes: RawSpan, at offset: Int, count: Int) -> UInt32 {
        var word = UInt32(bytes.byte(at: offset)) << 16
        if count > 1 { word |= UInt32(bytes.byte(at: offset + 1)) << 8 }
        if count > 2 { word |= UInt32(bytes.byte(at: offset + 2)) }
        let first = symbol(word >> 18) | symbol(word >> 12 & 63) << 8
        return (first | symbol(word >> 6 & 63) << 16 | symbol(word & 63) << 24).littleEndian
    }

    /// The symbol of six bits: `A-Z a-z 0-9 + /`, without a branch that noise would mislead.
    @inline(__always)
    private static func symbol(_ bits: UInt32) -> UInt32 {
        var symbol = UInt32(UInt8(ascii: "A")) &+ bits
        symbol = bits > 25 ? symbol &+ 6 : symbol
        symbol = bits > 51 ? symbol &- 75 : symbol
        symbol = bits > 61 ? symbol &- 15 : symbol
        return bits > 62 ? symbol &+ 3 : symbol
    }
}

extension RawSpan {
    /// How many bytes from `start` on are printable ASCII without quote and backslash.
    func plainTextCount(from start: Int) -> Int {
        var offset = start
        let ones: UInt64 = 0x0101_0101_0101_0101
        let highs: UInt64 = 0x8080_8080_8080_8080
        while byteCount - offset >= 8 {
            let word = unsafe unsafeLoadUnaligned(
                fromUncheckedByteOffset: offset,
                as: UInt64.self
            )
            // Each marks the bytes of a kind in their highest bits, and maybe more bytes after
            // the first of them: no harm, the rest looks at each.
            let control = (word &- ones &* 0x20) & ~word
            let quote = word ^ ones &* 0x22
            let backslash = word ^ ones &* 0x5C
            let delete = word ^ ones &* 0x7F
            let special =
                word | control | (quote &- ones) & ~quote | (backslash &- ones) & ~backslash
                | (delete &- ones) & ~delete
            if special & highs != 0 {
                return offset + (special & highs).trailingZeroBitCount / 8 - start
            }
            offset += 8
        }
        while offset < byteCount {
            let byte = byte(at: offset)
            guard byte >= 0x20, byte < 0x7F, byte != 0x22, byte != 0x5C else { break }
            offset += 1
        }
        return offset - start
    }
}

/// Which bytes are UTF-8 (Unicode 16, table 3-7).
enum UTF8Check {
    /// How many bytes the character at `offset` has; 0 if none that is valid begins there.
    static func length(of bytes: RawSpan, at offset: Int) -> Int {
        let first = bytes.byte(at: offset)
        let length: Int
        var range: ClosedRange<UInt8> = 0x80...0xBF
        switch first {
        case 0..<0x80: return 1
        case 0xC2...0xDF: length = 2
        case 0xE0...0xEF:
            length = 3
            if first == 0xE0 { range = 0xA0...0xBF }
            if first == 0xED { range = 0x80...0x9F }
        case 0xF0...0xF4:
            length = 4
            if first == 0xF0 { range = 0x90...0xBF }
            if first == 0xF4 { range = 0x80...0x8F }
        default: return 0
        }
        guard bytes.byteCount - offset >= length, range.contains(bytes.byte(at: offset + 1))
        else { return 0 }
        for index in 2..<max(2, length) where bytes.byte(at: offset + index) & 0xC0 != 0x80 {
            return 0
        }
        return length
    }
}
