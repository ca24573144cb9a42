import Bytes

/// A piece of a report as JSON, its members in the order they were given.
package indirect enum JSON: Sendable {
    case null
    case bool(Bool)
    case int(Int64)
    case double(Double)
    case text(String)
    /// Text if it is valid UTF-8, else `{"b64": "…"}`.
    case bytes(ByteString)
    case array([JSON])
    case object([(String, JSON)])

    /// A number, or null.
    package static func optional(_ number: (some BinaryInteger)?) -> JSON {
        number.map { .int(Int64(clamping: $0)) } ?? .null
    }

    /// A count.
    package static func count(_ number: Int) -> JSON { .int(Int64(number)) }
}

extension ByteWriter {
    /// Appends JSON on one line, or on many, each level two spaces further in.
    package mutating func append(_ json: JSON, indentation: Int? = nil) {
        switch json {
        case .null: append("null")
        case .bool(let value): value ? append("true") : append("false")
        case .int(let value): append(decimal: value)
        case .double(let value): append(json: value)
        case .text(let text):
            var text = text
            text.withUTF8 { unsafe append(jsonText: UnsafeRawBufferPointer($0).bytes) }
        case .bytes(let bytes): append(json: bytes.bytes)
        case .array(let items):
            append(items, "[", "]", indentation) { writer, item, inner in
                writer.append(item, indentation: inner)
            }
        case .object(let members):
            append(members, "{", "}", indentation) { writer, member, inner in
                writer.append(.text(member.0))
                writer.append(inner == nil ? ":" : ": ")
                writer.append(member.1, indentation: inner)
            }
        }
    }

    private mutating func append<Item>(
        _ items: [Item],
        _ open: StaticString,
        _ close: StaticString,
        _ indentation: Int?,
        _ body: (inout ByteWriter, Item, Int?) -> Void
    ) {
        append(open)
        let inner = indentation.map { $0 + 2 }
        for (index, item) in items.enumerated() {
            if index > 0 { append(",") }
            if let inner { appendLineBreak(inner) }
            body(&self, item, inner)
        }
        if let indentation, !items.isEmpty { appendLineBreak(indentation) }
        append(close)
    }

    private mutating func appendLineBreak(_ indentation: Int) {
        append("\n")
        for _ in 0..<indentation { append(UInt8(ascii: " ")) }
    }

    /// Appends a number; what JSON has no number for, as text.
    package mutating func append(json value: Double) {
        if value == 0, value.sign == .minus {
            // Readers take -0 for an integer, which has no sign to lose.
            append("-0.0")
        } else if value.isFinite {
            append(shortest: value)
        } else if value.isNaN {
            append("\"nan\"")
        } else {
            value < 0 ? append("\"-inf\"") : append("\"inf\"")
        }
    }
}
