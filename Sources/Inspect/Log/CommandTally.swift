import Bytes
import RESP

/// Counts the commands of a log by name and by the prefix of their first key, and keeps the last
/// ones.
package struct CommandTally {
    /// How many commands, and their bytes in the stream, by name in capitals.
    package private(set) var names: [ByteString: Amount] = [:]
    /// Commands by the parts of their first key; bytes are those of the commands.
    package private(set) var prefixes: PrefixTree
    /// All commands.
    package private(set) var total = Amount()

    private var lastCommands: [LastCommand] = []
    private let lastCount: Int
    private var database = 0

    /// Commands and their bytes.
    package struct Amount: Equatable, Sendable {
        package var count = 0
        package var byteCount = 0
    }

    /// A command near the end of what was read.
    package struct LastCommand: Equatable, Sendable {
        /// Where in the stream it begins.
        package var offset: Int
        /// The database that is selected.
        package var database: Int
        /// The words as people read them, long ones and many of them cut short.
        package var text: String
    }

    /// Names that no server has are not worth the memory of a damaged log.
    private static let maximumNameCount = 1000
    private static let shownWords = 12
    private static let shownWordByteCount = 48

    /// Counts nothing yet; the last `lastCount` commands are kept.
    package init(keeping lastCount: Int, separator: UInt8 = UInt8(ascii: ":")) {
        self.lastCount = lastCount
        prefixes = PrefixTree(separator: separator)
    }

    /// The commands at the end, in their order.
    package var last: [LastCommand] { lastCommands.suffix(lastCount) }

    /// Counts whole requests, of which the first begins at `start` of the stream.
    package mutating func add(_ requests: RawSpan, at start: Int, startsFile: Bool) {
        if startsFile { database = 0 }
        var parser = RequestParser()
        let limits = RequestLimits(maximumBulkByteCount: .max)
        var offset = start
        while (try? parser.parse(requests, within: limits)) ?? false {
            count(parser.request(in: requests), at: offset)
            offset += parser.requestByteCount
        }
    }

    private mutating func count(_ request: borrowing Request, at offset: Int) {
        let name = Self.capitals(request[0])
        let byteCount = Self.byteCount(of: request)
        total.count += 1
        total.byteCount += byteCount
        if names[name] != nil || names.count < Self.maximumNameCount {
            names[name, default: Amount()].count += 1
            names[name, default: Amount()].byteCount += byteCount
        }
        if let key = Self.keyIndex(name), key < request.count {
            prefixes.add(request[key], byteCount: byteCount, memory: 0)
        }
        if name == "SELECT", request.count == 2 {
            database = DecimalText.parseInteger(request[1]).map { Int($0) } ?? database
        }
        keep(request, at: offset)
    }

    /// Bytes of the request in the stream: `*n`, then `$length` and the bytes of each word.
    private static func byteCount(of request: borrowing Request) -> Int {
        var sum = 3 + DecimalText.byteCount(of: Int64(request.count))
        for index in 0..<request.count {
            let length = request[index].byteCount
            sum += 5 + DecimalText.byteCount(of: Int64(length)) + length
        }
        return sum
    }

    private mutating func keep(_ request: borrowing Request, at offset: Int) {
        guard lastCount > 0 else { return }
        let text = Self.text(of: request)
        lastCommands.append(LastCommand(offset: offset, database: database, text: text))
        // Dropped in bulk, so that each command costs the same.
        if lastCommands.count > 2 * lastCount + 64 {
            lastCommands.removeFirst(lastCommands.count - lastCount)
        }
    }

    private static func text(of request: borrowing Request) -> String {
        var writer = ByteWriter()
        for index in 0..<min(request.count, shownWords) {
            if index > 0 { writer.append(" ") }
            append(request[index], to: &writer)
        }
        let rest = request.count - shownWords
        if rest > 0 { writer.append(utf8: " … \(rest) more") }
        return writer.bytes.text
    }

    private static func append(_ word: RawSpan, to writer: inout ByteWriter) {
        let isQuoted = word.byteCount == 0 || (word.firstIndex(of: 0x20, from: 0) != nil)
        if isQuoted { writer.append("\"") }
        writer.append(escaped: word.part(from: 0, count: min(word.byteCount, shownWordByteCount)))
        if word.byteCount > shownWordByteCount { writer.append(utf8: "… \(word.byteCount) B") }
        if isQuoted { writer.append("\"") }
    }

    private static func capitals(_ word: RawSpan) -> ByteString {
        var name: [UInt8] = []
        for index in 0..<min(word.byteCount, 64) {
            let byte = word.byte(at: index)
            name.append((0x61...0x7A).contains(byte) ? byte - 0x20 : byte)
        }
        return ByteString(name)
    }

    /// Which word is the first key; nil for commands without keys.
    private static func keyIndex(_ name: ByteString) -> Int? {
        if withoutKeys.contains(name) { return nil }
        return withSubcommand.contains(name) ? 2 : 1
    }

    private static let withoutKeys: Set<ByteString> = [
        "MULTI", "EXEC", "SELECT", "FLUSHALL", "FLUSHDB", "SWAPDB", "PUBLISH", "SPUBLISH",
        "FUNCTION", "SCRIPT", "PING", "REPLCONF", "EVAL", "EVALSHA", "FCALL",
    ]
    private static let withSubcommand: Set<ByteString> = ["XGROUP", "BITOP", "OBJECT"]
}
