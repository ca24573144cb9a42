import Bytes
import Commands
import RESP
import Store
import TestKit
import Testing

struct RemovalTests {
    let engine = EngineDriver()
    private static let count = 300_000

    @Test(arguments: ["SADD", "HSET", "ZADD", "RPUSH"])
    func `a large value goes in steps, and nothing of it stays`(command: String) {
        let before = engine.engine.dataSet.usedByteCount
        for start in stride(from: 0, to: RemovalTests.count, by: 1000) {
            let parts = (start..<start + 1000).map {
                command == "HSET" || command == "ZADD" ? "\($0) member:\($0)" : "member:\($0)"
            }
            engine("\(command) key \(parts.joined(separator: " "))")
        }
        #expect(engine("DEL key") == 1)
        #expect(engine.engine.dataSet.garbageCount == 1)
        var steps = 0
        while engine.engine.dataSet.hasGarbage {
            engine.engine.dataSet.freeSome(64)
            steps += 1
        }
        // Elements of lists lie many to a block.
        #expect(steps > (command == "RPUSH" ? 5 : 1000))
        #expect(engine.engine.dataSet.usedByteCount == before)
        #expect(engine.engine.dataSet.freedGarbageCount == 1)
    }

    @Test func `the keys of a flushed database go in steps`() {
        for number in 0..<RemovalTests.count { engine("SET key:\(number) x") }
        #expect(engine("FLUSHALL ASYNC") == "+OK")
        #expect(engine("DBSIZE") == 0)
        #expect(engine.engine.dataSet.garbageCount > RemovalTests.count - 1000)
        var steps = 0
        while engine.engine.dataSet.hasGarbage {
            engine.engine.dataSet.freeSome(64)
            steps += 1
        }
        #expect(steps > 1000)
        #expect(engine.engine.dataSet.garbageCount == 0)
        #expect(engine("SET key x") == "+OK")
    }
}
