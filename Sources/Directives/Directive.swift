import Bytes

/// One directive of the configuration: its names, and what it takes.
package struct Directive: Sendable {
    package let name: String
    /// Older names; CONFIG GET and SET, and the file, take them too.
    let aliases: [String]
    let kind: Kind
    /// As CONFIG GET says it.
    let defaultValue: ByteString
    let traits: Traits

    struct Traits: OptionSet, Sendable {
        let rawValue: Int

        /// Read at the start only.
        static let immutable = Traits(rawValue: 1 << 0)
        /// CONFIG SET takes it only with `enable-protected-configs`.
        static let protected = Traits(rawValue: 1 << 1)
        /// Not to be shown in messages.
        static let secret = Traits(rawValue: 1 << 2)
    }

    // Not inlined: the table has two hundred rows, and the compiler took seconds for the code.
    @inline(never)
    init(
        _ name: String,
        _ kind: Kind,
        _ defaultValue: String,
        aliases: [String] = [],
        _ traits: Traits = []
    ) {
        self.name = name
        self.aliases = aliases
        self.kind = kind
        self.defaultValue = ByteString(defaultValue)
        self.traits = traits
    }

    var names: [String] { [name] + aliases }
}

/// Why a value was refused, as a user is told.
package struct RefusedValue: Error, Equatable {
    package let reason: String

    package init(_ reason: String) {
        self.reason = reason
    }
}

extension Directive {
    /// What values a directive takes.
    enum Kind: Equatable, Sendable {
        case boolean
        case integer(ClosedRange<Int64>)
        /// Bytes, with `kb`, `mb` and `gb` for powers of 1024, `k`, `m` and `g` for powers of 1000.
        case memory(ClosedRange<Int64>)
        case memoryOrPercent
        case octal(ClosedRange<Int64>)
        case choice([String])
        /// Several of them.
        case choices([String])
        case text
        case fileName
        case folderName
        case directory
        case savePoints
        case bindAddresses
        case bufferLimits
        case eventClasses
        case percentiles
        case words(Int)

        static let count = integer(0...Int64(Int32.max))
        static let positiveCount = integer(1...Int64(Int32.max))
        static let number = integer(0...(.max))
        static let port = integer(0...65535)
        static let size = memory(0...(.max))

        /// Whether one argument in quotes is as good as its words one by one.
        var takesWords: Bool {
            switch self {
            case .choices, .savePoints, .bindAddresses, .bufferLimits, .percentiles, .words: true
            default: false
            }
        }
    }

    /// The value that `arguments` give, in the form CONFIG GET says it.
    ///
    /// `current` is the value before: some directives change only the part they name.
    func value(
        from arguments: [ByteString],
        current: ByteString
    ) throws(RefusedValue) -> ByteString {
        var words = arguments
        if kind.takesWords, let only = arguments.first, arguments.count == 1 {
            words = only.array.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
                .map { ByteString(Array($0)) }
        }
        guard kind.takesWords || words.count == 1, let first = words.first else {
            if case .choices(let names) = kind { _ = try Self.choices([], among: names) }
            throw RefusedValue("wrong number of arguments")
        }
        let texts = words.map { $0.bytes.text }
        let text = texts[0]
        switch kind {
        case .boolean: return try Self.boolean(text)
        case .integer(let range):
            guard let value = DecimalText.parseInteger(first.bytes) else {
                throw RefusedValue("argument couldn't be parsed into an integer")
            }
            return try Self.integer(value, in: range)
        case .memory(let range):
            guard let value = Self.byteCount(text) else {
                throw RefusedValue("argument must be a memory value")
            }
            return try Self.integer(value, in: range)
        case .memoryOrPercent: return try Self.memoryOrPercent(text)
        case .octal(let range): return try Self.octal(text, in: range)
        case .choice(let names):
            let chosen = try Self.choices([text], among: names)
            return ByteString(chosen)
        case .choices(let names): return ByteString(try Self.choices(texts, among: names))
        case .text, .directory: return first
        case .fileName:
            guard !text.contains("/") else {
                throw RefusedValue("\(name) can't be a path, just a filename")
            }
            guard !text.isEmpty else { throw RefusedValue("\(name) can't be empty") }
            return first
        case .folderName:
            guard !text.contains("/") else {
                throw RefusedValue("\(name) can't be a path, just a dirname")
            }
            guard !text.isEmpty else { throw RefusedValue("\(name) can't be empty") }
            return first
        case .savePoints: return try Self.savePoints(texts)
        case .bindAddresses: return try Self.bindAddresses(texts)
        case .bufferLimits: return try Self.bufferLimits(texts, changing: current)
        case .eventClasses: return try Self.eventClasses(text)
        case .percentiles: return try Self.percentiles(texts)
        case .words(let count):
            guard texts.count == count else { throw RefusedValue("wrong number of arguments") }
            return ByteString(texts.joined(separator: " "))
        }
    }
}

