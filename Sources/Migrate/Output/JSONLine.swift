import Bytes

/// One JSON object without arrays in it, as reports have them line by line.
package struct JSONLine {
    /// A member's value.
    package enum Value: Equatable {
        /// A string, or bytes that were no text and were written as `{"b64":"…"}`.
        case text(ByteString)
        case number(Int)
        /// Null, a boolean or a number that is no integer.
        case other
    }

    private var members: [String: Value] = [:]
    private var bytes: [UInt8]
    private var offset = 0

    /// Reads a line, which may end with a comma; nil if it is no such object.
    package init?(_ line: RawSpan) {
        bytes = ByteString(line).array
        guard let members = readObject() else { return nil }
        self.members = members
    }

    package subscript(name: String) -> Value? { members[name] }

    private mutating func readObject() -> [String: Value]? {
        guard take(UInt8(ascii: "{")) else { return nil }
        var members: [String: Value] = [:]
        while let name = readText(), take(UInt8(ascii: ":")), let value = readValue() {
            members[name.text] = value
            if take(UInt8(ascii: "}")) { return members }
            guard take(UInt8(ascii: ",")) else { return nil }
        }
        return nil
    }

    private mutating func readValue() -> Value? {
        skipSpaces()
        guard offset < bytes.count else { return nil }
        switch bytes[offset] {
        case UInt8(ascii: "\""): return readText().map { .text($0) }
        case UInt8(ascii: "{"):
            guard let inner = readObject(), case .text(let text) = inner["b64"] else { return nil }
            return Self.decode(base64: text).map { .text($0) }
        case UInt8(ascii: "["): return nil
        default:
            let start = offset
            while offset < bytes.count, !",}".utf8.contains(bytes[offset]) { offset += 1 }
            let text = String(decoding: bytes[start..<offset], as: UTF8.self)
            return Int(text).map { .number($0) } ?? .other
        }
    }

    private mutating func readText() -> ByteString? {
        guard take(UInt8(ascii: "\"")) else { return nil }
        var text: [UInt8] = []
        while offset < bytes.count {
            let byte = bytes[offset]
            offset += 1
            if byte == UInt8(ascii: "\"") { return ByteString(text) }
            guard byte == UInt8(ascii: "\\") else {
                text.append(byte)
                continue
            }
            guard let escaped = readEscape() else { return nil }
            text += escaped
        }
        return nil
    }

    private mutating func readEscape() -> [UInt8]? {
        guard offset < bytes.count else { return nil }
        let byte = bytes[offset]
        offset += 1
        switch byte {
        case UInt8(ascii: "n"): return [0x0A]
        case UInt8(ascii: "r"): return [0x0D]
        case UInt8(ascii: "t"): return [0x09]
        case UInt8(ascii: "b"): return [0x08]
        case UInt8(ascii: "f"): return [0x0C]
        case UInt8(ascii: "u"):
            // Writers use it for control characters only: one unit is one character.
            guard offset + 4 <= bytes.count,
                let unit = UInt16(
                    String(decoding: bytes[offset..<(offset + 4)], as: UTF8.self),
                    radix: 16
                ), let scalar = Unicode.Scalar(unit)
            else { return nil }
            offset += 4
            return Array(String(Character(scalar)).utf8)
        default: return [byte]
        }
    }

    private static func decode(base64 text: ByteString) -> ByteString? {
        let alphabet = Array(
            "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8
        )
        var decoded: [UInt8] = []
        var (bits, count) = (0, 0)
        for byte in text.array where byte != UInt8(ascii: "=") {
            guard let value = alphabet.firstIndex(of: byte) else { return nil }
            bits = bits << 6 | value
            count += 6
            if count >= 8 {
                count -= 8
                decoded.append(UInt8(truncatingIfNeeded: bits >> count))
                bits &= 1 << count - 1
            }
        }
        return ByteString(decoded)
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        skipSpaces()
        guard offset < bytes.count, bytes[offset] == byte else { return false }
        offset += 1
        return true
    }

    private mutating func skipSpaces() {
        while offset < bytes.count, bytes[offset] == UInt8(ascii: " ") { offset += 1 }
    }
}
