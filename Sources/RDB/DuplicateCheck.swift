import Bytes

/// Remembers members by 128 bits of a keyed hash, to find the one that comes twice.
struct DuplicateCheck {
    /// An open hash table of fingerprints, two words each; zeros mark a free place.
    private var table: [UInt64] = []
    private var count = 0
    /// Whether anything is looked for.
    let isOn: Bool

    init(isOn: Bool) {
        self.isOn = isOn
    }

    /// Remembers `member`; throws if it was there before.
    @inline(__always)
    mutating func insert(_ member: PackedValue, at offset: Int) throws(RDBError) {
        if isOn { try insertText(member, offset) }
    }

    private mutating func insertText(_ member: PackedValue, _ offset: Int) throws(RDBError) {
        let isNew = member.withText { insert(Fingerprint(of: $0)) }
        guard isNew else {
            throw RDBError(.duplicate, at: offset, "\"\(member.byteString)\" is there twice")
        }
    }

    /// Whether the fingerprint was not there yet.
    private mutating func insert(_ fingerprint: Fingerprint) -> Bool {
        if count * 4 >= table.count { grow() }
        let mask = table.count / 2 - 1
        var slot = Int(truncatingIfNeeded: fingerprint.one) & mask
        while table[slot * 2] != 0 {
            if table[slot * 2] == fingerprint.one, table[slot * 2 + 1] == fingerprint.other {
                return false
            }
            slot = (slot + 1) & mask
        }
        table[slot * 2] = fingerprint.one
        table[slot * 2 + 1] = fingerprint.other
        count += 1
        return true
    }

    private mutating func grow() {
        let old = table
        table = Array(repeating: 0, count: max(32, old.count * 2))
        count = 0
        for index in stride(from: 0, to: old.count, by: 2) where old[index] != 0 {
            _ = insert(Fingerprint(one: old[index], other: old[index + 1]))
        }
    }
}

/// 128 bits that stand for a member, other ones in every process.
///
/// Sixteen bytes a step are multiplied into two halves that change places, as wyhash does
/// (Wang Yi, "wyhash"), with secrets so that nobody can prepare two members of one fingerprint.
private struct Fingerprint {
    let one: UInt64
    let other: UInt64

    private static let secret = (0..<4).map { _ in UInt64.random(in: .min ... .max) | 1 }

    init(one: UInt64, other: UInt64) {
        self.one = one
        self.other = other
    }

    init(of bytes: RawSpan) {
        let secret = Self.secret
        var low = secret[0] ^ UInt64(bytes.byteCount)
        var high = secret[1]
        var offset = 0
        while offset < bytes.byteCount {
            let first = bytes.word(at: offset)
            let second = bytes.word(at: offset + 8)
            let product = (first ^ low ^ secret[2]).multipliedFullWidth(
                by: second ^ high ^ secret[3]
            )
            // What went in stays in, even if one of the factors was zero.
            low = (product.low ^ high).rotated ^ second
            high = product.high ^ low ^ first
            offset += 16
        }
        let last = (low ^ secret[3]).multipliedFullWidth(by: high ^ secret[2])
        // Zero marks a free place.
        one = (last.low ^ high) | 1
        other = last.high ^ low
    }
}

extension RawSpan {
    /// Eight bytes from `offset` on, zeros after the end.
    fileprivate func word(at offset: Int) -> UInt64 {
        if byteCount - offset >= 8 {
            return unsafe unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt64.self)
        }
        var word: UInt64 = 0
        for index in 0..<max(0, byteCount - offset) {
            word |= UInt64(byte(at: offset + index)) << UInt64(index * 8)
        }
        return word
    }
}

extension UInt64 {
    fileprivate var rotated: UInt64 { self << 23 | self >> 41 }
}
