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
                Command(
                    "client|import-source",
                    .exactly(3),
                    [.noScript, .loading, .stale],
                    setImportSource
                ),
                Command("client|help", .exactly(2), [.loading, .stale], clientHelp),
            ] + clientLists + clientTracking
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
        details.libraryName = try request.attribute(3, request[2].text)
    } else if request.is(2, "lib-ver") {
        details.libraryVersion = try request.attribute(3, request[2].text)
    } else {
        throw .quoting("ERR Unrecognized option '", request[2], "'")
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
        engine.sessions[engine.current].flags.subtract([.silent, .skipsReply])
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

private func setImportSource(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    guard engine.settings.isImporting || request.is(2, "off") else {
        throw .text("ERR Server is not in import mode")
    }
    try engine.setFlag(.importSource, request)
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

private func clientHelp(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    reply.help(
        "CLIENT",
        [
            "CACHING (YES|NO)",
            "    Enable/disable tracking of the keys for next command in OPTIN/OPTOUT modes.",
            "CAPA <option> [options...]",
            "    The client claims its some capability options. Options are:",
            "    * REDIRECT",
            "      The client can handle redirection during primary and replica failover in standalone mode.",
            "GETREDIR",
            "    Return the client ID we are redirecting to when tracking is enabled.",
            "GETNAME",
            "    Return the name of the current connection.",
            "ID",
            "    Return the ID of the current connection.",
            "INFO",
            "    Return information about the current client connection.",
            "KILL <ip:port>",
            "    Kill connection made from <ip:port>.",
            "KILL <option> <value> [<option> <value> [...]]",
            "    Kill connections. Options are:",
            "    * ADDR (<ip:port>|<unixsocket>:0)",
            "      Kill connections made from the specified address.",
            "    * LADDR (<ip:port>|<unixsocket>:0)",
            "      Kill connections made to the specified local address.",
            "    * TYPE (NORMAL|PRIMARY|REPLICA|PUBSUB)",
            "      Kill connections by type.",
            "    * USER <username>",
            "      Kill connections authenticated by <username>.",
            "    * SKIPME (YES|NO)",
            "      Skip killing current connection (default: yes).",
            "    * ID <client-id> [<client-id>...]",
            "      Kill connections by client IDs.",
            "    * MAXAGE <maxage>",
            "      Kill connections older than the specified age.",
            "    * FLAGS <flags>",
            "      Kill connections that include the specified flags.",
            "    * NAME <client-name>",
            "      Kill connections with the specified name.",
            "    * IDLE <idle>",
            "      Kill connections with idle time greater than or equal to <idle> seconds.",
            "    * LIB-NAME <library-name>",
            "      Kill connections with the specified library name.",
            "    * LIB-VER <library-version>",
            "      Kill connections with the specified library version.",
            "    * DB <db-id>",
            "      Kill connections currently operating on the specified database ID.",
            "    * CAPA <capa>",
            "      Kill connections currently with the specified capa.",
            "    * IP <ip>",
            "      Kill connections made from the specified ip.",
            "LIST [options ...]",
            "    Return information about client connections. Options:",
            "    * TYPE (NORMAL|PRIMARY|REPLICA|PUBSUB)",
            "      Return clients of specified type.",
            "    * USER <username>",
            "      Return clients authenticated by <username>.",
            "    * ADDR <ip:port>",
            "      Return clients connected from the specified address.",
            "    * LADDR <ip:port>",
            "      Return clients connected to the specified local address.",
            "    * ID <client-id> [<client-id>...]",
            "      Return clients with the specified IDs.",
            "    * SKIPME (YES|NO)",
            "      Exclude the current client from the list (default: no).",
            "    * MAXAGE <maxage>",
            "      List connections older than the specified age.",
            "    * FLAGS <flags>",
            "      Return clients with the specified flags.",
            "    * NAME <client-name>",
            "      Return clients with the specified name.",
            "    * IDLE <idle>",
            "      Return clients with idle time greater than or equal to <idle> seconds.",
            "    * LIB-NAME <lib-name>",
            "      Return clients with the specified lib name.",
            "    * LIB-VER <lib-version>",
            "      Return clients with the specified lib version.",
            "    * DB <db-id>",
            "      Return clients currently operating on the specified database ID.",
            "    * CAPA <capa>",
            "      Return connections currently with the specified capa.",
            "    * IP <ip>",
            "      Return connections made from the specified ip.",
            "UNPAUSE",
            "    Stop the current client pause, resuming traffic.",
            "PAUSE <timeout> [WRITE|ALL]",
            "    Suspend all, or just write, clients for <timeout> milliseconds.",
            "REPLY (ON|OFF|SKIP)",
            "    Control the replies sent to the current connection.",
            "SETNAME <name>",
            "    Assign the name <name> to the current connection.",
            "SETINFO <option> <value>",
            "    Set client meta attr. Options are:",
            "    * LIB-NAME: the client lib name.",
            "    * LIB-VER: the client lib version.",
            "UNBLOCK <clientid> [TIMEOUT|ERROR]",
            "    Unblock the specified blocked client.",
            "TRACKING (ON|OFF) [REDIRECT <id>] [BCAST] [PREFIX <prefix> [...]]",
            "         [OPTIN] [OPTOUT] [NOLOOP]",
            "    Control server assisted client side caching.",
            "TRACKINGINFO",
            "    Report tracking status for the current connection.",
            "NO-EVICT (ON|OFF)",
            "    Protect current client connection from eviction.",
            "NO-TOUCH (ON|OFF)",
            "    Will not touch LRU/LFU stats when this mode is on.",
            "IMPORT-SOURCE (ON|OFF)",
            "    Mark this connection as an import source if import-mode is enabled.",
            "    Sync tools can set their connections into 'import-source' state to visit",
            "    expired keys.",
        ]
    )
}
