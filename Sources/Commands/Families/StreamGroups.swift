import Bytes
import RESP
import Store

// Consumer groups of streams, and acknowledging what they were given.
extension Command {
    static let streamGroups: [Command] = [
        Command(
            container: "xgroup",
            [
                Command(
                    "xgroup|create",
                    .atLeast(5),
                    keys: .second,
                    [.write, .denyOOM],
                    createGroup
                ),
                Command("xgroup|setid", .atLeast(5), keys: .second, [.write], setGroupID),
                Command("xgroup|destroy", .exactly(4), keys: .second, [.write], destroyGroup),
                Command(
                    "xgroup|createconsumer",
                    .exactly(5),
                    keys: .second,
                    [.write, .denyOOM],
                    createConsumer
                ),
                Command(
                    "xgroup|delconsumer",
                    .exactly(5),
                    keys: .second,
                    [.write],
                    removeConsumer
                ),
                Command("xgroup|help", .exactly(2), [.loading, .stale], groupHelp),
            ]
        ),
        Command("xack", .atLeast(4), keys: .first, [.write, .fast], acknowledge),
    ]
}

/// The options behind the id of XGROUP CREATE and SETID.
private struct GroupOptions {
    var makesStream = false
    var entriesRead: Int64?

    init(_ request: borrowing Request, isCreating: Bool) throws(CommandError) {
        var index = 5
        while index < request.count {
            if isCreating, request.is(index, "mkstream") {
                makesStream = true
                index += 1
            } else if request.is(index, "entriesread"), index + 1 < request.count {
                let read = try request.integer(index + 1)
                guard read >= -1 else {
                    throw .text("ERR value for ENTRIESREAD must be positive or -1")
                }
                entriesRead = read == -1 ? nil : read
                index += 2
            } else {
                throw .unknownSubcommandOrArity(request)
            }
        }
    }
}

extension Engine {
    /// The stream of a subcommand of XGROUP, which must be there.
    fileprivate mutating func groupStream(
        _ request: borrowing Request
    ) throws(CommandError) -> OpenStream {
        guard let entry = try lookupForWrite(request[2], .stream) else {
            throw .text(
                "ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you "
                    + "may want to use the MKSTREAM option to create an empty stream automatically."
            )
        }
        return entry.open().stream
    }

    /// The stream and its group, both of which must be there.
    fileprivate mutating func streamGroup(
        _ request: borrowing Request
    ) throws(CommandError) -> (OpenStream, ConsumerGroup) {
        let stream = try groupStream(request)
        guard let group = stream.value.group(named: request[3]) else {
            throw .noGroup(request[3], of: request[2])
        }
        return (stream, group)
    }
}

private func createGroup(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    let options = try GroupOptions(request, isCreating: true)
    let entry = try engine.lookupForWrite(request[2], .stream)
    if entry == nil, !options.makesStream { _ = try engine.groupStream(request) }
    guard request.count <= 8 else { throw .unknownSubcommandOrArity(request) }
    let isLast = request[4].isText("$")
    let id = isLast ? entry?.stream.lastID ?? .zero : try request.streamID(4)
    let stream = entry?.open().stream ?? engine.keyspace.insertStream(request[2])
    guard stream.addGroup(request[3], after: id, entriesRead: options.entriesRead) != nil else {
        throw .text("BUSYGROUP Consumer Group name already exists")
    }
    reply.ok()
    if entry == nil {
        engine.changed(request[2], .stream, "xgroup-create")
    } else {
        engine.noted(request[2], "xgroup-create")
    }
}

private func setGroupID(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    let options = try GroupOptions(request, isCreating: false)
    let (stream, group) = try engine.streamGroup(request)
    guard request.count <= 7 else { throw .unknownSubcommandOrArity(request) }
    let isLast = request[4].isText("$")
    let id =
        if isLast {
            stream.value.lastID
        } else if let end = request[4].openEnd {
            end
        } else {
            try request.streamID(4)
        }
    stream.setPosition(of: group, id, entriesRead: options.entriesRead)
    reply.ok()
    engine.noted(request[2], "xgroup-setid")
}

private func destroyGroup(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    let stream = try engine.groupStream(request)
    guard stream.removeGroup(request[3]) else { return reply.integer(0) }
    reply.integer(1)
    engine.noted(request[2], "xgroup-destroy")
    // Consumers who wait shall hear that there is nothing left to wait for.
    if engine.gates.contains(.waiting) {
        engine.blocked.note(request[2], database: engine.keyspace.number)
    }
}

private func createConsumer(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    let (stream, group) = try engine.streamGroup(request)
    guard group.consumer(named: request[4]) == nil else { return reply.integer(0) }
    _ = stream.addConsumer(request[4], to: group, seenTime: engine.dataSet.now)
    engine.noted(request[2], "xgroup-createconsumer")
    reply.integer(1)
}

private func removeConsumer(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    let (stream, group) = try engine.streamGroup(request)
    guard let consumer = group.consumer(named: request[4]) else { return reply.integer(0) }
    reply.integer(stream.removeConsumer(consumer, from: group))
    engine.noted(request[2], "xgroup-delconsumer")
}

private func groupHelp(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    reply.help(
        "XGROUP",
        [
            "CREATE <key> <groupname> <id|$> [option]",
            "    Create a new consumer group. Options are:",
            "    * MKSTREAM",
            "      Create the empty stream if it does not exist.",
            "    * ENTRIESREAD entries_read",
            "      Set the group's entries_read counter (internal use).",
            "CREATECONSUMER <key> <groupname> <consumer>",
            "    Create a new consumer in the specified group.",
            "DELCONSUMER <key> <groupname> <consumer>",
            "    Remove the specified consumer.",
            "DESTROY <key> <groupname>",
            "    Remove the specified group.",
            "SETID <key> <groupname> <id|$> [ENTRIESREAD entries_read]",
            "    Set the current group ID and entries_read counter.",
        ]
    )
}

private func acknowledge(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    guard let entry = try engine.lookupForWrite(request.key, .stream),
        let group = entry.stream.group(named: request[2])
    else { return reply.integer(0) }
    let ids = try request.streamIDs(3..<request.count)
    let stream = entry.open().stream
    var acknowledged = 0
    for id in ids where stream.acknowledge(id, in: group) { acknowledged += 1 }
    engine.statistics.changes += Int64(acknowledged)
    reply.integer(acknowledged)
}
