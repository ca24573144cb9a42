import ArgumentParser

/// `larder-migrate`: from one server or file to another.
@main
struct LarderMigrate: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "larder-migrate",
        abstract: "Turns dumps of Redis into files and servers that Valkey accepts.",
        subcommands: [LoadCommand.self]
    )
}
