import Bytes

/// The nodes of a stream: a master id, and a listpack of the entries from there on.
///
///     live count, deleted count, count of master fields, the fields, 0
///     entries: flags, ms - master's ms, sequence - master's sequence
///         flag 2: a value for each master field; else: count, then field, value, …
///         how many elements this entry had so far
///
/// Flag 1 marks an entry as deleted.
extension PayloadWalk {
    mutating func walkNode<Visitor: PayloadVisitor & ~Copyable>(
        _ summary: inout NodeSummary,
        _ visitor: inout Visitor,
        _ reporting: Reporting
    ) throws(RDBError) {
        let offset = input.position
        guard try input.readNumber() == 16 else {
            throw RDBError(.invalidStream, at: offset, "the master id of a node has 16 bytes")
        }
        let master = try readRawID()
        if try isLongPacked(visitor) { return try walkLongNode(master, &summary, &visitor) }
        let packed = try locatePacked(.listpack)
        if reporting == .encoded {
            // The node is handed over as it is, so its structure is checked before.
            var nobody = CheckingVisitor()
            let before = summary.liveCount
            try walkEntries(packed, master, &summary, &nobody)
            let liveCount = summary.liveCount - before
            let sound = try makeSound(packed)
            try visitor.streamNode(try bytes(of: sound), master: master, liveCount: liveCount)
        } else {
            try walkEntries(packed, master, &summary, &visitor)
        }
        finish(packed)
    }

    private func walkEntries<Visitor: PayloadVisitor & ~Copyable>(
        _ packed: Packed,
        _ master: StreamID,
        _ summary: inout NodeSummary,
        _ visitor: inout Visitor
    ) throws(RDBError) {
        var reader = try elements(of: packed)
        var entries = NodeEntries(
            master: master,
            liveCount: try reader.requireInteger(.invalidStream),
            deletedCount: try reader.requireInteger(.invalidStream),
            isOrdered: validation.contains(.containers)
        )
        let fieldCount = try readFieldCount(&reader)
        let masterFields = reader
        for _ in 0..<fieldCount { _ = try reader.require(.invalidStream) }
        guard try reader.requireInteger(.invalidStream) == 0 else {
            throw NodeEntries.wrongMaster(reader.position)
        }
        while entries.hasMore {
            let offset = reader.position
            let entry = try entries.begin(
                flags: try reader.requireInteger(.invalidStream),
                milliseconds: try reader.requireInteger(.invalidStream),
                sequence: try reader.requireInteger(.invalidStream),
                at: offset,
                &summary
            )
            var count = fieldCount
            if entry.hasMasterFields {
                if !entry.isDeleted { try visitor.streamEntry(entry.id, fieldCount: count) }
                var names = masterFields
                for _ in 0..<count {
                    let name = try names.require(.invalidStream)
                    let value = try reader.require(.invalidStream)
                    if !entry.isDeleted { try visitor.streamField(name, value: value) }
                }
            } else {
                count = try readFieldCount(&reader)
                if !entry.isDeleted { try visitor.streamEntry(entry.id, fieldCount: count) }
                for _ in 0..<count {
                    let name = try reader.require(.invalidStream)
                    let value = try reader.require(.invalidStream)
                    if !entry.isDeleted { try visitor.streamField(name, value: value) }
                }
            }
            let end = reader.position
            let stated = try reader.requireInteger(.invalidStream)
            try entries.end(entry, count, stated, at: end, &summary)
        }
        try entries.finish(isAtEnd: try reader.next() == nil, at: packed.offset, &summary)
    }

    private func readFieldCount(_ reader: inout PackedReader) throws(RDBError) -> Int {
        let offset = reader.position
        return try NodeEntries.fieldCount(try reader.requireInteger(.invalidStream), offset)
    }
}

