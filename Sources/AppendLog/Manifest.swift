import Bytes

/// Which files make up a log, and in which order.
///
/// A text file, one line for each file, as Redis 7 introduced it:
///
///     file appendonly.aof.3.base.rdb seq 3 type b
///     file appendonly.aof.3.incr.aof seq 3 type i
///
/// Type `b` is the base (one at most), `i` an increment, `h` history: a file that no longer
/// counts and is about to be removed. Every line ends in `\n`. Lines that begin with `#` are
/// remarks. Words that a reader does not know are skipped, and so Redis and Valkey skip what
/// this log adds about the base:
///
///     startoffset 81920         how much of the stream the base stands for
///     replid 8371b4...          the history it belongs to
///     replid2 0c11... secondoffset 512      the history before, and where that ended
///
/// Increments say the same about themselves, in their first mark.
///
/// A line `#pending file ... type i` names an increment of a log that is being begun while
/// there is data: it counts once a base of that data does. For other servers it is a remark.
package struct Manifest: Equatable, Sendable {
    /// The file that stands for everything before the increments.
    package var base: Entry?
    /// The files to read after the base, in this order.
    package var increments: [Entry] = []
    /// The files that are no longer needed.
    package var history: [Entry] = []
    /// The increments that count once the base they follow is there.
    package var pending: [Entry] = []
    /// Whether increments are added to `pending`.
    package var addsPending = false
    /// Whether there is no manifest yet, because the base is the single file of a server
    /// before Redis 7, which lies in the data directory.
    package var isSingleFile = false

    /// One file.
    package struct Entry: Equatable, Sendable {
        /// Its name in the folder.
        package var name: String
        /// Its number; increments are numbered in the order they are read.
        package var sequence: Int
        /// Where the stream stands before the file, or for a base after it, if it is known.
        package var position: Position?

        package init(name: String, sequence: Int, position: Position? = nil) {
            self.name = name
            self.sequence = sequence
            self.position = position
        }
    }

    /// A place in the stream, and the history in which it has that number.
    package struct Position: Equatable, Sendable {
        package var offset: StreamOffset
        package var lineage: Lineage

        package init(offset: StreamOffset, lineage: Lineage) {
            self.offset = offset
            self.lineage = lineage
        }
    }

    /// A manifest without files.
    package init() {}

    /// The highest number any file has.
    package var highestSequence: Int {
        let entries = increments + history + pending + (base.map { [$0] } ?? [])
        return entries.map(\.sequence).max() ?? 0
    }

    /// The files to read, in order.
    package var filesToRead: [Entry] { (base.map { [$0] } ?? []) + increments }

    /// Whether there is a log, and not only one that was begun and never came to count.
    package var isLog: Bool { !filesToRead.isEmpty || !history.isEmpty }

    /// What is wrong with a manifest, and on which line of it; 0 is all of it.
    package struct Problem: Error, Equatable {
        package var line: Int
        package var text: String
    }

    /// Longer lines than this are refused, as they are by Redis.
    static let maximumLineByteCount = 1024

    /// Reads what `serialize` or another server wrote.
    package init(parsing bytes: RawSpan) throws(Problem) {
        guard bytes.byteCount > 0 else { throw Problem(line: 0, text: "it is empty") }
        let text = bytes.text
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        guard lines.popLast() == "" else {
            throw Problem(line: lines.count + 1, text: "the last line is cut")
        }
        for (index, line) in lines.enumerated() {
            do throws(BadLine) {
                guard line.utf8.count < Manifest.maximumLineByteCount else {
                    throw BadLine(problem: "the line is too long")
                }
                if line.hasPrefix(Manifest.pendingPrefix) {
                    try add(parsing: line.dropFirst(Manifest.pendingPrefix.count), isPending: true)
                } else if !line.hasPrefix("#") {
                    try add(parsing: line)
                }
            } catch {
                throw Problem(line: index + 1, text: error.problem)
            }
        }
        guard !filesToRead.isEmpty || !history.isEmpty || !pending.isEmpty else {
            throw Problem(line: 0, text: "it names no file")
        }
    }

    private static let pendingPrefix = "#pending "

    private struct BadLine: Error {
        var problem: String
    }

    private mutating func add(
        parsing line: Substring,
        isPending: Bool = false
    ) throws(BadLine) {
        guard let words = QuotedWords.split(line), words.count % 2 == 0, words.count >= 6 else {
            throw BadLine(problem: "not pairs of words")
        }
        var fields: [String: String] = [:]
        for index in stride(from: 0, to: words.count, by: 2) {
            fields[words[index].lowercased()] = words[index + 1]
        }
        guard let name = fields["file"], let kind = fields["type"],
            let sequence = fields["seq"].flatMap({ Int($0) }), sequence >= 0
        else { throw BadLine(problem: "file, seq or type is missing") }
        guard !name.isEmpty, !name.contains("/"), name != ".", name != ".." else {
            throw BadLine(problem: "'\(name)' is not a bare file name")
        }
        let entry = Entry(name: name, sequence: sequence, position: Position(fields))
        if isPending { return pending.append(entry) }
        switch kind {
        case "b":
            guard base == nil else { throw BadLine(problem: "a second base") }
            base = entry
        case "i":
            guard sequence > increments.last?.sequence ?? -1 else {
                throw BadLine(problem: "increments are out of order")
            }
            increments.append(entry)
        case "h":
            history.append(entry)
        default:
            throw BadLine(problem: "unknown type '\(kind)'")
        }
    }

    /// The text of the file.
    package func serialize(to writer: inout ByteWriter) {
        if let base { base.serialize("b", to: &writer) }
        for entry in history { entry.serialize("h", to: &writer) }
        for entry in increments { entry.serialize("i", to: &writer) }
        for entry in pending {
            writer.append(utf8: Manifest.pendingPrefix)
            entry.serialize("i", to: &writer)
        }
    }
}

