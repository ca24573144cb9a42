import Bytes

extension PayloadWalk {
    /// How a plain sorted set keeps its scores.
    enum ScoreForm {
        /// u8 n: 253 NaN, 254 infinity, 255 minus infinity, else n bytes of decimal text.
        case text
        /// Eight bytes, little-endian.
        case binary
        /// An element of a packed string: an integer, or the text of a double.
        case element
    }

    /// ZSET and ZSET_2: count, then members as strings, each with its score after it.
    mutating func walkSortedSet<Visitor: PayloadVisitor & ~Copyable>(
        _ form: ScoreForm,
        _ visitor: inout Visitor,
        _ reporting: Reporting
    ) throws(RDBError) {
        let count = try input.readCount()
        if reporting != .nothing { try visitor.announce(Extent(count: count)) }
        var duplicates = duplicates(.members)
        let limit = duplicates.isOn ? .max : visitor.largestWholeElement
        for _ in 0..<count {
            if reporting == .nothing {
                try input.skipString()
                try skipScore(form)
                continue
            }
            _ = try walkScoredMember(form, upTo: limit, &duplicates, &visitor)
        }
    }

    /// Reports the member that comes next, and returns its score.
    @inline(__always)
    private mutating func walkScoredMember<Visitor: PayloadVisitor & ~Copyable>(
        _ form: ScoreForm,
        upTo limit: Int,
        _ duplicates: inout DuplicateCheck,
        _ visitor: inout Visitor
    ) throws(RDBError) -> Double {
        var cursor = 0
        if try input.isLong(at: 0, limit: limit) {
            try walkParts(.sortedSetMember, &visitor)
            let score = try peekScore(form, at: &cursor)
            input.consume(cursor)
            try visitor.endElement(score: score, deadline: nil)
            return score
        }
        let located = try input.locateString(at: &cursor)
        let score = try peekScore(form, at: &cursor)
        try duplicates.insert(input.value(located), at: input.position)
        try visitor.sortedSetMember(input.value(located), score: score)
        input.consume(cursor)
        return score
    }

    /// A listpack or ziplist that is too long to be held.
    private mutating func walkLongSortedSet<Visitor: PayloadVisitor & ~Copyable>(
        _ container: Container,
        _ visitor: inout Visitor
    ) throws(RDBError) {
        try walkLong(container, .oddCount) { walk, byteCount throws(RDBError) in
            try visitor.announce(Extent(byteCount: byteCount))
            var duplicates = walk.duplicates(.members)
            let limit = duplicates.isOn ? .max : visitor.largestWholeElement
            var previous = -Double.infinity
            while try !walk.input.isAtEnd() {
                let score = try walk.walkScoredMember(.element, upTo: limit, &duplicates, &visitor)
                if score < previous, walk.validation.contains(.containers) {
                    throw Self.outOfOrder(walk.input.position)
                }
                previous = score
            }
        }
    }

    private static func outOfOrder(_ offset: Int) -> RDBError {
        RDBError(.wrongOrder, at: offset, "the scores do not ascend")
    }

    private mutating func skipScore(_ form: ScoreForm) throws(RDBError) {
        switch form {
        case .binary: try input.skip(8)
        case .text:
            let count = try input.readByte()
            if count < 253 { try input.skip(Int(count)) }
        case .element: try input.skipString()
        }
    }

    private mutating func peekScore(
        _ form: ScoreForm,
        at cursor: inout Int
    ) throws(RDBError) -> Double {
        let offset = cursor
        let score: Double?
        switch form {
        case .binary:
            score = Double(bitPattern: try input.peekInteger(at: &cursor, as: UInt64.self))
        case .text:
            let count = try input.peekInteger(at: &cursor, as: UInt8.self)
            switch count {
            case 253: score = nil
            case 254: score = .infinity
            case 255: score = -.infinity
            default:
                try input.need(cursor + Int(count))
                score = DecimalText.parseDouble(input.window(at: cursor, count: Int(count)))
                cursor += Int(count)
            }
        case .element:
            score = try peekElementScore(at: &cursor)
        }
        guard let score, !score.isNaN else {
            throw RDBError(.invalidScore, at: input.position + offset, "no number for a score")
        }
        return score
    }

    private mutating func peekElementScore(at cursor: inout Int) throws(RDBError) -> Double? {
        // No server writes a score of so many digits, which would all have to be in memory.
        if try input.isLong(at: cursor, limit: Self.longestScore) { return nil }
        switch input.value(try input.locateString(at: &cursor)) {
        case .integer(let value): return Double(value)
        case .bytes(let text): return DecimalText.parseDouble(text)
        }
    }

    private static let longestScore = 1 << 10

    /// ZSET_ZIPLIST and ZSET_LISTPACK: a string that holds members, each with its score after it.
    ///
    /// Sorted by score, then member. A score is an integer, or the text of a double.
    mutating func walkPackedSortedSet<Visitor: PayloadVisitor & ~Copyable>(
        _ container: Container,
        _ visitor: inout Visitor,
        _ reporting: Reporting
    ) throws(RDBError) {
        if reporting == .nothing { return try input.skipString() }
        if try isLongPacked(visitor) { return try walkLongSortedSet(container, &visitor) }
        let packed = try locatePacked(container)
        let count = try pairCount(of: packed)
        let byteCount = try bytes(of: packed).byteCount
        try visitor.announce(Extent(count: count, byteCount: byteCount))
        try checkMembers(packed, stride: 2)
        if reporting == .encoded, container == .listpack,
            ScoredListpack.memberCount(try bytes(of: packed)) == count
        {
            try visitor.listpack(try bytes(of: packed), count: count)
        } else if reporting == .encoded, try isSorted(packed) {
            let sound = try makeSound(packed)
            try visitor.listpack(try bytes(of: sound), count: count)
        } else {
            if validation.contains(.containers), try !isSorted(packed) {
                throw Self.outOfOrder(packed.offset)
            }
            var reader = try elements(of: packed)
            while let member = try reader.next() {
                let score = try readScore(&reader)
                try visitor.sortedSetMember(member, score: score)
            }
        }
        finish(packed)
    }

    /// Whether every score is a number and not below the one before.
    private func isSorted(_ packed: Packed) throws(RDBError) -> Bool {
        var reader = try elements(of: packed)
        var previous = -Double.infinity
        while try reader.next() != nil {
            let score = try readScore(&reader)
            guard score >= previous else { return false }
            previous = score
        }
        return true
    }

    private func readScore(_ reader: inout PackedReader) throws(RDBError) -> Double {
        let offset = reader.position
        switch try reader.require(.oddCount) {
        case .integer(let value): return Double(value)
        case .bytes(let text):
            guard let score = DecimalText.parseDouble(text) else {
                throw RDBError(.invalidScore, at: offset, "\"\(text.text)\" is no score")
            }
            return score
        }
    }

    /// How many pairs a located listpack has.
    func pairCount(of packed: Packed) throws(RDBError) -> Int {
        let count = try count(of: packed)
        guard count % 2 == 0 else {
            throw RDBError(.oddCount, at: packed.offset, "\(count) elements do not pair up")
        }
        return count / 2
    }
}
