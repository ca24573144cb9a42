import Bytes
import RESP
import Store

extension Command {
    static let scans: [Command] = [
        Command("scan", .atLeast(2), [.readonly], scan)
    ]
}

private func scan(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    let options = try ScanOptions(request, cursorAt: 1)
    var found = ScanResults(reply.protocolVersion)
    let keyspace = engine.keyspace
    // What a walk meets it must not remove.
    var expired: [ByteString] = []
    let cursor = options.walk { (cursor, visited) in
        keyspace.scan(cursor) { entry in
            visited += 1
            guard options.accepts(entry.key) else { return }
            guard options.kind == nil || options.kind == entry.kind else { return }
            guard !entry.isExpired else { return expired.append(ByteString(entry.key)) }
            found.add(entry.key)
        }
    }
    for key in expired { _ = engine.liveEntry(key.bytes) }
    found.finish(cursor, &reply)
}

/// What SCAN, HSCAN, SSCAN and ZSCAN are asked for.
///
/// The three read their cursor and look their key up first: without the key, no option counts.
struct ScanOptions {
    let cursor: UInt64
    private(set) var count: Int64 = 10
    private(set) var kind: Kind?
    /// HSCAN NOVALUES, or ZSCAN's NOSCORES.
    private(set) var isWithoutValues = false
    private var pattern: ByteString?

    /// Which of the four commands it is.
    enum Form {
        case keys
        case hash
        case set
        case sortedSet
    }

    init(
        _ request: borrowing Request,
        cursorAt start: Int,
        _ form: Form = .keys
    ) throws(CommandError) {
        cursor = try request.cursor(start)
        var index = start + 1
        while index < request.count {
            if request.is(index, "count"), index + 1 < request.count {
                count = try request.integer(index + 1)
                guard count >= 1 else { throw .syntax }
                index += 2
            } else if request.is(index, "match"), index + 1 < request.count {
                let pattern = request[index + 1]
                let isStar = pattern.byteCount == 1 && pattern.byte(at: 0) == UInt8(ascii: "*")
                self.pattern = isStar ? nil : ByteString(pattern)
                index += 2
            } else if form == .keys, request.is(index, "type"), index + 1 < request.count {
                kind = try ScanOptions.kind(request[index + 1])
                index += 2
            } else if request.is(index, "novalues") {
                guard form == .hash else {
                    throw .text("ERR NOVALUES option can only be used in HSCAN")
                }
                isWithoutValues = true
                index += 1
            } else if request.is(index, "noscores") {
                guard form == .sortedSet else {
                    throw .text("ERR NOSCORES option can only be used in ZSCAN")
                }
                isWithoutValues = true
                index += 1
            } else {
                throw .syntax
            }
        }
    }

    private static func kind(_ name: RawSpan) throws(CommandError) -> Kind {
        for kind in [Kind.string, .list, .set, .sortedSet, .hash, .stream]
        where name.equalsIgnoringCase(kind.name) {
            return kind
        }
        throw .quoting("ERR unknown type name '", name, "'")
    }

    /// Whether the pattern lets `name` through.
    func accepts(_ name: RawSpan) -> Bool {
        guard let pattern else { return true }
        return GlobPattern(pattern.bytes).matches(name)
    }

    /// Whether the pattern lets `name` through.
    func accepts(_ name: borrowing PackedValue) -> Bool {
        guard pattern != nil else { return true }
        switch name {
        case .bytes(let bytes): return accepts(bytes)
        case .integer(let integer):
            var text = ByteWriter(reserving: DecimalText.maximumIntegerByteCount)
            text.append(decimal: integer)
            return accepts(text.bytes)
        }
    }

    /// Steps from cursor to cursor until about `count` elements were visited; returns where
    /// the next call begins.
    ///
    /// `step` visits what is at a cursor, counts it, and returns the next cursor. Where most
    /// places are empty, it ends after ten times the count.
    func walk(_ step: (_ cursor: UInt64, _ visited: inout Int64) -> UInt64) -> UInt64 {
        var cursor = self.cursor
        var visited: Int64 = 0
        var steps = count.multipliedReportingOverflow(by: 10).partialValue
        repeat {
            cursor = step(cursor, &visited)
            steps &-= 1
        } while cursor != 0 && steps != 0 && visited < count
        return cursor
    }
}

/// The elements of a scan, until the cursor that goes before them is known.
struct ScanResults: ~Copyable {
    private var elements: ReplyWriter
    private var count = 0

    init(_ version: ProtocolVersion) {
        elements = ReplyWriter(version)
    }

    mutating func add(_ element: RawSpan) {
        elements.bulk(element)
        count += 1
    }

    mutating func add(_ element: borrowing PackedValue) {
        switch element {
        case .bytes(let bytes): elements.bulk(bytes)
        case .integer(let integer): elements.bulk(decimal: integer)
        }
        count += 1
    }

    /// Adds a score, which is a string here in both forms of the protocol.
    ///
    /// Large sorted sets have theirs told with more digits than small ones.
    mutating func add(score: Double, ofLargeSet isLarge: Bool) {
        var text = ByteWriter()
        if isLarge { text.append(seventeenDigits: score) } else { text.append(shortest: score) }
        add(text.bytes)
    }

    /// Writes the reply of the scan.
    consuming func finish(_ cursor: UInt64, _ reply: inout ReplyWriter) {
        reply.array(2)
        reply.bulk("\(cursor)")
        reply.array(count)
        reply.append(prepared: elements.bytes)
    }
}

extension Request {
    /// The cursor that the argument at `index` spells, as C's `strtoul` reads it: up to a zero.
    func cursor(_ index: Int) throws(CommandError) -> UInt64 {
        let text = self[index]
        var value: UInt64 = 0
        var offset = 0
        while offset < text.byteCount, text.byte(at: offset) == 0x20 { offset += 1 }
        let hasSign = offset < text.byteCount
        // A number below zero is refused where it fits into 64 bits, and taken where it does not.
        if let number = DecimalText.parseInteger(text), number < 0 { throw .invalidCursor }
        let isNegative = hasSign && text.byte(at: offset) == UInt8(ascii: "-")
        if isNegative || hasSign && text.byte(at: offset) == UInt8(ascii: "+") { offset += 1 }
        guard offset < text.byteCount else { throw .invalidCursor }
        while offset < text.byteCount, text.byte(at: offset) != 0 || offset == 0 {
            let digit = text.byte(at: offset) &- UInt8(ascii: "0")
            guard digit <= 9 else { throw .invalidCursor }
            let (scaled, overflowed) = value.multipliedReportingOverflow(by: 10)
            let (sum, carried) = scaled.addingReportingOverflow(UInt64(digit))
            guard !overflowed, !carried else { throw .invalidCursor }
            value = sum
            offset += 1
        }
        return isNegative ? 0 &- value : value
    }
}
