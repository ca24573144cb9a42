import RDB

/// Sees values that are copied: compact collections throughout, since a server that loads a
/// damaged one may fail long after, and the rest as far as it takes to move past it.
struct CopyVisitor: PayloadVisitor {
    /// How it is laid out.
    private(set) var encoding = Encoding.string
    /// How many elements a compact collection has.
    private(set) var count = 0

    /// Whether plain layouts and compressed strings are looked through, too.
    private let isThorough: Bool

    init(isThorough: Bool) {
        self.isThorough = isThorough
    }

    /// Whether the value is a compact collection.
    var hasPacked: Bool { count > 0 }

    mutating func begin(_ encoding: Encoding) -> Reporting {
        self.encoding = encoding
        if isThorough { return .elements }
        switch encoding {
        case .string, .list, .set, .sortedSet, .sortedSetText, .hash, .module: return .nothing
        default: return .encoded
        }
    }

    mutating func announce(_ extent: Extent) {
        if let count = extent.count, extent.byteCount != nil { self.count = count }
    }
}

extension PackingExtremes {
    /// Takes in what others had.
    mutating func add(_ others: PackingExtremes) {
        hashFields = max(hashFields, others.hashFields)
        sortedSetMembers = max(sortedSetMembers, others.sortedSetMembers)
        setMembers = max(setMembers, others.setMembers)
        intsetMembers = max(intsetMembers, others.intsetMembers)
    }

    /// Takes in a compact collection that was copied.
    mutating func note(_ encoding: Encoding, _ count: Int) {
        switch encoding.kind {
        case .hash: hashFields = max(hashFields, count)
        case .sortedSet: sortedSetMembers = max(sortedSetMembers, count)
        case .set where encoding == .setIntset: intsetMembers = max(intsetMembers, count)
        case .set: setMembers = max(setMembers, count)
        default: break
        }
    }
}
