import ArgumentParser
import Bytes
import Inspect
import Platform

/// `larder-inspect`: what is in an RDB file or a log.
struct LarderInspect: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "larder-inspect",
        abstract: "Says what is in an RDB file or an append-only log.",
        discussion: """
            FILE is an RDB, plain or in gzip, zstd or lz4; - for standard input; the directory of \
            an append-only log; or an append-only file. Several files are read as one data set.

            Exit codes: 0 = fine, 1 = damaged or failed, 2 = wrong usage.

            Examples:
              larder-inspect dump.rdb
              larder-inspect check dump.rdb.zst
              larder-inspect keys --match 'user:*' --sort bytes --limit 20 dump.rdb
              ssh db cat /var/lib/redis/dump.rdb | larder-inspect -
            """,
        version: "\(Product.version)",
        subcommands: [
            SummaryCommand.self, CheckCommand.self, KeysCommand.self, ShowCommand.self,
            TopCommand.self, PrefixesCommand.self, ExportCommand.self,
            ReportCommand.self, DiffCommand.self, LogCommand.self,
        ],
        defaultSubcommand: SummaryCommand.self
    )
}

@main
enum Program {
    static func main() {
        do {
            var command = try LarderInspect.parseAsRoot()
            try command.run()
        } catch let error as InspectError {
            Terminal.writeError("larder-inspect: \(error)\n")
            if let name = misspelledSubcommand(error) {
                Terminal.writeError("  Did you mean: larder-inspect \(name) FILE\n")
            }
            LarderInspect.exit(withError: ExitCode(1))
        } catch let code as ExitCode {
            LarderInspect.exit(withError: code)
        } catch {
            // Help and version end well; everything else here is wrong usage.
            guard LarderInspect.exitCode(for: error).isSuccess else {
                Terminal.writeError(LarderInspect.fullMessage(for: error) + "\n")
                LarderInspect.exit(withError: ExitCode(2))
            }
            LarderInspect.exit(withError: error)
        }
    }

    /// The subcommand that was meant by what was taken for a file, which is not there.
    private static func misspelledSubcommand(_ error: InspectError) -> String? {
        guard error.isMissingFile, error.path == CommandLine.arguments.dropFirst().first else {
            return nil
        }
        let names = LarderInspect.configuration.subcommands.compactMap {
            $0.configuration.commandName
        }
        return NearestName.of(error.path, among: names)
    }
}
