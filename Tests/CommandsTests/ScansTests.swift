import Bytes
import RESP
import TestKit
import Testing

struct ScansTests {
    let engine = EngineDriver()

    /// Every key, in as many steps as it takes; `between` runs after each.
    private func scan(_ options: [ByteString], between: () -> Void = {}) -> [ByteString] {
        var found: [ByteString] = []
        var cursor: ByteString = "0"
        repeat {
            guard case .array(let parts) = engine.execute(["SCAN", cursor] + options),
                case .bulk(let next) = parts[0], case .array(let keys) = parts[1]
            else {
                Issue.record("a reply of another shape")
                return found
            }
            for case .bulk(let key) in keys { found.append(key) }
            cursor = next
            between()
        } while cursor != "0"
        return found
    }

    @Test(arguments: [1, 2, 3] as [UInt64])
    func `finds every key that stays, while others come and go`(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        for index in 0..<2000 { engine("SET stays:\(index) 1") }
        var next = 0
        let found = scan(["COUNT", "20"]) {
            for _ in 0..<Int.random(in: 0..<60, using: &generator) {
                if Bool.random(using: &generator) {
                    engine("SET goes:\(next) 1")
                    next += 1
                } else {
                    engine("DEL goes:\(Int.random(in: 0...next, using: &generator))")
                }
            }
        }
        let stayed = Set(found).filter { $0.description.hasPrefix("stays:") }
        #expect(stayed.count == 2000)
    }

    @Test func `patterns and types choose among the keys`() {
        engine("SET one 1")
        engine("SET two 1 PX 5")
        engine("SET three 1 EX 10")
        engine.now += 5
        #expect(Set(scan([])) == ["one", "three"])
        #expect(scan(["MATCH", "t*"]) == ["three"])
        #expect(Set(scan(["MATCH", "*", "TYPE", "STRING"])) == ["one", "three"])
        #expect(scan(["TYPE", "hash"]) == [])
    }

    @Test func `what is not a scan is refused`() {
        #expect(engine("SCAN x FOO") == "-ERR invalid cursor")
        #expect(engine("SCAN 18446744073709551616") == "-ERR invalid cursor")
        #expect(engine("SCAN 0 COUNT 0") == "-ERR syntax error")
        #expect(engine("SCAN 0 COUNT x") == "-ERR value is not an integer or out of range")
        #expect(engine("SCAN 0 MATCH") == "-ERR syntax error")
        #expect(engine("SCAN 0 TYPE foo") == "-ERR unknown type name 'foo'")
        #expect(
            engine("SCAN 0 NOVALUES") == "-ERR NOVALUES option can only be used in HSCAN"
        )
    }
}
