import Bytes

/// What keys, values and their parts take in Larder.
///
/// A key, its deadline and a value of some hundred bytes are one block, in steps of 8 bytes; what
/// does not fit in 1024 bytes has a block of its own. Fields, members and scored members are one
/// block each, found by buckets of 64 bytes that are added one at a time.
struct LarderModel: Sendable {
    private static let largestBlock = 1024
    private static let nodesPerBucket = 8
    private static let segmentBucketCount = 1 << 15

    let blocks = BlockSizes(.arena)

    func block(_ byteCount: Int) -> Int { blocks(byteCount) }

    /// A length of one byte up to 253, else of five, and the bytes.
    private func text(_ length: Int) -> Int { length + (length < 254 ? 1 : 5) }

    private func head(_ key: ModelKey) -> Int {
        (key.hasDeadline ? 12 : 4) + text(key.length)
    }

    /// A key whose value is one run of bytes.
    func bytes(_ key: ModelKey, _ length: Int) -> Int {
        let whole = head(key) + text(length)
        if whole <= Self.largestBlock { return block(whole) }
        return block(head(key) + 8) + block(16 + length)
    }

    /// A key whose value is a structure of `structure` bytes.
    func structure(_ key: ModelKey, _ structure: Int) -> Int { block(head(key) + 8) + structure }

    func member(_ length: Int) -> Int { block(text(length)) }
    func scoredMember(_ length: Int) -> Int { block(8 + text(length)) }
    func field(_ field: Int, value: Int, hasDeadline: Bool) -> Int {
        block((hasDeadline ? 9 : 1) + text(field) + text(value))
    }

    /// The buckets of a table that grew to `count` entries.
    func table(_ count: Int) -> Int {
        let buckets = max(1, (count + Self.nodesPerBucket - 1) / Self.nodesPerBucket)
        let held =
            buckets < Self.segmentBucketCount
            ? TableSizes.powerOfTwo(atLeast: buckets)
            : (buckets + Self.segmentBucketCount - 1) / Self.segmentBucketCount
                * Self.segmentBucketCount
        return held * 64 + overflow(count, buckets) * 64
    }

    /// Buckets below the split have been divided in this round and are half as full.
    private func overflow(_ count: Int, _ buckets: Int) -> Int {
        guard buckets > 1 else { return count > Self.nodesPerBucket ? 1 : 0 }
        let round = TableSizes.powerOfTwo(atLeast: buckets + 1) / 2
        let mean = Double(count) / Double(round)
        let whole = Double(2 * round - buckets)
        let divided = Double(2 * (buckets - round))
        let more = { (count: Int) in Double(max(0, (count - 1) / Self.nodesPerBucket)) }
        let sum =
            whole * Poisson(mean: mean).expectation(more)
            + divided * Poisson(mean: mean / 2).expectation(more)
        return Int(sum.rounded())
    }
}
