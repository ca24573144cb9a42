import RESP
import TestKit
import Testing

struct TransactionsTests {
    let engine = EngineDriver()

    @Test func `requests wait for EXEC and run together`() {
        #expect(engine("MULTI") == "+OK")
        #expect(engine("SET a 1") == "+QUEUED")
        #expect(engine("LPUSH a 1") == "+QUEUED")
        #expect(engine("INCR a") == "+QUEUED")
        #expect(
            engine("EXEC") == [
                "+OK",
                "-WRONGTYPE Operation against a key holding the wrong kind of value",
                2,
            ]
        )
        #expect(engine.takeEffects() == ["MULTI", "SET a 1", "INCR a", "EXEC"])
        #expect(engine("EXEC") == "-ERR EXEC without MULTI")
        #expect(engine("DISCARD") == "-ERR DISCARD without MULTI")
    }

    @Test(arguments: ["GET", "NOSUCH a", "CONFIG NOSUCH", "WATCH a", "MULTI"])
    func `a request that cannot run lets the transaction fail`(line: String) {
        engine("MULTI")
        engine("SET a 1")
        guard case .error = engine(line) else { return #expect(Bool(false), "not refused") }
        let refusal: Reply =
            "-EXECABORT Transaction discarded because of previous errors."
        #expect(engine("EXEC") == refusal)
        #expect(engine("GET a") == .null)
    }

    @Test func `nothing runs when a watched key has changed`() {
        let other = engine.connect()
        engine("SET a 1")
        engine("WATCH a b")
        engine(other, "SET b 1")
        engine("MULTI")
        engine("SET a 2")
        #expect(engine("EXEC") == .nullArray)
        #expect(engine("GET a") == "1")
        engine("MULTI")
        engine("SET a 2")
        #expect(engine("EXEC") == ["+OK"])
    }

    @Test(arguments: ["UNWATCH", "EXEC", "DISCARD"])
    func `watching ends`(line: String) {
        engine("WATCH a")
        if line != "UNWATCH" { engine("MULTI") }
        engine(line)
        engine(engine.connect(), "SET a 1")
        engine("MULTI")
        #expect(engine("EXEC") == [])
    }

    @Test(arguments: [
        "FLUSHALL", "FLUSHDB", "DEL a", "EXPIRE a -1", "RENAME a c", "SWAPDB 0 1", "MOVE a 1",
        "COPY a b REPLACE",
    ])
    func `every way to change a key is noticed`(line: String) {
        engine("SET a 1")
        engine("SET b 1")
        engine("WATCH a b")
        engine(engine.connect(), line)
        engine("MULTI")
        #expect(engine("EXEC") == .nullArray)
    }

    @Test(arguments: ["FLUSHALL", "GET nothing", "SELECT 1", "SET other 1", "SWAPDB 0 1"])
    func `what does not touch a key is not taken for a change`(line: String) {
        engine("WATCH a")
        engine(engine.connect(), line)
        engine("MULTI")
        #expect(engine("EXEC") == [])
    }

    @Test func `a watched key that goes past its deadline has changed`() {
        engine("SET a 1 PX 10")
        engine("WATCH a")
        engine.now += 10
        engine("MULTI")
        #expect(engine("EXEC") == .nullArray)
    }

    @Test func `a key that was past its deadline when watched may go away`() {
        engine("SET a 1 PX 10")
        engine.now += 10
        engine("WATCH a")
        engine(engine.connect(), "GET a")
        engine("MULTI")
        #expect(engine("EXEC") == [])
    }

    @Test func `SELECT inside a transaction holds for what follows`() {
        engine("MULTI")
        engine("SELECT 1")
        engine("SET a 1")
        #expect(engine("EXEC") == ["+OK", "+OK"])
        #expect(engine("GET a") == "1")
        engine("SELECT 0")
        #expect(engine("GET a") == .null)
    }
}
