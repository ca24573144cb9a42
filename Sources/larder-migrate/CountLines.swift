import Inspect

/// Lines of a summary, one for each count that is not zero.
struct CountLines {
    /// The lines, each with its end.
    private(set) var text = ""

    /// Adds a line that begins with `count`, followed by what there is one or many of.
    mutating func add(_ count: Int, _ one: String, _ many: String) {
        if count > 0 { text += "  \(Quantities.count(count)) \(count == 1 ? one : many)\n" }
    }
}
