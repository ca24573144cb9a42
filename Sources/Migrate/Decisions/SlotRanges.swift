extension ClusterSlot {
    /// Cuts the slots into `shards` runs as equal as can be, where the tools that make clusters
    /// cut them: three get 0-5460, 5461-10922 and 10923-16383.
    package static func ranges(shards: Int) -> [ClosedRange<Int>] {
        var start = 0
        return (1...shards).map { number in
            let end = (Double(count) * Double(number) / Double(shards)).rounded()
            defer { start = Int(end) }
            return start...(Int(end) - 1)
        }
    }
}
