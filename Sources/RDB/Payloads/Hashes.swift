import Bytes

extension PayloadWalk {
    /// Where a plain hash keeps the deadlines of its fields.
    enum DeadlineForm {
        /// Nowhere.
        case none
        /// i64 LE after the value; -1 = none.
        case absoluteAfter
        /// A number before the field; 0 = none.
        case absoluteBefore
        /// i64 LE base before the count; a number before the field: 0 = none, else
        /// deadline - base + 1.
        case relative
        /// An element of a packed string after the value; 0 = none.
        case elementAfter
    }

    /// HASH, HASH_2, HASH_METADATA: count, then fields and values as strings.
    mutating func walkHash<Visitor: PayloadVisitor & ~Copyable>(
        _ form: DeadlineForm,
        _ visitor: inout Visitor,
        _ reporting: Reporting
    ) throws(RDBError) {
        var base: Int64?
        if form == .relative { base = try input.readInteger(as: Int64.self) }
        let count = try input.readCount()
        if reporting != .nothing {
            var extent = Extent(count: count)
            extent.hasFieldDeadlines = form != .none
            extent.earliestDeadline = base
            try visitor.announce(extent)
        }
        var duplicates = duplicates(.members)
        let limit = duplicates.isOn ? .max : visitor.largestWholeElement
        for _ in 0..<count {
            if reporting == .nothing {
                if form == .relative || form == .absoluteBefore { _ = try input.readNumber() }
                try skipStrings(2)
                if form == .absoluteAfter { try input.skip(8) }
                continue
            }
            _ = try walkField(form, base, upTo: limit, &duplicates, &visitor)
        }
    }

    /// Reports the field that comes next, and returns its deadline.
    @inline(__always)
    private mutating func walkField<Visitor: PayloadVisitor & ~Copyable>(
        _ form: DeadlineForm,
        _ base: Int64?,
        upTo limit: Int,
        _ duplicates: inout DuplicateCheck,
        _ visitor: inout Visitor
    ) throws(RDBError) -> Int64? {
        var cursor = 0
        var deadline: Int64?
        if form == .relative || form == .absoluteBefore {
            deadline = try peekDeadline(base, at: &cursor)
        }
        if try input.isLong(at: cursor, limit: limit) {
            input.consume(cursor)
            try walkParts(.hashField, &visitor)
            try walkValue(.hashValue, upTo: limit, &visitor)
            return try endField(form, deadline, &visitor)
        }
        let field = try input.locateString(at: &cursor)
        if try input.isLong(at: cursor, limit: limit) {
            try reportWhole(input.value(field), .hashField, &visitor)
            input.consume(cursor)
            try walkParts(.hashValue, &visitor)
            return try endField(form, deadline, &visitor)
        }
        let value = try input.locateString(at: &cursor, other: true)
        switch form {
        case .absoluteAfter: deadline = try peekSignedDeadline(at: &cursor)
        case .elementAfter: deadline = try peekElementDeadline(at: &cursor)
        case .none, .absoluteBefore, .relative: break
        }
        try duplicates.insert(input.value(field), at: input.position)
        try visitor.hashField(input.value(field), value: input.value(value), deadline: deadline)
        input.consume(cursor)
        return deadline
    }

    /// Reports the value of a field that was reported in parts.
    mutating func walkValue<Visitor: PayloadVisitor & ~Copyable>(
        _ role: ElementRole,
        upTo limit: Int,
        _ visitor: inout Visitor
    ) throws(RDBError) {
        if try input.isLong(at: 0, limit: limit) { return try walkParts(role, &visitor) }
        var cursor = 0
        let value = try input.locateString(at: &cursor)
        try reportWhole(input.value(value), role, &visitor)
        input.consume(cursor)
    }

    private mutating func endField<Visitor: PayloadVisitor & ~Copyable>(
        _ form: DeadlineForm,
        _ deadline: Int64?,
        _ visitor: inout Visitor
    ) throws(RDBError) -> Int64? {
        var deadline = deadline
        var cursor = 0
        switch form {
        case .absoluteAfter: deadline = try peekSignedDeadline(at: &cursor)
        case .elementAfter: deadline = try peekElementDeadline(at: &cursor)
        case .none, .absoluteBefore, .relative: break
        }
        input.consume(cursor)
        try visitor.endElement(score: nil, deadline: deadline)
        return deadline
    }

