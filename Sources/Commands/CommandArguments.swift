/// What COMMAND DOCS tells of a command beside `CommandFacts`.
struct CommandArguments: Sendable {
    /// How its cost grows; empty if that cannot be said in a formula.
    let complexity: String
    /// Flags of the documentation, as COMMAND DOCS spells them.
    let flags: [String]
    let arguments: [CommandArgument]

    /// What is told of a command, by its full name.
    static func of(_ name: String) -> CommandArguments {
        all[name] ?? CommandArguments(parts: ["", "", ""])
    }

    /// Read when they are first asked for, as the facts are.
    private static let all: [String: CommandArguments] = {
        var all: [String: CommandArguments] = [:]
        for line in table.split(separator: "\n") {
            let parts = line.split(separator: ";", omittingEmptySubsequences: false)
            all[String(parts[0])] = CommandArguments(parts: Array(parts[1...]))
        }
        return all
    }()

    private init(parts: [Substring]) {
        precondition(parts.count == 3, "a line of arguments has too few or too many parts")
        complexity = String(parts[0])
        flags = parts[1].split(separator: " ").map { String($0) }
        var words = parts[2].split(separator: " ")[...]
        arguments = CommandArgument.list(&words)
    }
}

/// One argument of a command.
///
///     key:k0               a key, found by the first specification of keys
///     nx:.@2.6.12          the word NX, there since 2.6.12
///     count:i?/COUNT       an integer behind the word COUNT, which may be left out
///     addr?~ip:port/ADDR   a string behind the word ADDR, called ip:port in texts
///     data:{+ field value )          both, in this order, once or more
///     order:(? asc:. desc:. )        one of both, or neither
///
/// `*` says that the word comes again before each further one, and `^` since when the argument
/// is not to be used any more.
struct CommandArgument: Sendable {
    let name: String
    /// As COMMAND DOCS spells it.
    let type: StaticString
    /// What it is called in texts; nil for a group.
    let shownAs: String?
    let keySpec: Int?
    /// The word before it, or that it is.
    let token: String?
    let since: String?
    let deprecatedSince: String?
    /// As COMMAND DOCS spells them.
    let flags: [StaticString]
    /// What a group consists of.
    let parts: [CommandArgument]

    private static let types: [Character: StaticString] = [
        "i": "integer", "d": "double", "p": "pattern", "t": "unix-time", "k": "key",
        ".": "pure-token", "(": "oneof", "{": "block",
    ]
    private static let flagNames: [(mark: Character, name: StaticString)] = [
        ("?", "optional"), ("+", "multiple"), ("*", "multiple_token"),
    ]

    /// Reads arguments to the end of their group.
    static func list(_ words: inout ArraySlice<Substring>) -> [CommandArgument] {
        var found: [CommandArgument] = []
        while let word = words.popFirst(), word != ")" {
            found.append(CommandArgument(word, &words))
        }
        return found
    }

    private init(_ word: Substring, _ words: inout ArraySlice<Substring>) {
        var rest = word
        let told = CommandArgument.cut(&rest, at: "/")
        let shown = CommandArgument.cut(&rest, at: "~")
        let marks = rest.suffix(while: CommandArgument.isFlag)
        rest.removeLast(marks.count)
        deprecatedSince = CommandArgument.cut(&rest, at: "^")
        since = CommandArgument.cut(&rest, at: "@")
        let kind = CommandArgument.cut(&rest, at: ":") ?? ""
        name = String(rest)
        type = kind.first.flatMap { CommandArgument.types[$0] } ?? "string"
        keySpec = Int(kind.dropFirst())
        token = told ?? (kind == "." ? name.uppercased() : nil)
        flags = CommandArgument.flagNames.filter { marks.contains($0.mark) }.map { $0.name }
        let isGroup = kind == "(" || kind == "{"
        shownAs = isGroup ? nil : shown ?? name
        parts = isGroup ? CommandArgument.list(&words) : []
    }

    private static func isFlag(_ mark: Character) -> Bool {
        flagNames.contains { $0.mark == mark }
    }

    /// Takes what is behind a mark, and the mark, off the end.
    private static func cut(_ text: inout Substring, at mark: Character) -> String? {
        guard let place = text.firstIndex(of: mark) else { return nil }
        defer { text = text[..<place] }
        return String(text[text.index(after: place)...])
    }
}

extension Substring {
    fileprivate func suffix(while holds: (Character) -> Bool) -> Substring {
        var start = endIndex
        while start > startIndex, holds(self[index(before: start)]) {
            start = index(before: start)
        }
        return self[start...]
    }
}
