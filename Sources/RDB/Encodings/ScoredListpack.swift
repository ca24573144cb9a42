import Bytes

/// The members of a sorted set in a listpack, each with its score after it.
enum ScoredListpack {
    /// How many members there are, if all of it is sound and every score is a number and not below
    /// the one before.
    static func memberCount(_ bytes: RawSpan) -> Int? {
        do throws(ListpackError) {
            var scan = try ListpackScan(bytes)
            var previous = -Double.infinity
            while try scan.next() != nil {
                guard let entry = try scan.next(), let score = score(scan, entry),
                    score >= previous
                else { return nil }
                previous = score
            }
            return scan.count / 2
        } catch {
            return nil
        }
    }

    @inline(__always)
    private static func score(_ scan: borrowing ListpackScan, _ entry: Int) -> Double? {
        if let integer = scan.integer(at: entry) { return Double(integer) }
        return DecimalText.parseDouble(scan.string(at: entry))
    }
}
