import Structures
import TestKit
import Testing

struct MinHeapTests {
    /// Drives the heap and a dictionary with the same random steps.
    ///
    /// A failure names its seed. Add that seed to the list, and it stays fixed.
    @Test(arguments: [1, 2, 3] as [UInt64])
    func `agrees with a dictionary`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var heap = MinHeap<Int>()
        var handles: [Int: MinHeap<Int>.Handle] = [:]
        var twin: [Int: Int64] = [:]
        for step in 0..<3000 {
            let deadline = Int64.random(in: 0..<500, using: &random)
            switch (Int.random(in: 0..<8, using: &random), twin.keys.randomElement(using: &random))
            {
            case (0...3, _), (_, nil):
                handles[step] = heap.insert(step, deadline: deadline)
                twin[step] = deadline
            case (4...5, let chosen?):
                guard let handle = handles[chosen] else { break }
                heap.move(handle, to: deadline)
                twin[chosen] = deadline
            case (6, let chosen?):
                guard let handle = handles.removeValue(forKey: chosen) else { break }
                #expect(heap.item(handle) == chosen)
                #expect(heap.deadline(of: handle) == twin[chosen])
                heap.remove(handle)
                twin[chosen] = nil
            default:
                while let item = heap.popFirst(dueAt: deadline / 8) {
                    #expect(twin[item] == twin.values.min())
                    twin[item] = nil
                    handles[item] = nil
                }
                #expect(twin.values.allSatisfy { $0 > deadline / 8 })
            }
            heap.checkInvariants()
            #expect(heap.count == twin.count)
            #expect(heap.firstDeadline == twin.values.min())
        }
    }
}
