import Bytes
import Structures
import TestKit
import Testing

/// A node of eight bytes of key length and the key.
private enum TextNode: HashTableNode {
    static func key(of node: UnsafeMutableRawPointer) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: node + 8, count: node.load(as: Int.self))
    }

    static func make(_ key: String, in arena: Arena) -> UnsafeMutableRawPointer {
        let bytes = Array(key.utf8)
        let node = arena.allocate(8 + bytes.count)
        node.storeBytes(of: bytes.count, as: Int.self)
        for (index, byte) in bytes.enumerated() {
            (node + 8 + index).storeBytes(of: byte, as: UInt8.self)
        }
        return node
    }

    static func free(_ node: UnsafeMutableRawPointer, in arena: Arena) {
        arena.free(node, 8 + node.load(as: Int.self))
    }

    static func text(of node: UnsafeMutableRawPointer) -> String {
        String(decoding: key(of: node), as: UTF8.self)
    }
}

struct HashTableTests {
    /// Drives the table and a dictionary with the same random steps.
    ///
    /// A failure names its seed. Add that seed to the list, and it stays fixed.
    @Test(arguments: [1, 2, 3, 4] as [UInt64])
    func `agrees with a dictionary`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let arena = Arena()
        defer { arena.destroy() }
        var table = HashTable<TextNode>(arena: arena, seed: seed)
        var twin: [String: Bool] = [:]
        // Phases of growth and of shrinking, so that every bucket is split and merged.
        for step in 0..<20_000 {
            let grows = (step / 4000).isMultiple(of: 2)
            let key = "key:\(Int.random(in: 0..<3000, using: &random))"
            let bytes = ByteString(key)
            let hash = table.hash(bytes.bytes)
            if let slot = table.find(bytes.bytes, hash: hash) {
                #expect(twin[key] == slot.isMarked)
                if !grows || Bool.random(using: &random) {
                    TextNode.free(table.remove(slot, hash: hash), in: arena)
                    twin[key] = nil
                } else {
                    table.open(slot).isMarked.toggle()
                    twin[key]?.toggle()
                }
            } else {
                #expect(twin[key] == nil)
                if grows {
                    table.insert(TextNode.make(key, in: arena), hash: hash)
                    twin[key] = false
                }
            }
            if step.isMultiple(of: 97) { table.checkInvariants() }
        }
        var seen: [String: Bool] = [:]
        table.forEachSlot { seen[TextNode.text(of: $0.node)] = $0.isMarked }
        #expect(seen == twin)
        #expect(table.count == twin.count)
        table.removeAll { TextNode.free($0, in: arena) }
        table.checkInvariants()
        #expect(arena.usedByteCount == 0)
    }

    @Test(arguments: [1, 2, 3] as [UInt64])
    func `a scan meets every key that stays, however the table changes`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let arena = Arena()
        defer { arena.destroy() }
        var table = HashTable<TextNode>(arena: arena, seed: seed)
        func insert(_ key: String) {
            table.insert(
                TextNode.make(key, in: arena),
                hash: table.hash(ByteString(key).bytes)
            )
        }
        var staying: Set<String> = []
        for number in 0..<500 {
            staying.insert("stays:\(number)")
            insert("stays:\(number)")
        }
        var passing: [String] = []
        var seen: Set<String> = []
        var cursor: UInt64 = 0
        var calls = 0
        repeat {
            cursor = table.scan(cursor) { seen.insert(TextNode.text(of: $0.node)) }
            calls += 1
            // Between two calls the table grows or shrinks, much or little.
            if Bool.random(using: &random) {
                for _ in 0..<Int.random(in: 0..<200, using: &random) {
                    passing.append("passes:\(calls):\(passing.count)")
                    insert(passing.last ?? "")
                }
            } else {
                for _ in 0..<Int.random(in: 0..<200, using: &random) {
                    guard let key = passing.popLast() else { break }
                    let hash = table.hash(ByteString(key).bytes)
                    guard let slot = table.find(ByteString(key).bytes, hash: hash) else { continue }
                    TextNode.free(table.remove(slot, hash: hash), in: arena)
                }
            }
        } while cursor != 0
        #expect(seen.isSuperset(of: staying))
        table.removeAll { TextNode.free($0, in: arena) }
    }

    @Test func `random slots are about equally likely`() {
        var random = Xorshift(seed: 7)
        let arena = Arena()
        defer { arena.destroy() }
        var table = HashTable<TextNode>(arena: arena, seed: 7)
        for number in 0..<100 {
            let key = "\(number)"
            table.insert(TextNode.make(key, in: arena), hash: table.hash(ByteString(key).bytes))
        }
        var counts: [String: Int] = [:]
        for _ in 0..<100_000 {
            guard let slot = table.randomSlot(&random) else { break }
            counts[TextNode.text(of: slot.node), default: 0] += 1
        }
        #expect(counts.count == 100)
        #expect(counts.values.allSatisfy { $0 > 700 && $0 < 1300 })
        table.removeAll { TextNode.free($0, in: arena) }
    }
}

struct ArenaTests {
    @Test(arguments: [1, 2, 3] as [UInt64])
    func `blocks keep their bytes and never overlap`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let arena = Arena()
        defer { arena.destroy() }
        var blocks: [(UnsafeMutableRawPointer, Int, UInt8)] = []
        for step in 0..<30_000 {
            if blocks.isEmpty || Int.random(in: 0..<5, using: &random) > (step < 20_000 ? 1 : 3) {
                let size = Int.random(in: 1...1500, using: &random)
                let fill = UInt8.random(in: 0...255, using: &random)
                let block = arena.allocate(size)
                block.initializeMemory(as: UInt8.self, repeating: fill, count: size)
                blocks.append((block, size, fill))
            } else {
                let index = Int.random(in: 0..<blocks.count, using: &random)
                var (block, size, fill) = blocks[index]
                #expect(
                    (0..<size).allSatisfy { block.load(fromByteOffset: $0, as: UInt8.self) == fill }
                )
                if Bool.random(using: &random) {
                    let newSize = Int.random(in: 1...1500, using: &random)
                    block = arena.reallocate(block, from: size, to: newSize)
                    let kept = min(size, newSize)
                    #expect(
                        (0..<kept).allSatisfy {
                            block.load(fromByteOffset: $0, as: UInt8.self) == fill
                        }
                    )
                    block.initializeMemory(as: UInt8.self, repeating: fill, count: newSize)
                    blocks[index] = (block, newSize, fill)
                } else {
                    arena.free(block, size)
                    blocks.swapAt(index, blocks.count - 1)
                    blocks.removeLast()
                }
            }
        }
        for (block, size, _) in blocks { arena.free(block, size) }
        #expect(arena.usedByteCount == 0)
    }
}
