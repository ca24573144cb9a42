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
            writer.append("  db  type    encoding                   bytes      memory")
            writer.append("    elements     largest  deadline             idle/freq  key\n")
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
        writer.append("  ")
        writer.append(Int(clamping: database), width: 2)
        writer.append("  ")
        writer.append(encoding.kind.commandName, width: 6)
        writer.append("  ")
        writer.append(encoding.name, width: 18)
        writer.append("  ")
        writer.append(byteCount, width: 12)
        writer.append("  ")
        writer.append(memory, width: 10)
        writer.append("  ")
        writer.append(elementCount, width: 10)
        writer.append("  ")
        writer.append(largestElement, width: 10)
        writer.append("  ")
        writer.append(deadline.map { Moments.text($0) } ?? "", width: 19)
        writer.append("  ")
        writer.append(access, width: 9)
        writer.append("  ")
        writer.append(escaped: key)
    }

    private var access: String {
        if let frequency { return "\(frequency)" }
        guard let idleSeconds else { return "" }
        return Moments.duration(Int64(clamping: idleSeconds).multipliedClamped(by: 1000))
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
    /// Appends a number to the right of `width` columns.
    mutating func append(_ number: Int, width: Int) {
        appendSpaces(width - DecimalText.byteCount(of: Int64(number)))
        append(decimal: Int64(number))
    }

    /// Appends ASCII text to the left of `width` columns.
    mutating func append(_ text: String, width: Int) {
        append(utf8: text)
        appendSpaces(width - text.utf8.count)
    }

    private mutating func appendSpaces(_ count: Int) {
        var left = count
        while left > 0 {
            append(UInt8(ascii: " "))
            left -= 1
        }
    }

    /// Appends a label and a number.
    mutating func append(_ label: StaticString, _ number: Int) {
        append(label)
        append(decimal: Int64(number))
    }
}
