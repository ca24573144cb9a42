import Bytes
import RESP
import Store

extension Command {
    static let pubSub: [Command] = [
        Command("subscribe", .atLeast(2), listening, subscribe),
        Command("unsubscribe", .atLeast(1), listening, unsubscribe),
        Command("psubscribe", .atLeast(2), listening, subscribeToPatterns),
        Command("punsubscribe", .atLeast(1), listening, unsubscribeFromPatterns),
        Command("ssubscribe", .atLeast(2), keys: .all, listening, subscribeToShards),
        Command("sunsubscribe", .atLeast(1), keys: .all, listening, unsubscribeFromShards),
        Command(
            "publish",
            .exactly(3),
            [.pubsub, .loading, .stale, .fast, .mayReplicate],
            publish
        ),
        Command(
            "spublish",
            .exactly(3),
            keys: .first,
            [.pubsub, .loading, .stale, .fast, .mayReplicate],
            publishToShard
        ),
        Command(
            container: "pubsub",
            [
                Command("pubsub|channels", .atLeast(2), asking, listChannels),
                Command("pubsub|numpat", .exactly(2), asking, countPatterns),
                Command("pubsub|numsub", .atLeast(2), asking, countListeners),
                Command("pubsub|shardchannels", .atLeast(2), asking, listShardChannels),
                Command("pubsub|shardnumsub", .atLeast(2), asking, countShardListeners),
                Command("pubsub|help", .exactly(2), [.loading, .stale], pubSubHelp),
            ]
        ),
    ]

    private static let listening = Flags.subscribing.union([.noScript, .loading, .stale])
    private static let asking: Flags = [.pubsub, .loading, .stale]
}

private func subscribe(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    engine.subscribe(request, .channel, "subscribe", &reply)
}

private func subscribeToPatterns(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    engine.subscribe(request, .pattern, "psubscribe", &reply)
}

private func subscribeToShards(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    // Its confirmations would be taken for replies of the transaction.
    guard engine.mayBlock else {
        throw .text("ERR SSUBSCRIBE isn't allowed for a DENY BLOCKING client")
    }
    engine.subscribe(request, .shardChannel, "ssubscribe", &reply)
}

private func unsubscribe(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    engine.unsubscribe(request, .channel, "unsubscribe", &reply)
}

private func unsubscribeFromPatterns(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    engine.unsubscribe(request, .pattern, "punsubscribe", &reply)
}

private func unsubscribeFromShards(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    engine.unsubscribe(request, .shardChannel, "sunsubscribe", &reply)
}

extension Engine {
    fileprivate mutating func subscribe(
        _ request: borrowing Request,
        _ kind: Subscriptions.Kind,
        _ word: StaticString,
        _ reply: inout ReplyWriter
    ) {
        for index in 1..<request.count {
            subscribe(to: ByteString(request[index]), kind)
            reply.push(3)
            reply.bulk(word)
            reply.bulk(request[index])
            reply.integer(subscriptionCount(kind))
        }
    }

    fileprivate mutating func unsubscribe(
        _ request: borrowing Request,
        _ kind: Subscriptions.Kind,
        _ word: StaticString,
        _ reply: inout ReplyWriter
    ) {
        var names = request.words(from: 1)
        if names.isEmpty {
            names = sessions[current].details?.subscriptions[kind.rawValue].sorted() ?? []
        }
        for name in names {
            unsubscribe(current, from: name, kind)
            reply.push(3)
            reply.bulk(word)
            reply.bulk(name.bytes)
            reply.integer(subscriptionCount(kind))
        }
        guard names.isEmpty else { return }
        reply.push(3)
        reply.bulk(word)
        reply.null()
        reply.integer(subscriptionCount(kind))
    }
}

private func publish(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    reply.integer(engine.publish(request[2], to: request[1]))
}

private func publishToShard(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    reply.integer(engine.publish(request[2], toShard: request[1]))
}

private func listChannels(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    try list(request, engine.subscriptions.names(.channel), &reply)
}

private func listShardChannels(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    try list(request, engine.subscriptions.names(.shardChannel), &reply)
}

private func list(
    _ request: borrowing Request,
    _ names: [ByteString],
    _ reply: inout ReplyWriter
) throws(CommandError) {
    guard request.count <= 3 else { throw .unknownSubcommandOrArity(request) }
    let mark = reply.beginArray()
    var count = 0
    for name in names {
        if request.count == 3 {
            guard GlobPattern(request[2]).matches(name.bytes) else { continue }
        }
        reply.bulk(name.bytes)
        count += 1
    }
    reply.endArray(mark, count: count)
}

private func countPatterns(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    reply.integer(engine.subscriptions.count(.pattern))
}

private func countListeners(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    engine.countListeners(request, .channel, &reply)
}

private func countShardListeners(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    engine.countListeners(request, .shardChannel, &reply)
}

extension Engine {
    fileprivate func countListeners(
        _ request: borrowing Request,
        _ kind: Subscriptions.Kind,
        _ reply: inout ReplyWriter
    ) {
        // Names and counts in turn, and yet an array in both forms.
        reply.array((request.count - 2) * 2)
        for index in 2..<max(request.count, 2) {
            reply.bulk(request[index])
            reply.integer(subscriptions.listeners(kind, ByteString(request[index])).count)
        }
    }
}

private func pubSubHelp(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    reply.help(
        "PUBSUB",
        [
            "CHANNELS [<pattern>]",
            "    Return the currently active channels matching a <pattern> (default: '*').",
            "NUMPAT",
            "    Return number of subscriptions to patterns.",
            "NUMSUB [<channel> ...]",
            "    Return the number of subscribers for the specified channels, excluding",
            "    pattern subscriptions(default: no channels).",
            "SHARDCHANNELS [<pattern>]",
            "    Return the currently active shard level channels matching a <pattern> (default: '*').",
            "SHARDNUMSUB [<shardchannel> ...]",
            "    Return the number of subscribers for the specified shard level channel(s)",
        ]
    )
}
