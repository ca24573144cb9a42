import Bytes
import Structures

extension Keyspace {
    /// Adds a copy of an entry under `key`, which must be absent in `destination`.
    ///
    /// The deadline is copied; the copy counts as just used.
    package func copy(_ entry: Entry, to key: RawSpan, in destination: Keyspace) {
        let deadline = entry.deadline
        guard entry.encoding.isBytes else { return copyStructure(entry, to: key, in: destination) }
        // The bytes stay where they are while the table of keys changes.
        let bytes = unsafe UnsafeRawBufferPointer(entry.valueBytes)
        let open = destination.insert(
            key,
            entry.encoding,
            byteCount: bytes.count,
            deadline: deadline
        )
        unsafe open.entry.valueBytes.store(bytes.bytes)
    }

    private func copyStructure(_ entry: Entry, to key: RawSpan, in destination: Keyspace) {
        switch entry.encoding {
        case .blockList: copyList(entry, to: key, in: destination)
        case .tableSet: copySet(entry, to: key, in: destination)
        case .tableHash: copyHash(entry, to: key, in: destination)
        case .indexedSortedSet: copySortedSet(entry, to: key, in: destination)
        case .stream: copyStream(entry, to: key, in: destination)
        default: preconditionFailure("no structure has the encoding \(entry.encoding)")
        }
    }

    private func copyList(_ entry: Entry, to key: RawSpan, in destination: Keyspace) {
        let source = unsafe entry.valuePointer.assumingMemoryBound(to: BlockList.self)
        let copy = UnsafeMutablePointer<BlockList>.allocate(capacity: 1)
        let limits = unsafe environment.pointee.limits
        unsafe copy.initialize(
            to: BlockList(
                arena: arena,
                byteLimit: limits.listBlockBytes - Listpack.emptyByteCount,
                countLimit: limits.listBlockElements
            )
        )
        for number in unsafe source.pointee.blockNumbers {
            let shape = unsafe source.pointee.blockShape(number)
            let bytes = unsafe source.pointee.blockBytes(number)
            if shape.isPlain {
                unsafe copy.pointee.pushBack(bytes)
            } else {
                unsafe copy.pointee.appendBlock(entries: bytes, count: shape.count)
            }
        }
        _ = unsafe destination.insert(
            key,
            .blockList,
            pointer: UnsafeMutableRawPointer(copy),
            deadline: entry.deadline
        )
    }

    private func copySet(_ entry: Entry, to key: RawSpan, in destination: Keyspace) {
        let table = UnsafeMutablePointer<HashTable<MemberNode>>.allocate(capacity: 1)
        unsafe table.initialize(to: HashTable(arena: arena, seed: environment.pointee.seed))
        entry.set.forEachMember { member in
            guard case .bytes(let member) = member else { return }
            let hash = unsafe table.pointee.hash(member)
            unsafe table.pointee.insert(MemberNode.make(member, in: arena), hash: hash)
        }
        _ = unsafe destination.insert(
            key,
            .tableSet,
            pointer: UnsafeMutableRawPointer(table),
            deadline: entry.deadline
        )
    }

    private func copyHash(_ entry: Entry, to key: RawSpan, in destination: Keyspace) {
        let table = unsafe FieldTable.make(environment)
        entry.hash.forEachWithDeadline { field, value, deadline in
            guard case .bytes(let field) = field, case .bytes(let value) = value else { return }
            unsafe table.pointee.insert(field, value, deadline: deadline)
        }
        _ = unsafe destination.insert(
            key,
            .tableHash,
            pointer: UnsafeMutableRawPointer(table),
            deadline: entry.deadline
        )
    }

    private func copySortedSet(_ entry: Entry, to key: RawSpan, in destination: Keyspace) {
        let indexed = unsafe IndexedSortedSet.allocate(in: self)
        entry.sortedSet.forEachMember { member, score in
            guard case .bytes(let member) = member else { return }
            unsafe indexed.pointee.append(member, score)
        }
        _ = unsafe destination.insert(
            key,
            .indexedSortedSet,
            pointer: UnsafeMutableRawPointer(indexed),
            deadline: entry.deadline
        )
    }
}