    private mutating func peekElementDeadline(at cursor: inout Int) throws(RDBError) -> Int64? {
        guard case .integer(let number) = try input.peekStringForm(at: &cursor) else {
            throw RDBError(.invalidDeadline, at: input.position, "a string is no deadline")
        }
        return try DeadlineFields.deadline(number, input.position)
    }

    private mutating func peekDeadline(
        _ base: Int64?,
        at cursor: inout Int
    ) throws(RDBError) -> Int64? {
        let offset = input.position + cursor
        let number = try input.peekNumber(at: &cursor)
        if number == 0 { return nil }
        return try DeadlineFields.checked(number, after: base.map { $0 - 1 } ?? 0, offset)
    }

    private mutating func peekSignedDeadline(at cursor: inout Int) throws(RDBError) -> Int64? {
        let offset = input.position + cursor
        let number = try input.peekInteger(at: &cursor, as: Int64.self)
        guard number >= -1 else {
            throw RDBError(.invalidDeadline, at: offset, "\(number) is no deadline of a field")
        }
        return number == -1 ? nil : number
    }

    /// HASH_ZIPMAP, HASH_ZIPLIST and HASH_LISTPACK: a string that holds fields, each with its value after it.
    mutating func walkPackedHash<Visitor: PayloadVisitor & ~Copyable>(
        _ container: Container,
        _ visitor: inout Visitor,
        _ reporting: Reporting
    ) throws(RDBError) {
        if reporting == .nothing { return try input.skipString() }
        if try isLongPacked(visitor) {
            return try walkLongHash(container, .none, earliest: nil, &visitor)
        }
        let packed = try locatePacked(container)
        let count = try pairCount(of: packed)
        let byteCount = try bytes(of: packed).byteCount
        try visitor.announce(Extent(count: count, byteCount: byteCount))
        try checkMembers(packed, stride: 2)
        if reporting == .encoded {
            let sound = try makeSound(packed)
            try visitor.listpack(try bytes(of: sound), count: count)
        } else {
            var reader = try elements(of: packed)
            while let field = try reader.next() {
                let value = try reader.require(.oddCount)
                try visitor.hashField(field, value: value, deadline: nil)
            }
        }
        finish(packed)
    }

    /// A packed hash that is too long to be held.
    private mutating func walkLongHash<Visitor: PayloadVisitor & ~Copyable>(
        _ container: Container,
        _ form: DeadlineForm,
        earliest: Int64?,
        _ visitor: inout Visitor
    ) throws(RDBError) {
        try walkLong(container, .oddCount) { walk, byteCount throws(RDBError) in
            var extent = Extent(byteCount: byteCount)
            extent.hasFieldDeadlines = form == .elementAfter
            extent.earliestDeadline = earliest
            try visitor.announce(extent)
            var duplicates = walk.duplicates(.members)
            let limit = duplicates.isOn ? .max : visitor.largestWholeElement
            var previous: Int64 = 0
            while try !walk.input.isAtEnd() {
                let field = try walk.walkField(form, nil, upTo: limit, &duplicates, &visitor)
                let deadline = field ?? .max
                if deadline < previous, walk.validation.contains(.containers) {
                    throw Self.outOfOrder(walk.input.position)
                }
                previous = deadline
            }
        }
    }

    private static func outOfOrder(_ offset: Int) -> RDBError {
        RDBError(.wrongOrder, at: offset, "the deadlines do not ascend")
    }

