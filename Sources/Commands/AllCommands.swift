extension Command {
    /// Every command, family by family.
    static let all: [Command] = Array(
        [
            commonSubsequence,
            connection,
            deadlines,
            hashNumbers,
            hashes,
            keys,
            lists,
            scans,
            sets,
            sortedSetRanges,
            sortedSets,
            stringNumbers,
            stringParts,
            strings,
        ].joined()
    )
}
