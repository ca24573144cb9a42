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
            randomMembers,
            scans,
            setAlgebra,
            sets,
            sortedSetRanges,
            sortedSets,
            stringNumbers,
            stringParts,
            strings,
        ].joined()
    )
}
