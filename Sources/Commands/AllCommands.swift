extension Command {
    /// Every command, family by family.
    static let all: [Command] = Array(
        [
            bitFields,
            bitmaps,
            clients,
            commands,
            commonSubsequence,
            connection,
            databases,
            deadlines,
            debugging,
            hashNumbers,
            hashes,
            hyperLogLogs,
            introspection,
            keys,
            listMoves,
            lists,
            payloads,
            persistence,
            pubSub,
            randomMembers,
            scans,
            setAlgebra,
            sets,
            sortedSetPops,
            sortedSetRanges,
            sortedSets,
            stringNumbers,
            stringParts,
            strings,
            transactions,
        ].joined()
    )
}
