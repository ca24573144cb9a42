import Bytes
import RESP
import Store

// Entries of streams: adding, reading by range, deleting, trimming.
extension Command {
    static let streams: [Command] = [
        Command("xadd", .atLeast(5), keys: .first, [.write, .denyOOM, .fast], add),
        Command("xlen", .exactly(2), keys: .first, [.readonly, .fast], length),
        Command("xrange", .atLeast(4), keys: .first, [.readonly], range),
        Command("xrevrange", .atLeast(4), keys: .first, [.readonly], reverseRange),
        Command("xdel", .atLeast(3), keys: .first, [.write, .fast], remove),
        Command("xtrim", .atLeast(4), keys: .first, [.write], trim),
        Command("xsetid", .atLeast(3), keys: .first, [.write, .denyOOM, .fast], setID),
    ]
}

private func add(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    let options = try engine.trimOptions(request, isAdding: true)
    let firstField = options.end + 1
    let rest = request.count - firstField
    guard rest >= 2, rest.isMultiple(of: 2) else { throw .wrongArity(command: "xadd") }
    let wanted =
        request[options.end].isText("*")
        ? nil : StreamIDText(request[options.end], allowsOpen: true)
    if let wanted, !wanted.isOpen, wanted.id == .zero {
        throw .text("ERR The ID specified in XADD must be greater than 0-0")
    }
    var entry = try engine.lookupForWrite(request.key, .stream)
    if entry == nil, options.needsStream { return reply.null() }
    var draft = StreamDraft()
    for index in stride(from: firstField, to: request.count, by: 2) {
        draft.append(request[index], request[index + 1])
    }
    guard draft.textByteCount <= OpenStream.largestByteCount else {
        throw .text("ERR Elements are too large to be stored")
    }
    let id = try newID(wanted, after: entry?.stream.lastID ?? .zero, now: engine.dataSet.now)
    let stream = entry?.open().stream ?? engine.keyspace.insertStream(request.key)
    entry = nil
    stream.append(id, draft)
    reply.bulk(id)
    engine.changed(request.key, .stream, "xadd")
    let trimmed = options.trimming.map { stream.trim($0) } ?? 0
    if trimmed > 0 { engine.changed(request.key, .stream, "xtrim", count: 0) }
    engine.writeAddition(request, id, firstField, trimmedTo: trimmed > 0 ? stream.value.count : nil)
}

/// The id of an entry to be added: the one wanted, or what is missing of it found.
private func newID(
    _ wanted: StreamIDText?,
    after last: StreamEntryID,
    now: Int64
) throws(CommandError) -> StreamEntryID {
    guard let next = last.next else {
        throw .text(
            "ERR The stream has exhausted the last possible ID, unable to add more items"
        )
    }
    guard let wanted else {
        let moment = StreamEntryID(UInt64(max(now, 0)), 0)
        return moment.milliseconds > last.milliseconds ? moment : next
    }
    // `next` of another millisecond says that there is no sequence left in the one wanted.
    let continues = wanted.isOpen && wanted.id.milliseconds == last.milliseconds
    let id = continues && next.milliseconds == last.milliseconds ? next : wanted.id
    guard id > last else {
        throw .text(
            "ERR The ID specified in XADD is equal or smaller than the target stream top item"
        )
    }
    return id
}

extension Engine {
    mutating func trimOptions(
        _ request: borrowing Request,
        isAdding: Bool
    ) throws(CommandError) -> StreamTrimOptions {
        try StreamTrimOptions(
            request,
            isAdding: isAdding,
            nodeEntries: dataSet.limits.streamEntries,
            isReplaying: isReplaying
        )
    }

    /// XADD with the id that the entry got and the length to which the stream was trimmed.
    fileprivate mutating func writeAddition(
        _ request: borrowing Request,
        _ id: StreamEntryID,
        _ firstField: Int,
        trimmedTo length: Int?
    ) {
        hasWrittenEffects = true
        let count = request.count - firstField + (length == nil ? 3 : 6)
        guard effects.begin(count, database: keyspace.number) else { return }
        effects.argument("XADD")
        effects.argument(request.key)
        if let length {
            effects.argument("MAXLEN")
            effects.argument("=")
            effects.argument(Int64(length))
        }
        effects.argument(id)
        for index in firstField..<request.count { effects.argument(request[index]) }
    }
}

