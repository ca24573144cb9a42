import Bytes
import RESP
import Store

extension Command {
    static let clients: [Command] = [
        Command(
            container: "client",
            [
                Command("client|id", .exactly(2), free, clientID),
                Command("client|getname", .exactly(2), free, getName),
                Command("client|setname", .exactly(3), free, setName),
                Command("client|setinfo", .exactly(4), free, setInformation),
                Command("client|reply", .exactly(3), free.union(.noMulti), setReplyMode),
                Command("client|no-touch", .exactly(3), free, setNoTouch),
                Command("client|no-evict", .exactly(3), free.union(.admin), setNoEvict),
                Command("client|capa", .atLeast(3), free, setCapabilities),
            ]
        )
    ]

    private static let free: Flags = [.noScript, .loading, .stale, .allowBusy]
}

private func clientID(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    reply.integer(engine.sessions[engine.current].clientID)
}

private func getName(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    guard let name = engine.sessions[engine.current].details?.name, name.byteCount > 0 else {
        return reply.null()
    }
    reply.bulk(name.bytes)
}

private func setName(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    let name = try request.attribute(2, "Client names")
    engine.sessions.details(engine.current).name = name
    reply.ok()
}

private func setInformation(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    let details = engine.sessions.details(engine.current)
    if request.is(2, "lib-name") {
        details.libraryName = try request.attribute(3, "lib-name")
    } else if request.is(2, "lib-ver") {
        details.libraryVersion = try request.attribute(3, "lib-ver")
    } else {
        throw .text("ERR Unrecognized option '\(request[2].messageText(limit: 1024))'")
    }
    reply.ok()
}

private func setReplyMode(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    let isSilent = engine.sessions[engine.current].flags.contains(.silent)
    if request.is(2, "on") {
        engine.sessions[engine.current].flags.subtract([.silent, .skipsNextReply])
        reply.ok()
    } else if request.is(2, "off") {
        engine.sessions[engine.current].flags.insert(.silent)
    } else if request.is(2, "skip") {
        if !isSilent { engine.sessions[engine.current].flags.insert(.skipsNextReply) }
    } else {
        throw .syntax
    }
}

private func setNoTouch(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    try engine.setFlag(.noTouch, request)
    reply.ok()
}

private func setNoEvict(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    try engine.setFlag(.noEvict, request)
    reply.ok()
}

extension Engine {
    /// Sets or takes away a flag of the current session, as the third argument says.
    fileprivate mutating func setFlag(
        _ flag: Session.Flags,
        _ request: borrowing Request
    ) throws(CommandError) {
        if request.is(2, "on") {
            sessions[current].flags.insert(flag)
        } else if request.is(2, "off") {
            sessions[current].flags.remove(flag)
        } else {
            throw .syntax
        }
    }
}

private func setCapabilities(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    for index in 2..<request.count where request.is(index, "redirect") {
        engine.sessions.details(engine.current).followsRedirects = true
    }
    reply.ok()
}
