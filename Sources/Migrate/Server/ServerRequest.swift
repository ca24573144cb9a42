import Bytes

extension ByteWriter {
    /// Begins a request of `count` arguments, the command's name included.
    mutating func beginRequest(count: Int) {
        append(UInt8(ascii: "*"))
        append(decimal: Int64(count))
        append("\r\n")
    }

    /// Appends an argument of a request.
    mutating func append(argument bytes: RawSpan) {
        appendHeader(bytes.byteCount)
        append(bytes)
        append("\r\n")
    }

    /// Appends an argument that the program knows.
    mutating func append(argument text: StaticString) {
        appendHeader(text.utf8CodeUnitCount)
        append(text)
        append("\r\n")
    }

    /// Appends a number as an argument.
    mutating func append(argument number: Int64) {
        appendHeader(DecimalText.byteCount(of: number))
        append(decimal: number)
        append("\r\n")
    }

    /// Appends a text that is kept as an integer where it is one.
    mutating func append(argument value: borrowing PackedValue) {
        switch value {
        case .integer(let integer): append(argument: integer)
        case .bytes(let bytes): append(argument: bytes)
        }
    }

    /// Appends a whole request.
    mutating func append(request arguments: [ByteString]) {
        beginRequest(count: arguments.count)
        for argument in arguments { append(argument: argument.bytes) }
    }

    private mutating func appendHeader(_ byteCount: Int) {
        append(UInt8(ascii: "$"))
        append(decimal: Int64(byteCount))
        append("\r\n")
    }
}
