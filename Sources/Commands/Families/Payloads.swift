import Bytes
import RESP
import Store

extension Command {
    static let payloads: [Command] = [
        Command("dump", .exactly(2), keys: .first, [.readonly], dump),
        Command("restore", .atLeast(4), keys: .first, [.write, .denyOOM], restore),
        Command("restore-asking", .atLeast(4), keys: .first, [.write, .denyOOM, .asking], restore),
    ]
}

private func dump(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    guard let entry = engine.lookup(request.key) else { return reply.null() }
    do throws(SerializationError) {
        try engine.serializer.serialize(entry) { reply.bulk($0) }
    } catch {
        throw CommandError(error)
    }
}

private func restore(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    let options = try RestoreOptions(request)
    // What is replaced goes without a look at its deadline.
    let existing =
        options.replaces
        ? engine.keyspace.find(request.key) : engine.lookupForWrite(request.key)
    if existing != nil, !options.replaces {
        throw .text("BUSYKEY Target key name already exists.")
    }
    guard let ttl = DecimalText.parseInteger(request[2]) else { throw .notAnInteger }
    guard ttl >= 0 else { throw .text("ERR Invalid TTL value, must be >= 0") }
    var deadline: Int64?
    if ttl > 0 {
        // Beyond the end of time is before its beginning, for Valkey and so for us.
        deadline = options.isAbsolute ? ttl : ttl &+ engine.dataSet.now
    }
    try build(request, deadline, options, replacing: existing, &engine)
    reply.ok()
}

/// Builds the value beside the old one, so that a bad payload changes nothing.
private func build(
    _ request: borrowing Request,
    _ deadline: Int64?,
    _ options: RestoreOptions,
    replacing existing: Entry?,
    _ engine: inout Engine
) throws(CommandError) {
    let isPast = deadline.map { engine.isPast($0) } ?? false
    let scratch = engine.dataSet.scratch
    scratch.removeAll()
    do throws(SerializationError) {
        let built = try engine.serializer.build(
            request[3],
            under: request.key,
            deadline: isPast ? nil : deadline,
            in: scratch,
            keepsModules: engine.settings.keepsModules || engine.isReplaying
        )
        if let idle = options.idleSeconds { built.setIdle(seconds: idle) }
        if let frequency = options.frequency { built.setFrequency(frequency) }
    } catch {
        scratch.removeAll()
        throw CommandError(error)
    }
    if let existing { engine.keyspace.remove(existing) }
    if isPast {
        scratch.removeAll()
        guard existing != nil else { return }
        engine.writeRemoval(request.key)
        return engine.changed(request.key, .generic, "del")
    }
    guard let built = scratch.find(request.key) else {
        preconditionFailure("a value that was built is not there")
    }
    scratch.move(built, to: request.key, in: engine.keyspace)
    engine.writeRestore(request, deadline, options)
    engine.announceArrival(of: request.key, in: engine.keyspace)
    engine.changed(request.key, .generic, "restore")
}

extension CommandError {
    init(_ error: SerializationError) {
        switch error {
        case .notExpressible(let why): self = .text("ERR \(why)")
        case .wrongEnvelope: self = .text("ERR DUMP payload version or checksum are wrong")
        case .wrongContent: self = .text("ERR Bad data format")
        }
    }
}

private struct RestoreOptions {
    var replaces = false
    var isAbsolute = false
    var idleSeconds: Int?
    var frequency: UInt8?

    init(_ request: borrowing Request) throws(CommandError) {
        var index = 4
        while index < request.count {
            let hasMore = index + 1 < request.count
            if request.is(index, "replace") {
                replaces = true
            } else if request.is(index, "absttl") {
                isAbsolute = true
            } else if request.is(index, "idletime"), hasMore, frequency == nil {
                index += 1
                let seconds = try request.integer(index)
                guard seconds >= 0 else {
                    throw .text("ERR Invalid IDLETIME value, must be >= 0")
                }
                idleSeconds = Int(seconds)
            } else if request.is(index, "freq"), hasMore, idleSeconds == nil {
                index += 1
                let count = try request.integer(index)
                guard (0...255).contains(count) else {
                    throw .text("ERR Invalid FREQ value, must be >= 0 and <= 255")
                }
                frequency = UInt8(count)
            } else {
                throw .syntax
            }
            index += 1
        }
    }
}

extension Engine {
    /// RESTORE with the deadline as a moment: a replay must not count from its own time.
    fileprivate mutating func writeRestore(
        _ request: borrowing Request,
        _ deadline: Int64?,
        _ options: RestoreOptions
    ) {
        hasWrittenEffects = true
        var count = 6
        if options.idleSeconds != nil || options.frequency != nil { count += 2 }
        guard effects.begin(count, database: keyspace.number) else { return }
        effects.argument("RESTORE")
        effects.argument(request.key)
        effects.argument(deadline ?? 0)
        effects.argument(request[3])
        effects.argument("ABSTTL")
        effects.argument("REPLACE")
        if let idle = options.idleSeconds {
            effects.argument("IDLETIME")
            effects.argument(Int64(idle))
        } else if let frequency = options.frequency {
            effects.argument("FREQ")
            effects.argument(Int64(frequency))
        }
    }
}
