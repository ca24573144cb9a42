import Bytes
import Commands
import RESP
import TestKit
import Testing

struct StreamTests {
    let engine = EngineDriver()

    @Test func `ids are found, and never fall`() {
        #expect(engine("XADD s * a 1") == "1700000000000-0")
        #expect(engine("XADD s * a 2") == "1700000000000-1")
        #expect(engine("XADD s 1700000000000-* a 3") == "1700000000000-2")
        #expect(engine("XADD s 1700000000001-* a 4") == "1700000000001-0")
        #expect(engine("XADD s * a 5") == "1700000000001-1")
        let refusal: Reply =
            "-ERR The ID specified in XADD is equal or smaller than the target stream top item"
        #expect(engine("XADD s 5 a 6") == refusal)
        #expect(engine("XADD s 1700000000000-* a 6") == refusal)
        #expect(engine("XADD t 18446744073709551615-18446744073709551615 a 1") != nil)
        #expect(
            engine("XADD t * a 1")
                == "-ERR The stream has exhausted the last possible ID, unable to add more items"
        )
        #expect(engine("XLEN s") == 5)
    }

    @Test func `ranges are read in both directions and with open ends`() {
        for number in 1...5 { engine("XADD s \(number)-1 n \(number)") }
        #expect(engine("XRANGE s 2 3") == [["2-1", ["n", "2"]], ["3-1", ["n", "3"]]])
        #expect(engine("XRANGE s (2-1 (4-1") == [["3-1", ["n", "3"]]])
        #expect(engine("XREVRANGE s + - COUNT 1") == [["5-1", ["n", "5"]]])
        #expect(engine("XRANGE s - + COUNT 0") == .nullArray)
        #expect(engine("XREAD STREAMS s +") == [["s", [["5-1", ["n", "5"]]]]])
        #expect(engine("XDEL s 1-1 5-1 9-1") == 2)
        #expect(engine("XRANGE s - + COUNT 1") == [["2-1", ["n", "2"]]])
        #expect(engine("XREAD COUNT 1 STREAMS s none 2-1 0") == [["s", [["3-1", ["n", "3"]]]]])
    }

    @Test func `approximate trimming takes whole nodes`() {
        for number in 1...250 { engine("XADD s \(number)-0 n \(number)") }
        #expect(engine("XTRIM s MAXLEN ~ 120") == 100)
        #expect(engine("XTRIM s MAXLEN ~ 120") == 0)
        #expect(engine("XTRIM s MINID ~ 240 LIMIT 50") == 0)
        #expect(engine("XTRIM s MINID = 240") == 139)
        #expect(engine("XLEN s") == 11)
    }

    @Test func `a group is given each entry once`() {
        for number in 1...4 { engine("XADD s \(number)-0 n \(number)") }
        engine("XGROUP CREATE s g 0")
        let first: Reply = [["s", [["1-0", ["n", "1"]]]]]
        #expect(engine("XREADGROUP GROUP g alice COUNT 1 STREAMS s >") == first)
        #expect(
            engine("XREADGROUP GROUP g bob COUNT 1 STREAMS s >") == [
                ["s", [["2-0", ["n", "2"]]]]
            ]
        )
        #expect(engine("XREADGROUP GROUP g alice STREAMS s 0") == first)
        #expect(engine("XPENDING s g") == [2, "1-0", "2-0", [["alice", "1"], ["bob", "1"]]])
        #expect(engine("XACK s g 1-0 1-0 9-0") == 1)
        engine("XDEL s 2-0")
        #expect(
            engine("XREADGROUP GROUP g bob STREAMS s 0") == [["s", [["2-0", .nullArray]]]]
        )
        #expect(engine("XAUTOCLAIM s g alice 0 0") == ["0-0", [], ["2-0"]])
        #expect(engine("XPENDING s g") == [0, .null, .null, .nullArray])
    }

    @Test func `whoever waits is served when an entry comes, or the group goes`() {
        engine("XADD s 1-0 n 1")
        engine("XGROUP CREATE s g $")
        let reader = engine.connect()
        let consumer = engine.connect()
        #expect(engine(reader, "XREAD BLOCK 0 STREAMS s other $ $") == nil)
        #expect(engine(consumer, "XREADGROUP GROUP g c BLOCK 0 STREAMS s >") == nil)
        engine("XADD s 2-0 n 2")
        let entry: Reply = [["s", [["2-0", ["n", "2"]]]]]
        #expect(engine.takeMessages(reader) == [entry])
        #expect(engine.takeMessages(consumer) == [entry])
        #expect(engine(consumer, "XREADGROUP GROUP g c BLOCK 0 STREAMS s >") == nil)
        engine("XGROUP DESTROY s g")
        let refusal: Reply =
            "-NOGROUP No such key 's' or consumer group 'g' in XREADGROUP with GROUP option"
        #expect(engine.takeMessages(consumer) == [refusal])
        engine("XGROUP CREATE s g $")
        #expect(engine(consumer, "XREADGROUP GROUP g c BLOCK 0 STREAMS s >") == nil)
        engine("DEL s")
        #expect(engine.takeMessages(consumer) == [refusal])
        engine("XGROUP CREATE s g $ MKSTREAM")
        #expect(engine(consumer, "XREADGROUP GROUP g c BLOCK 0 STREAMS s >") == nil)
        engine("SET s text")
        #expect(
            engine.takeMessages(consumer) == [
                "-WRONGTYPE Operation against a key holding the wrong kind of value"
            ]
        )
    }

    @Test func `the log tells what came out, not what was asked`() {
        engine("XADD s * a 1")
        engine("XADD s MAXLEN ~ 1 LIMIT 10 NOMKSTREAM * a 2")
        engine("XADD s MAXLEN 1 * a 3")
        #expect(
            engine.takeEffects() == [
                "XADD s 1700000000000-0 a 1",
                "XADD s 1700000000000-1 a 2",
                "XADD s MAXLEN = 1 1700000000000-2 a 3",
            ]
        )
        engine("XGROUP CREATE s g 0")
        _ = engine.takeEffects()
        engine("XREADGROUP GROUP g c STREAMS s >")
        #expect(
            engine.takeEffects() == [
                "MULTI",
                "XGROUP CREATECONSUMER s g c",
                "XCLAIM s g c 0 1700000000000-2 TIME 1700000000000 RETRYCOUNT 1 FORCE JUSTID "
                    + "LASTID 1700000000000-2",
                "XGROUP SETID s g 1700000000000-2 ENTRIESREAD 3",
                "EXEC",
            ]
        )
    }

    /// A failure names its seed.
    ///
    /// Add that seed to the list, and it stays fixed.
    @Test(arguments: [1, 2, 3, 4] as [UInt64])
    func `a replay of the log comes to the same`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let replica = EngineDriver(seed: seed)
        let log = replica.engine.openTrustedSession()
        for _ in 0..<1500 {
            engine(StreamTests.request(&random))
            engine.now += Int64.random(in: 0..<3, using: &random)
            for effect in engine.takeEffects() { replica(log, effect) }
        }
        // Later, as a restart is.
        replica.now = engine.now + 1000
        for key in ["s", "t"] {
            #expect(replica("XRANGE \(key) - +") == engine("XRANGE \(key) - +"))
            #expect(replica("XINFO STREAM \(key)") == engine("XINFO STREAM \(key)"))
            #expect(replica("XINFO GROUPS \(key)") == engine("XINFO GROUPS \(key)"))
            for group in ["g", "h"] {
                let request = "XPENDING \(key) \(group) - + 10000"
                engine.now = replica.now
                #expect(replica(request) == engine(request))
            }
        }
    }

    private static func request(_ random: inout SeededGenerator) -> String {
        let key = Bool.random(using: &random) ? "s" : "t"
        let group = Bool.random(using: &random) ? "g" : "h"
        let consumer = "c\(Int.random(in: 0..<3, using: &random))"
        let count = Int.random(in: 0..<5, using: &random)
        switch Int.random(in: 0..<16, using: &random) {
        case 0..<4: return "XADD \(key) * a \(count)"
        case 4: return "XADD \(key) MAXLEN ~ \(count * 20) * a \(count)"
        case 5: return "XADD \(key) MINID = 17000000000\(count) * b \(count)"
        case 6: return "XTRIM \(key) MAXLEN \(count * 10)"
        case 7: return "XGROUP CREATE \(key) \(group) 0 MKSTREAM"
        case 8: return "XGROUP DELCONSUMER \(key) \(group) \(consumer)"
        case 9, 10: return "XREADGROUP GROUP \(group) \(consumer) COUNT \(count) STREAMS \(key) >"
        case 11: return "XREADGROUP GROUP \(group) \(consumer) NOACK COUNT 1 STREAMS \(key) >"
        case 12: return "XREADGROUP GROUP \(group) \(consumer) COUNT 3 STREAMS \(key) 0"
        case 13: return "XAUTOCLAIM \(key) \(group) \(consumer) 5 - COUNT 3"
        case 14: return "XAUTOCLAIM \(key) \(group) \(consumer) 0 - COUNT 2 JUSTID"
        default: return "XREADGROUP GROUP \(group) \(consumer) COUNT 1 STREAMS \(key) >"
        }
    }
}
