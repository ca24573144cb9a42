import CCarrylessMultiply

/// The checksum of the log's marks, plain batches and staged effects: CRC-32C (Castagnoli).
///
/// Polynomial 1EDC6F41, input and output reflected, initial value and final xor all ones.
/// Over the ASCII bytes `123456789` it is E3069283. Processors have an instruction for it;
/// without one, eight bytes are folded at a time, as in `CRC64`.
public enum CRC32C {
    /// The checksum of `bytes`, behind bytes of which the checksum is `previous`.
    public static func checksum(_ bytes: RawSpan, after previous: UInt32 = 0) -> UInt32 {
        unsafe bytes.withUnsafeBytes { bytes in
            if hasInstruction {
                return unsafe ~crc32c_extend(bytes.baseAddress, bytes.count, ~previous)
            }
            return unsafe fold(bytes, after: previous)
        }
    }

    /// The same, without the instruction.
    package static func fold(_ bytes: UnsafeRawBufferPointer, after previous: UInt32) -> UInt32 {
        unsafe tables.withUnsafeBufferPointer { tables in
            unsafe ~fold(bytes, into: ~previous, tables.baseAddress.unsafelyUnwrapped)
        }
    }

    private static let hasInstruction = crc32c_is_there() != 0

    private static func fold(
        _ bytes: UnsafeRawBufferPointer,
        into start: UInt32,
        _ tables: UnsafePointer<UInt32>
    ) -> UInt32 {
        func term(_ table: Int, _ word: UInt64, _ byte: UInt64) -> UInt32 {
            unsafe tables[table << 8 | Int(truncatingIfNeeded: word >> (byte << 3) & 0xFF)]
        }
        guard var cursor = bytes.baseAddress else { return start }
        var value = start
        var remaining = bytes.count
        while remaining >= 8 {
            let word = unsafe UInt64(littleEndian: cursor.loadUnaligned(as: UInt64.self))
            let mixed = word ^ UInt64(value)
            let low = term(7, mixed, 0) ^ term(6, mixed, 1) ^ term(5, mixed, 2) ^ term(4, mixed, 3)
            let high = term(3, mixed, 4) ^ term(2, mixed, 5) ^ term(1, mixed, 6) ^ term(0, mixed, 7)
            value = low ^ high
            unsafe cursor += 8
            remaining -= 8
        }
        while remaining > 0 {
            let byte = unsafe cursor.load(as: UInt8.self)
            value = term(0, UInt64(value) ^ UInt64(byte), 0) ^ value >> 8
            unsafe cursor += 1
            remaining -= 1
        }
        return value
    }
}

/// Eight tables of 256 words; table n is what a byte does with n zero bytes after it.
private let tables: [UInt32] = {
    var tables: [UInt32] = []
    tables.reserveCapacity(8 * 256)
    for byte in 0..<UInt32(256) {
        var value = byte
        for _ in 0..<8 { value = value >> 1 ^ (value & 1 == 1 ? 0x82F6_3B78 : 0) }
        tables.append(value)
    }
    for index in 256..<(8 * 256) {
        let previous = tables[index - 256]
        tables.append(previous >> 8 ^ tables[Int(previous & 0xFF)])
    }
    return tables
}()