    /// HASH_LISTPACK_EX: i64 LE earliest deadline, then a string that holds a listpack of
    /// field, value, deadline, …; 0 = none.
    ///
    /// Sorted by deadline, none last. Release candidates of Redis 7.4 had no earliest one.
    mutating func walkDeadlineListpack<Visitor: PayloadVisitor & ~Copyable>(
        hasBase: Bool,
        _ visitor: inout Visitor,
        _ reporting: Reporting
    ) throws(RDBError) {
        var earliest: Int64 = 0
        if hasBase { earliest = try input.readInteger(as: Int64.self) }
        if reporting == .nothing { return try input.skipString() }
        if try isLongPacked(visitor) {
            let known = earliest > 0 ? earliest : nil
            return try walkLongHash(.listpack, .elementAfter, earliest: known, &visitor)
        }
        let packed = try locatePacked(.listpack)
        let count = try count(of: packed)
        guard count % 3 == 0 else {
            throw RDBError(.oddCount, at: packed.offset, "\(count) elements are no triples")
        }
        var extent = Extent(count: count / 3, byteCount: try bytes(of: packed).byteCount)
        extent.hasFieldDeadlines = true
        extent.earliestDeadline = earliest > 0 ? earliest : nil
        try visitor.announce(extent)
        try checkMembers(packed, stride: 3)
        if reporting == .encoded, !validation.contains(.containers),
            extent.byteCount ?? 0 <= visitor.largestDeadlineListpack,
            let listpack = DeadlineListpack(try bytes(of: packed))
        {
            try visitor.deadlineListpack(try bytes(of: packed), listpack)
            return finish(packed)
        }
        var fields = DeadlineFields(try elements(of: packed))
        var previous: Int64 = 0
        while let field = try fields.next() {
            let deadline = field.deadline ?? .max
            if validation.contains(.containers), deadline < previous {
                throw Self.outOfOrder(fields.position)
            }
            previous = deadline
            try visitor.hashField(field.field, value: field.value, deadline: field.deadline)
        }
        finish(packed)
    }

    /// HASH_TMPL_ARRAY_REF: the id of a template, then a value as string per field of it.
    mutating func walkTemplateReference<Visitor: PayloadVisitor & ~Copyable>(
        _ visitor: inout Visitor,
        _ reporting: Reporting
    ) throws(RDBError) {
        let offset = input.position
        let fields = try template(try input.readNumber(), offset)
        if reporting == .nothing { return try skipStrings(fields.count) }
        try visitor.announce(Extent(count: fields.count))
        try walkValues(of: fields, &visitor)
    }

    private mutating func walkValues<Visitor: PayloadVisitor & ~Copyable>(
        of fields: [ByteString],
        _ visitor: inout Visitor
    ) throws(RDBError) {
        for field in fields {
            if try input.isLong(at: 0, limit: visitor.largestWholeElement) {
                try reportWhole(.bytes(field.bytes), .hashField, &visitor)
                try walkParts(.hashValue, &visitor)
                try visitor.endElement(score: nil, deadline: nil)
                continue
            }
            var cursor = 0
            let value = try input.locateString(at: &cursor)
            try visitor.hashField(
                .bytes(field.bytes),
                value: input.value(value),
                deadline: nil
            )
            input.consume(cursor)
        }
    }

    /// HASH_TMPL_LP_REF: a string that holds a listpack: the id of a template, then a value per
    /// field of it.
    mutating func walkTemplateListpack<Visitor: PayloadVisitor & ~Copyable>(
        _ visitor: inout Visitor,
        _ reporting: Reporting
    ) throws(RDBError) {
        if reporting == .nothing { return try input.skipString() }
        if try isLongPacked(visitor) {
            return try walkLong(.listpack, .oddCount) { walk, _ throws(RDBError) in
                var cursor = 0
                let offset = walk.input.position
                guard case .integer(let id) = try walk.input.peekStringForm(at: &cursor) else {
                    throw RDBError(.unknownTemplate, at: offset, "a string is no template")
                }
                walk.input.consume(cursor)
                let fields = try walk.template(UInt64(bitPattern: id), offset)
                try visitor.announce(Extent(count: fields.count))
                try walk.walkValues(of: fields, &visitor)
            }
        }
        let packed = try locatePacked(.listpack)
        var reader = try elements(of: packed)
        let id = try reader.requireInteger(.unknownTemplate)
        let fields = try template(UInt64(bitPattern: id), packed.offset)
        try visitor.announce(Extent(count: fields.count))
        for field in fields {
            let value = try reader.require(.oddCount)
            try visitor.hashField(.bytes(field.bytes), value: value, deadline: nil)
        }
        guard try reader.next() == nil else {
            throw RDBError(.oddCount, at: packed.offset, "more values than the template has")
        }
        finish(packed)
    }

    private func template(_ id: UInt64, _ offset: Int) throws(RDBError) -> [ByteString] {
        guard let fields = templates[id] else {
            throw RDBError(.unknownTemplate, at: offset, "the file has no template \(id)")
        }
        return fields
    }
}
