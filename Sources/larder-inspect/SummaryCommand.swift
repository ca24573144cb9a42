import ArgumentParser
import Inspect

/// `larder-inspect summary`, and without a subcommand.
struct SummaryCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "summary",
        abstract: "What is in it, at a glance."
    )

    @OptionGroup var input: InputOptions

    func run() throws {
        try input.withInspection { inspection throws(InspectError) in
            var consumer = DigestConsumer()
            try inspection.read(into: &consumer)
            print(consumer.digest.total)
        }
    }
}
