import Bytes
import RESP
import Store

extension Command {
    static let stringParts: [Command] = [
        Command("append", .exactly(3), keys: .first, [.write, .denyOOM, .fast], append),
        Command("getrange", .exactly(4), keys: .first, [.readonly], getRange),
        Command("setrange", .exactly(4), keys: .first, [.write, .denyOOM], setRange),
        Command("strlen", .exactly(2), keys: .first, [.readonly, .fast], length),
        Command("substr", .exactly(4), keys: .first, [.readonly], getRange),
    ]
}

private func length(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    reply.integer(try engine.lookup(request.key, .string)?.bytes.byteCount ?? 0)
}

private func append(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    let count: Int
    if let entry = try engine.lookupForWrite(request.key, .string) {
        try engine.checkLength(entry.bytes.byteCount, and: request[2].byteCount)
        count = entry.open().append(request[2])
    } else {
        engine.keyspace.setString(request.key, request[2])
        count = request[2].byteCount
    }
    engine.changed(request.key, .string, "append")
    reply.integer(count)
}

private func getRange(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    let start = try request.integer(2)
    let end = try request.integer(3)
    guard let entry = try engine.lookup(request.key, .string),
        let range = byteRange(from: start, through: end, of: entry.bytes.byteCount)
    else { return reply.bulk("") }
    reply.bulk(entry.bytes.extracting(range))
}

/// The bytes that two inclusive indexes mean, negative ones counted from the end; nil if none.
private func byteRange(from start: Int64, through end: Int64, of count: Int) -> Range<Int>? {
    if start < 0, end < 0, start > end { return nil }
    let first = start < 0 ? max(0, start + Int64(count)) : start
    let last = end < 0 ? max(0, end + Int64(count)) : min(end, Int64(count) - 1)
    guard first <= last, count > 0 else { return nil }
    return Int(first)..<Int(last) + 1
}

private func setRange(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    let offset = try request.integer(2)
    guard offset >= 0 else { throw .offsetOutOfRange }
    let bytes = request[3]
    let entry = try engine.lookupForWrite(request.key, .string)
    // Writing nothing changes nothing, however far away.
    guard bytes.byteCount > 0 else { return reply.integer(entry?.bytes.byteCount ?? 0) }
    try engine.checkLength(Int(offset), and: bytes.byteCount)
    let open = entry?.open() ?? engine.keyspace.insertString(request.key)
    let count = open.write(bytes, at: Int(offset))
    engine.changed(request.key, .string, "setrange")
    reply.integer(count)
}

extension Engine {
    /// Refuses a string that would be longer than the server takes.
    func checkLength(_ one: Int, and other: Int) throws(CommandError) {
        let (count, overflows) = one.addingReportingOverflow(other)
        guard !overflows, count <= settings.longestString else { throw .stringTooLong }
    }
}
