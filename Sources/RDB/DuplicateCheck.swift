import Bytes

/// Remembers members by 128 bits of a keyed hash, to find the one that comes twice.
struct DuplicateCheck {
    /// An open hash table of fingerprints, two words each; a zero first marks a free place.
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
        var slot = Int(truncatingIfNeeded: fingerprint.other) & mask
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
