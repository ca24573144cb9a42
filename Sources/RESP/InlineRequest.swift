import Bytes

/// A request as a person types it: words on a line, quoted where they hold spaces.
///
///     SET greeting "hello\nworld" EX 10
///
/// Double quotes take `\n`, `\r`, `\t`, `\b`, `\a`, `\xHH`, and a backslash before any other
/// byte for that byte; single quotes take only `\'`. A quote may begin in the middle of a
/// word, and the word goes on behind it.
struct InlineRequest: ~Escapable {
    private let line: RawSpan

    @_lifetime(copy line)
    init(line: RawSpan) {
        self.line = line
    }

    /// Appends each word's bytes to `words` and its place there to `table`.
    func split(into words: inout ByteWriter, _ table: inout ArgumentTable) throws(RESPError) {
        var index = 0
        while true {
            while index < line.byteCount, isSpace(line.byte(at: index)) { index += 1 }
            guard index < line.byteCount else { return }
            let start = words.count
            try readWord(at: &index, into: &words)
            table.append(offset: start, count: words.count - start)
        }
    }

    private func readWord(at index: inout Int, into word: inout ByteWriter) throws(RESPError) {
        while index < line.byteCount {
            let byte = line.byte(at: index)
            index += 1
            switch byte {
            case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"): return
            case UInt8(ascii: "\""): try readDoubleQuoted(at: &index, into: &word)
            case UInt8(ascii: "'"): try readSingleQuoted(at: &index, into: &word)
            default: word.append(byte)
            }
        }
    }

    private func readDoubleQuoted(
        at index: inout Int,
        into word: inout ByteWriter
    ) throws(RESPError) {
        while index < line.byteCount {
            let byte = line.byte(at: index)
            index += 1
            switch byte {
            case UInt8(ascii: "\""): return
            case UInt8(ascii: "\\") where index < line.byteCount:
                word.append(readEscaped(at: &index))
            default: word.append(byte)
            }
        }
        throw .unbalancedQuotes
    }

    private func readEscaped(at index: inout Int) -> UInt8 {
        let byte = line.byte(at: index)
        index += 1
        switch byte {
        case UInt8(ascii: "n"): return UInt8(ascii: "\n")
        case UInt8(ascii: "r"): return UInt8(ascii: "\r")
        case UInt8(ascii: "t"): return UInt8(ascii: "\t")
        case UInt8(ascii: "b"): return 0x08
        case UInt8(ascii: "a"): return 0x07
        case UInt8(ascii: "x"):
            guard let value = hexadecimalByte(at: index) else { return byte }
            index += 2
            return value
        default: return byte
        }
    }

    private func hexadecimalByte(at index: Int) -> UInt8? {
        guard
            index + 1 < line.byteCount,
            let high = hexadecimalDigit(line.byte(at: index)),
            let low = hexadecimalDigit(line.byte(at: index + 1))
        else { return nil }
        return high << 4 | low
    }

    private func hexadecimalDigit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }

    private func readSingleQuoted(
        at index: inout Int,
        into word: inout ByteWriter
    ) throws(RESPError) {
        while index < line.byteCount {
            let byte = line.byte(at: index)
            index += 1
            switch byte {
            case UInt8(ascii: "'"): return
            case UInt8(ascii: "\\")
            where index < line.byteCount && line.byte(at: index) == UInt8(ascii: "'"):
                word.append(UInt8(ascii: "'"))
                index += 1
            default: word.append(byte)
            }
        }
        throw .unbalancedQuotes
    }

    private func isSpace(_ byte: UInt8) -> Bool {
        byte == 0x20 || (0x09...0x0D).contains(byte)
    }
}

/// Words as a person types them, quoted where they hold spaces: what inline requests are made
/// of, and the lines of configuration files.
public enum QuotedWords {
    /// The words of `line`; nil if a quote is not closed.
    public static func split(_ line: RawSpan) -> [ByteString]? {
        var bytes = ByteWriter()
        var table = ArgumentTable()
        do throws(RESPError) {
            try InlineRequest(line: line).split(into: &bytes, &table)
        } catch {
            return nil
        }
        return table.ranges.indices.map { index in
            let range = table.ranges[index]
            return ByteString(bytes.bytes.part(from: range.offset, count: range.count))
        }
    }

    /// `bytes` as one quoted word that `split` reads back.
    public static func quote(_ bytes: RawSpan) -> String {
        var text = "\""
        for offset in 0..<bytes.byteCount {
            switch bytes.byte(at: offset) {
            case UInt8(ascii: "\\"): text += "\\\\"
            case UInt8(ascii: "\""): text += "\\\""
            case UInt8(ascii: "\n"): text += "\\n"
            case UInt8(ascii: "\r"): text += "\\r"
            case UInt8(ascii: "\t"): text += "\\t"
            case 0x07: text += "\\a"
            case 0x08: text += "\\b"
            case let byte where byte >= 0x20 && byte < 0x7F:
                text.unicodeScalars.append(Unicode.Scalar(byte))
            case let byte:
                let digits = String(byte, radix: 16)
                text += "\\x" + (digits.count == 1 ? "0" : "") + digits
            }
        }
        return text + "\""
    }
}
