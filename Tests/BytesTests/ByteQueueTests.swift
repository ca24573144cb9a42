import Bytes
import TestKit
import Testing

struct ByteQueueTests {
    @Test(arguments: [1, 2, 3] as [UInt64])
    func `agrees with an array`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var queue = ByteQueue()
        var twin: [UInt8] = []
        var next: UInt8 = 0
        for _ in 0..<2000 {
            if Bool.random(using: &random) {
                let more = (0..<Int.random(in: 0...50, using: &random)).map { _ in
                    next &+= 1
                    return next
                }
                queue.append(more.bytes)
                twin += more
            } else {
                let fewer = Int.random(in: 0...twin.count, using: &random)
                queue.removeFirst(fewer)
                twin.removeFirst(fewer)
            }
            let isSame = queue.bytes.equals(twin.bytes)
            #expect(isSame)
            #expect(queue.count == twin.count)
        }
        #expect(queue.capacityByteCount < 4096)
    }
}
