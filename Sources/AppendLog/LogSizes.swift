/// How long the files of a log are.
struct LogSizes: Equatable, Sendable {
    /// The base.
    var base = 0
    /// Complete increments by their sequence numbers.
    var increments: [Int: Int] = [:]
    /// The increment being written.
    var current = 0
    /// Where the base stands in the stream.
    var baseOffset: StreamOffset = 0

    var total: Int { base + increments.values.reduce(0, +) + current }

    mutating func published(_ byteCount: Int, before sequence: Int) {
        base = byteCount
        increments = increments.filter { $0.key >= sequence }
    }
}
