import Bytes
import Store

extension Kind {
    /// As TYPE and the TYPE option of SCAN say it.
    var name: StaticString {
        switch self {
        case .string: "string"
        case .list: "list"
        case .set: "set"
        case .sortedSet: "zset"
        case .hash: "hash"
        case .stream: "stream"
        case .module: "module"
        }
    }
}

extension Entry {
    /// As OBJECT ENCODING says it: the name of what Valkey would use for this value.
    var encodingName: StaticString {
        switch encoding {
        case .string: stringEncodingName
        case .packedList, .packedSet, .packedSortedSet, .packedHash: "listpack"
        case .blockList: "quicklist"
        case .integerSet: "intset"
        case .tableSet, .tableHash: "hashtable"
        case .indexedSortedSet: "skiplist"
        case .stream: "stream"
        case .module: "raw"
        }
    }

    private var stringEncodingName: StaticString {
        let value = bytes
        switch stringForm {
        case .edited: return "raw"
        case .whole where DecimalText.parseInteger(value) != nil: return "int"
        case .whole, .text: break
        }
        return Entry.embeds(value, under: key) ? "embstr" : "raw"
    }

    /// Whether Valkey keeps a string in one block with its key, where each has a small header,
    /// and a deadline that the key had before 8 bytes.
    static func embeds(
        _ value: RawSpan,
        under key: RawSpan,
        besideDeadline: Bool = false
    ) -> Bool {
        let keyHeader = key.byteCount < 32 ? 2 : 4
        let room = besideDeadline ? 107 : 115
        return key.byteCount + keyHeader + value.byteCount <= room
    }
}
