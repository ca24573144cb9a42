import ArgumentParser
import Bytes
import Inspect
import RDB

/// Which keys a subcommand looks at.
struct FilterOptions: ParsableArguments {
    @Option(
        name: .customLong("match"),
        help: ArgumentHelp("Keys that match a pattern, as KEYS takes it.", valueName: "pattern")
    )
    var pattern: String?

    @Option(
        name: .customLong("regex"),
        help: ArgumentHelp(
            "Keys in whose text a regular expression is found.",
            valueName: "expression"
        )
    )
    var expression: String?

    @Option(
        name: .customLong("type"),
        help: ArgumentHelp("Keys of a type; can be given more than once.", valueName: "type")
    )
    var types: [ValueType] = []

    @Option(
        name: .customLong("db"),
        help: ArgumentHelp("Keys of a database; can be given more than once.", valueName: "number")
    )
    var databases: [UInt64] = []

    @Option(help: ArgumentHelp("Keys of this many bytes in the file or more.", valueName: "bytes"))
    var minBytes: ByteAmount?

    @Option(help: ArgumentHelp("Keys of this many bytes in the file or less.", valueName: "bytes"))
    var maxBytes: ByteAmount?

    @Option(help: ArgumentHelp("Keys with this many elements or more.", valueName: "count"))
    var minElements: Int?

    @Option(help: ArgumentHelp("Keys with this many elements or fewer.", valueName: "count"))
    var maxElements: Int?

    @Flag(help: "Keys with a deadline.")
    var withDeadline = false

    @Flag(help: "Keys without a deadline.")
    var withoutDeadline = false

    @Option(help: Moment.help("Keys that expire before this moment."))
    var expiresBefore: Moment?

    @Option(help: Moment.help("Keys that expire at this moment or later."))
    var expiresAfter: Moment?

    func validate() throws {
        if withDeadline, withoutDeadline {
            throw ValidationError("--with-deadline and --without-deadline exclude each other.")
        }
        _ = try regularExpression()
    }

    private func regularExpression() throws -> Regex<AnyRegexOutput>? {
        guard let expression else { return nil }
        do {
            return try Regex(expression)
        } catch {
            throw ValidationError("--regex '\(expression)': \(error)")
        }
    }

    /// The filter that was asked for.
    func filter() throws -> KeyFilter {
        var filter = KeyFilter()
        filter.pattern = pattern.map { ByteString($0) }
        filter.expression = try regularExpression()
        filter.kinds = Set(types.map(\.kind))
        filter.databases = Set(databases)
        filter.byteCounts = range(minBytes?.byteCount, maxBytes?.byteCount)
        filter.elementCounts = range(minElements, maxElements)
        if withDeadline { filter.hasDeadline = true }
        if withoutDeadline { filter.hasDeadline = false }
        if expiresBefore != nil || expiresAfter != nil {
            let first = expiresAfter?.milliseconds ?? .min
            let last = (expiresBefore?.milliseconds).map { $0 - 1 } ?? .max
            filter.deadlines = first...max(first, last)
        }
        return filter
    }

    private func range(_ least: Int?, _ most: Int?) -> ClosedRange<Int> {
        let least = least ?? 0
        return least...max(least, most ?? .max)
    }
}

/// A type as commands call it.
struct ValueType: ExpressibleByArgument {
    var kind: ValueKind

    init?(argument: String) {
        guard let kind = ValueKind.allCases.first(where: { $0.commandName == argument }) else {
            return nil
        }
        self.kind = kind
    }

    static var allValueStrings: [String] { ValueKind.allCases.map(\.commandName) }
}
