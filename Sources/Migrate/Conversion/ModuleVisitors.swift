import Bytes
import Inspect
import RDB

extension ModuleID {
    /// JSON documents of RedisJSON 2 and valkey-json: the value is one string, the text.
    var isJSONText: Bool { name == "ReJSON-RL" && version == 3 }
    /// Vector sets of Redis 8.
    var isVectorSet: Bool { VectorSetItems.are(of: self) }
    /// Whether its data beyond keys has the definitions of search indexes.
    var hasIndexes: Bool { name == "ft_index0" }
}

/// Keeps the one string that a JSON document is.
struct JSONTextVisitor: PayloadVisitor, ~Copyable {
    /// The text; empty before the string came.
    private(set) var text = ByteWriter()

    mutating func begin(_ encoding: Encoding) -> Reporting { .elements }

    mutating func moduleItem(_ item: ModuleItem) {
        if case .string(let value) = item, text.isEmpty { text.append(value) }
    }
}

/// Finds the names of search indexes in the data that RediSearch keeps beyond keys.
///
/// That data is a run of numbers and strings whose layout is RediSearch's own. An index begins
/// with its name, flags, the number of its fields and the first field's name: two numbers
/// between two strings come nowhere else. A name that is not found so is not listed.
struct IndexNameVisitor: PayloadVisitor, ~Copyable {
    /// How many indexes the data says it has.
    private(set) var count: UInt64?
    /// The names found.
    private(set) var names: [String] = []

    /// Whether there is anything in the data but a zero.
    var holdsAnything: Bool { pieceCount > 1 || count ?? 0 > 0 }

    private var pieceCount = 0
    private var lastString: ByteString?
    private var numbersSince = 0

    mutating func begin(_ encoding: Encoding) -> Reporting { .elements }

    mutating func moduleItem(_ item: ModuleItem) {
        pieceCount += 1
        switch item {
        case .unsigned(let number):
            if count == nil { count = number }
            numbersSince += 1
        case .string(let value):
            if let lastString, numbersSince == 2 {
                // Strings there end with a zero byte.
                names.append(String(lastString.text.prefix { $0 != "\0" }))
            }
            lastString = value.byteString
            numbersSince = 0
        default:
            numbersSince += 1
        }
    }
}
