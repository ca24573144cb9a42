import Bytes
import Structures
import TestKit
import Testing

/// A set in a block of exactly the bytes it needs, so that a sanitizer sees a write too far.
private final class PackedSet {
    private var block = UnsafeMutableRawPointer.allocate(
        byteCount: IntegerSet.headerByteCount,
        alignment: 8
    )
    private var byteCount = IntegerSet.headerByteCount

    init() {
        IntegerSet.writeEmpty(to: block)
    }

    deinit {
        block.deallocate()
    }

    private var span: RawSpan {
        @_lifetime(borrow self)
        get {
            let whole = RawSpan(_unsafeStart: block, byteCount: byteCount)
            return _overrideLifetime(whole, borrowing: self)
        }
    }

    private func resize(to newByteCount: Int) {
        let moved = UnsafeMutableRawPointer.allocate(byteCount: newByteCount, alignment: 8)
        moved.copyMemory(from: block, byteCount: min(byteCount, newByteCount))
        block.deallocate()
        block = moved
        byteCount = newByteCount
    }

    func insert(_ value: Int64) -> Bool {
        let position = IntegerSet.find(value, in: span)
        if position.isFound { return false }
        resize(to: IntegerSet.byteCount(of: span, afterInserting: value))
        IntegerSet.insert(value, at: position.index, into: block)
        return true
    }

    func remove(_ value: Int64) -> Bool {
        let position = IntegerSet.find(value, in: span)
        guard position.isFound else { return false }
        resize(to: IntegerSet.remove(at: position.index, from: block))
        return true
    }

    var bytes: [UInt8] { Array(UnsafeRawBufferPointer(start: block, count: byteCount)) }

    var values: [Int64] {
        (0..<IntegerSet.count(of: span)).map { IntegerSet.value(at: $0, in: span) }
    }

    var least: Int64? { IntegerSet.min(of: span) }
    var greatest: Int64? { IntegerSet.max(of: span) }
}

private func isValid(_ bytes: [UInt8]) -> Bool {
    IntegerSet.isValid(bytes.bytes)
}

struct IntegerSetTests {
    @Test func `has the bytes of the file format`() {
        let set = PackedSet()
        #expect(set.insert(5))
        #expect(set.insert(-1))
        #expect(set.bytes == [2, 0, 0, 0, 2, 0, 0, 0, 0xFF, 0xFF, 5, 0])
        #expect(set.insert(0x1_0000))
        #expect(set.bytes.count == 8 + 3 * 4)
        #expect(set.values == [-1, 5, 0x1_0000])
        #expect(set.insert(Int64.min))
        #expect(set.bytes.count == 8 + 4 * 8)
        #expect(set.values == [Int64.min, -1, 5, 0x1_0000])
        #expect(set.least == Int64.min)
        #expect(set.greatest == 0x1_0000)
    }

    @Test(arguments: [1, 2, 3, 4] as [UInt64])
    func `agrees with a set`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let set = PackedSet()
        var twin: Set<Int64> = []
        for step in 0..<4000 {
            // Ever wider, so that both upgrades happen with values on either side.
            let bits = [4, 8, 15, 16, 17, 31, 32, 33, 63][step * 9 / 4000]
            let magnitude = Int64.random(in: 0...(Int64.max >> (63 - bits)), using: &random)
            let value = Bool.random(using: &random) ? magnitude : -magnitude - 1
            if Int.random(in: 0..<3, using: &random) > 0 {
                #expect(set.insert(value) == twin.insert(value).inserted)
            } else {
                let victim = Bool.random(using: &random) ? value : twin.min() ?? value
                #expect(set.remove(victim) == (twin.remove(victim) != nil))
            }
            if step.isMultiple(of: 17) {
                #expect(set.values == twin.sorted())
                #expect(isValid(set.bytes))
                #expect(set.least == twin.min())
                #expect(set.greatest == twin.max())
            }
        }
    }

    @Test func `refuses bytes that are no set`() {
        let valid: [UInt8] = [2, 0, 0, 0, 2, 0, 0, 0, 0xFF, 0xFF, 5, 0]
        #expect(isValid(valid))
        for count in 0..<valid.count {
            let truncated = Array(valid.prefix(count))
            #expect(!isValid(truncated), "\(count) bytes")
        }
        let longer = valid + [0]
        #expect(!isValid(longer))
        let unsorted: [UInt8] = [2, 0, 0, 0, 2, 0, 0, 0, 5, 0, 0xFF, 0xFF]
        #expect(!isValid(unsorted))
        let twice: [UInt8] = [2, 0, 0, 0, 2, 0, 0, 0, 5, 0, 5, 0]
        #expect(!isValid(twice))
        let oddWidth: [UInt8] = [3, 0, 0, 0, 0, 0, 0, 0]
        #expect(!isValid(oddWidth))
        let hugeCount: [UInt8] = [8, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF]
        #expect(!isValid(hugeCount))
    }
}
