/// What a value is to whoever uses it.
package enum Kind: UInt8, Sendable {
    case string, list, set, sortedSet, hash, stream, module
}

/// How a value lies in memory.
///
/// The packed forms are listpacks (integer sets: intsets), byte for byte as an RDB file has
/// them; they lie in the key's own block while they are small. The others are structures of
/// their own that the block points to.
package enum Encoding: UInt8, Sendable {
    case string
    case packedList, blockList
    case integerSet, packedSet, tableSet
    case packedSortedSet, indexedSortedSet
    case packedHash, tableHash
    case stream
    case module

    /// The kind of value that this is a form of.
    package var kind: Kind {
        switch self {
        case .string: .string
        case .packedList, .blockList: .list
        case .integerSet, .packedSet, .tableSet: .set
        case .packedSortedSet, .indexedSortedSet: .sortedSet
        case .packedHash, .tableHash: .hash
        case .stream: .stream
        case .module: .module
        }
    }

    /// Whether the value is one run of bytes.
    var isBytes: Bool {
        switch self {
        case .string, .packedList, .integerSet, .packedSet, .packedSortedSet, .packedHash, .module:
            true
        case .blockList, .tableSet, .indexedSortedSet, .tableHash, .stream: false
        }
    }
}
