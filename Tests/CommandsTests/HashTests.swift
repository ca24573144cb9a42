import Bytes
import Commands
import RESP
import Store
import TestKit
import Testing

struct HashTests {
    let larder = EngineDriver()

    private var expiredFields: Int64 { larder.engine.statistics.expiredFields }

    private func expireFields(_ limit: Int) -> Bool {
        larder.engine.expireFields(limit)
    }

    @Test func `fields are set, read, counted and removed`() {
        #expect(larder("hset h a 1 b 2 a 3") == 2)
        #expect(larder("hgetall h") == ["a", "3", "b", "2"])
        #expect(larder("hmget h b x") == ["2", nil])
        #expect(larder("hstrlen h a") == 1)
        #expect(larder("hsetnx h a 9") == 0)
        #expect(larder("hset h a 1 b") == "-ERR wrong number of arguments for 'hset' command")
        #expect(larder("hdel h a x b") == 2)
        #expect(larder("exists h") == 0)
    }

    @Test func `the encoding follows what the hash holds`() {
        larder("hset h a 1")
        #expect(larder("object encoding h") == "listpack")
        larder.execute(["hset", "h", "b", ByteString(String(repeating: "x", count: 65))])
        #expect(larder("object encoding h") == "hashtable")
        larder("hset g a 1")
        larder("hexpire g 10 fields 1 a")
        #expect(larder("object encoding g") == "hashtable")
    }

    @Test func `numbers in fields are added to`() {
        #expect(larder("hincrby h n 5") == 5)
        #expect(larder("hincrbyfloat h n 0.1") == "5.1")
        #expect(larder("hincrby h n 1") == "-ERR hash value is not an integer")
        #expect(larder("hincrbyfloat h n inf") == "-ERR value is NaN or Infinity")
        #expect(larder.takeEffects().last == "HSET h n 5.1")
    }

    @Test func `a field is gone at its deadline, and the key with the last`() {
        larder("hset h a 1 b 2 c 3")
        #expect(larder("hpexpire h 100 fields 2 a x") == [1, -2])
        #expect(larder("hexpire h 1 fields 1 b") == [1])
        #expect(larder("hpttl h fields 3 a b c") == [100, 1000, -1])
        _ = larder.takeEffects()
        larder.now += 100
        #expect(larder("hget h a") == .null)
        #expect(larder.takeEffects() == ["HDEL h a"])
        #expect(larder("hlen h") == 2)
        larder("hdel h c")
        larder.now += 900
        #expect(larder("hgetall h") == [])
        #expect(larder("exists h") == 0)
        #expect(larder.takeEffects() == ["hdel h c", "HDEL h b"])
    }

    @Test func `nobody has to come by for a field to go`() {
        larder("hset h a 1 b 2")
        larder("hset g a 1")
        larder("hpexpire h 50 fields 1 a")
        larder("hpexpire g 60 fields 1 a")
        larder("hpexpire h 70 fields 1 a")
        larder("rename g f")
        larder("copy f e")
        _ = larder.takeEffects()
        larder.now += 60
        #expect(!expireFields(100))
        #expect(Set(larder.takeEffects()) == ["HDEL f a", "HDEL e a"])
        larder.now += 10
        #expect(!expireFields(100))
        #expect(larder.takeEffects() == ["HDEL h a"])
        #expect(larder("exists f e") == 0)
        #expect(expiredFields == 3)
    }

    @Test func `a large hash loses its fields in steps`() {
        let pairs = (0..<6000).map { ByteString($0 % 2 == 0 ? "f\($0 / 2)" : "v") }
        larder.execute(["hset", "h"] + pairs)
        larder("hset h stays v")
        let names = (0..<3000).map { ByteString("f\($0)") }
        larder.execute(["hpexpire", "h", "10", "fields", "3000"] + names)
        larder.now += 10
        #expect(expireFields(1000))
        #expect(expiredFields >= 1000)
        #expect(expiredFields < 1100)
        #expect(larder("hkeys h") == ["stays"])
        while expireFields(1000) {}
        #expect(larder("hlen h") == 1)
    }

