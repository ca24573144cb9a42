import Bytes
import RESP
import Store

extension Command {
    /// The subcommands of CLIENT for clients that cache keys on their side.
    static let clientTracking: [Command] = [
        Command("client|tracking", .atLeast(3), [.noScript, .loading, .stale], setTracking),
        Command(
            "client|caching",
            .exactly(3),
            [.noScript, .loading, .stale, .allowBusy],
            setCaching
        ),
        Command(
            "client|getredir",
            .exactly(2),
            [.noScript, .loading, .stale, .allowBusy],
            getRedirect
        ),
        Command(
            "client|trackinginfo",
            .exactly(2),
            [.noScript, .loading, .stale],
            describeTracking
        ),
    ]
}

private func setTracking(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    var mode = try TrackingMode(request, engine)
    let isOn = request.is(2, "on")
    guard isOn || request.is(2, "off") else { throw .syntax }
    if isOn {
        try mode.adopt(engine.sessions[engine.current].details?.tracking)
        engine.beginTracking(mode)
    } else {
        engine.endTracking(engine.current)
    }
    reply.ok()
}

extension TrackingMode {
    /// Reads the options of CLIENT TRACKING.
    fileprivate init(
        _ request: borrowing Request,
        _ engine: borrowing Engine
    ) throws(CommandError) {
        var index = 3
        while index < request.count {
            let hasMore = index + 1 < request.count
            if request.is(index, "redirect"), hasMore {
                index += 1
                guard redirect == 0 else {
                    throw .text("ERR A client can only redirect to a single other client")
                }
                redirect = try request.integer(index)
                guard engine.sessions.find(clientID: redirect) != nil else {
                    throw .text("ERR The client ID you want redirect to does not exist")
                }
            } else if request.is(index, "bcast") {
                isBroadcast = true
            } else if request.is(index, "optin") {
                optsIn = true
            } else if request.is(index, "optout") {
                optsOut = true
            } else if request.is(index, "noloop") {
                skipsOwn = true
            } else if request.is(index, "prefix"), hasMore {
                index += 1
                prefixes.append(ByteString(request[index]))
            } else {
                throw .syntax
            }
            index += 1
        }
    }

    /// Takes over what a client that tracks already has asked for, unless that contradicts.
    fileprivate mutating func adopt(_ earlier: TrackingMode?) throws(CommandError) {
        if let earlier, earlier.isBroadcast != isBroadcast {
            throw .text(
                "ERR You can't switch BCAST mode on/off before disabling tracking for this "
                    + "client, and then re-enabling it with a different mode."
            )
        }
        if !isBroadcast, !prefixes.isEmpty {
            throw .text("ERR PREFIX option requires BCAST mode to be enabled")
        }
        if isBroadcast, optsIn || optsOut {
            throw .text("ERR OPTIN and OPTOUT are not compatible with BCAST")
        }
        if optsIn, optsOut {
            throw .text("ERR You can't specify both OPTIN mode and OPTOUT mode")
        }
        if let earlier, optsIn && earlier.optsOut || optsOut && earlier.optsIn {
            throw .text(
                "ERR You can't switch OPTIN/OPTOUT mode before disabling tracking for this "
                    + "client, and then re-enabling it with a different mode."
            )
        }
        guard isBroadcast else { return }
        let known = earlier?.prefixes ?? []
        try checkOverlaps(known)
        // To name none is to name what every key begins with, whatever there was before.
        let new = prefixes.isEmpty ? [ByteString("")] : prefixes
        prefixes = (known + new.filter { !known.contains($0) }).sorted()
    }

    private func checkOverlaps(_ earlier: [ByteString]) throws(CommandError) {
        for (index, prefix) in prefixes.enumerated() {
            for other in earlier where prefix.overlaps(other) {
                throw .text(
                    "ERR Prefix '\(prefix.bytes.text)' overlaps with an existing prefix "
                        + "'\(other.bytes.text)'. Prefixes for a single client must not overlap."
                )
            }
            for other in prefixes[(index + 1)...] where prefix.overlaps(other) {
                throw .text(
                    "ERR Prefix '\(prefix.bytes.text)' overlaps with another provided prefix "
                        + "'\(other.bytes.text)'. Prefixes for a single client must not overlap."
                )
            }
        }
    }
}

extension ByteString {
    /// Whether one begins with the other.
    fileprivate func overlaps(_ other: ByteString) -> Bool {
        let count = min(byteCount, other.byteCount)
        return bytes.part(from: 0, count: count).equals(other.bytes.part(from: 0, count: count))
    }
}

private func setCaching(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    let details = engine.sessions[engine.current].details
    guard let mode = details?.tracking else {
        throw .text(
            "ERR CLIENT CACHING can be called only when the client is in tracking mode with "
                + "OPTIN or OPTOUT mode enabled"
        )
    }
    if request.is(2, "yes") {
        guard mode.optsIn else {
            throw .text(
                "ERR CLIENT CACHING YES is only valid when tracking is enabled in OPTIN mode."
            )
        }
        details?.tracking?.caching = true
    } else if request.is(2, "no") {
        guard mode.optsOut else {
            throw .text(
                "ERR CLIENT CACHING NO is only valid when tracking is enabled in OPTOUT mode."
            )
        }
        details?.tracking?.caching = false
    } else {
        throw .syntax
    }
    reply.ok()
}

private func getRedirect(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    reply.integer(engine.sessions[engine.current].details?.tracking?.redirect ?? -1)
}

private func describeTracking(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    let mode = engine.sessions[engine.current].details?.tracking
    var flags: [StaticString] = [mode == nil ? "off" : "on"]
    if let mode {
        if mode.isBroadcast { flags.append("bcast") }
        if mode.optsIn {
            flags.append("optin")
            if mode.caching == true { flags.append("caching-yes") }
        }
        if mode.optsOut {
            flags.append("optout")
            if mode.caching == false { flags.append("caching-no") }
        }
        if mode.skipsOwn { flags.append("noloop") }
        if mode.isRedirectBroken { flags.append("broken_redirect") }
    }
    reply.map(3)
    reply.bulk("flags")
    reply.set(flags.count)
    for flag in flags { reply.bulk(flag) }
    reply.bulk("redirect")
    reply.integer(mode?.redirect ?? -1)
    reply.bulk("prefixes")
    let prefixes = mode?.prefixes ?? []
    reply.array(prefixes.count)
    for prefix in prefixes { reply.bulk(prefix.bytes) }
}