extension Directive {
    private static func boolean(_ text: String) throws(RefusedValue) -> ByteString {
        switch text.lowercased() {
        case "yes": return "yes"
        case "no": return "no"
        default: throw RefusedValue("argument must be 'yes' or 'no'")
        }
    }

    private static func integer(
        _ value: Int64,
        in range: ClosedRange<Int64>
    ) throws(RefusedValue) -> ByteString {
        guard range.contains(value) else {
            throw RefusedValue(
                "argument must be between \(range.lowerBound) and \(range.upperBound) inclusive"
            )
        }
        return ByteString("\(value)")
    }

    /// The bytes that `64mb` and the like are; without a number, none, as in the peers.
    static func byteCount(_ argument: String) -> Int64? {
        // What follows a zero byte is not looked at.
        let text = argument.prefix { $0 != "\0" }
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        guard let value = digits.isEmpty ? 0 : Int64(digits) else { return nil }
        let unit: Int64
        switch text.dropFirst(digits.count).lowercased() {
        case "", "b": unit = 1
        case "k": unit = 1000
        case "kb": unit = 1 << 10
        case "m": unit = 1_000_000
        case "mb": unit = 1 << 20
        case "g": unit = 1_000_000_000
        case "gb": unit = 1 << 30
        default: return nil
        }
        let (bytes, overflowed) = value.multipliedReportingOverflow(by: unit)
        return overflowed ? nil : bytes
    }

    private static func memoryOrPercent(_ text: String) throws(RefusedValue) -> ByteString {
        if text.hasSuffix("%"), let percent = Int64(text.dropLast()), percent >= 0 {
            guard percent <= 100 else {
                throw RefusedValue("percentage argument must be less or equal to 100")
            }
            return ByteString("\(percent)%")
        }
        guard let value = byteCount(text) else {
            throw RefusedValue("argument must be a memory or percent value")
        }
        return ByteString("\(value)")
    }

    private static func octal(
        _ text: String,
        in range: ClosedRange<Int64>
    ) throws(RefusedValue) -> ByteString {
        guard let value = Int64(text, radix: 8) else {
            throw RefusedValue("argument couldn't be parsed as an octal number")
        }
        guard range.contains(value) else {
            let first = String(range.lowerBound, radix: 8)
            let last = String(range.upperBound, radix: 8)
            throw RefusedValue("argument must be between \(first) and \(last) inclusive")
        }
        return ByteString(String(value, radix: 8))
    }

    private static func choices(
        _ texts: [String],
        among names: [String]
    ) throws(RefusedValue) -> String {
        let chosen = texts.map { $0.lowercased() }
        guard !chosen.isEmpty,
            chosen.allSatisfy({ choice in names.contains { $0.lowercased() == choice } })
        else {
            throw RefusedValue(
                "argument(s) must be one of the following: \(names.joined(separator: ", "))"
            )
        }
        return names.filter { chosen.contains($0.lowercased()) }.joined(separator: " ")
    }

