import ArgumentParser
import Bytes
import Migrate
import Platform

/// `larder-migrate`: from one server or file to another.
struct LarderMigrate: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "larder-migrate",
        abstract: "Turns dumps of Redis into files and servers that Valkey accepts.",
        discussion: """
            Exit codes: 0 = nothing lost, 3 = done with the losses that were declared, \
            1 = failed, 2 = wrong usage.

            Examples:
              larder-migrate plan dump.rdb --to valkey-9.1
              larder-migrate convert dump.rdb -o valkey.rdb --to valkey-9.1
              larder-migrate convert dump.rdb -o valkey.rdb --to valkey-8.1 \\
                --field-deadlines 'session:*=key-ttl-max' --field-deadlines drop-field
              larder-migrate convert shard-*.rdb -o one.rdb --to larder
              larder-migrate load dump.rdb --into valkey://127.0.0.1:6379
              larder-migrate verify dump.rdb valkey://127.0.0.1:6379
            """,
        version: "\(Product.version)",
        subcommands: [
            PlanCommand.self, ConvertCommand.self, LoadCommand.self, VerifyCommand.self,
        ]
    )
}

@main
enum Program {
    static func main() {
        do {
            var command = try LarderMigrate.parseAsRoot()
            // From here on Ctrl-C ends whatever reads or waits, and what was begun is taken back
            // or noted.
            Signals.watch(wakingUp: -1)
            try command.run()
        } catch let error as MigrationError {
            Terminal.writeError("larder-migrate: \(error)\n")
            LarderMigrate.exit(withError: ExitCode(error.isMisuse ? 2 : 1))
        } catch let code as ExitCode {
            LarderMigrate.exit(withError: code)
        } catch {
            // Help and version end well; everything else here is wrong usage.
            guard LarderMigrate.exitCode(for: error).isSuccess else {
                Terminal.writeError(LarderMigrate.fullMessage(for: error) + "\n")
                LarderMigrate.exit(withError: ExitCode(2))
            }
            LarderMigrate.exit(withError: error)
        }
    }
}
