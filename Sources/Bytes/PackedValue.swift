/// A string as packed encodings hold it: its bytes, or the integer they would spell.
///
/// Both forms mean the same text; keeping the integer saves turning it into digits and back.
public enum PackedValue: ~Escapable {
    /// The canonical decimal text of this number.
    case integer(Int64)
    /// These bytes.
    case bytes(RawSpan)

    /// The form that servers choose for `text`: an integer if it spells one canonically.
    @inlinable
    @_lifetime(copy text)
    public init(packing text: RawSpan) {
        if let value = DecimalText.parseInteger(text) {
            self = .integer(value)
        } else {
            self = .bytes(text)
        }
    }

    /// How many bytes the text has.
    @inlinable public var byteCount: Int {
        switch self {
        case .integer(let value): DecimalText.byteCount(of: value)
        case .bytes(let bytes): bytes.byteCount
        }
    }

    /// Lends the text to `body`.
    @inlinable
    public func withText<Result>(_ body: (RawSpan) -> Result) -> Result {
        switch self {
        case .integer(let integer): DecimalText.withText(of: integer, body)
        case .bytes(let bytes): body(bytes)
        }
    }

    /// A copy of the text.
    @inlinable public var byteString: ByteString {
        switch self {
        case .integer(let value):
            var writer = ByteWriter(reserving: DecimalText.maximumIntegerByteCount)
            writer.append(decimal: value)
            return ByteString(writer.bytes)
        case .bytes(let bytes):
            return ByteString(bytes)
        }
    }
}

extension ByteWriter {
    /// Appends the text of `value`.
    @inlinable
    public mutating func append(_ value: borrowing PackedValue) {
        switch value {
        case .integer(let integer): append(decimal: integer)
        case .bytes(let bytes): append(bytes)
        }
    }
}
