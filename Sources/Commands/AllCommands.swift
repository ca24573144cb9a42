extension Command {
    /// Every command, family by family.
    static let all: [Command] = Array(
        [
            clients,
            commands,
            bitFields,
            bitmaps,
            commonSubsequence,
            connection,
            databases,
            deadlines,
            debugging,
            hashNumbers,
            hashes,
            introspection,
            keys,
            lists,
            payloads,
            persistence,
            pubSub,
            randomMembers,
            scans,
            setAlgebra,
            sets,
            sortedSetRanges,
            sortedSets,
            stringNumbers,
            stringParts,
            strings,
            transactions,
        ].joined()
    )
}
