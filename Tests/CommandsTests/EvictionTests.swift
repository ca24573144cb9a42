import Bytes
import Commands
import RESP
import Store
import TestKit
import Testing

struct EvictionTests {
    let engine = EngineDriver()

    private func limit(_ policy: EvictionPolicy, room: Int = 0) {
        let limit = engine.engine.countedMemory + room
        engine.engine.setMemoryLimit(limit, policy: policy, samples: 5)
    }

    private func fill(_ count: Int, _ options: (Int) -> String = { _ in "" }) {
        for index in 0..<count { engine("SET key:\(index) \(index)\(options(index))") }
    }

    private func remaining() -> Set<Int> {
        guard case .array(let keys)? = engine("KEYS *") else { return [] }
        return Set(
            keys.compactMap { key in
                guard case .bulk(let name) = key else { return nil }
                return Int(name.text.dropFirst(4))
            }
        )
    }

    @Test func `without a policy that evicts, what needs memory is refused`() {
        fill(1000)
        limit(.noEviction, room: -1000)
        let refusal: Reply =
            "-OOM command not allowed when used memory > 'maxmemory'."
        #expect(engine("SET a 1") == refusal)
        #expect(engine("GET key:1") == "1")
        #expect(engine("DEL key:1") == 1)
        engine("MULTI")
        #expect(engine("GET key:1") == refusal)
    }

    @Test func `keys that were not used for long go first`() {
        fill(2000)
        engine.now += 100_000
        for index in 0..<1000 { engine("GET key:\(index)") }
        engine.now += 1000
        limit(.allKeysLRU)
        for index in 2000..<2500 { engine("SET key:\(index) 1") }
        let left = remaining()
        #expect(left.filter { $0 < 1000 }.count > 950)
        #expect(left.filter { 1000..<2000 ~= $0 }.count < 700)
        #expect(engine.engine.statistics.evictedKeys > 300)
        #expect(engine.takeEffects().contains { $0.hasPrefix("UNLINK") })
    }

    @Test func `keys that are used seldom go first`() {
        limit(.allKeysLFU, room: 1 << 30)
        fill(600)
        for _ in 0..<20 { for index in 0..<300 { engine("GET key:\(index)") } }
        limit(.allKeysLFU)
        for index in 600..<700 {
            engine("SET key:\(index) 1")
            for _ in 0..<20 { engine("GET key:\(index)") }
        }
        #expect(remaining().filter { $0 < 300 }.count > 290)
    }

    @Test(arguments: [
        EvictionPolicy.volatileLRU, .volatileLFU, .volatileRandom, .volatileTTL,
    ])
    func `only keys with a deadline go`(policy: EvictionPolicy) {
        fill(1000) { $0 < 500 ? "" : " EX \($0)" }
        limit(policy)
        for index in 1000..<1200 { engine("SET key:\(index) 1") }
        let left = remaining()
        #expect(left.filter { $0 < 500 }.count == 500)
        #expect(left.filter { 500..<1000 ~= $0 }.count < 400)
        if policy == .volatileTTL {
            #expect(left.filter { 900..<1000 ~= $0 }.count > 90)
        }
        engine.engine.setMemoryLimit(1, policy: policy, samples: 5)
        for _ in 0..<10 { engine("SET a 1") }
        #expect(engine("SET a 1") == "-OOM command not allowed when used memory > 'maxmemory'.")
    }

    @Test func `random keys go from every database`() {
        fill(500)
        engine("SELECT 1")
        fill(500)
        limit(.allKeysRandom, room: -10_000)
        engine("SET a 1")
        #expect(engine.engine.dataSet[0].count < 500)
        #expect(engine.engine.dataSet[1].count < 501)
    }
}
