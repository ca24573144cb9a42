import Bytes
import RDB
import RESP

/// A value of a live server: what `DUMP` answered, or, if it is large, the place to ask for its
/// parts.
package enum LiveValue {
    /// What `DUMP` answered.
    case payload(ByteString)
    /// It is asked for part by part when it is read.
    case parts(LiveParts)

    /// Reads the value; says how it is laid out.
    ///
    /// What the server is to blame for is the `cause` of the error.
    package func read(
        into visitor: inout some PayloadVisitor
    ) throws(RDBError) -> Encoding {
        switch self {
        case .payload(let bytes):
            var payload = try Payload(bytes.bytes, validation: [])
            try payload.readValue(into: &visitor)
            return payload.encoding
        case .parts(let parts):
            do throws(ServerError) {
                return try parts.read(into: &visitor)
            } catch {
                throw RDBError(.transferFailed, at: 0, "cannot be read in parts", cause: error)
            }
        }
    }
}

/// A large value of a live server, which is read in parts of about a megabyte: by ranges where
/// there is an order, else by the `SCAN` family.
///
/// A value that changes meanwhile is read anew. Values of modules have no parts.
package struct LiveParts {
    let client: ServerClient
    let key: ByteString
    let kind: ValueKind
    let hasFieldDeadlines: Bool

    private static let partByteCount = 1 << 20
    private static let attemptCount = 5

    /// The kinds of value that come in parts, by what `TYPE` answers.
    static func kind(named name: ByteString) -> ValueKind? {
        switch name.text {
        case "string": .string
        case "list": .list
        case "set": .set
        case "zset": .sortedSet
        case "hash": .hash
        case "stream": .stream
        default: nil
        }
    }

    /// Reads the value; says how it might be laid out.
    func read(into visitor: inout some PayloadVisitor) throws(ServerError) -> Encoding {
        let fresh = visitor
        for _ in 0..<Self.attemptCount {
            visitor = fresh
            if kind == .stream {
                if let encoding = try readStream(into: &visitor) { return encoding }
            } else if try readOnce(into: &visitor) {
                return encoding
            }
        }
        if kind == .stream {
            visitor = fresh
            return try readWhole(into: &visitor)
        }
        let trouble = ByteString("key \"\(key)\" changes while it is read")
        throw ServerError(client.url.description, .busy(trouble))
    }

    private var encoding: Encoding {
        switch kind {
        case .list: .list
        case .set: .set
        case .sortedSet: .sortedSet
        case .hash: .hash
        default: .string
        }
    }

    /// Reads it; false if it has changed meanwhile.
    private func readOnce(into visitor: inout some PayloadVisitor) throws(ServerError) -> Bool {
        let count = try count()
        try report { () throws(RDBError) in
            _ = try visitor.begin(encoding)
            try visitor.announce(Extent(count: kind == .string ? nil : count))
        }
        let found =
            switch kind {
            case .string: try readString(count, &visitor)
            case .list, .sortedSet: try readRanges(&visitor)
            default: try scan(&visitor)
            }
        guard found == count, try self.count() == count else { return false }
        try report { () throws(RDBError) in try visitor.end() }
        return true
    }

    /// Bytes or elements, as the server has it.
    private func count() throws(ServerError) -> Int {
        let command: ByteString =
            switch kind {
            case .string: "STRLEN"
            case .list: "LLEN"
            case .set: "SCARD"
            case .sortedSet: "ZCARD"
            default: "HLEN"
            }
        guard case .integer(let count) = try client.ask([command, key]) else {
            throw unexpected(command)
        }
        return Int(count)
    }

    private func readString(
        _ count: Int,
        _ visitor: inout some PayloadVisitor
    ) throws(ServerError) -> Int {
        var whole = ByteWriter()
        let isWhole = count <= visitor.largestWholeString
        var offset = 0
        while offset < count {
            let last = min(offset + Self.partByteCount, count) - 1
            let reply = try client.ask(["GETRANGE", key, text(offset), text(last)])
            guard case .bulk(let part) = reply else { throw unexpected("GETRANGE") }
            guard part.byteCount == last + 1 - offset else { return offset }
            if isWhole {
                whole.append(part.bytes)
            } else {
                try report { () throws(RDBError) in
                    try visitor.stringPart(part.bytes, at: offset, of: count)
                }
            }
            offset = last + 1
        }
        if isWhole {
            try report { () throws(RDBError) in
                try visitor.string(PackedValue(packing: whole.bytes))
            }
        }
        return offset
    }

    /// Lists and sorted sets, in their order.
    private func readRanges(_ visitor: inout some PayloadVisitor) throws(ServerError) -> Int {
        let isList = kind == .list
        let command: ByteString = isList ? "LRANGE" : "ZRANGE"
        var size = PartSize()
        var start = 0
        while true {
            var request = [command, key, text(start), text(start + size.count - 1)]
            if !isList { request.append("WITHSCORES") }
            let elements = try texts(try client.ask(request), command)
            if elements.isEmpty { return start }
            try report { () throws(RDBError) in
                for index in stride(from: 0, to: elements.count, by: isList ? 1 : 2) {
                    let text = elements[index]
                    let element = PackedValue(packing: text.bytes)
                    if isList {
                        try visitor.listElement(element)
                    } else {
                        let other = index + 1 < elements.count ? elements[index + 1] : ""
                        guard let score = DecimalText.parseDouble(other.bytes) else {
                            throw RDBError(.invalidScore, at: 0, "no number for a score")
                        }
                        try visitor.sortedSetMember(element, score: score)
                    }
                }
            }
            start += isList ? elements.count : elements.count / 2
            size.adapt(to: elements)
        }
    }

    /// Sets and hashes, which have no order; how many members came, some maybe twice.
    private func scan(_ visitor: inout some PayloadVisitor) throws(ServerError) -> Int {
        let isSet = kind == .set
        let command: ByteString = isSet ? "SSCAN" : "HSCAN"
        var size = PartSize()
        var cursor: ByteString = "0"
        var count = 0
        repeat {
            let reply = try client.ask([command, key, cursor, "COUNT", text(size.count)])
            guard case .array(let parts) = reply, parts.count == 2, case .bulk(let next) = parts[0]
            else { throw unexpected(command) }
            cursor = next
            let found = try texts(parts[1], command)
            if isSet {
                try report { () throws(RDBError) in
                    for member in found {
                        try visitor.setMember(PackedValue(packing: member.bytes))
                    }
                }
                count += found.count
            } else {
                try readFields(found, &visitor)
                count += found.count / 2
            }
            size.adapt(to: found)
        } while cursor != "0"
        return count
    }

    private func readFields(
        _ found: [ByteString],
        _ visitor: inout some PayloadVisitor
    ) throws(ServerError) {
        let fields = stride(from: 0, to: found.count - 1, by: 2)
        let deadlines = try deadlines(of: fields.map { found[$0] })
        try report { () throws(RDBError) in
            for (number, index) in fields.enumerated() {
                let deadline = number < deadlines.count ? deadlines[number] : -1
                let (field, value) = (found[index], found[index + 1])
                try visitor.hashField(
                    PackedValue(packing: field.bytes),
                    value: PackedValue(packing: value.bytes),
                    deadline: deadline > 0 ? deadline : nil
                )
            }
        }
    }

    private func deadlines(of fields: [ByteString]) throws(ServerError) -> [Int64] {
        guard hasFieldDeadlines, !fields.isEmpty else { return [] }
        let reply = try client.ask(["HPEXPIRETIME", key, "FIELDS", text(fields.count)] + fields)
        guard case .array(let moments) = reply else { return [] }
        return moments.map { if case .integer(let moment) = $0 { moment } else { -1 } }
    }

    func texts(
        _ reply: Reply,
        _ command: ByteString
    ) throws(ServerError) -> [ByteString] {
        guard case .array(let parts) = reply else { throw unexpected(command) }
        return parts.compactMap { if case .bulk(let text) = $0 { text } else { nil } }
    }

    func text(_ number: Int) -> ByteString { ByteString("\(number)") }

    func unexpected(_ command: ByteString) -> ServerError {
        ServerError(client.url.description, .unexpected(command: command.text))
    }

    /// What a visitor does not want ends the reading.
    func report(_ body: () throws(RDBError) -> Void) throws(ServerError) {
        do throws(RDBError) {
            try body()
        } catch {
            let text = ByteString("\(error)")
            throw ServerError(client.url.description, .refused(command: "a part", text))
        }
    }

    /// How many elements make a part, by what the last ones took.
    struct PartSize {
        var count = 16

        mutating func adapt(to elements: [ByteString]) {
            adapt(to: elements.count, byteCount: elements.reduce(0) { $0 + $1.byteCount + 16 })
        }

        mutating func adapt(to elementCount: Int, byteCount: Int) {
            guard elementCount > 0 else { return }
            let fitting = LiveParts.partByteCount * elementCount / byteCount
            count = max(1, min(fitting, count * 4, 8192))
        }
    }
}
