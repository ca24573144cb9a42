import Bytes

/// Tells names from ids among the parts of keys.
///
/// An id is what differs from key to key: numbers, dates and addresses, hexadecimal digests,
/// UUIDs, long runs of mixed letters and digits, and bytes that are no text.
enum SegmentPattern {
    /// What is longer is nobody's name for a group of keys.
    private static let longestName = 64

    /// Whether a part of a key is an id, to be shown as `*`.
    static func isID(_ segment: RawSpan) -> Bool {
        if segment.byteCount > longestName { return true }
        var digits = 0
        var hexLetters = 0
        var lower = 0
        var upper = 0
        var marks = 0
        for offset in 0..<segment.byteCount {
            switch segment.byte(at: offset) {
            case 0x30...0x39: digits += 1
            case 0x61...0x66: hexLetters += 1
            case 0x67...0x7A: lower += 1
            case 0x41...0x5A: upper += 1
            case 0x2D, 0x2E, 0x5F, 0x2B, 0x3D: marks += 1
            case 0x40: return segment.byteCount > 2
            case 0x80...: return UTF8Check.firstInvalid(in: segment) != nil
            case 0..<0x20, 0x7F: return true
            default: return false
            }
        }
        let letters = hexLetters + lower + upper
        if letters == 0 { return digits > 0 }
        if digits == 0 { return false }
        // Hexadecimal, in groups or not.
        if lower == 0, letters + digits >= 8, upper == 0 || hexLetters == 0 { return true }
        // Mixed like a random token: digits on more than one place in eight.
        return letters + digits >= 16 && digits * 8 >= letters + digits && marks <= 4
    }
}

extension UTF8Check {
    /// Where the first byte is that is no part of a valid character.
    static func firstInvalid(in bytes: RawSpan) -> Int? {
        var offset = 0
        while offset < bytes.byteCount {
            let length = length(of: bytes, at: offset)
            if length == 0 { return offset }
            offset += length
        }
        return nil
    }
}
