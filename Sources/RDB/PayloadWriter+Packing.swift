import Bytes

/// Collections as the target packs them, from others' listpacks and from what was held back.
extension PayloadWriter {
    /// Writes a whole set, sorted set or hash.
    public mutating func listpack(_ bytes: RawSpan, count: Int) throws(RDBError) {
        precondition(remaining == count, "not as many elements as were announced")
        switch source.kind {
        case .set where !target.hasSetListpacks:
            return try writeMembers(of: bytes)
        case .set:
            try open(.setListpack)
        case .sortedSet:
            try open(target.hasListpacks ? .sortedSetListpack : .sortedSetZiplist)
        default:
            try open(target.hasListpacks ? .hashListpack : .hashZiplist)
        }
        try writePacked(bytes)
        remaining = 0
        phase = .streaming(.none)
    }

    /// Writes a whole set of integers.
    public mutating func intset(_ bytes: RawSpan, count: Int) throws(RDBError) {
        precondition(remaining == count, "not as many members as were announced")
        try open(.setIntset)
        try output.append(string: bytes)
        remaining = 0
        phase = .streaming(.none)
    }

    private mutating func writeMembers(of listpack: RawSpan) throws(RDBError) {
        var reader = try PackedReader(listpack, offset: 0, checks: .bounds)
        while let member = try reader.next() { try setMember(member) }
    }

    /// Writes a listpack as the target packs its collections.
    private mutating func writePacked(_ listpack: RawSpan) throws(RDBError) {
        try Self.write(listpack, for: target, &ziplist, to: &output)
    }

    private static func write(
        _ listpack: RawSpan,
        for target: Target,
        _ ziplist: inout ZiplistWriter,
        to output: inout Output
    ) throws(RDBError) {
        if target.hasListpacks { return try output.append(string: listpack) }
        do {
            var scan = try ListpackScan(listpack)
            while let entry = try scan.next() {
                if let integer = scan.integer(at: entry) {
                    ziplist.append(.integer(integer))
                } else {
                    ziplist.append(.bytes(scan.string(at: entry)))
                }
            }
        } catch {
            throw RDBError(error, in: 0)
        }
        try finish(&ziplist, to: &output)
    }

    private static func finish(
        _ ziplist: inout ZiplistWriter,
        to output: inout Output
    ) throws(RDBError) {
        try ziplist.finish { bytes throws(RDBError) in try output.append(string: bytes) }
    }

    private static func finish(
        _ held: inout ListpackWriter,
        for target: Target,
        _ ziplist: inout ZiplistWriter,
        to output: inout Output
    ) throws(RDBError) {
        try held.finish { bytes throws(RDBError) in
            try write(bytes, for: target, &ziplist, to: &output)
        }
    }

    /// Writes what is held, all of it, behind the type byte.
    mutating func finishPacked() throws(RDBError) {
        try Self.finish(&held, for: target, &ziplist, to: &output)
    }

    /// Writes elements that were held back to the end as the target packs them.
    mutating func finishHeld() throws(RDBError) {
        switch source.kind {
        case .list where held.count > 0:
            try open(target.hasListpacks ? .listQuicklist2 : .listQuicklist)
            output.append(count: 1)
            if target.hasListpacks { output.append(count: 2) }
        case .set where held.count > 0 && isHoldingIntegersOnly:
            return try finishIntset()
        case .set where held.count > 0 && target.hasSetListpacks:
            try open(.setListpack)
        case .sortedSet where held.count > 0:
            return try finishSortedSet()
        case .hash where held.count > 0:
            if heldDeadlines.contains(where: { $0 != Self.noDeadline }) {
                return try finishDeadlines()
            }
            try open(target.hasListpacks ? .hashListpack : .hashZiplist)
        default:
            // Nothing: the plain layouts can be empty.
            return try stream()
        }
        try finishPacked()
    }

    private mutating func finishIntset() throws(RDBError) {
        var members: [Int64] = []
        try held.finish { bytes throws(RDBError) in
            var reader = try PackedReader(bytes, offset: 0, checks: .bounds)
            for _ in 0..<reader.remainingCount {
                members.append(try reader.requireInteger(.invalidIntset))
            }
        }
        members.sort()
        let smallest = members.first ?? 0
        let greatest = members.last ?? 0
        var intset = ByteWriter(reserving: Intset.headerByteCount + members.count * 8)
        let width: UInt32 =
            Int16(exactly: smallest) != nil && Int16(exactly: greatest) != nil
            ? 2 : Int32(exactly: smallest) != nil && Int32(exactly: greatest) != nil ? 4 : 8
        intset.appendInteger(width)
        intset.appendInteger(UInt32(members.count))
        for member in members {
            switch width {
            case 2: intset.appendInteger(Int16(truncatingIfNeeded: member))
            case 4: intset.appendInteger(Int32(truncatingIfNeeded: member))
            default: intset.appendInteger(member)
            }
        }
        try open(.setIntset)
        try output.append(string: intset.bytes)
    }

    private mutating func finishSortedSet() throws(RDBError) {
        var members: [(score: Double, member: ByteString)] = []
        let scores = heldScores
        heldScores.removeAll()
        try held.finish { bytes throws(RDBError) in
            var reader = try PackedReader(bytes, offset: 0, checks: .bounds)
            while let member = try reader.next() {
                members.append((scores[members.count], member.byteString))
            }
        }
        members.sort { ($0.score, $0.member) < ($1.score, $1.member) }
        var listpack = ListpackWriter()
        var text = ByteWriter()
        for (score, member) in members {
            listpack.append(member.bytes)
            text.removeAll()
            text.append(shortest: score)
            listpack.append(text.bytes)
        }
        try open(target.hasListpacks ? .sortedSetListpack : .sortedSetZiplist)
        try listpack.finish { bytes throws(RDBError) in try writePacked(bytes) }
    }

    /// A small hash with deadlines: a listpack for Redis; Valkey has none for them.
    private mutating func finishDeadlines() throws(RDBError) {
        guard target.format.dialect == .redis else { return try stream() }
        let deadlines = heldDeadlines
        var fields: [(deadline: Int64, field: ByteString, value: ByteString)] = []
        try held.finish { bytes throws(RDBError) in
            var reader = try PackedReader(bytes, offset: 0, checks: .bounds)
            for deadline in deadlines {
                let field = try reader.require(.oddCount).byteString
                let value = try reader.require(.oddCount).byteString
                fields.append((deadline, field, value))
            }
        }
        // As unsigned numbers, no deadline is the latest.
        fields.sort { UInt64(bitPattern: $0.deadline) < UInt64(bitPattern: $1.deadline) }
        var listpack = ListpackWriter()
        for (deadline, field, value) in fields {
            listpack.append(field.bytes)
            listpack.append(value.bytes)
            listpack.append(integer: max(deadline, 0))
        }
        try open(.hashListpackDeadlines)
        output.appendInteger(fields[0].deadline)
        try listpack.finish { bytes throws(RDBError) in try output.append(string: bytes) }
    }

    /// Writes a node of a list.
    public mutating func listNode(_ listpack: RawSpan, count: Int) throws(RDBError) {
        guard case .nodes = phase else { preconditionFailure("nodes were not announced") }
        try beginElement()
        if target.hasListpacks { output.append(count: 2) }
        try writePacked(listpack)
    }

    /// Writes an element that is a node of its own.
    mutating func writeLargeElement(_ element: PackedValue) throws(RDBError) {
        if target.hasListpacks {
            output.append(count: 1)
            return try output.append(string: element)
        }
        ziplist.append(element)
        try Self.finish(&ziplist, to: &output)
    }
}
