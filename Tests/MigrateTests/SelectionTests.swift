import Bytes
import Migrate
import RDB
import Testing

struct SelectionTests {
    @Test(arguments: [
        ("user:*=u:*", "user:7", "u:7"), ("user:*=u:*", "user:", "u:"), ("user:*=u:*", "use", nil),
        ("*:old=*", "a:b:old", "a:b"), ("a=b", "a", "b"), ("a=b", "ab", nil),
        ("a*z=*", "az", ""), ("a*a=*", "a", nil), ("*=x:*", "k", "x:k"),
        ("k*=fixed", "k1", "fixed"),
    ])
    func `a new name is what the star stood for in its new place`(
        rule: String,
        key: String,
        name: String?
    ) throws {
        let rename = try #require(Rename(rule))
        let bytes = ByteString(key)
        #expect(rename.apply(to: bytes.bytes) == name.map { ByteString($0) })
    }

    @Test func `a rule that cannot be told apart is none`() {
        for rule in ["a*b*=c", "a", "=b", "a=", "a=*", "a*=b*c*"] { #expect(Rename(rule) == nil) }
    }

    @Test func `a key goes over if it is included and not excluded`() {
        var selection = Selection()
        selection.included = ["user:*", "order:*"]
        selection.excluded = ["*:tmp"]
        selection.databases = [0]
        selection.kinds = [.hash]
        func contains(_ key: String, _ database: UInt64 = 0, _ kind: ValueKind = .hash) -> Bool {
            let bytes = ByteString(key)
            return selection.contains(bytes.bytes, in: database, kind)
        }
        #expect(contains("user:1") && contains("order:2"))
        #expect(!contains("user:tmp") && !contains("else") && !contains("user:1", 1))
        #expect(!contains("user:1", 0, .string))
    }

    @Test func `slots are cut where other tools cut them`() {
        #expect(ClusterSlot.ranges(shards: 3) == [0...5460, 5461...10922, 10923...16383])
        for shards in [1, 2, 5, 7, 1000] {
            let ranges = ClusterSlot.ranges(shards: shards)
            #expect(ranges.map(\.count).reduce(0, +) == 16384)
            #expect(ranges.map(\.count).max() ?? 0 <= 16384 / shards + 1)
        }
    }
}
