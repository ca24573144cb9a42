import Bytes

/// Turns bytes, in whatever pieces they arrive, into replies: what a client of a server needs.
///
/// Takes both forms. Attributes, which say something about the reply behind them, are skipped.
public struct ReplyParser: ~Copyable, Sendable {
    private var input = ByteQueue()
    /// The first byte not yet understood.
    private var cursor = 0
    /// The line that starts at `cursor` does not end before this offset.
    private var searched = 0
    /// The aggregates around what is read next, outermost first.
    private var open: [Aggregate] = []

    private struct Aggregate {
        let kind: Kind
        var missing: Int
        var elements: [Reply] = []

        enum Kind {
            case array
            case map
            case set
            case push
            case attribute
        }
    }

    /// No server nests this deep; what does would exhaust the stack when it is let go.
    private static let maximumDepth = 128

    /// Starts before the first reply of a connection.
    public init() {}

    /// Adds bytes that came.
    public mutating func append(_ bytes: RawSpan) {
        input.append(bytes)
    }

    /// Bytes that came and are not part of a reply that `next` returned.
    public var waitingByteCount: Int { input.count }

    /// The next reply, or nil when it is not all there yet.
    public mutating func next() throws(RESPError) -> Reply? {
        while let element = try parseElement() {
            cursor = element.end
            guard let part = try open(element), let reply = close(with: part) else { continue }
            input.removeFirst(cursor)
            cursor = 0
            searched = 0
            return reply
        }
        return nil
    }

    /// What starts at `cursor`: all of a reply, or the beginning of one that holds others.
    private struct Element {
        let content: Content
        let end: Int

        enum Content {
            case whole(Reply)
            case beginning(Aggregate.Kind, count: Int)
        }
    }

    /// The reply that the element is, unless others have to follow first.
    private mutating func open(_ element: Element) throws(RESPError) -> Reply? {
        switch element.content {
        case .whole(let reply): return reply
        case .beginning(let kind, let count):
            let isPaired = kind == .map || kind == .attribute
            let (missing, overflowed) = count.multipliedReportingOverflow(by: isPaired ? 2 : 1)
            guard !overflowed else { throw .invalidReply }
            guard open.count < Self.maximumDepth else { throw .replyTooDeep }
            let aggregate = Aggregate(kind: kind, missing: missing)
            if missing == 0 { return Self.reply(from: aggregate) }
            open.append(aggregate)
            return nil
        }
    }

    /// Adds `reply` to the innermost aggregate, and closes those that this completes.
    ///
    /// Returns the reply that stands alone, if that is what came out.
    private mutating func close(with reply: Reply) -> Reply? {
        var reply = reply
        while !open.isEmpty {
            let innermost = open.count - 1
            open[innermost].elements.append(reply)
            open[innermost].missing -= 1
            guard open[innermost].missing == 0 else { return nil }
            let aggregate = open.removeLast()
            guard let closed = Self.reply(from: aggregate) else { return nil }
            reply = closed
        }
        return reply
    }

    private static func reply(from aggregate: Aggregate) -> Reply? {
        let elements = aggregate.elements
        switch aggregate.kind {
        case .array: return .array(elements)
        case .set: return .set(elements)
        case .push: return .push(elements)
        case .attribute: return nil
        case .map:
            return .map(
                stride(from: 0, to: elements.count, by: 2).map {
                    Reply.Pair(elements[$0], elements[$0 + 1])
                }
            )
        }
    }

    private mutating func parseElement() throws(RESPError) -> Element? {
        guard let end = findLineEnd() else { return nil }
        let bytes = input.bytes
        let type = bytes.byte(at: cursor)
        let line = bytes.extracting((cursor + 1)..<end)
        let content: Element.Content
        switch type {
        case UInt8(ascii: "+"): content = .whole(.status(ByteString(line)))
        case UInt8(ascii: "-"): content = .whole(.error(ByteString(line)))
        case UInt8(ascii: ":"): content = .whole(.integer(try integer(line)))
        case UInt8(ascii: ","): content = .whole(.double(ByteString(line)))
        case UInt8(ascii: "("): content = .whole(.bigNumber(ByteString(line)))
        case UInt8(ascii: "_"): content = .whole(.null)
        case UInt8(ascii: "#"): content = .whole(.boolean(try boolean(line)))
        case UInt8(ascii: "$"), UInt8(ascii: "!"), UInt8(ascii: "="):
            return try bulk(type, try count(line), from: end + 2)
        case UInt8(ascii: "*"): content = try beginning(.array, line)
        case UInt8(ascii: "%"): content = try beginning(.map, line)
        case UInt8(ascii: "~"): content = try beginning(.set, line)
        case UInt8(ascii: ">"): content = try beginning(.push, line)
        case UInt8(ascii: "|"): content = try beginning(.attribute, line)
        default: throw .unknownReply(type)
        }
        return Element(content: content, end: end + 2)
    }

    private func beginning(
        _ kind: Aggregate.Kind,
        _ line: RawSpan
    ) throws(RESPError) -> Element.Content {
        let count = try count(line)
        return count < 0 ? .whole(.nullArray) : .beginning(kind, count: count)
    }

    private func bulk(
        _ type: UInt8,
        _ count: Int,
        from start: Int
    ) throws(RESPError) -> Element? {
        guard count >= 0 else { return Element(content: .whole(.null), end: start) }
        guard input.count - start - 2 >= count else { return nil }
        let content = input.bytes.extracting(start..<(start + count))
        let reply: Reply
        switch type {
        case UInt8(ascii: "!"): reply = .error(ByteString(content))
        case UInt8(ascii: "="):
            guard count >= 4 else { throw .invalidReply }
            reply = .verbatim(
                format: ByteString(content.extracting(..<3)),
                text: ByteString(content.extracting(4...))
            )
        default: reply = .bulk(ByteString(content))
        }
        return Element(content: .whole(reply), end: start + count + 2)
    }

    private func integer(_ text: RawSpan) throws(RESPError) -> Int64 {
        guard let value = DecimalText.parseInteger(text) else { throw .invalidReply }
        return value
    }

    private func count(_ text: RawSpan) throws(RESPError) -> Int {
        let value = Int(try integer(text))
        guard value >= -1 else { throw .invalidReply }
        return value
    }

    private func boolean(_ text: RawSpan) throws(RESPError) -> Bool {
        if text.equalsIgnoringCase("t") { return true }
        guard text.equalsIgnoringCase("f") else { throw .invalidReply }
        return false
    }

    /// Where the carriage return of the line at `cursor` is, if the line is whole.
    private mutating func findLineEnd() -> Int? {
        var index = max(searched, cursor)
        while index < input.count, input.bytes.byte(at: index) != UInt8(ascii: "\r") { index += 1 }
        searched = index
        return index + 1 < input.count && index > cursor ? index : nil
    }
}
