import Bytes
import RESP
import Store

extension Command {
    static let hyperLogLogs: [Command] = [
        Command("pfadd", .atLeast(2), keys: .first, [.write, .denyOOM, .fast], add),
        Command("pfcount", .atLeast(2), keys: .all, [.readonly, .mayReplicate], count),
        Command(
            "pfdebug",
            .exactly(3),
            keys: KeyPositions(2, 2, 1),
            [.write, .denyOOM, .admin],
            debug
        ),
        Command("pfmerge", .atLeast(2), keys: .all, [.write, .denyOOM], merge),
        Command("pfselftest", .exactly(1), [.admin], selfTest),
    ]
}

private func add(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    let entry = try engine.hyperLogLog(engine.lookupForWrite(request.key))
    let counter = entry?.open().hyperLogLog ?? engine.keyspace.insertHyperLogLog(request.key)
    var changes = 0
    if entry == nil {
        counter.forgetCardinality()
        changes = 1
    }
    for index in 2..<max(request.count, 2) where try counter.counts(request[index]) {
        changes += 1
    }
    if changes > 0 { engine.changed(request.key, .string, "pfadd", count: changes) }
    reply.integer(changes > 0 ? 1 : 0)
}

private func count(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    var registers = HyperLogLogRegisters()
    guard request.count == 2 else {
        for index in 1..<request.count {
            guard let entry = try engine.hyperLogLog(engine.lookup(request[index])) else {
                continue
            }
            guard registers.merge(entry.bytes) else { throw .corruptHyperLogLog }
        }
        return reply.integer(registers.cardinality)
    }
    guard let entry = try engine.hyperLogLog(engine.lookup(request.key)) else {
        return reply.integer(0)
    }
    if let cardinality = HyperLogLog.cachedCardinality(of: entry.bytes) {
        return reply.integer(cardinality)
    }
    guard registers.merge(entry.bytes) else { throw .corruptHyperLogLog }
    let cardinality = registers.cardinality
    entry.open().hyperLogLog.setCardinality(cardinality)
    // The bytes of the value changed, although nobody is told.
    engine.changed(request.key, [], "pfcount")
    reply.integer(cardinality)
}

private func merge(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    var registers = HyperLogLogRegisters()
    var isDense = false
    for index in 1..<request.count {
        guard let entry = try engine.hyperLogLog(engine.lookup(request[index])) else { continue }
        if HyperLogLog.encoding(of: entry.bytes) == .dense { isDense = true }
        guard registers.merge(entry.bytes) else { throw .corruptHyperLogLog }
    }
    let entry = engine.lookupForWrite(request.key)
    let counter = entry?.open().hyperLogLog ?? engine.keyspace.insertHyperLogLog(request.key)
    do throws(OpenHyperLogLog.Corrupt) {
        if isDense { try counter.makeDense() }
        for index in 0..<HyperLogLog.registerCount where registers[index] > 0 {
            _ = try counter.raise(index, to: registers[index])
        }
    } catch {
        throw .corruptHyperLogLog
    }
    counter.forgetCardinality()
    engine.changed(request.key, .string, "pfadd")
    reply.ok()
}

private func debug(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    guard let found = engine.lookupForWrite(request[2]) else {
        throw .text("ERR The specified key does not exist")
    }
    guard let entry = try engine.hyperLogLog(found) else { return }
    let isSparse = HyperLogLog.encoding(of: entry.bytes) == .sparse
    if request.is(1, "encoding") {
        reply.status(isSparse ? "sparse" : "dense")
    } else if request.is(1, "decode") {
        guard isSparse else { throw .text("ERR HLL encoding is not sparse") }
        reply.bulk(runs(of: entry.bytes))
    } else if request.is(1, "todense") {
        try engine.makeDense(entry, request[2])
        reply.integer(isSparse ? 1 : 0)
    } else if request.is(1, "getreg") {
        try engine.makeDense(entry, request[2])
        reply.array(HyperLogLog.registerCount)
        for index in 0..<HyperLogLog.registerCount {
            reply.integer(Int(HyperLogLog.denseRegister(index, of: entry.bytes)))
        }
    } else {
        throw .text("ERR Unknown PFDEBUG subcommand '\(request[1].text)'")
    }
}

/// The runs of a sparse value: `z` or `Z` and a count for zeros, `v` with value and count.
private func runs(of bytes: RawSpan) -> String {
    var words: [String] = []
    var offset = HyperLogLog.headerByteCount
    while let run = HyperLogLogRun(bytes, at: offset) {
        offset += run.byteCount
        if run.isZero {
            words.append("\(run.byteCount == 2 ? "Z" : "z"):\(run.count)")
        } else {
            words.append("v:\(run.value),\(run.count)")
        }
    }
    return words.joined(separator: " ")
}

private func selfTest(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    let scratch = engine.dataSet.scratch
    let sparse = unsafe scratch.insertHyperLogLog("sparse".utf8.span.bytes)
    let seed = engine.dataSet.random()
    var checkpoint: UInt64 = 1
    defer { scratch.removeAll() }
    for number in 1...UInt64(10_000) {
        var element = ByteWriter()
        element.appendInteger(number ^ seed)
        _ = try sparse.counts(element.bytes)
        guard number == checkpoint else { continue }
        checkpoint *= 10
        guard let entry = unsafe scratch.find("sparse".utf8.span.bytes) else { return }
        if number < 1000, HyperLogLog.encoding(of: entry.bytes) != .sparse {
            throw .text("ERR TESTFAILED sparse encoding not used")
        }
        var registers = HyperLogLogRegisters()
        guard registers.merge(entry.bytes) else { throw .corruptHyperLogLog }
        let error = (registers.cardinality - Int64(number)).magnitude
        // Six standard errors: hardly ever seen in a test that should pass.
        guard Double(error) <= max(1, 6 * 0.0081 * Double(number)) else {
            throw .text(
                "ERR TESTFAILED Too big error. card:\(number) abserr:\(error)"
            )
        }
    }
    reply.ok()
}

extension Engine {
    /// The entry, if it is there, once it is sure to be a HyperLogLog.
    fileprivate func hyperLogLog(_ entry: Entry?) throws(CommandError) -> Entry? {
        guard let entry else { return nil }
        guard entry.kind == .string else { throw .wrongType }
        guard HyperLogLog.encoding(of: entry.bytes) != nil else {
            throw .text("WRONGTYPE Key is not a valid HyperLogLog string value.")
        }
        return entry
    }

    fileprivate mutating func makeDense(_ entry: Entry, _ key: RawSpan) throws(CommandError) {
        do throws(OpenHyperLogLog.Corrupt) {
            if try entry.open().hyperLogLog.makeDense() { changed(key, [], "pfdebug") }
        } catch {
            throw .corruptHyperLogLog
        }
    }
}

extension OpenHyperLogLog {
    /// Counts an element in; returns whether that changed a register.
    fileprivate func counts(_ element: RawSpan) throws(CommandError) -> Bool {
        do throws(Corrupt) {
            return try add(element)
        } catch {
            throw .corruptHyperLogLog
        }
    }
}

extension CommandError {
    fileprivate static let corruptHyperLogLog = CommandError.text(
        "INVALIDOBJ Corrupted HLL object detected"
    )
}
