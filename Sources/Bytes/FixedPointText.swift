import CDecimal

extension ByteWriter {
    /// Appends a number with so many digits after the point, as C's `%f` does.
    public mutating func append(_ value: Double, digitsAfterPoint digits: Int) {
        unsafe append(upTo: Int(CDECIMAL_TEXT_SIZE)) { room in
            let start = unsafe room.baseAddress?.assumingMemoryBound(to: CChar.self)
            return unsafe Int(cdecimal_fixed(value, Int32(digits), start))
        }
    }

    /// Appends a number with up to 17 digits after the point, and no idle zeros.
    public mutating func append(expanded value: Double) {
        let start = count
        append(value, digitsAfterPoint: 17)
        while bytes.byte(at: count - 1) == UInt8(ascii: "0") { truncate(to: count - 1) }
        if bytes.byte(at: count - 1) == UInt8(ascii: ".") { truncate(to: count - 1) }
        if count == start + 2, bytes.byte(at: start) == UInt8(ascii: "-"),
            bytes.byte(at: start + 1) == UInt8(ascii: "0")
        {
            truncate(to: start)
            append(UInt8(ascii: "0"))
        }
    }
}
