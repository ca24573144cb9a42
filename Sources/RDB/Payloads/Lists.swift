import Bytes

extension PayloadWalk {
    /// LIST: count, then the elements as strings, head first.
    mutating func walkList<Visitor: PayloadVisitor & ~Copyable>(
        _ visitor: inout Visitor,
        _ reporting: Reporting
    ) throws(RDBError) {
        let count = try input.readCount()
        if reporting == .nothing { return try skipStrings(count) }
        try visitor.announce(Extent(count: count))
        for _ in 0..<count { try walkElement(&visitor) }
    }

    @inline(__always)
    private mutating func walkElement<Visitor: PayloadVisitor & ~Copyable>(
        _ visitor: inout Visitor
    ) throws(RDBError) {
        if try input.isLong(at: 0, limit: visitor.largestWholeElement) {
            try walkParts(.listElement, &visitor)
            return try visitor.endElement(score: nil, deadline: nil)
        }
        var cursor = 0
        let located = try input.locateString(at: &cursor)
        try visitor.listElement(input.value(located))
        input.consume(cursor)
    }

    /// LIST_ZIPLIST: a string that holds a ziplist.
    mutating func walkPackedList<Visitor: PayloadVisitor & ~Copyable>(
        _ visitor: inout Visitor,
        _ reporting: Reporting
    ) throws(RDBError) {
        if reporting == .nothing { return try input.skipString() }
        if try isLongPacked(visitor) {
            try visitor.announce(Extent(nodeCount: 1))
            return try walkLongNode(.ziplist, &visitor)
        }
        let packed = try locatePacked(.ziplist)
        let count = try count(of: packed)
        let byteCount = try bytes(of: packed).byteCount
        try visitor.announce(Extent(count: count, nodeCount: 1, byteCount: byteCount))
        try reportNode(packed, &visitor, reporting)
    }

    /// LIST_QUICKLIST: count of nodes, each a string that holds a ziplist.
    ///
    /// LIST_QUICKLIST_2: count of nodes, each a number and a string. After 1 the string is one
    /// element, after 2 a listpack of elements.
    mutating func walkQuicklist<Visitor: PayloadVisitor & ~Copyable>(
        _ container: Container,
        _ visitor: inout Visitor,
        _ reporting: Reporting
    ) throws(RDBError) {
        let count = try input.readCount()
        if reporting != .nothing { try visitor.announce(Extent(nodeCount: count)) }
        for _ in 0..<count {
            let isOneElement = container == .listpack ? try readIsOneElement() : false
            if reporting == .nothing {
                try input.skipString()
            } else if isOneElement {
                try walkLargeElement(&visitor)
            } else if try isLongPacked(visitor) {
                try walkLongNode(container, &visitor)
            } else {
                let packed = try locatePacked(container)
                try reportNode(packed, &visitor, reporting)
            }
        }
    }

    private mutating func readIsOneElement() throws(RDBError) -> Bool {
        let offset = input.position
        switch try input.readNumber() {
        case 1: return true
        case 2: return false
        case let number:
            throw RDBError(.invalidListNode, at: offset, "no list node has container \(number)")
        }
    }

    private mutating func walkLargeElement<Visitor: PayloadVisitor & ~Copyable>(
        _ visitor: inout Visitor
    ) throws(RDBError) {
        var cursor = 0
        guard try input.peekStringForm(at: &cursor).byteCount > 0 else {
            throw RDBError(.invalidListNode, at: input.position, "a list node without data")
        }
        try walkElement(&visitor)
    }

    private mutating func walkLongNode<Visitor: PayloadVisitor & ~Copyable>(
        _ container: Container,
        _ visitor: inout Visitor
    ) throws(RDBError) {
        try walkLong(container, .oddCount) { walk, byteCount throws(RDBError) in
            try visitor.beginLongNode(byteCount: byteCount, master: nil)
            while try !walk.input.isAtEnd() { try walk.walkElement(&visitor) }
            try visitor.endLongNode()
        }
    }

    private mutating func reportNode<Visitor: PayloadVisitor & ~Copyable>(
        _ packed: Packed,
        _ visitor: inout Visitor,
        _ reporting: Reporting
    ) throws(RDBError) {
        if reporting == .encoded {
            let sound = try makeSound(packed)
            let count = try count(of: sound)
            try visitor.listNode(try bytes(of: sound), count: count)
        } else {
            var reader = try elements(of: packed)
            while let element = try reader.next() { try visitor.listElement(element) }
        }
        finish(packed)
    }

    /// Moves past `count` strings.
    mutating func skipStrings(_ count: Int) throws(RDBError) {
        for _ in 0..<count { try input.skipString() }
    }
}
