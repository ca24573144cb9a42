import Commands
import Store
import TestKit
import Testing

struct ExpiryTests {
    let engine = EngineDriver()

    @Test func `keys past their deadline go without being asked for`() {
        for index in 0..<1000 { engine("SET key:\(index) 1 PX \(index < 900 ? 100 : 100_000)") }
        engine("SET stays 1")
        engine.now += 100
        for _ in 0..<2000 where engine.engine.statistics.expiredKeys < 900 {
            engine.now += 1
            engine.engine.expireSome(budget: 1000)
        }
        #expect(engine("DBSIZE") == 101)
        #expect(engine.takeEffects().filter { $0.hasPrefix("UNLINK") }.count == 900)
    }

    /// Keys of a minute's life come and go at a steady rate; few of those in memory are dead.
    @Test(arguments: [1, 2] as [UInt64])
    func `few of the keys in memory are past their deadline`(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var worst = 0.0
        var next = 0
        for step in 0..<9000 {
            engine.now += 10
            for _ in 0..<5 {
                engine("SET key:\(next) 1 PX \(Int.random(in: 1000...20000, using: &generator))")
                next += 1
            }
            engine.engine.expireSome(budget: 1000)
            guard step > 3000, step % 100 == 0 else { continue }
            worst = max(worst, shareOfExpired())
        }
        #expect(worst < 0.08)
    }

    private func shareOfExpired() -> Double {
        var expired = 0.0
        engine.engine.dataSet[0].forEachEntry { if $0.isExpired { expired += 1 } }
        return expired / Double(engine.engine.dataSet[0].count)
    }

    @Test func `the walk stops when DEBUG or a pause says so`() {
        engine.engine.settings.debugPermission = .everybody
        engine("SET a 1 PX 10")
        engine("DEBUG SET-ACTIVE-EXPIRE 0")
        engine.now += 10
        engine.engine.expireSome(budget: 1000)
        #expect(engine("DBSIZE") == 1)
        engine("DEBUG SET-ACTIVE-EXPIRE 1")
        engine("CLIENT PAUSE 10 WRITE")
        engine.engine.expireSome(budget: 1000)
        #expect(engine("DBSIZE") == 1)
        engine.now += 10
        engine.engine.expireSome(budget: 1000)
        #expect(engine("DBSIZE") == 0)
    }
}
