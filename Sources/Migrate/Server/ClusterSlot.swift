import Bytes

/// The part of a cluster that a key belongs to: 0 to 16383.
///
/// The CRC-16 (XMODEM: polynomial 1021, initial value 0) of the key, or of what stands between
/// its first `{` and the next `}` if that is not nothing: `{user:1}:cart` and `{user:1}:orders`
/// are in one slot. The checksum of `123456789` is 31C3, its slot 12739.
package enum ClusterSlot {
    /// How many there are.
    package static let count = 16384

    /// The slot of a key.
    package static func of(_ key: RawSpan) -> Int {
        Int(checksum(hashed(key))) & (count - 1)
    }

    /// The shortest number that, between braces, puts a key into `slot`.
    ///
    /// Any key can get a neighbour by it, also one whose own braces would mislead.
    package static func tag(of slot: Int) -> Int64 {
        var tag: Int64 = 0
        while DecimalText.withText(of: tag, { Int(checksum($0)) & (count - 1) }) != slot {
            tag += 1
        }
        return tag
    }

    /// The part of a key that decides.
    @_lifetime(copy key)
    private static func hashed(_ key: RawSpan) -> RawSpan {
        let size = key.byteCount
        guard let open = key.firstOffset(of: UInt8(ascii: "{"), from: 0),
            let close = key.firstOffset(of: UInt8(ascii: "}"), from: open + 1),
            close > open + 1
        else { return key.part(from: 0, count: size) }
        return key.part(from: open + 1, count: close - open - 1)
    }

    private static func checksum(_ bytes: RawSpan) -> UInt16 {
        var value: UInt16 = 0
        for offset in 0..<bytes.byteCount {
            value = value << 8 ^ table[Int(value >> 8 ^ UInt16(bytes.byte(at: offset)))]
        }
        return value
    }

    private static let table: [UInt16] = (0..<256).map { (index: UInt16) in
        var value = index << 8
        for _ in 0..<8 {
            value = value & 0x8000 == 0 ? value << 1 : value << 1 ^ 0x1021
        }
        return value
    }
}

extension RawSpan {
    /// Where `byte` is next, from `start` on.
    fileprivate func firstOffset(of byte: UInt8, from start: Int) -> Int? {
        var offset = start
        while offset < byteCount {
            if self.byte(at: offset) == byte { return offset }
            offset += 1
        }
        return nil
    }
}
