import Bytes
import RDB

/// What the keys of a file look like, to tell records from bytes that happen to read like some.
struct KeyLooks {
    private var keyCount = 0
    private var textCount = 0
    private var longest = 0
    private var hasEmptyKey = false
    private var earliest = Int64.max
    private var latest = Int64.min

    private static let year: Int64 = 31_536_000_000

    mutating func add(_ key: RawSpan, _ record: KeyRecord) {
        keyCount += 1
        if key.isText { textCount += 1 }
        longest = max(longest, key.byteCount)
        if key.byteCount == 0 { hasEmptyKey = true }
        if let deadline = record.deadline {
            earliest = min(earliest, deadline)
            latest = max(latest, deadline)
        }
    }

    /// Whether all keys so far are text.
    var areText: Bool { textCount == keyCount }

    /// Keys that are much longer than all before are not looked for.
    var plausibleLength: Int { max(1024, longest * 4) }

    /// Whether a record could be one more of the file's.
    func resemble(_ key: RawSpan, _ record: KeyRecord) -> Bool {
        if key.byteCount == 0, !hasEmptyKey { return false }
        if key.byteCount > plausibleLength { return false }
        if areText, !key.isText { return false }
        guard let deadline = record.deadline else { return true }
        if earliest > latest { return deadline > 0 && deadline < Self.year * 300 }
        return deadline > earliest - Self.year * 10 && deadline < latest + Self.year * 10
    }
}

/// Whether a record may begin at a place, as far as its first bytes tell.
enum RecordStart {
    static func isPossible(
        _ bytes: RawSpan,
        at offset: Int,
        _ dialect: Format.Dialect,
        _ keys: KeyLooks
    ) -> Bool {
        switch bytes.byte(at: offset) {
        case 244...255: return true
        case let byte where Encoding(typeByte: byte, in: dialect) != nil:
            return isKeyPossible(bytes, at: offset + 1, keys)
        default: return false
        }
    }

    /// Whether an encoded string that could be a key begins at `offset`.
    private static func isKeyPossible(_ bytes: RawSpan, at offset: Int, _ keys: KeyLooks) -> Bool {
        guard offset + 1 < bytes.byteCount else { return true }
        let first = bytes.byte(at: offset)
        var start = offset + 1
        var count = Int(first & 0x3F)
        switch first >> 6 {
        case 0: break
        case 1:
            count = count << 8 | Int(bytes.byte(at: start))
            start += 1
        case 2: return first == 0x80
        default: return first <= 0xC3
        }
        guard count > 0, count <= keys.plausibleLength else { return count == 0 }
        guard keys.areText, start + count <= bytes.byteCount else { return true }
        return bytes.part(from: start, count: count).isText
    }
}

extension RawSpan {
    /// Whether this is UTF-8 without control characters.
    fileprivate var isText: Bool {
        var offset = 0
        while offset < byteCount {
            let length = UTF8Check.length(of: self, at: offset)
            if length == 0 || byte(at: offset) < 0x20 || byte(at: offset) == 0x7F { return false }
            offset += length
        }
        return true
    }
}
