import RESP
import TestKit
import Testing

struct DeadlinesTests {
    let engine = EngineDriver()

    @Test func `a key is gone at its deadline`() {
        engine("SET a 1")
        #expect(engine("TTL a") == -1)
        #expect(engine("EXPIRE a 10") == 1)
        engine.now += 9999
        #expect(engine("PTTL a") == 1)
        #expect(engine("TTL a") == 0)
        engine.now += 1
        #expect(engine("GET a") == .null)
        #expect(engine("TTL a") == -2)
        #expect(engine("EXPIRE a 10") == 0)
    }

    @Test func `conditions compare with the deadline so far`() {
        engine("SET a 1")
        #expect(engine("EXPIRE a 10 XX") == 0)
        #expect(engine("EXPIRE a 10 GT") == 0)
        #expect(engine("EXPIRE a 10 LT") == 1)
        #expect(engine("EXPIRE a 20 NX") == 0)
        #expect(engine("EXPIRE a 5 GT") == 0)
        #expect(engine("EXPIRE a 20 GT") == 1)
        #expect(engine("EXPIRE a 20 XX LT") == 0)
        #expect(engine("TTL a") == 20)
        #expect(
            engine("EXPIRE a 1 NX GT")
                == "-ERR NX and XX, GT or LT options at the same time are not compatible"
        )
        #expect(
            engine("EXPIRE a 1 LT GT")
                == "-ERR GT and LT options at the same time are not compatible"
        )
        #expect(engine("EXPIRE a x YY") == "-ERR Unsupported option YY")
    }

    @Test func `a deadline that is past removes the key`() {
        engine("SET a 1")
        engine("SET b 1")
        #expect(engine("EXPIRE a -1") == 1)
        #expect(engine("EXPIREAT b 1") == 1)
        #expect(engine("EXISTS a b") == 0)
        #expect(
            engine.takeEffects()
                == ["SET a 1", "SET b 1", "UNLINK a", "UNLINK b"]
        )
    }

    @Test func `effects tell the moment, not the span`() {
        engine("SET a 1")
        engine("EXPIRE a 10")
        engine("PERSIST a")
        #expect(engine("PERSIST a") == 0)
        engine("PEXPIREAT a 1700000001500")
        #expect(engine("EXPIRETIME a") == 1_700_000_002)
        #expect(engine("PEXPIRETIME a") == 1_700_000_001_500)
        engine.now += 1500
        #expect(engine("GET a") == .null)
        #expect(
            engine.takeEffects() == [
                "SET a 1", "PEXPIREAT a 1700000010000", "PERSIST a",
                "PEXPIREAT a 1700000001500", "UNLINK a",
            ]
        )
    }

    @Test func `numbers that no clock can hold are refused`() {
        engine("SET a 1")
        let refusal: Reply = "-ERR invalid expire time in 'expire' command"
        #expect(engine("EXPIRE a 9223372036854775807") == refusal)
        #expect(engine("EXPIRE a -9223372036854775808") == refusal)
        #expect(engine("EXPIRE a 1.5") == "-ERR value is not an integer or out of range")
        #expect(engine("PEXPIREAT a 9223372036854775807") == 1)
    }
}
