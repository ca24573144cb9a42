import Bytes
import RESP
import TestKit
import Testing

/// What Valkey 9.1.2 has after the same commands: the estimates, and its bytes to the last.
struct HyperLogLogTests {
    let larder = EngineDriver()

    private func fingerprint(_ key: ByteString) -> UInt64 {
        guard case .bulk(let value) = larder.execute(["get", key]) else { return 0 }
        return value.array.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
    }

    @Test func `estimates and bytes are those of other servers`() {
        var added = 0
        let known: [(count: Int, estimate: Int64, fingerprint: UInt64, encoding: Reply)] = [
            (1, 1, 0xF787_9DCD_CDAD_C2F2, "+sparse"),
            (10, 10, 0xDCBA_8CCD_40C2_3F6A, "+sparse"),
            (100, 100, 0x60CF_B9C6_BDD9_D9AB, "+sparse"),
            (400, 395, 0xFFA6_1F5B_7700_BC84, "+sparse"),
            (800, 792, 0x3C4F_8F39_14F2_69D5, "+sparse"),
            (1200, 1191, 0xFF0C_9C11_7D8C_CD1C, "+sparse"),
            (1600, 1599, 0xA580_66A8_5645_02BD, "+sparse"),
            (5000, 4972, 0xA9A2_2FA0_E0FE_5249, "+dense"),
            (20000, 19905, 0xD8AA_D8D1_F594_2F68, "+dense"),
        ]
        for step in known {
            while added < step.count {
                added += 1
                larder("pfadd h element-\(added)")
            }
            #expect(larder("pfcount h") == .integer(step.estimate))
            #expect(fingerprint("h") == step.fingerprint)
            #expect(larder("pfdebug encoding h") == step.encoding)
        }
        larder.execute(["pfadd", "a"] + (0..<300).map { ByteString("a\($0)") })
        larder.execute(["pfadd", "b"] + (0..<300).map { ByteString("b\($0)") })
        #expect(larder("pfcount a b none") == 603)
        #expect(larder("pfmerge a b") == "+OK")
        #expect(fingerprint("a") == 0x4EB3_D941_9BA0_C43F)
        #expect(larder("pfcount a") == 603)
    }

    @Test func `runs split where a register rises`() {
        larder("pfadd d a b c d e")
        #expect(
            larder("pfdebug decode d")
                == "Z:7292 v:1,1 Z:1143 v:1,1 Z:4274 v:2,1 Z:2445 v:1,1 Z:622 v:1,1 Z:603"
        )
        #expect(larder("pfadd d a") == 0)
        #expect(larder("pfdebug todense d") == 1)
        #expect(larder("pfadd d a") == 0)
        #expect(larder("pfcount d") == 5)
    }

    @Test func `other strings are refused, and corrupt ones found out`() {
        larder("set k text")
        #expect(
            larder("pfadd k a") == "-WRONGTYPE Key is not a valid HyperLogLog string value."
        )
        let head = Array("HYLL".utf8) + [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x80]
        larder.execute(["set", "k", ByteString(head + [1])])
        for command in ["pfcount k", "pfcount k k", "pfadd k a", "pfmerge k", "pfdebug todense k"] {
            #expect(larder(command) == "-INVALIDOBJ Corrupted HLL object detected")
        }
    }

    @Test func `an estimate is noted, and that is written`() {
        larder("pfadd h a b")
        _ = larder.takeEffects()
        larder("pfcount h")
        larder("pfcount h")
        #expect(larder.takeEffects() == ["pfcount h"])
    }

    @Test func `the self test passes`() {
        #expect(larder("pfselftest") == "+OK")
    }
}
