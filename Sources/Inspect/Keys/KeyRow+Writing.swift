import Bytes
import RDB

extension KeyRow {
    /// Appends what stands above the rows.
    static func writeHeader(_ form: KeyListing.Form, to writer: inout ByteWriter) {
        switch form {
        case .json: break
        case .csv:
            writer.append("db,key,type,encoding,bytes,memory,elements,largest,deadline,idle,freq\n")
        case .table:
            writer.append(
                "  db  type    encoding                   bytes      memory    elements     largest"
            )
            writer.append("  deadline             idle/freq  key\n")
        }
    }

    /// Appends a row as a line.
    func write(_ key: RawSpan, _ form: KeyListing.Form, to writer: inout ByteWriter) {
        switch form {
        case .json: writeJSON(key, to: &writer)
        case .csv: writeCSV(key, to: &writer)
        case .table: writeTable(key, to: &writer)
        }
        writer.append("\n")
    }

    private func writeJSON(_ key: RawSpan, to writer: inout ByteWriter) {
        writer.append("{\"db\":")
        writer.append(decimal: Int64(clamping: database))
        writer.append(",\"key\":")
        writer.append(json: key)
        writer.append(utf8: ",\"type\":\"\(encoding.kind.commandName)\"")
        writer.append(utf8: ",\"encoding\":\"\(encoding.name)\"")
        writer.append(",\"bytes\":", byteCount)
        writer.append(",\"memory\":", memory)
        writer.append(",\"elements\":", elementCount)
        writer.append(",\"largest\":", largestElement)
        if let deadline { writer.append(",\"deadline\":", Int(deadline)) }
        if let idleSeconds { writer.append(",\"idle\":", Int(clamping: idleSeconds)) }
        if let frequency { writer.append(",\"freq\":", Int(frequency)) }
        writer.append("}")
    }

    private func writeCSV(_ key: RawSpan, to writer: inout ByteWriter) {
        writer.append(decimal: Int64(clamping: database))
        writer.append(",")
        writer.append(csv: key)
        writer.append(utf8: ",\(encoding.kind.commandName),\(encoding.name)")
        writer.append(",", byteCount)
        writer.append(",", memory)
        writer.append(",", elementCount)
        writer.append(",", largestElement)
        writer.append(",")
        if let deadline { writer.append(decimal: deadline) }
        writer.append(",")
        if let idleSeconds { writer.append(decimal: Int64(clamping: idleSeconds)) }
        writer.append(",")
        if let frequency { writer.append(decimal: Int64(frequency)) }
    }

    private func writeTable(_ key: RawSpan, to writer: inout ByteWriter) {
        func pad(_ text: String, _ width: Int) -> String {
            text + String(repeating: " ", count: max(0, width - text.count))
        }
        func right(_ text: String, _ width: Int) -> String {
            String(repeating: " ", count: max(0, width - text.count)) + text
        }
        var access = ""
        if let idleSeconds {
            access = Moments.duration(Int64(clamping: idleSeconds).multipliedClamped(by: 1000))
        }
        if let frequency { access = "\(frequency)" }
        let cells = [
            right("\(database)", 4), pad(encoding.kind.commandName, 6), pad(encoding.name, 18),
            right(Quantities.count(byteCount), 12), right(Quantities.count(memory), 10),
            right(Quantities.count(elementCount), 10),
            right(Quantities.count(largestElement), 10),
            pad(deadline.map { Moments.text($0) } ?? "", 19), pad(access, 9),
            EscapedText.escape(key),
        ]
        writer.append(utf8: cells.joined(separator: "  "))
    }
}

extension Int64 {
    /// The product, or the nearest number there is.
    func multipliedClamped(by other: Int64) -> Int64 {
        let (product, overflow) = multipliedReportingOverflow(by: other)
        return overflow ? (self < 0) == (other < 0) ? .max : .min : product
    }
}

extension ByteWriter {
    /// Appends a label and a number.
    mutating func append(_ label: StaticString, _ number: Int) {
        append(label)
        append(decimal: Int64(number))
    }

    /// Appends a cell of a table of comma-separated values (RFC 4180), escaped as keys are.
    mutating func append(csv bytes: RawSpan) {
        let start = count
        append(escaped: bytes)
        var needsQuotes = false
        var quoteCount = 0
        for offset in start..<count {
            switch self.bytes.byte(at: offset) {
            case UInt8(ascii: "\""): quoteCount += 1
            case UInt8(ascii: ","), UInt8(ascii: " "): needsQuotes = true
            default: break
            }
        }
        guard needsQuotes || quoteCount > 0 else { return }
        let text = ByteString(self.bytes.part(from: start, count: count - start))
        truncate(to: start)
        append("\"")
        for byte in text.array {
            if byte == UInt8(ascii: "\"") { append("\"") }
            append(byte)
        }
        append("\"")
    }
}
