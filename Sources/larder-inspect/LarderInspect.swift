import ArgumentParser

/// `larder-inspect`: what is in an RDB file or a log.
@main
struct LarderInspect: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "larder-inspect",
        abstract: "Says what is in an RDB file or a log."
    )
}
