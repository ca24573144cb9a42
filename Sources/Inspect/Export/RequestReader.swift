import Bytes

/// The words of whole requests, one request after the other.
struct RequestReader: ~Escapable {
    private var reader: ByteReader

    @_lifetime(copy requests)
    init(_ requests: RawSpan) {
        reader = ByteReader(requests)
    }

    /// The words of the next request; nil after the last.
    @_lifetime(self: copy self)
    mutating func next() -> [ByteString]? {
        guard let count = readNumber(after: UInt8(ascii: "*")) else { return nil }
        var words: [ByteString] = []
        for _ in 0..<count {
            guard let length = readNumber(after: UInt8(ascii: "$")),
                let word = try? reader.readBytes(length)
            else { return nil }
            words.append(ByteString(word))
            guard (try? reader.skip(2)) != nil else { return nil }
        }
        return words
    }

    /// Reads a mark, digits and the end of the line.
    @_lifetime(self: copy self)
    private mutating func readNumber(after mark: UInt8) -> Int? {
        guard reader.peekByte() == mark, (try? reader.skip(1)) != nil else { return nil }
        var value = 0
        while let byte = reader.peekByte(), byte != UInt8(ascii: "\r") {
            value = value &* 10 &+ Int(byte &- UInt8(ascii: "0"))
            guard (try? reader.skip(1)) != nil else { return nil }
        }
        return (try? reader.skip(2)) == nil ? nil : value
    }
}