    @Test func `conditions and errors of deadlines`() {
        larder("hset h a 1 b 2")
        larder("hexpire h 100 fields 1 a")
        #expect(larder("hexpire h 50 gt fields 1 a") == [0])
        #expect(larder("hexpire h 50 lt fields 2 a b") == [1, 1])
        #expect(larder("hexpire h 50 nx fields 1 a") == [0])
        #expect(larder("hexpire h 50 xx gt fields 1 a") == [0])
        #expect(larder("hpersist h fields 3 a b x") == [1, 1, -2])
        #expect(larder("hpersist h fields 1 a") == [-1])
        #expect(larder("hexpire h 0 fields 1 a") == [2])
        let count =
            "-ERR numfields should be greater than 0 and match the provided number of fields"
        for line in ["hexpire h 1 fields 2 a", "hexpire h 1 nx foo 1 a", "hgetex h fields 0 a"] {
            #expect(larder(line) == .error(ByteString(String(count.dropFirst()))))
        }
        #expect(larder("hexpire h 1 foo fields 1 a") == "-ERR Unsupported option foo")
        #expect(
            larder("hexpire h -1 fields 1 b") == "-ERR invalid expire time in 'hexpire' command"
        )
        #expect(larder("httl h fields 2 b") == "-ERR syntax error")
    }

    @Test func `HSETEX and HGETEX set values and deadlines in one`() {
        #expect(larder("hsetex h fnx ex 10 fields 2 a 1 b 2") == 1)
        #expect(larder("hsetex h fnx fields 2 b 1 c 2") == 0)
        #expect(larder("hsetex h fxx keepttl fields 1 b 3") == 1)
        #expect(larder("hgetex h px 5 fields 2 b x") == ["3", nil])
        #expect(larder("hgetex h persist fields 2 a b") == ["1", "3"])
        #expect(larder("hsetex h pxat 1 fields 1 b 4") == 1)
        #expect(larder("hgetdel h fields 2 a b") == ["1", nil])
        #expect(
            larder.takeEffects() == [
                "HSETEX h PXAT 1700000010000 FIELDS 2 a 1 b 2", "HSETEX h KEEPTTL FIELDS 1 b 3",
                "HPEXPIREAT h 1700000000005 FIELDS 1 b", "HPERSIST h FIELDS 2 a b", "HDEL h b",
                "HDEL h a",
            ]
        )
        #expect(larder("exists h") == 0)
    }

    @Test func `drawing leaves out what is gone`() {
        larder("hset h a 1 b 2 c 3")
        larder("hpexpire h 10 fields 2 a b")
        larder.now += 10
        #expect(larder("hrandfield h") == "c")
        #expect(larder("hrandfield h 5 withvalues") == ["c", "3"])
        #expect(larder("hrandfield h -2") == ["c", "c"])
    }

    /// Drives a hash of fields with deadlines and a dictionary with the same random steps.
    @Test(arguments: [1, 2, 3, 4] as [UInt64])
    func `agrees with a dictionary whose entries end`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var twin: [String: (value: String, deadline: Int64?)] = [:]
        for step in 0..<1500 {
            let field = "f\(Int.random(in: 0..<60, using: &random))"
            let span = Int64.random(in: 1...200, using: &random)
            twin = twin.filter { $0.value.deadline.map { $0 > larder.now } ?? true }
            switch Int.random(in: 0..<9, using: &random) {
            case 0, 1:
                larder("hset h \(field) \(step)")
                twin[field] = ("\(step)", nil)
            case 2:
                larder("hsetex h px \(span) fields 1 \(field) \(step)")
                twin[field] = ("\(step)", larder.now + span)
            case 3:
                larder("hpexpire h \(span) fields 1 \(field)")
                if twin[field] != nil { twin[field]?.deadline = larder.now + span }
            case 4:
                larder("hpersist h fields 1 \(field)")
                twin[field]?.deadline = nil
            case 5:
                #expect(larder("hdel h \(field)") == (twin[field] == nil ? 0 : 1))
                twin[field] = nil
            case 6:
                larder.now += Int64.random(in: 0...40, using: &random)
            case 7:
                _ = expireFields(Int.random(in: 1...10, using: &random))
            default:
                let value = twin[field].map { Reply.bulk(ByteString($0.value)) } ?? .null
                #expect(larder("hget h \(field)") == value)
            }
            twin = twin.filter { $0.value.deadline.map { $0 > larder.now } ?? true }
            #expect(larder("hlen h") == .integer(Int64(twin.count)), "step \(step)")
            let entry = larder.engine.dataSet[0].find(ByteString("h").bytes)
            entry?.hash.checkInvariants()
        }
    }
}
