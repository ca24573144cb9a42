import Bytes
import RESP
import Store

extension Command {
    static let strings: [Command] = [
        Command("get", .exactly(2), keys: .first, [.readonly, .fast], get),
        Command("set", .atLeast(3), keys: .first, [.write, .denyOOM], set),
    ]
}

private func get(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    guard let entry = try engine.lookup(request.key, .string) else { return reply.null() }
    reply.bulk(entry.bytes)
}

private func set(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    engine.keyspace.setString(request.key, request[2])
    engine.changed(request.key, .string, "set")
    reply.ok()
}
