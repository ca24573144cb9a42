extension Command {
    /// Every command, family by family.
    static let all: [Command] =
        connection + strings + keys + deadlines + scans + stringNumbers + stringParts
        + commonSubsequence
}
