/// The checksum of the log's marks: CRC-32C (Castagnoli).
///
/// Polynomial 1EDC6F41, input and output reflected, initial value and final xor all ones.
/// Over the ASCII bytes `123456789` it is E3069283. Marks are a hundred bytes a second, so one
/// table of 256 words is fast enough.
public enum CRC32C {
    /// The checksum of `bytes`.
    public static func checksum(_ bytes: RawSpan) -> UInt32 {
        var value = ~UInt32(0)
        for offset in 0..<bytes.byteCount {
            let index = UInt8(truncatingIfNeeded: value) ^ bytes.byte(at: offset)
            value = table[Int(index)] ^ value >> 8
        }
        return ~value
    }
}

private let table: [UInt32] = (0..<UInt32(256)).map { byte in
    var value = byte
    for _ in 0..<8 { value = value >> 1 ^ (value & 1 == 1 ? 0x82F6_3B78 : 0) }
    return value
}
