import Bytes

extension PayloadWalk {
    /// SET: count, then the members as strings.
    mutating func walkSet<Visitor: PayloadVisitor & ~Copyable>(
        _ visitor: inout Visitor,
        _ reporting: Reporting
    ) throws(RDBError) {
        let count = try input.readCount()
        if reporting == .nothing { return try skipStrings(count) }
        try visitor.announce(Extent(count: count))
        var duplicates = duplicates(.members)
        let limit = duplicates.isOn ? .max : visitor.largestWholeElement
        for _ in 0..<count { try walkMember(upTo: limit, &duplicates, &visitor) }
    }

    @inline(__always)
    private mutating func walkMember<Visitor: PayloadVisitor & ~Copyable>(
        upTo limit: Int,
        _ duplicates: inout DuplicateCheck,
        _ visitor: inout Visitor
    ) throws(RDBError) {
        if try input.isLong(at: 0, limit: limit) {
            try walkParts(.setMember, &visitor)
            return try visitor.endElement(score: nil, deadline: nil)
        }
        var cursor = 0
        let located = try input.locateString(at: &cursor)
        try duplicates.insert(input.value(located), at: input.position)
        try visitor.setMember(input.value(located))
        input.consume(cursor)
    }

    /// A listpack or intset that is too long to be held.
    private mutating func walkLongSet<Visitor: PayloadVisitor & ~Copyable>(
        _ container: Container,
        _ visitor: inout Visitor
    ) throws(RDBError) {
        try walkLong(container, .oddCount) { walk, byteCount throws(RDBError) in
            try visitor.announce(Extent(byteCount: byteCount))
            var duplicates = walk.duplicates(.members)
            let limit = duplicates.isOn ? .max : visitor.largestWholeElement
            while try !walk.input.isAtEnd() {
                try walk.walkMember(upTo: limit, &duplicates, &visitor)
            }
        }
    }

    /// SET_LISTPACK: a string that holds a listpack, an element a member.
    mutating func walkPackedSet<Visitor: PayloadVisitor & ~Copyable>(
        _ visitor: inout Visitor,
        _ reporting: Reporting
    ) throws(RDBError) {
        if reporting == .nothing { return try input.skipString() }
        if try isLongPacked(visitor) { return try walkLongSet(.listpack, &visitor) }
        let packed = try locatePacked(.listpack)
        let count = try count(of: packed)
        let byteCount = try bytes(of: packed).byteCount
        try visitor.announce(Extent(count: count, byteCount: byteCount))
        try checkMembers(packed, stride: 1)
        if reporting == .encoded {
            let sound = try makeSound(packed)
            try visitor.listpack(try bytes(of: sound), count: count)
        } else {
            var reader = try elements(of: packed)
            while let member = try reader.next() { try visitor.setMember(member) }
        }
        finish(packed)
    }

    /// SET_INTSET: a string that holds an intset.
    mutating func walkIntset<Visitor: PayloadVisitor & ~Copyable>(
        _ visitor: inout Visitor,
        _ reporting: Reporting
    ) throws(RDBError) {
        if reporting == .nothing { return try input.skipString() }
        if try isLongPacked(visitor) { return try walkLongSet(.intset, &visitor) }
        let packed = try locatePacked(.intset)
        try reportIntset(packed, &visitor, reporting)
        finish(packed)
    }

    private func reportIntset<Visitor: PayloadVisitor & ~Copyable>(
        _ packed: Packed,
        _ visitor: inout Visitor,
        _ reporting: Reporting
    ) throws(RDBError) {
        let bytes = try bytes(of: packed)
        let intset = try Intset(bytes, offset: packed.offset)
        let wrong = intset.firstOutOfOrder()
        if let wrong, validation.contains(.containers) {
            throw Intset.outOfOrder(packed.offset + intset.offset(ofMemberAt: wrong))
        }
        try visitor.announce(Extent(count: intset.count, byteCount: bytes.byteCount))
        if reporting == .encoded, wrong == nil {
            try visitor.intset(bytes, count: intset.count)
        } else {
            for index in 0..<intset.count {
                try visitor.setMember(.integer(intset.member(at: index)))
            }
        }
    }

    /// Finds the first of every `stride` elements twice, if that is to be looked for.
    func checkMembers(_ packed: Packed, stride: Int) throws(RDBError) {
        var duplicates = duplicates(.containers)
        guard duplicates.isOn else { return }
        var reader = try elements(of: packed)
        var index = 0
        while true {
            let offset = reader.position
            guard let element = try reader.next() else { return }
            if index % stride == 0 { try duplicates.insert(element, at: offset) }
            index += 1
        }
    }
}
