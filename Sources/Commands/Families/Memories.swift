import Bytes
import RESP
import Store

extension Command {
    /// MEMORY: where the memory is.
    static let memories: [Command] = [
        Command(
            container: "memory",
            [
                Command("memory|usage", .atLeast(3), keys: .second, [.readonly], usage),
                Command("memory|stats", .exactly(2), [], statistics),
                Command("memory|doctor", .exactly(2), [], doctor),
                Command("memory|malloc-stats", .exactly(2), .loading, allocatorStatistics),
                Command("memory|purge", .exactly(2), .loading, purge),
                Command("memory|help", .exactly(2), [.loading, .stale], memoryHelp),
            ]
        )
    ]
}

private func usage(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    var samples = 5
    var index = 3
    while index < request.count {
        guard request.is(index, "samples"), index + 1 < request.count else { throw .syntax }
        let count = try request.integer(index + 1)
        guard count >= 0 else { throw .syntax }
        samples = count == 0 ? .max : Int(count)
        index += 2
    }
    guard let entry = engine.liveEntry(request[2]) else { return reply.null() }
    reply.integer(entry.byteCount(samples: samples))
}

private func statistics(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    let figures = engine.host.memory(engine)
    let databases = (0..<engine.dataSet.databaseCount).filter { engine.dataSet[$0].count > 0 }
    let tables = databases.reduce(0) { $0 + engine.dataSet[$1].tableByteCount }
    let keys = databases.reduce(0) { $0 + engine.dataSet[$1].count }
    let overhead = figures.overhead + tables
    let dataSet = max(figures.used - overhead, 0)
    let net = max(figures.used - figures.startup, 1)
    let lines: [(StaticString, Int)] = [
        ("peak.allocated", figures.peak), ("total.allocated", figures.used),
        ("startup.allocated", figures.startup), ("replication.backlog", 0),
        ("replicas.repl.buffer", 0), ("clients.slaves", 0), ("clients.normal", figures.clients),
        ("cluster.links", 0), ("cluster.slot_import", 0), ("cluster.slot_export", 0),
        ("aof.buffer", figures.log), ("lua.caches", 0), ("functions.caches", 0),
    ]
    reply.map(lines.count + databases.count + 18)
    for (name, value) in lines { reply.line(name, value) }
    for number in databases {
        reply.bulk("db.\(number)")
        reply.map(2)
        reply.line("overhead.hashtable.main", engine.dataSet[number].tableByteCount)
        reply.line("overhead.hashtable.expires", 0)
    }
    reply.line("overhead.db.hashtable.lut", tables)
    reply.line("overhead.db.hashtable.rehashing", 0)
    reply.line("overhead.total", overhead)
    reply.line("db.dict.rehashing.count", 0)
    reply.line("keys.count", keys)
    reply.line("keys.bytes-per-key", keys == 0 ? 0 : net / keys)
    reply.line("dataset.bytes", dataSet)
    reply.line("dataset.percentage", 100 * Double(dataSet) / Double(net))
    reply.line("peak.percentage", 100 * Double(figures.used) / Double(max(figures.peak, 1)))
    reply.line("allocator.allocated", figures.used)
    reply.line("allocator.active", figures.resident)
    reply.line("allocator.resident", figures.resident)
    reply.line("allocator.muzzy", 0)
    reply.line("allocator-fragmentation.ratio", figures.fragmentation)
    reply.line("allocator-fragmentation.bytes", max(figures.resident - figures.used, 0))
    reply.line("allocator-rss.ratio", 1.0)
    reply.line("fragmentation", figures.fragmentation)
    reply.line("fragmentation.bytes", figures.resident - figures.used)
}

extension ReplyWriter {
    fileprivate mutating func line(_ name: StaticString, _ value: Int) {
        bulk(name)
        integer(value)
    }

    fileprivate mutating func line(_ name: StaticString, _ value: Double) {
        bulk(name)
        double(value)
    }
}

private func doctor(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    let figures = engine.host.memory(engine)
    var findings: [String] = []
    if figures.used < 5 << 20 {
        findings.append("Less than 5 MB are in use: too little to tell anything from.")
    } else {
        if figures.fragmentation > 1.4, figures.resident - figures.used > 10 << 20 {
            findings.append(
                "The process holds \(figures.resident >> 20) MB for \(figures.used >> 20) MB in "
                    + "use. Most of the rest was in use at the peak and will be used again."
            )
        }
        if Double(figures.peak) > 1.5 * Double(figures.used) {
            findings.append(
                "At its peak, \(figures.peak >> 20) MB were in use, and \(figures.used >> 20) MB "
                    + "are now: resident memory may stay at the peak."
            )
        }
        if figures.clients > figures.used / 4 {
            findings.append(
                "Clients hold \(figures.clients >> 20) MB: some do not read their replies, or "
                    + "send long requests. CLIENT LIST shows them, maxmemory-clients limits them."
            )
        }
        if findings.isEmpty { findings.append("Nothing is wrong with the memory.") }
    }
    reply.verbatim("txt", ByteString(findings.joined(separator: "\n") + "\n").bytes)
}

private func allocatorStatistics(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    let figures = engine.host.memory(engine)
    let text = """
        data set: \(engine.dataSet.usedByteCount) bytes
        clients: \(figures.clients) bytes
        log: \(figures.log) bytes
        resident: \(figures.resident) bytes

        """
    reply.verbatim("txt", ByteString(text).bytes)
}

private func purge(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    engine.host.releaseMemory()
    reply.ok()
}

private func memoryHelp(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    reply.help(
        "MEMORY",
        [
            "DOCTOR",
            "    Return what is wrong with the memory, in words.",
            "MALLOC-STATS",
            "    Return the figures of the allocator.",
            "PURGE",
            "    Give memory back to the system that is not in use.",
            "STATS",
            "    Return where the memory is.",
            "USAGE <key> [SAMPLES <count>]",
            "    Return how many bytes <key> and its value take. Of a value with many elements,",
            "    <count> are looked at (default: 5, 0: all).",
        ]
    )
}
