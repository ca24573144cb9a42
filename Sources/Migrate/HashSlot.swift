import Bytes

/// The part of a cluster's key space that a key belongs to.
///
/// CRC-16 (polynomial 1021, not reflected, start 0) of the key modulo 16384. If the key has a
/// `{` and a `}` after it with anything between them, only what is between the first `{` and the
/// first `}` after it counts, so that keys can be made to live together. `foo` is in 12182.
package enum HashSlot {
    /// How many there are.
    package static let count = 16384

    /// The slot of `key`.
    package static func of(_ key: RawSpan) -> Int {
        let (start, end) = tag(in: key)
        var checksum: UInt16 = 0
        for index in start..<end {
            checksum = checksum << 8 ^ table[Int(UInt8(checksum >> 8) ^ key.byte(at: index))]
        }
        return Int(checksum) % count
    }

    /// Where the bytes that count begin and end.
    private static func tag(in key: RawSpan) -> (start: Int, end: Int) {
        let whole = (0, key.byteCount)
        guard let open = index(of: UInt8(ascii: "{"), in: key, from: 0),
            let close = index(of: UInt8(ascii: "}"), in: key, from: open + 1),
            close > open + 1
        else { return whole }
        return (open + 1, close)
    }

    private static func index(of byte: UInt8, in key: RawSpan, from start: Int) -> Int? {
        var index = start
        while index < key.byteCount {
            if key.byte(at: index) == byte { return index }
            index += 1
        }
        return nil
    }

    private static let table: [UInt16] = (0..<256).map { byte in
        var value = UInt16(byte) << 8
        for _ in 0..<8 { value = value << 1 ^ (value >> 15 == 1 ? 0x1021 : 0) }
        return value
    }

    /// Cuts the slots into `shards` runs as equal as can be, the longer ones first as clusters
    /// are made.
    package static func ranges(shards: Int) -> [ClosedRange<Int>] {
        var start = 0
        return (0..<shards).map { index in
            let exact = Double(count) / Double(shards) * Double(index + 1)
            let end = index == shards - 1 ? count : Int(exact.rounded())
            defer { start = end }
            return start...(end - 1)
        }
    }
}
