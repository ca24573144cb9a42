/// An owned, immutable run of bytes: a key, field or member kept outside the store.
///
/// Compares and orders by byte values, shorter first when one is the other's prefix.
public struct ByteString: Hashable, Comparable, Sendable {
    private let storage: [UInt8]

    /// Copies `bytes`.
    public init(_ bytes: RawSpan) {
        storage = unsafe bytes.withUnsafeBytes { unsafe Array($0) }
    }

    /// Takes an array as it is.
    public init(_ array: [UInt8]) {
        storage = array
    }

    /// The UTF-8 of `text`.
    public init(_ text: String) {
        storage = Array(text.utf8)
    }

    /// How many bytes.
    public var byteCount: Int { storage.count }

    /// The bytes.
    public var bytes: RawSpan {
        @_lifetime(borrow self)
        get { storage.bytes }
    }

    /// The bytes as text, invalid UTF-8 replaced: for messages, never for data.
    public var text: String { String(decoding: storage, as: UTF8.self) }

    /// A copy as an array.
    public var array: [UInt8] { storage }

    /// Orders by byte values.
    public static func < (one: ByteString, other: ByteString) -> Bool {
        one.storage.lexicographicallyPrecedes(other.storage)
    }
}

extension ByteString: ExpressibleByStringLiteral {
    /// The UTF-8 of a literal.
    public init(stringLiteral value: String) {
        self.init(value)
    }
}

extension ByteString: CustomStringConvertible {
    /// Readable text; bytes outside printable ASCII appear as `\xNN`, backslash as `\\`.
    ///
    /// The form is reversible.
    public var description: String {
        var text = ""
        for byte in storage {
            switch byte {
            case UInt8(ascii: "\\"): text += "\\\\"
            case 0x20..<0x7F: text.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                let digits = String(byte, radix: 16)
                text += "\\x" + (digits.count == 1 ? "0" : "") + digits
            }
        }
        return text
    }
}

extension [UInt8] {
    /// The elements, borrowed.
    @inlinable public var bytes: RawSpan {
        @_lifetime(borrow self)
        get { unsafe span.bytes }
    }
}
