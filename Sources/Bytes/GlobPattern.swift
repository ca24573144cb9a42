/// A pattern as `KEYS`, `SCAN MATCH` and `PSUBSCRIBE` take it.
///
///     *        any bytes, or none
///     ?        one byte
///     [abc]    one of these; [a-c] one in the range, either end first; [^abc] none of these
///     \x       x itself, inside brackets too
///
/// A bracket that is not closed ends with the pattern. Everything else stands for itself.
///
/// A star that failed with one length is tried with the next, but never one before it: the
/// bytes between two stars matched as early as they can, so nothing an earlier star could
/// still do would help. That keeps the work below pattern length times text length, where
/// the usual recursion is exponential in the number of stars.
public struct GlobPattern: ~Escapable {
    private let pattern: RawSpan
    private let ignoresCase: Bool

    /// Compares letters without case if `ignoringCase`, ASCII letters only.
    @_lifetime(copy pattern)
    public init(_ pattern: RawSpan, ignoringCase: Bool = false) {
        self.pattern = pattern
        self.ignoresCase = ignoringCase
    }

    /// Whether the pattern is a lone star.
    public var matchesEverything: Bool {
        pattern.byteCount == 1 && pattern.byte(at: 0) == UInt8(ascii: "*")
    }

    /// Whether all of `text` matches.
    ///
    /// Nothing but the empty pattern matches an empty text, not even a star: that is what
    /// Valkey answers. Its commands ask `matchesEverything` first where it would show.
    public func matches(_ text: RawSpan) -> Bool {
        guard text.byteCount > 0 else { return pattern.byteCount == 0 }
        var position = 0
        var offset = 0
        var retry: (position: Int, offset: Int)?
        while offset < text.byteCount {
            if position < pattern.byteCount {
                if pattern.byte(at: position) == UInt8(ascii: "*") {
                    position += 1
                    if position == pattern.byteCount { return true }
                    retry = (position, offset)
                    continue
                }
                if let next = step(over: text.byte(at: offset), at: position) {
                    position = next
                    offset += 1
                    continue
                }
            }
            guard let longer = retry else { return false }
            position = longer.position
            offset = longer.offset + 1
            retry = (position, offset)
        }
        while position < pattern.byteCount, pattern.byte(at: position) == UInt8(ascii: "*") {
            position += 1
        }
        return position == pattern.byteCount
    }

    /// Where the pattern goes on if the part of it at `position` takes `byte`, else nil.
    private func step(over byte: UInt8, at position: Int) -> Int? {
        switch pattern.byte(at: position) {
        case UInt8(ascii: "?"): return position + 1
        case UInt8(ascii: "["):
            let (isMember, end) = readClass(at: position + 1, containing: byte)
            return isMember ? end : nil
        case UInt8(ascii: "\\") where position + 1 < pattern.byteCount:
            return isSame(pattern.byte(at: position + 1), byte) ? position + 2 : nil
        case let literal:
            return isSame(literal, byte) ? position + 1 : nil
        }
    }

    private func readClass(at start: Int, containing byte: UInt8) -> (isMember: Bool, end: Int) {
        var position = start
        let isNegated =
            position < pattern.byteCount && pattern.byte(at: position) == UInt8(ascii: "^")
        if isNegated { position += 1 }
        var isListed = false
        while position < pattern.byteCount, pattern.byte(at: position) != UInt8(ascii: "]") {
            let left = pattern.byteCount - position
            if left >= 2, pattern.byte(at: position) == UInt8(ascii: "\\") {
                // An escaped member is compared with case even where case is ignored.
                if pattern.byte(at: position + 1) == byte { isListed = true }
                position += 2
            } else if left >= 3, pattern.byte(at: position + 1) == UInt8(ascii: "-") {
                let ends = (pattern.byte(at: position), pattern.byte(at: position + 2))
                if isInRange(byte, ends) { isListed = true }
                position += 3
            } else {
                if isSame(pattern.byte(at: position), byte) { isListed = true }
                position += 1
            }
        }
        return (isListed != isNegated, min(position + 1, pattern.byteCount))
    }

    /// Ranges compare bytes as signed, as they do where `char` is signed: 0x80 is below 0x00.
    private func isInRange(_ byte: UInt8, _ ends: (UInt8, UInt8)) -> Bool {
        let one = Int8(bitPattern: ends.0)
        let other = Int8(bitPattern: ends.1)
        let first = folded(UInt8(bitPattern: min(one, other)))
        let last = folded(UInt8(bitPattern: max(one, other)))
        let value = Int8(bitPattern: folded(byte))
        return value >= Int8(bitPattern: first) && value <= Int8(bitPattern: last)
    }

    private func isSame(_ one: UInt8, _ other: UInt8) -> Bool {
        folded(one) == folded(other)
    }

    private func folded(_ byte: UInt8) -> UInt8 {
        ignoresCase && byte >= 0x41 && byte <= 0x5A ? byte | 0x20 : byte
    }
}
