import Bytes
import RESP
import Store

extension Command {
    /// LATENCY: how long commands and events took.
    static let latencies: [Command] = [
        Command(
            container: "latency",
            [
                Command("latency|latest", .exactly(2), timing, latest),
                Command("latency|history", .exactly(3), timing, history),
                Command("latency|reset", .atLeast(2), timing, reset),
                Command("latency|graph", .exactly(3), timing, graph),
                Command("latency|doctor", .exactly(2), timing, doctor),
                Command("latency|histogram", .atLeast(2), timing, histogram),
                Command("latency|help", .exactly(2), [.loading, .stale], latencyHelp),
            ]
        )
    ]

    private static let timing: Flags = [.admin, .noScript, .loading, .stale]
}

private func latest(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    let histories = engine.measures.latency.histories.sorted { $0.key < $1.key }
    reply.array(histories.count)
    for (name, history) in histories {
        reply.array(6)
        reply.bulk(name)
        reply.integer(history.samples.last?.time ?? 0)
        reply.integer(history.samples.last?.milliseconds ?? 0)
        reply.integer(history.longest)
        reply.integer(history.sum)
        reply.integer(history.count)
    }
}

private func history(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    let samples = engine.measures.latency.histories[request[2].text]?.samples ?? []
    reply.array(samples.count)
    for sample in samples {
        reply.array(2)
        reply.integer(sample.time)
        reply.integer(sample.milliseconds)
    }
}

private func reset(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    guard request.count > 2 else { return reply.integer(engine.measures.latency.forgetAll()) }
    var count = 0
    for index in 2..<request.count where engine.measures.latency.forget(request[index].text) {
        count += 1
    }
    reply.integer(count)
}

private func graph(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    guard let history = engine.measures.latency.histories[request[2].text] else {
        throw .quoting("ERR No samples available for event '", request[2], "'")
    }
    let drawn = LatencyGraph(history, now: engine.dataSet.now / 1000).text(named: request[2].text)
    reply.verbatim("txt", ByteString(drawn).bytes)
}

/// The latest samples of one kind of event as columns of characters, the oldest to the left.
private struct LatencyGraph {
    private static let rows = 4
    /// The tops of a column within a row, from low to high.
    private static let tops: [Character] = ["_", "o", "#"]
    private static let columns = 80
    private let samples: [LatencyEvents.Sample]
    private let longest: Int64
    private let now: Int64

    init(_ history: LatencyEvents.History, now: Int64) {
        samples = history.samples.suffix(LatencyGraph.columns)
        longest = history.longest
        self.now = now
    }

    func text(named name: String) -> String {
        let values = samples.map(\.milliseconds)
        let low = values.min() ?? 0
        let high = values.max() ?? 0
        var text = "\(name) - high \(high) ms, low \(low) ms (all time high \(longest) ms)\n"
        text += String(repeating: "-", count: LatencyGraph.columns) + "\n"
        let heights = values.map { height($0, low, high) }
        for row in (0..<LatencyGraph.rows).reversed() {
            text += String(heights.map { mark($0, row) }) + "\n"
        }
        return text + "\n" + ages() + "\n"
    }

    private func height(_ value: Int64, _ low: Int64, _ high: Int64) -> Int {
        let steps = LatencyGraph.tops.count * LatencyGraph.rows
        guard high > low else { return 0 }
        return min(Int(Double(value - low) / Double(high - low) * Double(steps)), steps - 1)
    }

    private func mark(_ height: Int, _ row: Int) -> Character {
        let top = height / LatencyGraph.tops.count
        if row > top { return " " }
        return row == top ? LatencyGraph.tops[height % LatencyGraph.tops.count] : "|"
    }

    /// How long ago each sample was, written downwards.
    private func ages() -> String {
        let labels = samples.map { Array(age(now - $0.time)) }
        let height = labels.map(\.count).max() ?? 0
        return (0..<height).map { line in
            String(labels.map { line < $0.count ? $0[line] : " " })
        }.joined(separator: "\n") + "\n"
    }

    private func age(_ seconds: Int64) -> String {
        if seconds < 60 { return "\(seconds)s" }
        if seconds < 3600 { return "\(seconds / 60)m" }
        return seconds < 86400 ? "\(seconds / 3600)h" : "\(seconds / 86400)d"
    }
}

private func doctor(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    let report = engine.measures.latency.report(
        at: engine.dataSet.now / 1000,
        slowlogThreshold: engine.measures.logs[.slow].threshold
    )
    reply.verbatim("txt", ByteString(report).bytes)
}

extension LatencyEvents {
    /// The report at `second`, with where to look further: `slowlogThreshold` is in microseconds.
    fileprivate func report(at second: Int64, slowlogThreshold slow: Int64) -> String {
        guard threshold > 0 else {
            return "Latencies are not watched. Say how long is too long: "
                + "CONFIG SET latency-monitor-threshold <milliseconds>\n"
        }
        guard !histories.isEmpty else {
            return "Nothing took \(threshold) ms or longer since this was asked last.\n"
        }
        var text = "These took \(threshold) ms or longer:\n\n"
        for (name, history) in histories.sorted(by: { $0.key < $1.key }) {
            let period = Int64((history.period(until: second) * 100).rounded())
            let decimals = String(100 + period % 100).dropFirst()
            text += "- \(name): \(history.samples.count) spikes (average \(history.mean) ms, "
            text += "mean deviation \(history.meanDeviation) ms, one in "
            text += "\(period / 100).\(decimals) s), the longest \(history.longest) ms\n"
        }
        text += "\n"
        if slow < 0 || slow > threshold * 1000 {
            text += "SLOWLOG keeps only what is slower. To see which requests these were: "
            text += "CONFIG SET slowlog-log-slower-than \(threshold * 1000)\n"
        } else {
            text += "SLOWLOG GET shows which requests these were.\n"
        }
        return text
    }
}

private func histogram(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    var rows: [Int] = []
    if request.count == 2 {
        rows = Array(0..<engine.table.rowCount)
    } else {
        for index in 2..<request.count {
            guard let row = engine.table.find(fullName: request[index]) else { continue }
            rows.append(row)
            rows += engine.table.subcommands(of: row)
        }
    }
    let mark = reply.beginMap()
    var count = 0
    for row in rows where engine.writeHistogram(row, &reply) { count += 1 }
    reply.endMap(mark, count: count)
}

extension Engine {
    /// Whether the command has a histogram to write.
    fileprivate func writeHistogram(_ row: Int, _ reply: inout ReplyWriter) -> Bool {
        guard let histogram = measures.figures.histogram(row) else { return false }
        let steps = histogram.steps(ticksPerMicrosecond: measures.ticksPerMicrosecond)
        reply.bulk(table[row].name)
        reply.map(2)
        reply.bulk("calls")
        reply.integer(measures.figures[row].calls)
        reply.bulk("histogram_usec")
        reply.map(steps.count)
        for step in steps {
            reply.integer(step.microseconds)
            reply.integer(Int64(step.count))
        }
        return true
    }
}

private func latencyHelp(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    reply.help(
        "LATENCY",
        [
            "DOCTOR",
            "    Return what was slow, in words.",
            "GRAPH <event>",
            "    Return the samples of <event> as a drawing.",
            "HISTOGRAM [<command> ...]",
            "    Return how the time of each <command> is distributed (default: of all).",
            "HISTORY <event>",
            "    Return the samples of <event>: when, and how many milliseconds.",
            "LATEST",
            "    Return the latest sample of every event.",
            "RESET [<event> ...]",
            "    Forget the samples of each <event> (default: of all).",
        ]
    )
}
