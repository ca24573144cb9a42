/// A file with layouts that no server writes any more, or only if it is configured so.
enum OlderLayouts {
    /// A key of each of them; there is no checksum.
    static let file: [UInt8] =
        Array("REDIS0012".utf8) + list + zipmap + ziplist + module + relativeDeadlines
        + [0xFF] + Array(repeating: 0, count: 8)

    /// LIST: count, elements.
    private static let list = key(1, "list") + [2] + string("a") + string("b")

    /// HASH_ZIPMAP: how many fields, each a name, then the value's length, no free bytes, the value.
    private static let zipmap =
        key(9, "zipmap") + [11, 1] + string("field") + [1, 0] + Array("v".utf8) + [0xFF]

    /// LIST_ZIPLIST: its length, where its last entry is, how many there are, each with the length
    /// of the one before.
    private static let ziplist =
        key(10, "ziplist") + [14] + [14, 0, 0, 0, 10, 0, 0, 0, 1, 0] + [0, 1, 0x61] + [0xFF]

    /// MODULE_2: an id of eight bytes, a number that is 5, the end.
    private static let module =
        key(7, "module") + [0x81, 1, 2, 3, 4, 5, 6, 7, 8] + [2, 5] + [0]

    /// HASH_METADATA: a base, count, each a deadline from there on, a name and a value.
    private static let relativeDeadlines =
        key(24, "deadlines") + [0, 0, 0, 0, 2, 0, 0, 0] + [1] + [7] + string("field") + string("v")

    private static func key(_ type: UInt8, _ name: String) -> [UInt8] {
        [type] + string(name)
    }

    private static func string(_ text: String) -> [UInt8] {
        [UInt8(text.utf8.count)] + Array(text.utf8)
    }
}
