import Bytes
import RESP
import Store

extension Command {
    static let hashNumbers: [Command] = [
        Command("hincrby", .exactly(4), keys: .first, [.write, .denyOOM, .fast], addInteger),
        Command("hincrbyfloat", .exactly(4), keys: .first, [.write, .denyOOM, .fast], addNumber),
    ]
}

private func addInteger(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    let amount = try request.integer(3)
    let found = try engine.hashForWrite(request.key)
    var sum = amount
    if let found, let old = found.get(request[2]) {
        guard let old = old.integer else { throw .text("ERR hash value is not an integer") }
        let (total, overflows) = old.addingReportingOverflow(amount)
        guard !overflows else { throw .overflow }
        sum = total
    }
    var text = ByteWriter()
    text.append(decimal: sum)
    let hash = found?.open() ?? engine.keyspace.insertHash(request.key)
    hash.set(request[2], text.bytes, keepingDeadline: true)
    engine.changed(request.key, .hash, "hincrby")
    reply.integer(sum)
}

private func addNumber(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    switch DecimalSum.magnitude(of: request[3]) {
    case .finite: break
    case .infinite: throw .text("ERR value is NaN or Infinity")
    case nil: throw .notAFloat
    }
    let found = try engine.hashForWrite(request.key)
    var sum = ByteWriter()
    do throws(DecimalSum) {
        if let found, let old = found.get(request[2]) {
            var buffer = TextBuffer()
            try sum.append(sumOf: buffer.text(of: old), request[3])
        } else {
            unsafe try sum.append(sumOf: "0".utf8.span.bytes, request[3])
        }
    } catch {
        switch error {
        case .firstIsNoNumber, .secondIsNoNumber: throw .text("ERR hash value is not a float")
        case .notFinite: throw .nanOrInfinity
        }
    }
    let hash = found?.open() ?? engine.keyspace.insertHash(request.key)
    hash.set(request[2], sum.bytes, keepingDeadline: true)
    // The sum depends on the widest type of the machine, so the result is what is repeated.
    engine.writeField(
        request.key,
        request[2],
        sum.bytes,
        deadline: hash.value.deadline(of: request[2])
    )
    engine.changed(request.key, .hash, "hincrbyfloat")
    reply.bulk(sum.bytes)
}
