import RESP
import TestKit
import Testing

struct SortTests {
    let engine = EngineDriver()

    @Test func `elements are sorted as numbers, as text, or by what they lead to`() {
        engine("RPUSH l 3 1 2 10")
        #expect(engine("SORT l") == ["1", "2", "3", "10"])
        #expect(engine("SORT l DESC LIMIT 1 2") == ["3", "2"])
        #expect(engine("SORT l ALPHA") == ["1", "10", "2", "3"])
        #expect(engine("SORT l LIMIT 10 10") == [])
        engine("MSET w_3 1 w_1 2 w_2 3 w_10 0")
        #expect(engine("SORT l BY w_*") == ["10", "3", "1", "2"])
        #expect(
            engine("SORT_RO l BY w_* LIMIT 0 2 GET # GET w_* GET no_*")
                == ["10", "0", .null, "3", "1", .null]
        )
        engine("HSET h_1 f b")
        engine("HSET h_2 f a")
        #expect(engine("SORT l BY h_*->f ALPHA GET h_*->f") == [.null, .null, "a", "b"])
    }

    @Test func `without an order the elements keep theirs`() {
        engine("RPUSH l 3 1 2")
        engine("ZADD z 1 c 2 b 3 a")
        #expect(engine("SORT l BY nosort") == ["3", "1", "2"])
        #expect(engine("SORT l BY nosort DESC") == ["2", "1", "3"])
        #expect(engine("SORT z BY nosort DESC LIMIT 1 1") == ["b"])
    }

    @Test func `results can be stored in the place of what was there`() {
        engine("RPUSH l 3 1 2")
        engine("SET dst x EX 100")
        #expect(engine("SORT l GET # GET no_* STORE dst") == 6)
        #expect(engine("LRANGE dst 0 -1") == ["1", "", "2", "", "3", ""])
        #expect(engine("TTL dst") == -1)
        #expect(engine("SORT none STORE dst") == 0)
        #expect(engine("EXISTS dst") == 0)
        #expect(engine("SORT_RO l STORE dst") == "-ERR syntax error")
    }

    @Test func `what is no number or no collection is refused`() {
        engine("RPUSH l a 1")
        engine("SET s 1")
        let refusal: Reply = "-ERR One or more scores can't be converted into double"
        #expect(engine("SORT l") == refusal)
        #expect(
            engine("SORT s") == "-WRONGTYPE Operation against a key holding the wrong kind of value"
        )
        #expect(engine("SORT l LIMIT 1") == "-ERR syntax error")
        #expect(engine("SORT l LIMIT 1 x") == "-ERR value is not an integer or out of range")
    }
}
