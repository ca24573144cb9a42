import Bytes
import Platform

/// What a conversion has said that it lost, so that it is not told as a difference again.
///
/// Reads the report that `convert` writes: each loss is on a line of its own. Of each key a hash
/// and what may differ are kept: some thirty bytes. What was asked for is in the report, too:
/// which keys, under which names, in which databases.
package struct VerificationLosses {
    /// What may differ.
    package struct Allowance: OptionSet, Sendable {
        /// The set as bits.
        package let rawValue: UInt8

        /// A set of the given bits.
        package init(rawValue: UInt8) {
            self.rawValue = rawValue
        }

        /// The key may be missing in the second.
        package static let absence = Allowance(rawValue: 1)
        /// Deadlines of fields may differ.
        package static let fieldDeadlines = Allowance(rawValue: 2)
        /// Fields that have a deadline may be missing in the second.
        package static let fields = Allowance(rawValue: 4)
        /// The key's own deadline may differ.
        package static let deadline = Allowance(rawValue: 8)
        /// Ids of producers and counters of a stream may be missing.
        package static let streamCounters = Allowance(rawValue: 16)
        /// Anything may differ.
        package static let anything = Allowance(rawValue: 255)
    }

    private var keys: [Int: Allowance] = [:]
    /// Keys of the second whose fields became keys.
    private var splitKeys: Set<Int> = []
    /// Which keys of the first are in the second, and where.
    package private(set) var selection = Selection()
    /// Libraries of functions that were left out.
    package private(set) var functions = 0
    /// Whether documents became strings with their text.
    private(set) var documentsAreText = false

    /// Nothing was lost.
    package init() {}

    /// Reads a report.
    package init(reportAt path: String) throws(VerificationError) {
        var isFirst = true
        var isReport = false
        do throws(SystemError) {
            try Self.forEachLine(of: path) { line in
                if isFirst { isReport = line.starts(with: ReportFile.beginning) }
                isFirst = false
                if isReport { add(line) }
            }
        } catch {
            throw .system(error)
        }
        guard isReport else {
            throw .unsuitable(
                "\(path) is no report of a conversion, which is a file that ends in .report.json"
            )
        }
    }

    private static func forEachLine(
        of path: String,
        _ body: (RawSpan) -> Void
    ) throws(SystemError) {
        let stream = try InputStream(path: path)
        var buffer = ByteWriter()
        while true {
            let before = buffer.count
            unsafe try buffer.append(upTo: 64 << 10) { free throws(SystemError) in
                var room = unsafe OutputRawSpan(buffer: free, initializedCount: 0)
                try stream.read(into: &room)
                return unsafe room.finalize(for: free)
            }
            let isAtEnd = buffer.count == before
            var start = 0
            var offset = before
            while offset < buffer.count {
                if buffer.bytes.byte(at: offset) == UInt8(ascii: "\n") {
                    body(buffer.bytes.part(from: start, count: offset - start))
                    start = offset + 1
                }
                offset += 1
            }
            buffer.removeFirst(start)
            if isAtEnd {
                if buffer.count > 0 { body(buffer.bytes) }
                return
            }
        }
    }

    private mutating func add(_ line: RawSpan) {
        if ByteString(line).text.contains("\"effect\":\"converted\",\"rule\":\"text\"") {
            documentsAreText = true
        }
        guard let object = JSONLine(line), !selection.add(object),
            case .text(let feature) = object["feature"], case .text(let rule) = object["rule"],
            object["parts"] != nil
        else { return }
        if feature == "functions" { functions += 1 }
        guard case .text(let key) = object["key"], case .number(let database) = object["db"] else {
            return
        }
        let allowance = Self.allowance(feature.text, rule.text)
        keys[Self.hash(key, database), default: []].formUnion(allowance)
        guard rule == "split" else { return }
        let (number, name) = destination(of: key, in: database)
        splitKeys.insert(Self.hash(name, number))
    }

    /// Where a key of the first is in the second.
    package func destination(
        of key: ByteString,
        in database: Int
    ) -> (database: Int, name: ByteString) {
        let number = selection.database(UInt64(clamping: database))
        return (Int(clamping: number), selection.newName(of: key.bytes) ?? key)
    }

    /// Whether a key of the second is a field of a key of the first: `<key>:<field>`.
    package func declaresField(_ key: ByteString, in database: Int) -> Bool {
        guard !splitKeys.isEmpty else { return false }
        return (0..<key.byteCount).contains { end in
            guard key.bytes.byte(at: end) == UInt8(ascii: ":") else { return false }
            let hash = ByteString(key.bytes.part(from: 0, count: end))
            return splitKeys.contains(Self.hash(hash, database))
        }
    }

    private static func allowance(_ feature: String, _ rule: String) -> Allowance {
        switch (feature, rule) {
        case ("field-deadlines", "drop-ttl"): .fieldDeadlines
        case ("field-deadlines", "drop-field"): [.fields, .absence]
        case ("field-deadlines", "split"): [.fields, .absence]
        case ("field-deadlines", _): [.fieldDeadlines, .deadline]
        case ("module", _), ("unreadable", _), ("damage", _): .absence
        case ("stream-producers", _), ("stream-counters", _): .streamCounters
        case ("key-metadata", _), ("consumer-active-times", _): []
        default: .anything
        }
    }

    private static func hash(_ key: ByteString, _ database: Int) -> Int {
        var hasher = Hasher()
        hasher.combine(key)
        hasher.combine(database)
        return hasher.finalize()
    }

    /// What may differ of a key.
    package func allowance(_ key: ByteString, in database: Int) -> Allowance {
        keys.isEmpty ? [] : keys[Self.hash(key, database)] ?? []
    }
}
