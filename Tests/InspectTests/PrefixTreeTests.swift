import Bytes
import Inspect
import TestKit
import Testing

struct `Parts of keys` {
    private func tree(_ keys: [String], depth: Int = 4, folding: Bool = true) -> PrefixTree {
        var tree = PrefixTree(depth: depth, foldsIDs: folding)
        for key in keys { tree.add(ByteString(key).bytes, byteCount: 10, memory: 100) }
        return tree
    }

    /// Every path of a tree with its keys.
    private func paths(_ tree: PrefixTree, _ index: Int = 0) -> [String: Int] {
        var found = [tree.path(to: index).text: tree.nodes[index].keyCount]
        for child in tree.children(of: index) {
            found.merge(paths(tree, child)) { one, other in one + other }
        }
        return found
    }

    @Test
    func `are counted, ids folded`() {
        let found = paths(tree(["user:17:cart", "user:18:cart", "user:18:seen", "queue"]))
        #expect(
            found == [
                "": 4, "user:": 3, "user:*:": 3, "user:*:cart": 2, "user:*:seen": 1, "queue": 1,
            ]
        )
    }

    @Test
    func `stay as they are if that is asked for`() {
        let found = paths(tree(["user:17:cart", "user:18:cart"], folding: false))
        #expect(found["user:17:cart"] == 1 && found["user:18:cart"] == 1)
    }

    @Test
    func `end at the depth`() {
        let found = paths(tree(["a:b:c:d"], depth: 2))
        #expect(found == ["": 1, "a:": 1, "a:b:": 1])
    }

    @Test(arguments: [
        "17", "2024-11-22", "10.0.0.1", "8f14e45fceea167a", "550e8400-e29b-41d4-a716-446655440000",
        "ada@example.com", "kJ8sl2Qx9ZbT4mNwP0aa", "deadbeef01",
    ])
    func `that differ from key to key are ids`(id: String) {
        #expect(paths(tree(["x:\(id)"]))["x:*"] == 1, "\(id)")
    }

    @Test(arguments: ["cart", "v2", "sessions", "Feedback", "größe", "top10", "access-log", "face"])
    func `that name things are none`(name: String) {
        #expect(paths(tree(["x:\(name)"]))["x:\(name)"] == 1, "\(name)")
    }

    /// Names without end: the heavy ones stay, the rest is folded, and nothing is lost.
    @Test
    func `that are too many are folded without losing a key`() {
        var tree = PrefixTree(maximumChildCount: 50, maximumNodeCount: 500)
        var generator = SeededGenerator(seed: 7)
        let letters = Array("ghijklmnopqrstuvw")
        for index in 0..<20_000 {
            let name = String((0..<8).map { _ in letters.randomElement(using: &generator) ?? "x" })
            let key = index % 4 == 0 ? "heavy:\(name):tail" : "\(name):tail"
            tree.add(ByteString(key).bytes, byteCount: index, memory: 1)
        }
        #expect(tree.nodes[0].keyCount == 20_000)
        let children = tree.children(of: 0)
        #expect(children.count <= 60)
        #expect(children.reduce(0) { $0 + tree.nodes[$1].keyCount } == 20_000)
        #expect(
            children.reduce(0) { $0 + tree.nodes[$1].byteCount } == tree.nodes[0].byteCount
        )
        #expect(children.contains { tree.path(to: $0).text == "heavy:" })
        checkSums(tree, 0)
    }

    /// No part has fewer keys than its own parts together.
    private func checkSums(_ tree: PrefixTree, _ index: Int) {
        let children = tree.children(of: index)
        #expect(children.reduce(0) { $0 + tree.nodes[$1].keyCount } <= tree.nodes[index].keyCount)
        for child in children { checkSums(tree, child) }
    }

    @Test
    func `that are heaviest are found below those that hold little else`() {
        var keys: [String] = []
        for index in 0..<100 { keys.append("app:user:\(index)") }
        for index in 0..<10 { keys.append("app:queue:\(index)") }
        let heaviest = tree(keys).heaviest(10).map(\.path.text)
        #expect(heaviest == ["app:user:*", "app:queue:*"])
    }
}
