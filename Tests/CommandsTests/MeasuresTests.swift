import Bytes
import Commands
import RESP
import TestKit
import Testing

struct MeasuresTests {
    let engine = EngineDriver()

    /// Executes a request that takes so many microseconds, and measures it as the server does.
    private func execute(_ line: String, taking microseconds: UInt64) {
        engine(line)
        guard engine.engine.spend(ticks: microseconds) else { return }
        let words = line.split(separator: " ").map { ByteString(String($0)) }
        let buffer = RequestBuffer(words)
        engine.engine.noteSlow(buffer.request, ticks: microseconds)
    }

    @Test func `calls, failures and refusals are counted by command`() {
        execute("SET text abc", taking: 3)
        execute("SET text abd", taking: 5)
        execute("LPUSH text a", taking: 1)
        engine("GET")
        let figures = engine.engine.commandFigures
        let set = figures.first { $0.name == "set" }
        #expect(set?.calls == 2)
        #expect(set?.microseconds == 8)
        #expect(figures.first { $0.name == "lpush" }?.failed == 1)
        #expect(figures.first { $0.name == "get" }?.rejected == 1)
        #expect(figures.first { $0.name == "get" }?.calls == 0)
        #expect(engine.engine.measures.errors == ["WRONGTYPE": 1, "ERR": 1])
    }

    @Test func `percentiles are true to an eighth`() {
        for microseconds in UInt64(1)...1000 { execute("PING", taking: microseconds) }
        let histogram = engine.engine.commandFigures.first { $0.name == "ping" }?.histogram
        // Durations below eight ticks, of which the test's clock has one a microsecond, are not
        // told apart.
        for percent in [10.0, 50, 99, 99.9] {
            let value = Double(histogram?.percentile(percent) ?? 0)
            #expect(value >= percent * 10 && value <= percent * 10 * 1.125 + 1, "\(percent)")
        }
    }

    @Test func `only what is slow enough is kept, the latest first`() {
        engine.engine.setCommandLog(.slow, threshold: 100, capacity: 2)
        for (number, microseconds) in [50, 100, 200, 300].enumerated() {
            execute("SET key \(number)", taking: UInt64(microseconds))
        }
        #expect(engine("SLOWLOG LEN") == 2)
        guard case .array(let entries)? = engine("SLOWLOG GET"),
            case .array(let latest) = entries[0]
        else {
            Issue.record("no entries")
            return
        }
        #expect(latest[0] == 2)
        #expect(latest[2] == 300)
        #expect(latest[3] == ["SET", "key", "3"])
        #expect(engine("SLOWLOG RESET") == "+OK")
        #expect(engine("SLOWLOG LEN") == 0)
    }

    @Test func `passwords are not kept`() {
        engine.engine.setCommandLog(.slow, threshold: 0, capacity: 10)
        execute("CONFIG SET requirepass secret", taking: 1)
        guard case .array(let entries)? = engine("SLOWLOG GET"),
            case .array(let latest) = entries[0]
        else {
            Issue.record("no entries")
            return
        }
        #expect(latest[3] == ["CONFIG", "SET", "requirepass", "(redacted)"])
    }

    @Test func `who monitors sees requests once they were executed`() {
        let watcher = engine.connect()
        #expect(engine(watcher, "MONITOR") == "+OK")
        engine("SET key value")
        engine("MULTI")
        engine("INCR n")
        engine("CONFIG GET x")
        engine("EXEC")
        let lines = engine.takeMessages(watcher).map { reply in
            if case .status(let line) = reply { line.description } else { "" }
        }
        #expect(lines.count == 4)
        #expect(lines.first?.hasSuffix("\"SET\" \"key\" \"value\"") == true)
        #expect(lines[1].hasSuffix(" \"MULTI\""))
        #expect(lines[2].hasSuffix(" \"INCR\" \"n\""))
        #expect(lines[3].hasSuffix(" \"EXEC\""))
        engine(watcher, "RESET")
        engine("SET key other")
        #expect(engine.takeMessages(watcher).isEmpty)
    }
}
