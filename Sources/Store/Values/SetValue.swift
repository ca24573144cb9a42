import Bytes
import Structures

/// A set to be read.
@safe
package struct SetValue {
    package let entry: Entry

    var table: UnsafeMutablePointer<HashTable<MemberNode>> {
        unsafe entry.valuePointer.assumingMemoryBound(to: HashTable<MemberNode>.self)
    }

    /// How many members.
    package var count: Int {
        switch entry.encoding {
        case .integerSet: IntegerSet.count(of: entry.bytes)
        case .packedSet: entry.packedCount
        default: unsafe table.pointee.count
        }
    }

    /// Whether no member is left.
    package var isEmpty: Bool { count == 0 }

    /// Takes the set through the door, so that it may be changed.
    package func open() -> OpenSet { OpenSet(open: entry.open()) }

    /// Whether `member` is in the set.
    package func contains(_ member: RawSpan) -> Bool {
        switch entry.encoding {
        case .integerSet:
            guard let integer = DecimalText.parseInteger(member) else { return false }
            return IntegerSet.contains(integer, in: entry.bytes)
        case .packedSet:
            var cursor = unsafe PackedCursor(entry.valueBytes)
            return unsafe cursor.find(PackedNeedle(member), stride: 1)
        default:
            let hash = unsafe table.pointee.hash(member)
            return unsafe table.pointee.find(member, hash: hash) != nil
        }
    }

    /// Whether `member` is in the set.
    package func contains(_ member: borrowing PackedValue) -> Bool {
        switch member {
        case .bytes(let bytes): return contains(bytes)
        case .integer(let integer):
            if entry.encoding == .integerSet {
                return IntegerSet.contains(integer, in: entry.bytes)
            }
            return DecimalText.withText(of: integer) { contains($0) }
        }
    }

    /// Visits every member.
    package func forEachMember(_ visit: (PackedValue) -> Void) {
        switch entry.encoding {
        case .integerSet:
            for index in 0..<count { visit(.integer(IntegerSet.value(at: index, in: entry.bytes))) }
        case .packedSet:
            var cursor = unsafe PackedCursor(entry.valueBytes)
            while unsafe !cursor.isAtEnd {
                unsafe visit(cursor.value())
                unsafe cursor.advance()
            }
        default:
            unsafe table.pointee.forEachSlot { slot in
                unsafe visit(.bytes(MemberNode.key(of: slot.node).bytes))
            }
        }
    }

    /// Visits the members until a visit returns false.
    package func visitMembers(while visit: (borrowing PackedValue) -> Bool) {
        switch entry.encoding {
        case .integerSet:
            for index in 0..<count
            where !visit(.integer(IntegerSet.value(at: index, in: entry.bytes))) {
                return
            }
        case .packedSet:
            var cursor = unsafe PackedCursor(entry.valueBytes)
            while unsafe !cursor.isAtEnd, unsafe visit(cursor.value()) {
                unsafe cursor.advance()
            }
        default:
            for bucket in 0..<(unsafe table.pointee.bucketCount) {
                var goesOn = true
                unsafe table.pointee.forEachSlot(inBucket: bucket) { slot in
                    guard goesOn else { return }
                    goesOn = unsafe visit(.bytes(MemberNode.key(of: slot.node).bytes))
                }
                guard goesOn else { return }
            }
        }
    }

    /// Visits the members at a cursor and returns the next; packed sets are visited at once.
    package func scan(_ cursor: UInt64, _ visit: (PackedValue) -> Void) -> UInt64 {
        guard entry.encoding == .tableSet else {
            forEachMember(visit)
            return 0
        }
        return unsafe table.pointee.scan(cursor) { slot in
            unsafe visit(.bytes(MemberNode.key(of: slot.node).bytes))
        }
    }

    /// Visits one member by chance, each about equally likely.
    package func random(_ visit: (PackedValue) -> Void) {
        switch entry.encoding {
        case .integerSet:
            visit(.integer(IntegerSet.value(at: choice(of: count), in: entry.bytes)))
        case .packedSet:
            var cursor = unsafe PackedCursor(entry.valueBytes)
            for _ in 0..<choice(of: count) { unsafe cursor.advance() }
            unsafe visit(cursor.value())
        default:
            guard let slot = unsafe table.pointee.randomSlot(&environment.pointee.random) else {
                return
            }
            unsafe visit(.bytes(MemberNode.key(of: slot.node).bytes))
        }
    }

    /// Visits `wanted` different members by chance, each about equally likely.
    package func sample(_ wanted: Int, _ visit: (PackedValue) -> Void) {
        guard entry.encoding == .tableSet else {
            var sampler = Sampler(wanted, of: count)
            return forEachMember { member in
                if unsafe sampler.takes(&environment.pointee.random) { visit(member) }
            }
        }
        unsafe table.pointee.forEachSample(wanted, &environment.pointee.random) { slot in
            unsafe visit(.bytes(MemberNode.key(of: slot.node).bytes))
        }
    }

    fileprivate var environment: UnsafeMutablePointer<Environment> {
        unsafe entry.keyspace.environment
    }

    fileprivate func choice(of count: Int) -> Int {
        Int(unsafe environment.pointee.random.next() >> 1) % count
    }
}