// Nodes that are too long to be held: only the names of the master fields are.
extension PayloadWalk {
    private mutating func walkLongNode<Visitor: PayloadVisitor & ~Copyable>(
        _ master: StreamID,
        _ summary: inout NodeSummary,
        _ visitor: inout Visitor
    ) throws(RDBError) {
        try walkLong(.listpack, .invalidStream) { walk, byteCount throws(RDBError) in
            try visitor.beginLongNode(byteCount: byteCount, master: master)
            try walk.walkLongEntries(master, &summary, &visitor)
            try visitor.endLongNode()
        }
    }

    private mutating func walkLongEntries<Visitor: PayloadVisitor & ~Copyable>(
        _ master: StreamID,
        _ summary: inout NodeSummary,
        _ visitor: inout Visitor
    ) throws(RDBError) {
        var entries = NodeEntries(
            master: master,
            liveCount: try readElementInteger(),
            deletedCount: try readElementInteger(),
            isOrdered: validation.contains(.containers)
        )
        let fieldCount = try NodeEntries.fieldCount(try readElementInteger(), input.position)
        var names = FieldNames()
        for _ in 0..<fieldCount {
            var cursor = 0
            let located = try input.locateString(at: &cursor)
            names.append(input.value(located))
            input.consume(cursor)
        }
        guard try readElementInteger() == 0 else {
            throw NodeEntries.wrongMaster(input.position)
        }
        while entries.hasMore {
            let entry = try entries.begin(
                flags: try readElementInteger(),
                milliseconds: try readElementInteger(),
                sequence: try readElementInteger(),
                at: input.position,
                &summary
            )
            var count = fieldCount
            if !entry.hasMasterFields {
                count = try NodeEntries.fieldCount(try readElementInteger(), input.position)
            }
            if !entry.isDeleted { try visitor.streamEntry(entry.id, fieldCount: count) }
            var offset = 0
            for _ in 0..<count {
                if entry.isDeleted {
                    try skipStrings(entry.hasMasterFields ? 1 : 2)
                } else if entry.hasMasterFields {
                    try walkFieldValue(of: names.next(&offset), &visitor)
                } else {
                    try walkStreamField(&visitor)
                }
            }
            let stated = try readElementInteger()
            try entries.end(entry, count, stated, at: input.position, &summary)
        }
        try entries.finish(isAtEnd: try input.isAtEnd(), at: input.position, &summary)
    }

    private mutating func readElementInteger() throws(RDBError) -> Int64 {
        var cursor = 0
        guard case .integer(let value) = try input.peekStringForm(at: &cursor) else {
            let offset = input.position
            throw RDBError(.invalidStream, at: offset, "expected an integer, found a string")
        }
        input.consume(cursor)
        return value
    }

    /// Reports the field that comes next.
    private mutating func walkStreamField<Visitor: PayloadVisitor & ~Copyable>(
        _ visitor: inout Visitor
    ) throws(RDBError) {
        let limit = visitor.largestWholeElement
        guard try input.isLong(at: 0, limit: limit) else {
            var cursor = 0
            let name = try input.locateString(at: &cursor)
            guard try input.isLong(at: cursor, limit: limit) else {
                let value = try input.locateString(at: &cursor, other: true)
                try visitor.streamField(input.value(name), value: input.value(value))
                return input.consume(cursor)
            }
            try reportWhole(input.value(name), .streamField, &visitor)
            input.consume(cursor)
            try walkParts(.streamValue, &visitor)
            return try visitor.endElement(score: nil, deadline: nil)
        }
        try walkParts(.streamField, &visitor)
        try walkValue(.streamValue, upTo: limit, &visitor)
        try visitor.endElement(score: nil, deadline: nil)
    }

    /// Reports the value that comes next, of a field whose name is known.
    private mutating func walkFieldValue<Visitor: PayloadVisitor & ~Copyable>(
        of name: RawSpan,
        _ visitor: inout Visitor
    ) throws(RDBError) {
        let limit = visitor.largestWholeElement
        guard try input.isLong(at: 0, limit: limit) || name.byteCount > limit else {
            var cursor = 0
            let value = try input.locateString(at: &cursor)
            try visitor.streamField(.bytes(name), value: input.value(value))
            return input.consume(cursor)
        }
        try reportWhole(.bytes(name), .streamField, &visitor)
        try walkValue(.streamValue, upTo: limit, &visitor)
        try visitor.endElement(score: nil, deadline: nil)
    }
}

