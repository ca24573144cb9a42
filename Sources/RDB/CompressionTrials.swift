/// Which strings are worth a try to compress them.
///
/// Who keeps pictures, tokens or what is compressed already keeps many, and trying each in vain
/// costs ten times as much as writing it. Strings of about the same length tend to be of one
/// kind: where many in a row did not get shorter, few are tried, until one does.
///
/// What is tried depends on the strings that came before alone, so that the same data give the
/// same file.
struct CompressionTrials {
    /// Tries in a row that failed, by the power of two in the length.
    private var failureCounts = [Int](repeating: 0, count: UInt64.bitWidth)
    /// Strings to leave alone until the next try, likewise.
    private var passCounts = [Int](repeating: 0, count: UInt64.bitWidth)

    /// So many failures are no reason to stop.
    private static let patience = 16
    /// Then one in two of the strings is tried, one in four, and no fewer than one in so many.
    private static let rarest = 64

    /// The most bytes that a string of `byteCount` may take to be written compressed.
    ///
    /// Servers demand four bytes less. A 32nd less is asked here too, for a reader has to expand
    /// what was compressed, and digits or letters by chance get shorter by a hundredth.
    static func limit(forStringOf byteCount: Int) -> Int {
        byteCount - max(4, byteCount / 32)
    }

    private static func kind(ofStringOf byteCount: Int) -> Int {
        UInt64.bitWidth - 1 - byteCount.leadingZeroBitCount
    }

    /// Whether to try the next string, which has `byteCount` bytes, at least one.
    mutating func isDue(forStringOf byteCount: Int) -> Bool {
        let kind = CompressionTrials.kind(ofStringOf: byteCount)
        guard passCounts[kind] > 0 else { return true }
        passCounts[kind] -= 1
        return false
    }

    /// Notes what a try came to.
    mutating func note(_ isShorter: Bool, forStringOf byteCount: Int) {
        let kind = CompressionTrials.kind(ofStringOf: byteCount)
        failureCounts[kind] = isShorter ? 0 : failureCounts[kind] + 1
        let excess = failureCounts[kind] - CompressionTrials.patience
        guard excess >= 0 else { return }
        passCounts[kind] = min(2 << min(excess, 16), CompressionTrials.rarest) - 1
    }
}