/// A set to be changed.
@safe
package struct OpenSet {
    package let open: OpenEntry

    /// The same set, to be read.
    package var value: SetValue { SetValue(entry: open.entry) }

    private var limits: EncodingLimits {
        unsafe open.keyspace.environment.pointee.limits
    }

    /// Adds a member; returns whether it is new.
    @discardableResult
    package func add(_ member: RawSpan) -> Bool {
        switch open.entry.encoding {
        case .integerSet: addToIntegers(member)
        case .packedSet: addToPacked(member)
        default: addToTable(member)
        }
    }

    private func addToIntegers(_ member: RawSpan) -> Bool {
        guard let integer = DecimalText.parseInteger(member) else {
            leaveIntegers(adding: member.byteCount)
            return add(member)
        }
        let place = IntegerSet.find(integer, in: open.entry.bytes)
        if place.isFound { return false }
        guard value.count < limits.setIntegers else {
            leaveIntegers(adding: member.byteCount)
            return add(member)
        }
        let newCount = IntegerSet.byteCount(of: open.entry.bytes, afterInserting: integer)
        let room = unsafe open.resizeValue(to: newCount).baseAddress.unsafelyUnwrapped
        unsafe IntegerSet.insert(integer, at: place.index, into: room)
        return true
    }

    private func addToPacked(_ member: RawSpan) -> Bool {
        if value.contains(member) { return false }
        guard member.byteCount <= limits.setValue, value.count < limits.setEntries else {
            convertToTable()
            return addToTable(member)
        }
        open.appendPacked(PackedValue(packing: member))
        return true
    }

    /// Asks the processor for where `member` belongs, so that `add` finds it there.
    package func prefetch(_ member: RawSpan) {
        guard open.entry.encoding == .tableSet else { return }
        let table = unsafe value.table
        unsafe table.pointee.prefetchBucket(table.pointee.hash(member))
    }

    private func addToTable(_ member: RawSpan) -> Bool {
        let table = unsafe value.table
        let hash = unsafe table.pointee.hash(member)
        guard unsafe table.pointee.find(member, hash: hash) == nil else { return false }
        unsafe table.pointee.insert(MemberNode.make(member, in: open.arena), hash: hash)
        return true
    }

    /// Adds a member; returns whether it is new.
    @discardableResult
    package func add(_ member: borrowing PackedValue) -> Bool {
        switch member {
        case .bytes(let bytes): add(bytes)
        case .integer(let integer): DecimalText.withText(of: integer) { add($0) }
        }
    }

    /// Removes a member; returns whether it was there.
    ///
    /// A set without members must not stay: the caller removes its key.
    @discardableResult
    package func remove(_ member: RawSpan) -> Bool {
        switch open.entry.encoding {
        case .integerSet:
            guard let integer = DecimalText.parseInteger(member) else { return false }
            let place = IntegerSet.find(integer, in: open.entry.bytes)
            guard place.isFound else { return false }
            let bytes = unsafe open.entry.valueBytes.baseAddress.unsafelyUnwrapped
            unsafe open.resizeValue(to: IntegerSet.remove(at: place.index, from: bytes))
            return true
        case .packedSet:
            let bytes = unsafe open.entry.valueBytes
            var cursor = unsafe PackedCursor(bytes)
            guard unsafe cursor.find(PackedNeedle(member), stride: 1) else { return false }
            open.removePacked(
                at: unsafe cursor.offset(in: bytes),
                unsafe cursor.byteCount,
                elements: 1
            )
            return true
        default:
            let table = unsafe value.table
            let hash = unsafe table.pointee.hash(member)
            guard let slot = unsafe table.pointee.find(member, hash: hash) else { return false }
            let node = unsafe table.pointee.remove(slot, hash: hash)
            unsafe open.arena.free(node, MemberNode.byteCount(node))
            return true
        }
    }

    /// Removes one member by chance, each about equally likely, after it was visited.
    package func removeRandom(_ visit: (PackedValue) -> Void) {
        let entry = open.entry
        switch entry.encoding {
        case .integerSet:
            let index = value.choice(of: value.count)
            visit(.integer(IntegerSet.value(at: index, in: entry.bytes)))
            let bytes = unsafe entry.valueBytes.baseAddress.unsafelyUnwrapped
            unsafe open.resizeValue(to: IntegerSet.remove(at: index, from: bytes))
        case .packedSet:
            let bytes = unsafe entry.valueBytes
            var cursor = unsafe PackedCursor(bytes)
            for _ in 0..<value.choice(of: value.count) { unsafe cursor.advance() }
            unsafe visit(cursor.value())
            open.removePacked(
                at: unsafe cursor.offset(in: bytes),
                unsafe cursor.byteCount,
                elements: 1
            )
        default:
            let table = unsafe value.table
            let slot = unsafe table.pointee.randomSlot(&value.environment.pointee.random)
            guard let slot else { return }
            let member = unsafe MemberNode.key(of: slot.node).bytes
            visit(.bytes(member))
            let node = unsafe table.pointee.remove(slot, hash: table.pointee.hash(member))
            unsafe open.arena.free(node, MemberNode.byteCount(node))
        }
    }

    /// Chooses the encoding for `count` more members, as Valkey does ahead of adding many.
    package func prepare(for count: Int) {
        switch open.entry.encoding {
        case .integerSet where count > limits.setIntegers: convertToTable()
        case .packedSet where count > limits.setEntries: convertToTable()
        default: return
        }
    }

    /// Makes room for so many members in all, if they are more than a packed set holds.
    package func reserve(_ count: Int) {
        guard count > max(limits.setIntegers, limits.setEntries) else { return }
        prepare(for: count)
        guard open.entry.encoding == .tableSet else { return }
        unsafe value.table.pointee.reserve(count)
    }

    /// Turns integers into a listpack if they and one more member still fit, else a table.
    private func leaveIntegers(adding byteCount: Int) {
        let limits = self.limits
        guard value.count < limits.setEntries, byteCount <= limits.setValue else {
            return convertToTable()
        }
        var packed = ListpackWriter()
        value.forEachMember { packed.append($0) }
        packed.finish { bytes in
            unsafe open.replaceValue(.packedSet, byteCount: bytes.byteCount).store(bytes)
        }
    }

    /// Makes a packed set that is larger than the limits into a table.
    func applyLimits() {
        switch open.entry.encoding {
        case .integerSet where value.count > limits.setIntegers:
            convertToTable()
        case .packedSet
        where value.count > limits.setEntries
            || open.entry.longestPackedElement > limits.setValue:
            convertToTable()
        default:
            break
        }
    }

    private func convertToTable() {
        let arena = open.arena
        let table = UnsafeMutablePointer<HashTable<MemberNode>>.allocate(capacity: 1)
        let seed = unsafe open.keyspace.environment.pointee.seed
        unsafe table.initialize(to: HashTable(arena: arena, seed: seed))
        var text = TextBuffer()
        value.forEachMember { member in
            let member = text.text(of: member)
            let hash = unsafe table.pointee.hash(member)
            unsafe table.pointee.insert(MemberNode.make(member, in: arena), hash: hash)
        }
        unsafe open.replaceValue(.tableSet, pointer: UnsafeMutableRawPointer(table))
    }
}