/// What the nodes of a stream had so far.
struct NodeSummary {
    var liveCount = 0
    var firstID: StreamID?
    var lastID: StreamID?
}

/// How far the entries of a node were read, and what they have to be like.
private struct NodeEntries {
    let master: StreamID
    let liveCount: Int64
    let deletedCount: Int64
    /// Whether ids have to ascend.
    let isOrdered: Bool
    private var live: Int64 = 0
    private var deleted: Int64 = 0

    init(master: StreamID, liveCount: Int64, deletedCount: Int64, isOrdered: Bool) {
        self.master = master
        self.liveCount = liveCount
        self.deletedCount = deletedCount
        self.isOrdered = isOrdered
    }

    /// An entry whose fields follow.
    struct Entry {
        let id: StreamID
        let flags: Int64
        var isDeleted: Bool { flags & 1 != 0 }
        var hasMasterFields: Bool { flags & 2 != 0 }
    }

    /// Whether an entry follows.
    var hasMore: Bool { live + deleted < liveCount &+ deletedCount }

    @inline(__always)
    mutating func begin(
        flags: Int64,
        milliseconds: Int64,
        sequence: Int64,
        at offset: Int,
        _ summary: inout NodeSummary
    ) throws(RDBError) -> Entry {
        guard flags & ~3 == 0 else {
            throw RDBError(.invalidStream, at: offset, "no entry has flags \(flags)")
        }
        let id = StreamID(
            master.milliseconds &+ UInt64(bitPattern: milliseconds),
            master.sequence &+ UInt64(bitPattern: sequence)
        )
        if isOrdered, let last = summary.lastID, id <= last {
            throw RDBError(.invalidStream, at: offset, "id \(id) follows \(last)")
        }
        summary.lastID = id
        return Entry(id: id, flags: flags)
    }

    /// The entry ended, which has so many fields and says how many elements it has.
    @inline(__always)
    mutating func end(
        _ entry: Entry,
        _ fieldCount: Int,
        _ stated: Int64,
        at offset: Int,
        _ summary: inout NodeSummary
    ) throws(RDBError) {
        let count = Int64(entry.hasMasterFields ? fieldCount + 3 : fieldCount * 2 + 4)
        guard stated == count else {
            throw RDBError(.invalidStream, at: offset, "the entry has \(count) elements")
        }
        if entry.isDeleted {
            deleted += 1
        } else {
            live += 1
            if summary.firstID == nil { summary.firstID = entry.id }
        }
    }

    /// No more entries follow.
    func finish(isAtEnd: Bool, at offset: Int, _ summary: inout NodeSummary) throws(RDBError) {
        guard live == liveCount, deleted == deletedCount, isAtEnd else {
            throw RDBError(
                .invalidStream,
                at: offset,
                "expected \(liveCount) live and \(deletedCount) deleted entries"
            )
        }
        summary.liveCount += Int(live)
    }

    static func fieldCount(_ count: Int64, _ offset: Int) throws(RDBError) -> Int {
        guard count >= 0, count < 1 << 32 else {
            throw RDBError(.invalidStream, at: offset, "\(count) fields")
        }
        return Int(count)
    }

    static func wrongMaster(_ offset: Int) -> RDBError {
        RDBError(.invalidStream, at: offset, "the master entry ends with 0")
    }
}

/// The names of the master fields of a node, one after the other.
private struct FieldNames: ~Copyable {
    private var bytes = ByteWriter()

    mutating func append(_ name: borrowing PackedValue) {
        bytes.appendInteger(name.byteCount)
        bytes.append(name)
    }

    /// The name at `offset`, which moves to the next.
    @_lifetime(borrow self)
    func next(_ offset: inout Int) -> RawSpan {
        let count = unsafe bytes.bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: Int.self)
        defer { offset += MemoryLayout<Int>.size + count }
        return bytes.bytes.part(from: offset + MemoryLayout<Int>.size, count: count)
    }
}
