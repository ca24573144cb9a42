import Bytes
import RDB
import Store

/// Reports the stored value of `entry` to a visitor, as a walk over its payload would.
///
/// Into a `PayloadWriter`, that writes it. Packed values are reported as they are.
package func encode(
    _ entry: Entry,
    into visitor: inout some PayloadVisitor & ~Copyable
) throws(RDBError) {
    switch entry.encoding {
    case .string:
        _ = try visitor.begin(.string)
        try visitor.string(.bytes(entry.bytes))
    case .packedList, .blockList:
        try encodeList(entry, into: &visitor)
    case .integerSet:
        try announce(.setIntset, count: entry.set.count, to: &visitor)
        try visitor.intset(entry.bytes, count: entry.set.count)
    case .packedSet:
        try announce(.setListpack, count: entry.set.count, to: &visitor)
        try visitor.listpack(entry.bytes, count: entry.set.count)
    case .tableSet:
        try announce(.set, count: entry.set.count, to: &visitor)
        var failure: RDBError?
        entry.set.forEachMember { member in
            attempt(&failure) { () throws(RDBError) in try visitor.setMember(member) }
        }
        if let failure { throw failure }
    case .packedSortedSet:
        try announce(.sortedSetListpack, count: entry.sortedSet.count, to: &visitor)
        try visitor.listpack(entry.bytes, count: entry.sortedSet.count)
    case .indexedSortedSet:
        try announce(.sortedSet, count: entry.sortedSet.count, to: &visitor)
        var failure: RDBError?
        entry.sortedSet.forEachMember { member, score in
            attempt(&failure) { () throws(RDBError) in
                try visitor.sortedSetMember(member, score: score)
            }
        }
        if let failure { throw failure }
    case .packedHash:
        try announce(.hashListpack, count: entry.hash.count, to: &visitor)
        try visitor.listpack(entry.bytes, count: entry.hash.count)
    case .tableHash:
        try encodeTableHash(entry, into: &visitor)
    case .stream:
        try encodeStream(entry.stream, into: &visitor)
    case .module:
        preconditionFailure("module values are copied, not encoded")
    }
    try visitor.end()
}

private func announce(
    _ encoding: RDB.Encoding,
    count: Int,
    to visitor: inout some PayloadVisitor & ~Copyable
) throws(RDBError) {
    _ = try visitor.begin(encoding)
    var extent = Extent()
    extent.count = count
    try visitor.announce(extent)
}

private func encodeList(
    _ entry: Entry,
    into visitor: inout some PayloadVisitor & ~Copyable
) throws(RDBError) {
    _ = try visitor.begin(.listQuicklist2)
    var extent = Extent()
    extent.count = entry.list.count
    extent.nodeCount = entry.list.nodeCount
    try visitor.announce(extent)
    var failure: RDBError?
    entry.list.forEachNode { node in
        attempt(&failure) { () throws(RDBError) in
            switch node {
            case .listpack(let bytes, let count): try visitor.listNode(bytes, count: count)
            case .element(let bytes): try visitor.listElement(.bytes(bytes))
            }
        }
    }
    if let failure { throw failure }
}

private func encodeTableHash(
    _ entry: Entry,
    into visitor: inout some PayloadVisitor & ~Copyable
) throws(RDBError) {
    // Fields that have expired are neither counted nor visited.
    var count = 0
    var earliest: Int64?
    entry.hash.forEachWithDeadline { _, _, deadline in
        count += 1
        if let deadline { earliest = min(earliest ?? deadline, deadline) }
    }
    _ = try visitor.begin(earliest == nil ? .hash : .hashDeadlines)
    var extent = Extent()
    extent.count = count
    extent.hasFieldDeadlines = earliest != nil
    extent.earliestDeadline = earliest
    try visitor.announce(extent)
    var failure: RDBError?
    entry.hash.forEachWithDeadline { field, value, deadline in
        attempt(&failure) { () throws(RDBError) in
            try visitor.hashField(field, value: value, deadline: deadline)
        }
    }
    if let failure { throw failure }
}

/// Runs `body` unless something has failed before; the walks of the store cannot throw.
func attempt(_ failure: inout RDBError?, _ body: () throws(RDBError) -> Void) {
    guard failure == nil else { return }
    do throws(RDBError) {
        try body()
    } catch {
        failure = error
    }
}