extension Entry {
    /// The value as a set, which it must be.
    package var set: SetValue {
        precondition(kind == .set, "not a set")
        return SetValue(entry: self)
    }
}

extension OpenEntry {
    /// The value as a set, which it must be.
    package var set: OpenSet {
        precondition(entry.kind == .set, "not a set")
        return OpenSet(open: self)
    }
}

extension Keyspace {
    /// Adds `key`, which must be absent, with a set without members, in the encoding for one that
    /// begins with `member`.
    package func insertSet(
        _ key: RawSpan,
        toHold member: borrowing PackedValue
    ) -> OpenSet {
        switch member {
        case .bytes(let bytes): insertSet(key, toHold: bytes)
        case .integer(let integer):
            DecimalText.withText(of: integer) { insertSet(key, toHold: $0) }
        }
    }

    /// Adds `key`, which must be absent, with a set without members, in the encoding for `count`
    /// members of which `member` is the first.
    package func insertSet(
        _ key: RawSpan,
        toHold member: RawSpan,
        count: Int = 1
    ) -> OpenSet {
        let limits = unsafe environment.pointee.limits
        guard count <= limits.setIntegers, DecimalText.parseInteger(member) != nil else {
            let open = insert(key, .packedSet, byteCount: Listpack.emptyByteCount)
            open.clearPacked(.packedSet)
            let set = OpenSet(open: open)
            set.prepare(for: count)
            return set
        }
        let open = insert(key, .integerSet, byteCount: IntegerSet.headerByteCount)
        unsafe IntegerSet.writeEmpty(to: open.entry.valueBytes.baseAddress.unsafelyUnwrapped)
        return OpenSet(open: open)
    }
}