    private static func savePoints(_ texts: [String]) throws(RefusedValue) -> ByteString {
        if texts == [""] { return "" }
        let numbers = texts.map { Int64($0) }
        let isWhole = numbers.count.isMultiple(of: 2)
        let isValid = numbers.enumerated().allSatisfy { index, number in
            number.map { $0 >= (index.isMultiple(of: 2) ? 1 : 0) } ?? false
        }
        guard isWhole, isValid else { throw RefusedValue("Invalid save parameters") }
        return ByteString(texts.joined(separator: " "))
    }

    private static func bindAddresses(_ texts: [String]) throws(RefusedValue) -> ByteString {
        guard texts.count <= 16 else {
            throw RefusedValue("Too many bind addresses specified.")
        }
        return ByteString(texts.joined(separator: " "))
    }

    /// Groups of class, hard limit, soft limit, seconds; classes not named keep theirs.
    private static func bufferLimits(
        _ texts: [String],
        changing current: ByteString
    ) throws(RefusedValue) -> ByteString {
        let texts = texts == [""] ? [] : texts
        guard texts.count.isMultiple(of: 4) else {
            throw RefusedValue("Wrong number of arguments in buffer limit configuration.")
        }
        var limits: [String: String] = [:]
        let before = current.bytes.text.split(separator: " ").map { String($0) }
        for start in stride(from: 0, to: before.count, by: 4) {
            limits[before[start]] = before[start + 1...start + 3].joined(separator: " ")
        }
        for start in stride(from: 0, to: texts.count, by: 4) {
            var name = texts[start].lowercased()
            if name == "replica" { name = "slave" }
            guard ["normal", "slave", "pubsub"].contains(name) else {
                throw RefusedValue("Invalid client class specified in buffer limit configuration.")
            }
            guard
                let hard = byteCount(texts[start + 1]),
                let soft = byteCount(texts[start + 2]),
                let seconds = Int32(texts[start + 3]), seconds >= 0
            else {
                throw RefusedValue(
                    "Error in hard, soft or soft_seconds setting in buffer limit configuration."
                )
            }
            limits[name] = "\(hard) \(soft) \(seconds)"
        }
        let classes = ["normal", "slave", "pubsub"].map { "\($0) \(limits[$0] ?? "0 0 0")" }
        return ByteString(classes.joined(separator: " "))
    }

    /// `notify-keyspace-events`; `A` stands for `g$lshzxetd`.
    private static func eventClasses(_ text: String) throws(RefusedValue) -> ByteString {
        guard text.allSatisfy({ "Ag$lshzxeKEtmdn".contains($0) }) else {
            throw RefusedValue("Invalid event class character. Use 'Ag$lshzxeKEtmdn'.")
        }
        let all = "g$lshzxetd"
        let isAll = text.contains("A") || all.allSatisfy { text.contains($0) }
        // `A` does not stand for `n`, which Valkey then does not tell of any more.
        let classes = isAll ? "A" : all.filter { text.contains($0) }
        return ByteString(classes + "nKEm".filter { text.contains($0) })
    }

    private static func percentiles(_ texts: [String]) throws(RefusedValue) -> ByteString {
        if texts == [""] { return "" }
        for text in texts {
            guard let value = DecimalText.parseDouble(ByteString(text).bytes) else {
                throw RefusedValue("Invalid latency-tracking-info-percentiles parameters")
            }
            guard value >= 0, value <= 100 else {
                throw RefusedValue(
                    "latency-tracking-info-percentiles parameters should sit between [0.0,100.0]"
                )
            }
        }
        let shortest = texts.map { text in
            var writer = ByteWriter()
            writer.append(shortest: DecimalText.parseDouble(ByteString(text).bytes) ?? 0)
            return writer.bytes.text
        }
        return ByteString(shortest.joined(separator: " "))
    }
}
