import Structures

/// Structures that no key leads to any more, freed in steps between other work.
///
/// Freeing ten million members takes a second; nobody shall wait for it.
@unsafe
struct Graveyard: ~Copyable {
    /// What is freed at once, in elements.
    static let smallCount = 64

    private var graves = unsafe [(encoding: Encoding, structure: UnsafeMutableRawPointer)]()

    var isEmpty: Bool { unsafe graves.isEmpty }

    mutating func bury(_ encoding: Encoding, _ structure: UnsafeMutableRawPointer) {
        unsafe graves.append((encoding, structure))
    }

    /// Frees about `limit` elements.
    mutating func dig(_ limit: Int, in arena: Arena) {
        var left = limit
        while left > 0, let grave = unsafe graves.last {
            left -= unsafe freeStructure(grave.encoding, grave.structure, limit: left, in: arena)
            if left > 0 { unsafe graves.removeLast() }
        }
    }
}

/// Frees up to about `limit` elements of a structure, and the structure with the last of them.
///
/// Returns how many it freed; fewer than `limit` says that the structure is gone.
@unsafe
func freeStructure(
    _ encoding: Encoding,
    _ structure: UnsafeMutableRawPointer,
    limit: Int,
    in arena: Arena
) -> Int {
    switch encoding {
    case .tableSet: unsafe freeTable(MemberNode.self, structure, limit: limit, in: arena)
    case .tableHash: unsafe freeTable(FieldNode.self, structure, limit: limit, in: arena)
    default: preconditionFailure("no structure has the encoding \(encoding)")
    }
}

@unsafe
private func freeTable<Node: SizedNode>(
    _: Node.Type,
    _ structure: UnsafeMutableRawPointer,
    limit: Int,
    in arena: Arena
) -> Int {
    let table = unsafe structure.assumingMemoryBound(to: HashTable<Node>.self)
    var freed = 0
    // The last bucket is cleared first: the ones already cleared are those at the end.
    var index = unsafe table.pointee.bucketCount
    while index > 0, freed < limit {
        index -= 1
        let before = unsafe table.pointee.count
        guard before > 0 else { break }
        unsafe table.pointee.clearBucket(at: index) {
            unsafe arena.free($0, Node.byteCount($0))
        }
        freed += unsafe before - table.pointee.count
    }
    guard unsafe table.pointee.count == 0 else { return max(freed, limit) }
    unsafe table.deinitialize(count: 1)
    unsafe table.deallocate()
    return min(freed, limit - 1)
}
