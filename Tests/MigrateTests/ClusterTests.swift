import Bytes
import Migrate
import RESP
import Testing
import Transport

struct ClusterTests {
    private func slot(_ key: String) -> Int { ClusterSlot.of(ByteString(key).bytes) }

    /// What `CLUSTER KEYSLOT` of a real server says.
    @Test func `keys are in the slots that servers put them in`() {
        #expect(slot("123456789") == 12739)
        #expect(slot("foo") == 12182)
        #expect(slot("") == 0)
        #expect(slot("{user1000}.following") == slot("{user1000}.followers"))
        #expect(slot("foo{}{bar}") == 8363)
        #expect(slot("foo{{bar}}zap") == slot("{bar"))
        #expect(slot("foo{bar}{zap}") == slot("bar"))
        #expect(slot("a}b{c") == 13587)
    }

    @Test func `any slot can be given a neighbour`() {
        for slot in [0, 1, 8191, 16383] {
            let tag = ClusterSlot.tag(of: slot)
            #expect(self.slot("{\(tag)}:anything") == slot)
        }
    }

    private func node(_ host: String, _ port: Int64) -> Reply {
        .array([.bulk(ByteString(host)), .integer(port), .bulk("id"), .array([])])
    }

    @Test func `a map tells whose a slot is`() throws {
        let reply = Reply.array([
            .array([.integer(0), .integer(5460), node("10.0.0.1", 7000), node("10.0.0.9", 7009)]),
            .array([.integer(5461), .integer(10000), node("10.0.0.2", 7000)]),
            .array([.integer(10922), .integer(16383), node("", 7002)]),
        ])
        let asked = SocketAddress.tcp(host: "10.0.0.3", port: 7002)
        var map = try #require(ClusterMap(slots: reply, from: asked))
        #expect(map.primaries.count == 3)
        #expect(map.primary(of: 5460) == .tcp(host: "10.0.0.1", port: 7000))
        #expect(map.primary(of: 5461) == .tcp(host: "10.0.0.2", port: 7000))
        #expect(map.primary(of: 10500) == nil)
        #expect(map.missingCount == 921)
        // A node that does not know its own host is where it was asked.
        #expect(map.primary(of: 16383) == asked)
        map.move(10500, to: .tcp(host: "10.0.0.4", port: 1))
        #expect(map.primary(of: 10500) == .tcp(host: "10.0.0.4", port: 1))
        #expect(map.missingCount == 920)
    }

    @Test(arguments: [
        Reply.null, .array([.integer(1)]),
        .array([.array([.integer(0), .integer(16384), .array([.bulk("h"), .integer(1)])])]),
        .array([.array([.integer(9), .integer(3), .array([.bulk("h"), .integer(1)])])]),
        .array([.array([.integer(0), .integer(3), .array([.bulk("h"), .integer(0)])])]),
    ])
    func `what is no map is refused`(reply: Reply) {
        #expect(ClusterMap(slots: reply, from: .tcp(host: "h", port: 1)) == nil)
    }

    @Test func `redirections say where, and for how long`() throws {
        let asked = SocketAddress.tcp(host: "h", port: 1)
        let moved = try #require(ClusterRedirection("MOVED 3999 10.0.0.7:6381", from: asked))
        #expect(moved.isLasting && moved.slot == 3999)
        #expect(moved.address == .tcp(host: "10.0.0.7", port: 6381))
        let ask = try #require(ClusterRedirection("ASK 1 :6381", from: asked))
        #expect(!ask.isLasting && ask.address == .tcp(host: "h", port: 6381))
        let other = try #require(ClusterRedirection("MOVED 1 fe80::1:6381", from: asked))
        #expect(other.address == .tcp(host: "fe80::1", port: 6381))
        for text: ByteString in ["ERR no", "MOVED 99999 h:1", "MOVED 1 h", "ASKING 1 h:1", ""] {
            #expect(ClusterRedirection(text, from: asked) == nil)
        }
    }
}