private func length(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    reply.integer(try engine.lookup(request.key, .stream)?.stream.count ?? 0)
}

private func range(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    let first = try request.firstID(2)
    let last = try request.lastID(3)
    try readRange(request, first, last, isReversed: false, &engine, &reply)
}

private func reverseRange(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    let first = try request.firstID(3)
    let last = try request.lastID(2)
    try readRange(request, first, last, isReversed: true, &engine, &reply)
}

private func readRange(
    _ request: borrowing Request,
    _ first: StreamEntryID,
    _ last: StreamEntryID,
    isReversed: Bool,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    var limit = Int64.max
    for index in stride(from: 4, to: request.count, by: 2) {
        guard request.is(index, "count"), index + 1 < request.count else { throw .syntax }
        limit = max(try request.integer(index + 1), 0)
    }
    guard let entry = try engine.lookup(request.key, .stream) else { return reply.array(0) }
    guard limit > 0 else { return reply.nullArray() }
    let mark = reply.beginArray()
    var count = 0
    entry.stream.forEachEntry(from: first, through: last, isReversed: isReversed) { entry in
        reply.entry(entry)
        count += 1
        return count < limit
    }
    reply.endArray(mark, count: count)
}

private func remove(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    guard let entry = try engine.lookupForWrite(request.key, .stream) else {
        return reply.integer(0)
    }
    let ids = try request.streamIDs(2..<request.count)
    let stream = entry.open().stream
    var removed = 0
    for id in ids where stream.remove(id) { removed += 1 }
    if removed > 0 { engine.changed(request.key, .stream, "xdel", count: removed) }
    reply.integer(removed)
}

private func trim(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    let options = try engine.trimOptions(request, isAdding: false)
    guard let trimming = options.trimming,
        let entry = try engine.lookupForWrite(request.key, .stream)
    else { return reply.integer(0) }
    let stream = entry.open().stream
    let removed = stream.trim(trimming)
    if removed > 0 {
        engine.changed(request.key, .stream, "xtrim", count: removed)
        engine.writeTrimming(request.key, to: stream.value.count)
    }
    reply.integer(removed)
}

extension Engine {
    fileprivate mutating func writeTrimming(_ key: RawSpan, to length: Int) {
        hasWrittenEffects = true
        guard effects.begin(5, database: keyspace.number) else { return }
        effects.argument("XTRIM")
        effects.argument(key)
        effects.argument("MAXLEN")
        effects.argument("=")
        effects.argument(Int64(length))
    }
}

private func setID(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    let id = try request.streamID(2)
    var entriesAdded: Int64?
    var maximumDeletedID: StreamEntryID?
    for index in stride(from: 3, to: request.count, by: 2) {
        guard index + 1 < request.count else { throw .syntax }
        if request.is(index, "entriesadded") {
            let count = try request.integer(index + 1)
            guard count >= 0 else { throw .text("ERR entries_added must be positive") }
            entriesAdded = count
        } else if request.is(index, "maxdeletedid") {
            let deleted = try request.streamID(index + 1)
            guard id >= deleted else {
                throw .text(
                    "ERR The ID specified in XSETID is smaller than the provided "
                        + "max_deleted_entry_id"
                )
            }
            maximumDeletedID = deleted == .zero ? nil : deleted
        } else {
            throw .syntax
        }
    }
    guard let entry = try engine.lookupForWrite(request.key, .stream) else { throw .noSuchKey }
    try check(id, entriesAdded, against: entry.stream)
    entry.open().stream.setCounters(
        lastID: id,
        entriesAdded: entriesAdded.map { UInt64($0) },
        maximumDeletedID: maximumDeletedID
    )
    reply.ok()
    engine.noted(request.key, "xsetid")
}

private func check(
    _ id: StreamEntryID,
    _ entriesAdded: Int64?,
    against stream: StreamValue
) throws(CommandError) {
    guard id >= stream.maximumDeletedID else {
        throw .text("ERR The ID specified in XSETID is smaller than current max_deleted_entry_id")
    }
    guard let last = stream.lastEntryID else { return }
    guard id >= last else {
        throw .text(
            "ERR The ID specified in XSETID is smaller than the target stream top item"
        )
    }
    if let entriesAdded, entriesAdded < Int64(stream.count) {
        throw .text(
            "ERR The entries_added specified in XSETID is smaller than the target stream length"
        )
    }
}
