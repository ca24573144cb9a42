import RESP
import TestKit
import Testing

struct KeysTests {
    let engine = EngineDriver()

    @Test func `a removed key is counted once and gone`() {
        engine("SET a 1")
        engine("SET b 2")
        #expect(engine("EXISTS a b a c") == 3)
        #expect(engine("DEL a a c") == 1)
        #expect(engine("UNLINK b") == 1)
        #expect(engine("DBSIZE") == 0)
        #expect(engine("TYPE a") == "+none")
    }

    @Test func `a renamed key keeps its value and its deadline`() {
        engine("SET old value EX 100")
        engine("SET taken other")
        #expect(engine("RENAMENX old taken") == 0)
        #expect(engine("RENAME old taken") == "+OK")
        #expect(engine("GET taken") == "value")
        #expect(engine("TTL taken") == 100)
        #expect(engine("EXISTS old") == 0)
        #expect(engine("RENAME old new") == "-ERR no such key")
        #expect(engine("RENAME taken taken") == "+OK")
        #expect(engine("RENAMENX taken taken") == 0)
    }

    @Test func `a copy is a key of its own`() {
        engine("SET a 1 EX 10")
        #expect(
            engine("COPY a a") == "-ERR source and destination objects are the same"
        )
        #expect(engine("COPY a b") == 1)
        #expect(engine("COPY a b") == 0)
        #expect(engine("COPY a a DB 1") == 1)
        engine("SET a 2")
        #expect(engine("GET b") == "1")
        #expect(engine("TTL b") == 10)
        #expect(engine("COPY a b REPLACE") == 1)
        #expect(engine("GET b") == "2")
        engine("SELECT 1")
        #expect(engine("GET a") == "1")
        #expect(engine("COPY a b DB 16") == "-ERR DB index is out of range")
    }

    @Test func `a moved key is in the other database only`() {
        engine("SET a 1")
        #expect(engine("MOVE a 0") == "-ERR source and destination objects are the same")
        #expect(engine("MOVE a 3") == 1)
        #expect(engine("MOVE a 3") == 0)
        engine("SELECT 3")
        #expect(engine("GET a") == "1")
    }

    @Test func `swapped databases answer under each other's number`() {
        engine("SET a zero")
        #expect(engine("SWAPDB 0 1") == "+OK")
        #expect(engine("GET a") == .null)
        engine("SELECT 1")
        #expect(engine("GET a") == "zero")
        engine("SET a one")
        #expect(
            engine.takeEffects()
                == ["SET a zero", "SWAPDB 0 1", "SET a one"]
        )
        #expect(engine("SWAPDB x 1") == "-ERR invalid first DB index")
        #expect(engine("SWAPDB 1 x") == "-ERR invalid second DB index")
        #expect(engine("SWAPDB 1 16") == "-ERR DB index is out of range")
    }

    @Test func `flushing empties one database or all`() {
        engine("SET a 1")
        engine("SELECT 1")
        engine("SET a 1")
        #expect(engine("FLUSHDB NEVER") == "-ERR syntax error")
        #expect(engine("FLUSHDB ASYNC") == "+OK")
        #expect(engine("DBSIZE") == 0)
        engine("SELECT 0")
        #expect(engine("DBSIZE") == 1)
        #expect(engine("FLUSHALL") == "+OK")
        #expect(engine("DBSIZE") == 0)
        #expect(engine("RANDOMKEY") == .null)
    }

    @Test func `encodings are those that Valkey reports`() {
        engine("SET k 12345678901")
        #expect(engine("OBJECT ENCODING k") == "int")
        engine("SET k " + String(repeating: "v", count: 112))
        #expect(engine("OBJECT ENCODING k") == "embstr")
        engine("SET k " + String(repeating: "v", count: 113))
        #expect(engine("OBJECT ENCODING k") == "raw")
        #expect(engine("OBJECT ENCODING none") == .null)
        #expect(engine("OBJECT REFCOUNT k") == 1)
        engine.now += 5000
        #expect(engine("OBJECT IDLETIME k") == 5)
        #expect(engine("OBJECT IT k") == "-ERR unknown subcommand 'IT'. Try OBJECT HELP.")
    }
}
