import Bytes
import Structures

/// A large value whose parts have an order: each is put aside under a number of its own.
class OrderedLargeValue: LargeValue {
    /// How many parts the record has already.
    fileprivate private(set) var writtenCount = 0
    /// Parts that were put aside and not fetched, in order, from `fetchedCount` on.
    private var aside: [(index: Int, number: Int)] = []
    private var fetchedCount = 0

    fileprivate var partCount: Int { 0 }

    override var isComplete: Bool {
        isThrough && (walk.sink == nil || writtenCount == partCount)
    }

    /// Hands over the part with this index, into the record if it is next there.
    fileprivate func part(_ index: Int, _ body: (any SnapshotSink) -> Void) {
        guard let sink = walk.sink else { return }
        let isNext = isCurrent && index == writtenCount
        var number: Int?
        if isNext {
            writtenCount += 1
        } else {
            number = walk.nextNumber()
            aside.insert((index, number ?? 0), at: position(of: index))
        }
        sink.beginPart(of: self, aside: number)
        body(sink)
        sink.endPart()
    }

    /// Fetches the next part if it was put aside; returns whether it was.
    fileprivate func fetchNext() -> Bool {
        guard isCurrent, let sink = walk.sink, fetchedCount < aside.count,
            aside[fetchedCount].index == writtenCount
        else { return false }
        sink.fetch(aside[fetchedCount].number)
        fetchedCount += 1
        writtenCount += 1
        // What was fetched is dropped once it is most of what is there.
        if fetchedCount > 64, fetchedCount * 2 > aside.count {
            aside.removeFirst(fetchedCount)
            fetchedCount = 0
        }
        return true
    }

    /// Where in `aside` a part with this index is or belongs.
    private func position(of index: Int) -> Int {
        var low = fetchedCount
        var high = aside.count
        while low < high {
            let middle = (low + high) / 2
            if aside[middle].index < index { low = middle + 1 } else { high = middle }
        }
        return low
    }

    fileprivate func isAside(_ index: Int) -> Bool {
        let position = position(of: index)
        return position < aside.count && aside[position].index == index
    }

    /// The index of a part that so many others lie before that were not shown yet.
    fileprivate func index(behindUnseen unseen: Int) -> Int {
        // Before the k-th of those aside, k others aside and `index - writtenCount - k` unseen
        // ones lie; the count rises from each to the next, or stays.
        var low = fetchedCount
        var high = aside.count
        while low < high {
            let middle = (low + high) / 2
            let before = aside[middle].index - writtenCount - (middle - fetchedCount)
            if before <= unseen { low = middle + 1 } else { high = middle }
        }
        return writtenCount + unseen + (low - fetchedCount)
    }
}

final class LargeList: OrderedLargeValue, BlockWitness {
    private let blockCount: Int

    private var blocks: UnsafeMutablePointer<BlockList> {
        unsafe structure.assumingMemoryBound(to: BlockList.self)
    }

    override var partCount: Int { blockCount }

    init(_ entry: Entry, _ number: Int, _ walk: SnapshotWalk) {
        let blocks = unsafe entry.valuePointer.assumingMemoryBound(to: BlockList.self)
        blockCount = unsafe blocks.pointee.blockCount
        super.init(
            entry,
            .list(count: entry.list.count, blockCount: blockCount),
            byteCount: unsafe blocks.pointee.byteCount,
            database: number,
            for: walk
        )
        unsafe blocks.pointee.beginWalk(self)
    }

    func take(_ bytes: RawSpan, count: Int, isPlain: Bool, unseenBefore: Int) {
        walk.note(bytes.byteCount)
        part(index(behindUnseen: unseenBefore)) { sink in
            sink.block(bytes, count: count, isPlain: isPlain)
        }
    }

    override func readNext() {
        guard !fetchNext(), !isThrough, unsafe blocks.pointee.walk(limit: 1) else { return }
        unsafe blocks.pointee.endWalk()
        noteThrough()
    }
}

/// A string, in pages.
///
/// Bytes that are appended lie behind those that are read; only what is overwritten in place is
/// shown before. When the string gets another value, its block is kept for the snapshot.
final class LargeString: OrderedLargeValue {
    private let length: Int
    private let pageByteCount: Int
    /// No page before this one is left to show.
    private var nextPage = 0

    override var partCount: Int { (length + pageByteCount - 1) / pageByteCount }

    init(_ entry: Entry, pageByteCount: Int, _ number: Int, _ walk: SnapshotWalk) {
        length = entry.bytes.byteCount
        self.pageByteCount = pageByteCount
        super.init(
            entry,
            .string(byteCount: length),
            byteCount: length,
            database: number,
            for: walk
        )
    }

    /// Shows the pages that hold these bytes, before they change.
    func takePages(of range: Range<Int>) {
        let end = min(range.upperBound, length)
        guard !isThrough, range.lowerBound < end else { return }
        for page in (range.lowerBound / pageByteCount)...((end - 1) / pageByteCount) { take(page) }
    }

    private func take(_ page: Int) {
        guard page >= max(nextPage, writtenCount), !isAside(page) else { return }
        let start = page * pageByteCount
        let end = min(start + pageByteCount, length)
        let blob = unsafe Blob(address: structure)
        walk.note(end - start)
        part(page) { sink in
            unsafe sink.bytes(UnsafeRawBufferPointer(rebasing: blob.bytes[start..<end]).bytes)
        }
    }

    override func readNext() {
        guard !fetchNext(), !isThrough else { return }
        take(nextPage)
        nextPage += 1
        if nextPage >= partCount { noteThrough() }
    }
}
