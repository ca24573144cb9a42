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
            scans,
            sets,
            stringNumbers,
            stringParts,
            strings,
        ].joined()
    )
}
