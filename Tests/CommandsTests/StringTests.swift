import Bytes
import RESP
import TestKit
import Testing

struct StringTests {
    let larder = EngineDriver()

    @Test func `SET obeys its condition and tells the old value if asked`() {
        #expect(larder("set k v xx") == .null)
        #expect(larder("set k v nx") == "+OK")
        #expect(larder("set k w nx get") == "v")
        #expect(larder("set k w ifeq x") == .null)
        #expect(larder("set k w ifeq v") == "+OK")
        #expect(larder("get k") == "w")
        #expect(larder("set k v nx xx") == "-ERR syntax error")
        larder("sadd s a")
        #expect(
            larder("set s v get")
                == "-WRONGTYPE Operation against a key holding the wrong kind of value"
        )
        #expect(larder("set s v") == "+OK")
    }

    @Test func `a relative deadline is written as the moment it means`() {
        larder("set k v ex 10")
        larder("set k v keepttl")
        larder("getex k px 5")
        larder("getex k persist")
        larder("setex k 1 w")
        larder("set k v exat 1")
        #expect(
            larder.takeEffects() == [
                "SET k v PXAT 1700000010000", "SET k v KEEPTTL", "PEXPIREAT k 1700000000005",
                "PERSIST k", "SET k w PXAT 1700000001000", "UNLINK k",
            ]
        )
    }

    @Test func `a deadline that cannot be is refused before anything is done`() {
        for option in ["ex 0", "ex -1", "px 9223372036854775807", "exat 9223372036854776"] {
            #expect(
                larder("set k v \(option)") == "-ERR invalid expire time in 'set' command"
            )
        }
        #expect(larder("set k v ex") == "-ERR syntax error")
        #expect(larder("set k v ex 1 keepttl") == "-ERR syntax error")
        #expect(larder("exists k") == 0)
    }

    @Test func `counters count, and refuse to overflow`() {
        #expect(larder("incr n") == 1)
        #expect(larder("decrby n -9") == 10)
        larder("set n 9223372036854775807")
        #expect(larder("incr n") == "-ERR increment or decrement would overflow")
        larder("set n 010")
        #expect(larder("incr n") == "-ERR value is not an integer or out of range")
    }

    @Test func `sums of decimals come out as one would write them`() {
        larder("set n 0.1")
        #expect(larder("incrbyfloat n 0.2") == "0.3")
        #expect(larder("incrbyfloat n -0.3") == "0")
        #expect(larder("incrbyfloat n 1e20") == "100000000000000000000")
        #expect(larder("incrbyfloat n x") == "-ERR value is not a valid float")
        #expect(larder("incrbyfloat n inf") == "-ERR increment would produce NaN or Infinity")
        #expect(larder.takeEffects()[1] == "SET n 0.3 KEEPTTL")
    }

    @Test func `parts of a string are read and written in place`() {
        #expect(larder("setrange k 2 ab") == 4)
        #expect(larder("get k") == .bulk(ByteString([0, 0, 0x61, 0x62])))
        #expect(larder("append k cd") == 6)
        #expect(larder("getrange k -3 -2") == "bc")
        #expect(larder("getrange k 5 2") == "")
        #expect(
            larder("setrange k 536870911 ab")
                == "-ERR string exceeds maximum allowed size (proto-max-bulk-len)"
        )
        #expect(larder("object encoding k") == "raw")
    }

    @Test func `MSETEX sets all or none, and its effects go together`() {
        #expect(larder("msetex 2 a 1 b 2 ex 10 nx") == 1)
        #expect(larder("msetex 2 b 3 c 4 nx") == 0)
        #expect(
            larder.takeEffects() == [
                "MULTI", "SET a 1 PXAT 1700000010000", "SET b 2 PXAT 1700000010000", "EXEC",
            ]
        )
        #expect(larder("msetex 0 a 1") == "-ERR invalid numkeys value or out of range")
    }

    @Test func `LCS finds the longest common subsequence and where it lies`() {
        larder("mset a ohmytext b mynewtext")
        #expect(larder("lcs a b") == "mytext")
        #expect(larder("lcs a b len") == 6)
        #expect(
            larder("lcs a b idx withmatchlen minmatchlen 3")
                == ["matches", [[[4, 7], [5, 8], 4]], "len", 6]
        )
    }
}
