import Bytes

/// Room for the text of one packed value at a time.
package struct TextBuffer: ~Copyable {
    private var writer = ByteWriter()

    package init() {}

    /// The text of `value`; of an integer, valid until the next call.
    @_lifetime(copy value)
    package mutating func text(of value: borrowing PackedValue) -> RawSpan {
        switch value {
        case .bytes(let bytes):
            return bytes
        case .integer(let integer):
            writer.removeAll()
            writer.append(decimal: integer)
            return unsafe _overrideLifetime(writer.bytes, borrowing: ())
        }
    }
}
