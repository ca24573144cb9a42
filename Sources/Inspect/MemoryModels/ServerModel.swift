/// What keys, values and their parts take in a Redis or Valkey, by its layout and allocator.
package struct ServerModel: Sendable {
    let layout: ServerLayout
    let blocks: BlockSizes
    let tables: TableSizes

    package init(_ layout: ServerLayout, _ allocator: MemoryAllocator) {
        self.layout = layout
        blocks = BlockSizes(.allocator(allocator))
        tables = TableSizes(blocks)
    }

    // Strings.

    /// A string: a header of 1, 3, 5, 9 or 17 bytes, the text, and a zero.
    static func textByteCount(_ length: Int) -> Int {
        length + 1 + (length > 0 && length < 32 ? 1 : longHeader(length))
    }

    private static func longHeader(_ length: Int) -> Int {
        if length < 1 << 8 { return 3 }
        if length < 1 << 16 { return 5 }
        return length < 1 << 32 ? 9 : 17
    }

    /// A string in a block of its own.
    func text(_ length: Int) -> Int {
        blocks(Self.textByteCount(length))
    }

    // Keys.

    /// A key and its object, without the value.
    func key(_ length: Int, hasDeadline: Bool) -> Int {
        switch layout.keys {
        case .separate:
            return separateKey(length) + blocks(ServerLayout.object)
        case .embedded:
            return blocks(embeddedKey(length, hasDeadline) + ServerLayout.object)
        }
    }

    /// What stands between the object's 16 bytes and its value.
    private func embeddedKey(_ length: Int, _ hasDeadline: Bool) -> Int {
        // A short key never has the header of an empty string here.
        let key = length == 0 ? 2 : Self.textByteCount(length)
        return (hasDeadline || length >= Self.deadlineRoomLimit ? 8 : 0) + 1 + key
    }

    /// Keys that are so long have room for a deadline that may come.
    private static let deadlineRoomLimit = 128

    /// A key with a string value.
    package func string(_ key: Int, hasDeadline: Bool, value: StringShape) -> Int {
        switch layout.keys {
        case .separate:
            return separateKey(key) + separateValue(value)
        case .embedded(let limit, let reusesPointer):
            if value.integer != nil { return self.key(key, hasDeadline: hasDeadline) }
            let head = ServerLayout.object - (reusesPointer ? 8 : 0)
            let deadline = hasDeadline ? 8 : 0
            let own = 1 + (key == 0 ? 2 : Self.textByteCount(key))
            let whole = head + deadline + own + 3 + value.byteCount + 1
            guard whole <= limit, value.byteCount < 256 else {
                return self.key(key, hasDeadline: hasDeadline) + text(value.byteCount)
            }
            return blocks(whole)
        }
    }

    /// The entry of the main table, which belongs to one key, and the key as a string.
    private func separateKey(_ length: Int) -> Int {
        blocks(ServerLayout.chainEntry) + text(length)
    }

    private func separateValue(_ value: StringShape) -> Int {
        if let integer = value.integer {
            let isShared = layout.sharesIntegers && ServerLayout.sharedIntegers ~= integer
            return isShared ? 0 : blocks(ServerLayout.object)
        }
        if value.byteCount <= ServerLayout.embeddedStringLimit {
            return blocks(ServerLayout.object + 3 + value.byteCount + 1)
        }
        return blocks(ServerLayout.object) + text(value.byteCount)
    }

    // Parts of collections that are not packed, without the places of their tables.

    /// A field of a hash.
    func field(_ field: Int, value: Int, hasDeadline: Bool) -> Int {
        switch layout.fields {
        case .entry:
            return text(field) + text(value)
        case .taggedEntry:
            return blocks(Self.textByteCount(field) + (hasDeadline ? 18 : 0)) + text(value)
        case .embedded:
            return embeddedField(field, value, hasDeadline)
        }
    }

    private func embeddedField(_ field: Int, _ value: Int, _ hasDeadline: Bool) -> Int {
        let deadline = hasDeadline ? 8 : 0
        let name =
            hasDeadline ? max(Self.textByteCount(field), field + 4) : Self.textByteCount(field)
        let whole = name + deadline + value + 1 + Self.longHeader(value)
        if value < 256, whole <= Self.embeddedFieldLimit { return blocks(whole) }
        return blocks(deadline + 8 + max(name, field + 4)) + text(value)
    }

    private static let embeddedFieldLimit = 128

    /// A member of a set.
    func member(_ length: Int) -> Int { text(length) }

    /// A member of a sorted set: a node of a level that is raised with a chance of 1/4.
    func scoredMember(_ length: Int) -> Double {
        let base = layout.nodesHoldMembers ? 16 + 1 + Self.textByteCount(length) : 24
        var sum = layout.nodesHoldMembers ? 0 : Double(text(length))
        var chance = 0.75
        for level in 1...8 {
            sum += chance * Double(blocks(base + 16 * level))
            chance /= 4
        }
        return sum
    }

    /// What a sorted set has beside nodes and table: two structures, and a node of 32 levels.
    var sortedSetHeader: Int {
        blocks(16) + blocks(32) + blocks((layout.nodesHoldMembers ? 16 : 24) + 32 * 16)
    }

    /// A table with `count` entries, with its header.
    func table(_ count: Int, hasValues: Bool) -> Int {
        blocks(layout.tableHeader)
            + tables.byteCount(count, layout.memberTable, hasValues: hasValues)
    }

    // Databases.

    /// What finds the keys of a database and those that have a deadline.
    func database(keys: Int, deadlines: Int) -> Int {
        let main =
            switch layout.keys {
            case .separate: tables.places(keys)
            case .embedded: tables.byteCount(keys, layout.mainTable, hasValues: false)
            }
        return main + tables.byteCount(deadlines, layout.mainTable, hasValues: false)
    }
}

/// What a model has to know of a string value.
package struct StringShape: Equatable, Sendable {
    var byteCount: Int
    /// The number that the string spells, if servers keep it as one.
    var integer: Int64?

    package init(byteCount: Int, integer: Int64? = nil) {
        self.byteCount = byteCount
        self.integer = integer
    }
}
