import Bytes

/// What COMMAND tells of a command beyond what it takes to run it.
struct CommandFacts {
    let group: String
    /// The version of Redis, or of Valkey, that had it first.
    let since: String
    /// Categories that do not follow from the flags.
    let ownCategories: [String]
    let keySpecs: [KeySpec]
    /// Hints for clients, as COMMAND spells them.
    let tips: [String]
    let summary: String

    /// The facts of a command, by its full name.
    static func of(_ name: String) -> CommandFacts {
        all[name] ?? CommandFacts(parts: ["", "", "", "", "", ""])
    }

    /// Read when they are first asked for, which is not while ordinary requests are served.
    private static let all: [String: CommandFacts] = {
        var all: [String: CommandFacts] = [:]
        for line in table.split(separator: "\n") {
            var parts = line.split(separator: ";", omittingEmptySubsequences: false).map {
                String($0)
            }
            all[parts.removeFirst()] = CommandFacts(parts: parts)
        }
        return all
    }()

    private init(parts: [String]) {
        precondition(parts.count == 6, "a line of facts has too few or too many parts")
        group = parts[0]
        since = parts[1]
        ownCategories = parts[2].split(separator: " ").map { String($0) }
        keySpecs = parts[3].split(separator: ",").map { KeySpec(String($0)) }
        tips = parts[4].split(separator: " ").map { String($0) }
        summary = parts[5]
    }
}

/// Where some keys of a command are, and what becomes of them.
///
///     RWad 1..-2       flags, then a place: arguments 1 to the last but one
///     OWu 1..-1:2      the same, every second
///     ROa 2#           argument 2 is a count, and so many keys follow
///     OWu 1#:2         the same, every second
///     ROa STREAMS>4..-1%2   behind the word STREAMS, looked for from argument 4, the first half
///     OWu ?            cannot be said
struct KeySpec {
    /// As COMMAND spells them: RO, RW, OW or RM first.
    let flags: [StaticString]
    let search: Search
    let find: Find

    enum Search: Equatable {
        case index(Int)
        case keyword(String, from: Int)
        case unknown
    }

    enum Find: Equatable {
        case range(last: Int, step: Int, limit: Int)
        case count(step: Int)
        case unknown
    }

    private static let uses: [Character: StaticString] = [
        "a": "access", "u": "update", "i": "insert", "d": "delete", "n": "not_key",
        "v": "variable_flags", "p": "incomplete",
    ]
    private static let modes: [String: StaticString] = [
        "RO": "RO", "RW": "RW", "OW": "OW", "RM": "RM",
    ]

    /// Reads the form above.
    init(_ text: String) {
        let words = text.split(separator: " ").map { String($0) }
        let place = words.last ?? "?"
        var flags: [StaticString] = []
        if let word = words.first {
            if let mode = KeySpec.modes[String(word.prefix(2))] { flags.append(mode) }
            flags += word.drop { $0.isUppercase }.compactMap { KeySpec.uses[$0] }
        }
        self.flags = flags
        guard place != "?" else {
            search = .unknown
            find = .unknown
            return
        }
        let begin = place.prefix { $0 != "." && $0 != "#" && $0 != ":" && $0 != "%" }
        let rest = place.dropFirst(begin.count)
        let parts = begin.split(separator: ">").map { String($0) }
        if parts.count == 2 {
            search = .keyword(parts[0], from: Int(parts[1]) ?? 0)
        } else {
            search = .index(Int(begin) ?? 0)
        }
        let step = KeySpec.number(behind: ":", in: rest) ?? 1
        if rest.hasPrefix("#") {
            find = .count(step: step)
        } else {
            let last = KeySpec.number(behind: ".", in: rest) ?? 0
            find = .range(
                last: last,
                step: step,
                limit: KeySpec.number(behind: "%", in: rest) ?? 0
            )
        }
    }

    private static func number(behind mark: Character, in text: Substring) -> Int? {
        guard let place = text.lastIndex(of: mark) else { return nil }
        let digits = text[text.index(after: place)...].prefix { $0 == "-" || $0.isNumber }
        return Int(digits)
    }
}

extension Command {
    var facts: CommandFacts { CommandFacts.of(name) }

    /// The categories of users' rights that the command belongs to, as COMMAND spells them.
    var categories: [String] {
        var names = Set(facts.ownCategories)
        if flags.contains(.write) { names.insert("write") }
        if flags.contains(.readonly), !names.contains("scripting") { names.insert("read") }
        if flags.contains(.admin) { names.formUnion(["admin", "dangerous"]) }
        if flags.contains(.pubsub) { names.insert("pubsub") }
        if flags.contains(.blocking) { names.insert("blocking") }
        names.insert(flags.contains(.fast) ? "fast" : "slow")
        return Command.allCategories.filter { names.contains($0) }
    }

    /// Every category, in the order in which COMMAND tells them.
    static let allCategories = [
        "keyspace", "read", "write", "set", "sortedset", "list", "hash", "string", "bitmap",
        "hyperloglog", "geo", "stream", "pubsub", "admin", "fast", "slow", "blocking",
        "dangerous", "connection", "transaction", "scripting",
    ]
}
