import Inspect

extension Destination {
    /// The server that stands for it in models of memory; the nearest one where there is none.
    var memoryTarget: MemoryTarget {
        switch family {
        case .larder: .larder
        case .redis: version >= 800 ? .redis82 : version >= 702 ? .redis74 : .redis70
        case .valkey: version >= 900 ? .valkey91 : version >= 801 ? .valkey81 : .redis74
        }
    }

    /// Bytes of memory that the content of files would take there.
    func memoryByteCount(of paths: [String]) throws(MigrationError) -> Int {
        var summary = Summary(memory: MemoryTally(memoryTarget))
        do {
            try Inspection(paths: paths).read(into: &summary)
        } catch {
            throw MigrationError(error)
        }
        return summary.memoryByteCount
    }
}
