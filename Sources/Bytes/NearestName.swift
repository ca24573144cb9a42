/// What somebody may have meant who spelled a name wrong.
public enum NearestName {
    /// The one of `known` that is most like `name`, if any is enough like it to be meant.
    public static func of(_ name: String, among known: [String]) -> String? {
        let ranked = known.map { ($0, editDistance($0, name)) }.min { $0.1 < $1.1 }
        guard let (best, distance) = ranked, distance <= max(1, name.utf8.count / 3) else {
            return nil
        }
        return best
    }

    /// How many letters have to be added, dropped, changed or swapped to make one the other.
    private static func editDistance(_ one: String, _ other: String) -> Int {
        let one = Array(one.utf8)
        let other = Array(other.utf8)
        var beforeLast: [Int] = []
        var last = Array(0...other.count)
        for row in one.indices {
            var current = [row + 1]
            for column in other.indices {
                var best = min(
                    last[column] + (one[row] == other[column] ? 0 : 1),
                    last[column + 1] + 1,
                    current[column] + 1
                )
                if row > 0, column > 0, one[row] == other[column - 1],
                    one[row - 1] == other[column]
                {
                    best = min(best, beforeLast[column - 1] + 1)
                }
                current.append(best)
            }
            beforeLast = last
            last = current
        }
        return last[other.count]
    }
}