extension Manifest.Entry {
    fileprivate func serialize(_ kind: StaticString, to writer: inout ByteWriter) {
        writer.append("file ")
        writer.append(utf8: QuotedWords.quote(name))
        writer.append(utf8: " seq \(sequence) type ")
        writer.append(kind)
        if let position {
            writer.append(utf8: " startoffset \(position.offset) replid \(position.lineage.id)")
            if let previous = position.lineage.previous {
                writer.append(utf8: " replid2 \(previous.id) secondoffset \(previous.end)")
            }
        }
        writer.append("\n")
    }
}

extension Manifest.Position {
    /// What the words of a line say about the stream; nil if they do not say everything.
    fileprivate init?(_ fields: [String: String]) {
        func id(_ word: String) -> ReplicationID? {
            fields[word].flatMap { ReplicationID(text: $0[...]) }
        }
        guard let offset = fields["startoffset"].flatMap({ Int($0) }), offset >= 0,
            let current = id("replid")
        else { return nil }
        self.init(offset: offset, lineage: Lineage(id: current))
        if let previous = id("replid2"), let end = fields["secondoffset"].flatMap({ Int($0) }) {
            lineage.previous = Lineage.Ancestor(id: previous, end: end)
        }
    }
}

/// Words separated by spaces; one with odd characters stands in double quotes, with escapes.
enum QuotedWords {
    /// The words of a line, or nil if a quote is not closed or is followed by something else.
    static func split(_ line: Substring) -> [String]? {
        var words: [String] = []
        var rest = Array(line.utf8)[...]
        while true {
            rest = rest.drop { isSpace($0) }
            guard let first = rest.first else { return words }
            if first == UInt8(ascii: "\"") {
                rest.removeFirst()
                guard let word = quotedWord(&rest), rest.first.map(isSpace) ?? true else {
                    return nil
                }
                words.append(word)
            } else {
                let word = rest.prefix { !isSpace($0) }
                words.append(String(decoding: word, as: UTF8.self))
                rest = rest.dropFirst(word.count)
            }
        }
    }

    /// The word as it stands in a line.
    static func quote(_ word: String) -> String {
        let isPlain = word.utf8.allSatisfy {
            $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\")
        }
        if isPlain && !word.isEmpty { return word }
        var text = "\""
        for byte in word.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                text += "\\" + String(UnicodeScalar(byte))
            case 0x20..<0x7F:
                text += String(UnicodeScalar(byte))
            default:
                text += "\\x" + hexadecimal(byte)
            }
        }
        return text + "\""
    }

    private static func quotedWord(_ rest: inout ArraySlice<UInt8>) -> String? {
        var bytes: [UInt8] = []
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "\"") { return String(decoding: bytes, as: UTF8.self) }
            guard byte == UInt8(ascii: "\\") else {
                bytes.append(byte)
                continue
            }
            guard let escape = rest.popFirst() else { return nil }
            switch escape {
            case UInt8(ascii: "n"): bytes.append(0x0A)
            case UInt8(ascii: "r"): bytes.append(0x0D)
            case UInt8(ascii: "t"): bytes.append(0x09)
            case UInt8(ascii: "b"): bytes.append(0x08)
            case UInt8(ascii: "a"): bytes.append(0x07)
            case UInt8(ascii: "x"):
                let digits = String(decoding: rest.prefix(2), as: UTF8.self)
                guard digits.utf8.count == 2, let value = UInt8(digits, radix: 16) else {
                    return nil
                }
                bytes.append(value)
                rest = rest.dropFirst(2)
            default: bytes.append(escape)
            }
        }
        return nil
    }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }
}
