import ArgumentParser
import Inspect

extension MemoryTarget: ExpressibleByArgument {}
extension MemoryAllocator: ExpressibleByArgument {}

/// The server whose memory is estimated.
struct TargetOptions: ParsableArguments {
    @Option(
        name: .customLong("memory-for"),
        help: ArgumentHelp("Estimate the memory that this server needs.", valueName: "server")
    )
    var target = MemoryTarget.valkey91

    @Option(
        help: ArgumentHelp(
            "What that server gets its memory from; by default what it comes with.",
            discussion: "INFO memory names it: mem_allocator.",
            valueName: "allocator"
        )
    )
    var allocator: MemoryAllocator?

    /// A memory model that was told of nothing yet.
    var tally: MemoryTally { MemoryTally(target, allocator) }
}
