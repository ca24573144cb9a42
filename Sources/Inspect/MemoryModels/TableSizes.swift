/// The bytes of hash tables, their entries not counted.
package struct TableSizes: Sendable {
    private let blocks: BlockSizes

    package init(_ blocks: BlockSizes) {
        self.blocks = blocks
    }

    /// The places of a table that was made for `count` entries, and the blocks of those entries
    /// that need some.
    package func byteCount(_ count: Int, _ tables: ServerLayout.Tables, hasValues: Bool) -> Int {
        guard count > 0 else { return 0 }
        switch tables {
        case .chains:
            return places(count) + count * blocks(ServerLayout.chainEntry)
        case .bareChains where hasValues:
            return places(count) + count * blocks(ServerLayout.chainEntry)
        case .bareChains:
            return places(count) + chained(count) * blocks(ServerLayout.bareEntry)
        case .buckets:
            return buckets(count)
        }
    }

    /// The places of a table with chains, one pointer each.
    package func places(_ count: Int) -> Int {
        count == 0 ? 0 : blocks(8 * Self.placeCount(count))
    }

    private static func placeCount(_ count: Int) -> Int {
        max(4, powerOfTwo(atLeast: count))
    }

    /// Entries that are not the last of their chain, at random places.
    private func chained(_ count: Int) -> Int {
        let places = Double(Self.placeCount(count))
        let empty = Poisson(mean: Double(count) / places).probability(of: 0)
        return max(0, count - Int((places * (1 - empty)).rounded()))
    }

    private func buckets(_ count: Int) -> Int {
        // 5/32 buckets an entry, so that 6.4 of seven are filled.
        let bucketCount = Self.powerOfTwo(atLeast: (count * 5 + 31) / 32)
        let table = blocks(ServerLayout.bucket * bucketCount)
        guard bucketCount > 1 else {
            return table + (count > 7 ? blocks(ServerLayout.bucket) : 0)
        }
        let poisson = Poisson(mean: Double(count) / Double(bucketCount))
        // A bucket that overflows gives its last place to the next one.
        let overflow = poisson.expectation { $0 <= 7 ? 0 : Double(($0 - 7 + 5) / 6) }
        let more = Int((overflow * Double(bucketCount)).rounded())
        return table + more * blocks(ServerLayout.bucket)
    }

    static func powerOfTwo(atLeast count: Int) -> Int {
        count <= 1 ? 1 : 1 << (Int.bitWidth - (count - 1).leadingZeroBitCount)
    }
}

/// How many of many things fall into one of many places, by chance.
struct Poisson {
    private let probabilities: [Double]

    init(mean: Double) {
        let first = exponential(-mean)
        var probabilities = [first]
        for count in 1...40 {
            probabilities.append(probabilities[count - 1] * mean / Double(count))
        }
        self.probabilities = probabilities
    }

    func probability(of count: Int) -> Double {
        count < probabilities.count ? probabilities[count] : 0
    }

    /// The mean of `value` over the number of things in a place.
    func expectation(_ value: (Int) -> Double) -> Double {
        var sum = 0.0
        for (count, probability) in probabilities.enumerated() { sum += probability * value(count) }
        return sum
    }
}

/// e to the power of `exponent`, for small exponents.
private func exponential(_ exponent: Double) -> Double {
    // Halved until the series is short, then squared back.
    var term = 1.0
    var sum = 1.0
    let small = exponent / 64
    for index in 1...12 {
        term *= small / Double(index)
        sum += term
    }
    for _ in 0..<6 { sum *= sum }
    return sum
}
