import Bytes
import RESP
import TestKit
import Testing

struct SetTests {
    let larder = EngineDriver()

    private func members(_ reply: Reply?) -> Set<String> {
        guard case .array(let members) = reply else { return ["not an array"] }
        return Set(members.map { if case .bulk(let text) = $0 { text.description } else { "?" } })
    }

    @Test func `the encoding follows what the set holds`() {
        larder("sadd s 1 2 3")
        #expect(larder("object encoding s") == "intset")
        larder("sadd s a")
        #expect(larder("object encoding s") == "listpack")
        larder.execute(["sadd", "s"] + (0..<125).map { ByteString("member-\($0)") })
        #expect(larder("object encoding s") == "hashtable")
        #expect(larder("scard s") == 129)
    }

    @Test func `SPOP gives members away and writes which`() {
        larder("sadd s a b c d")
        _ = larder.takeEffects()
        let first = members(.array([larder("spop s") ?? .null]))
        #expect(larder.takeEffects() == ["SREM s \(first.first ?? "")"])
        let more = members(larder("spop s 2"))
        #expect(more.count == 2 && more.isDisjoint(with: first))
        let last = members(larder("spop s 5"))
        #expect(first.union(more).union(last) == ["a", "b", "c", "d"])
        #expect(larder.takeEffects().last == "UNLINK s")
        #expect(larder("spop s") == .null)
    }

    @Test(arguments: [8, 200, 2000])
    func `a sample has no member twice`(size: Int) {
        larder.execute(["sadd", "s"] + (0..<size).map { ByteString("m\($0)") })
        for count in [1, size / 10 + 1, size / 2, size - 1, size, size + 5] {
            let drawn = larder("srandmember s \(count)")
            guard case .array(let replies) = drawn else {
                Issue.record("no array")
                return
            }
            #expect(replies.count == min(count, size))
            #expect(Set(replies).count == replies.count)
        }
    }

    @Test func `every member is drawn about equally often`() {
        larder("sadd s a b c d e f g h i j")
        var counts: [Reply: Int] = [:]
        for _ in 0..<10_000 {
            if let member = larder("srandmember s") { counts[member, default: 0] += 1 }
            guard case .array(let pair) = larder("srandmember s 2") else { return }
            for member in pair { counts[member, default: 0] += 1 }
        }
        #expect(counts.count == 10)
        #expect(counts.values.allSatisfy { (2_700...3_300).contains($0) })
    }

    @Test func `sets combine, and a destination may be a source`() {
        larder("sadd a 1 2 3 x")
        larder("sadd b 2 3 x y")
        #expect(members(larder("sinter a b")) == ["2", "3", "x"])
        #expect(members(larder("sunion a b none")) == ["1", "2", "3", "x", "y"])
        #expect(members(larder("sdiff a b")) == ["1"])
        #expect(members(larder("sinter a none")) == [])
        #expect(larder("sintercard 2 a b limit 2") == 2)
        #expect(larder("sdiffstore a a b") == 1)
        #expect(larder("object encoding a") == "intset")
        #expect(larder("sinterstore a a none") == 0)
        #expect(larder("exists a") == 0)
        larder("set s text")
        #expect(
            larder("sinter none s")
                == "-WRONGTYPE Operation against a key holding the wrong kind of value"
        )
        #expect(larder("sunionstore s b") == 4)
    }

    @Test func `SMOVE moves, and removes a set that it empties`() {
        larder("sadd a x")
        #expect(larder("smove a b x") == 1)
        #expect(larder("smove a b x") == 0)
        #expect(larder("exists a") == 0)
        #expect(larder("smove b b x") == 1)
        #expect(larder("smembers b") == ["x"])
    }
}
