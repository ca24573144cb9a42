import Bytes

/// Rows in columns, numbers to the right.
package struct TextTable {
    private var header: [String]
    private var rows: [[String]] = []
    private let isRight: [Bool]

    /// A table; a column whose title begins with `>` is aligned to the right.
    package init(_ titles: [String]) {
        header = titles.map { $0.hasPrefix(">") ? String($0.dropFirst()) : $0 }
        isRight = titles.map { $0.hasPrefix(">") }
    }

    /// Adds a row.
    package mutating func add(_ cells: [String]) {
        rows.append(cells)
    }

    /// Whether there are no rows.
    package var isEmpty: Bool { rows.isEmpty }

    /// Appends the table, indented by two spaces.
    package func append(to writer: inout ByteWriter, _ style: TextStyle) {
        var widths = header.map(\.count)
        for row in rows {
            for (index, cell) in row.enumerated() { widths[index] = max(widths[index], cell.count) }
        }
        writer.append(utf8: "  " + style.dim(line(header, widths)) + "\n")
        for row in rows { writer.append(utf8: "  " + line(row, widths) + "\n") }
    }

    private func line(_ cells: [String], _ widths: [Int]) -> String {
        var line = ""
        for (index, cell) in cells.enumerated() {
            if index > 0 { line += "  " }
            let space = String(repeating: " ", count: widths[index] - cell.count)
            if isRight[index] {
                line += space + cell
            } else {
                line += index == cells.count - 1 ? cell : cell + space
            }
        }
        return line
    }
}

/// Colours, on a terminal whose user wants them.
package struct TextStyle: Sendable {
    private let isColored: Bool

    /// Colours if standard output is a terminal and `NO_COLOR` is not set.
    package init(isColored: Bool) {
        self.isColored = isColored
    }

    package func bold(_ text: String) -> String { wrap(text, "1") }
    package func dim(_ text: String) -> String { wrap(text, "2") }
    package func red(_ text: String) -> String { wrap(text, "31") }
    package func yellow(_ text: String) -> String { wrap(text, "33") }
    package func green(_ text: String) -> String { wrap(text, "32") }

    private func wrap(_ text: String, _ code: String) -> String {
        isColored ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text
    }
}
