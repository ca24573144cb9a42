import Bytes

/// Bytes of the stream before a point of it: where a command ends, where a file begins.
///
/// The stream is every byte of effects since the data set was born; the number never goes
/// back and no two bytes share one. It is what replicas are told, too.
package typealias StreamOffset = Int

/// The name of a history: forty hexadecimal digits drawn at random when it begins.
///
/// Two servers that hold the same id and the same offset hold the same data.
package struct ReplicationID: Hashable, Sendable {
    /// Bytes in binary form.
    package static let byteCount = 20

    private let high: UInt64
    private let middle: UInt64
    private let low: UInt32

    /// Draws a new id.
    package init(using generator: inout some RandomNumberGenerator) {
        high = generator.next()
        middle = generator.next()
        low = generator.next()
    }

    /// Reads the twenty bytes that `write` wrote.
    package init(reading reader: inout ByteReader) throws(Truncated) {
        high = try reader.readBigEndian()
        middle = try reader.readBigEndian()
        low = try reader.readBigEndian()
    }

    /// Reads forty hexadecimal digits; nil if they are anything else.
    package init?(text: Substring) {
        guard text.utf8.count == 2 * ReplicationID.byteCount,
            text.utf8.allSatisfy({ $0 != UInt8(ascii: "+") && $0 != UInt8(ascii: "-") }),
            let high = UInt64(text.prefix(16), radix: 16),
            let middle = UInt64(text.dropFirst(16).prefix(16), radix: 16),
            let low = UInt32(text.dropFirst(32), radix: 16)
        else { return nil }
        self.high = high
        self.middle = middle
        self.low = low
    }

    /// Appends the twenty bytes.
    package func write(to writer: inout ByteWriter) {
        writer.appendBigEndian(high)
        writer.appendBigEndian(middle)
        writer.appendBigEndian(low)
    }
}

extension ReplicationID: CustomStringConvertible {
    /// The forty digits.
    package var description: String { hexadecimal(high) + hexadecimal(middle) + hexadecimal(low) }
}

/// All digits of `value`, leading zeros too.
func hexadecimal(_ value: some FixedWidthInteger) -> String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: type(of: value).bitWidth / 4 - digits.count) + digits
}

/// The history that offsets count in, and the one it grew out of.
package struct Lineage: Hashable, Sendable {
    /// The history being written now.
    package var id: ReplicationID
    /// The history before it.
    package var previous: Ancestor?

    /// A history that ended, and how far offsets counted under its id are still true.
    package struct Ancestor: Hashable, Sendable {
        package var id: ReplicationID
        package var end: StreamOffset

        package init(id: ReplicationID, end: StreamOffset) {
            self.id = id
            self.end = end
        }
    }

    package init(id: ReplicationID, previous: Ancestor? = nil) {
        self.id = id
        self.previous = previous
    }

    /// A history that continues this one from `offset` on under an id of its own.
    package func branching(
        at offset: StreamOffset,
        using generator: inout some RandomNumberGenerator
    ) -> Lineage {
        Lineage(id: ReplicationID(using: &generator), previous: Ancestor(id: id, end: offset))
    }
}
