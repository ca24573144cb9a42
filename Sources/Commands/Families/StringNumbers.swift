import Bytes
import RESP
import Store

extension Command {
    static let stringNumbers: [Command] = [
        Command("decr", .exactly(2), keys: .first, [.write, .denyOOM, .fast], decrement),
        Command("decrby", .exactly(3), keys: .first, [.write, .denyOOM, .fast], decrementBy),
        Command("incr", .exactly(2), keys: .first, [.write, .denyOOM, .fast], increment),
        Command("incrby", .exactly(3), keys: .first, [.write, .denyOOM, .fast], incrementBy),
        Command("incrbyfloat", .exactly(3), keys: .first, [.write, .denyOOM, .fast], addNumber),
    ]
}

private func increment(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    reply.integer(try engine.add(1, to: request.key))
}

private func decrement(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    reply.integer(try engine.add(-1, to: request.key))
}

private func incrementBy(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    reply.integer(try engine.add(try request.integer(2), to: request.key))
}

private func decrementBy(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    let amount = try request.integer(2)
    guard amount != .min else { throw .text("ERR decrement would overflow") }
    reply.integer(try engine.add(-amount, to: request.key))
}

private func addNumber(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    let entry = try engine.lookupForWrite(request.key, .string)
    var sum = ByteWriter()
    do throws(DecimalSum) {
        if let entry {
            try sum.append(sumOf: entry.bytes, request[2])
        } else {
            unsafe try sum.append(sumOf: "0".utf8.span.bytes, request[2])
        }
    } catch {
        switch error {
        case .firstIsNoNumber, .secondIsNoNumber: throw .notAFloat
        case .notFinite: throw .nanOrInfinity
        }
    }
    let open = entry?.open() ?? engine.keyspace.insertString(request.key)
    open.setString(sum.bytes, as: .text)
    // The sum depends on the widest type of the machine, so the result is what is repeated.
    engine.writeSet(request.key, sum.bytes, keepsDeadline: true)
    engine.changed(request.key, .string, "incrbyfloat")
    reply.bulk(sum.bytes)
}

extension Engine {
    /// Adds to the integer that `key` holds, 0 if it is absent; returns the sum.
    fileprivate mutating func add(
        _ amount: Int64,
        to key: RawSpan
    ) throws(CommandError) -> Int64 {
        guard let entry = try lookupForWrite(key, .string) else {
            keyspace.insertInteger(key, amount)
            changed(key, .string, "incrby")
            return amount
        }
        guard let old = DecimalText.parseInteger(entry.bytes) else { throw .notAnInteger }
        let (sum, overflows) = old.addingReportingOverflow(amount)
        guard !overflows else { throw .overflow }
        entry.open().setInteger(sum)
        changed(key, .string, "incrby")
        return sum
    }
}
