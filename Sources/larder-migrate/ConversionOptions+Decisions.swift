import ArgumentParser
import Bytes
import Migrate
import RDB

/// Options as decisions.
extension ConversionOptions {
    func decide(_ decisions: inout Decisions) throws {
        try decide(&decisions.fieldDeadlines, by: fieldDeadlines, of: "--field-deadlines")
        try decide(&decisions.modules, by: modules, of: "--modules")
        guard let functions = FunctionPolicy(rawValue: functions) else {
            throw ValidationError("--functions is keep, drop-unloadable or drop")
        }
        decisions.functions = functions
        guard ["refuse", "drop"].contains(logCommands) else {
            throw ValidationError("--log-commands is refuse or drop, not \(logCommands)")
        }
        decisions.isDroppingCommands = logCommands == "drop"
        decisions.isDroppingExpired = try isDrop(expired, "--expired")
        if let importingSlots {
            decisions.keepsImportingSlots = try !isDrop(importingSlots, "--importing-slots")
        }
    }

    /// Each text is `PATTERN=POLICY`, or a policy for everything else.
    private func decide<Policy: RawRepresentable & CaseIterable & Sendable>(
        _ rules: inout PatternRules<Policy?>,
        by texts: [String],
        of option: String
    ) throws where Policy.RawValue == String {
        for text in texts {
            let end = text.lastIndex(of: "=")
            let name = end.map { String(text[text.index(after: $0)...]) } ?? text
            guard let policy = Policy(rawValue: name) else {
                let names = Policy.allCases.map(\.rawValue).joined(separator: ", ")
                throw ValidationError("\(option) is one of \(names), not \(name)")
            }
            if let end {
                rules.append(ByteString(String(text[..<end])), policy)
            } else {
                rules.default = policy
            }
        }
    }

    private func isDrop(_ text: String, _ option: String) throws -> Bool {
        guard text == "keep" || text == "drop" else {
            throw ValidationError("\(option) is keep or drop, not \(text)")
        }
        return text == "drop"
    }

    func selection() throws -> Selection {
        var selection = Selection()
        selection.included = include.map { ByteString($0) }
        selection.excluded = exclude.map { ByteString($0) }
        if let databases { selection.databases = Set(try numbers(databases, "--databases")) }
        if let types {
            selection.kinds = Set(
                try types.split(separator: ",").map { name in
                    guard let kind = ValueKind(commandName: String(name)) else {
                        throw ValidationError("--types knows no type \(name)")
                    }
                    return kind
                }
            )
        }
        selection.renames = try rename.map { text in
            guard let rename = Rename(text) else {
                throw ValidationError("--rename wants FROM=TO, with one * at most on each side")
            }
            return rename
        }
        for text in mapDatabase {
            let sides = text.split(separator: "=").map { UInt64($0) }
            guard sides.count == 2, let from = sides[0], let to = sides[1] else {
                throw ValidationError("--map-database wants two numbers: 3=0")
            }
            selection.databaseNumbers[from] = to
        }
        return selection
    }

    private func numbers(_ text: String, _ option: String) throws -> [UInt64] {
        try text.split(separator: ",").map { word in
            guard let number = UInt64(word) else {
                throw ValidationError("\(option) wants numbers, not \(word)")
            }
            return number
        }
    }

    func split() throws -> Split {
        switch (splitSlots, splitSize) {
        case (nil, nil): return .none
        case (let slots?, nil): return .slots(try ranges(slots))
        case (nil, let size?): return .byteCount(size.value)
        default: throw ValidationError("--split-slots and --split-size exclude each other")
        }
    }

    private func ranges(_ text: String) throws -> [ClosedRange<Int>] {
        if let count = Int(text) {
            guard (1...1000).contains(count) else {
                throw ValidationError("--split-slots wants 1 to 1000 shards")
            }
            return ClusterSlot.ranges(shards: count)
        }
        let ranges = try text.split(separator: ",").map { word in
            let ends = word.split(separator: "-").map { Int($0) }
            guard ends.count == 2, let first = ends[0], let last = ends[1], first <= last,
                last < ClusterSlot.count
            else { throw ValidationError("\(word) is no range of slots within 0-16383") }
            return first...last
        }
        var next = 0
        for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            guard range.lowerBound == next else {
                throw ValidationError(
                    "the ranges of --split-slots leave out or repeat slot \(next)"
                )
            }
            next = range.upperBound + 1
        }
        guard next == ClusterSlot.count else {
            throw ValidationError("the ranges of --split-slots leave out slot \(next)")
        }
        return ranges
    }
}
