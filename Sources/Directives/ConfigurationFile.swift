import Bytes
import Glibc
import Platform
import RESP

/// Reads a configuration: a file, standard input, and the options of the command line, in this
/// order; what comes later wins.
package struct ConfigurationReader {
    /// What was read so far.
    package private(set) var configuration = Configuration()
    /// Whether `save` was read before: the first one replaces the default, the others add to it.
    private var hasReadSavePoints = false

    /// A file that includes itself would go on for ever.
    private static let maximumDepth = 16

    /// Starts from the defaults.
    package init() {}

    /// Reads lines as they are in a file.
    package mutating func read(_ text: [UInt8]) throws(ConfigurationFileError) {
        try read(text, depth: 0)
    }

    private mutating func read(_ text: [UInt8], depth: Int) throws(ConfigurationFileError) {
        let lines = text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        for (index, line) in lines.enumerated() {
            let trimmed = Self.trim(line)
            guard let head = trimmed.first, head != UInt8(ascii: "#") else { continue }
            let place = ConfigurationFileError.Place(
                line: index + 1,
                text: ByteString(trimmed).bytes.text
            )
            guard var words = QuotedWords.split(trimmed.bytes) else {
                throw .line(place, "Unbalanced quotes in configuration line")
            }
            guard !words.isEmpty else { continue }
            let first = words.removeFirst()
            let name = first.bytes.text.lowercased()
            if name == "include", words.count == 1 {
                let path = words[0]
                try include(path.bytes.text, from: place, depth: depth + 1)
                continue
            }
            do throws(RefusedValue) {
                try readDirective(name, words)
            } catch {
                throw .line(place, error.reason)
            }
        }
    }

    private mutating func readDirective(
        _ name: String,
        _ arguments: [ByteString]
    ) throws(RefusedValue) {
        if Directive.retired.contains(name) { return }
        if let reason = Directive.refusedStatements[name] { throw RefusedValue(reason) }
        guard let directive = Configuration.directive(name) else {
            let nearest = NearestName.of(name, among: Directive.all.flatMap { $0.names })
            throw RefusedValue(
                "Bad directive or wrong number of arguments"
                    + (nearest.map { ": did you mean '\($0)'?" } ?? "")
            )
        }
        let isSavePoint = directive.name == "save"
        // `save` alone means no save points, as `save ""` does.
        let words = isSavePoint && arguments.isEmpty ? [""] : arguments
        try configuration.set(directive, to: words, adding: isSavePoint && hasReadSavePoints)
        if isSavePoint { hasReadSavePoints = true }
    }

    private mutating func include(
        _ pattern: String,
        from place: ConfigurationFileError.Place,
        depth: Int
    ) throws(ConfigurationFileError) {
        guard depth <= Self.maximumDepth else {
            throw .line(place, "files include each other too deeply")
        }
        for path in Paths.matching(pattern) {
            let contents: [UInt8]
            do throws(SystemError) {
                contents = try Paths.contents(path)
            } catch {
                throw .unreadable(path: path, error)
            }
            try read(contents, depth: depth)
        }
    }

    private static func trim(_ line: ArraySlice<UInt8>) -> [UInt8] {
        func isSpace(_ byte: UInt8) -> Bool {
            byte == 0x20 || byte == 0x09 || byte == 0x0D
        }
        let start = line.firstIndex { !isSpace($0) } ?? line.endIndex
        let end = line.lastIndex { !isSpace($0) }.map { $0 + 1 } ?? line.endIndex
        return start < end ? Array(line[start..<end]) : []
    }
}

/// Why a configuration could not be read; ends the start.
package enum ConfigurationFileError: Error {
    /// A line cannot be taken, for this reason.
    case line(Place, String)
    /// A file cannot be read.
    case unreadable(path: String, SystemError)

    /// A line of what was read.
    package struct Place: Equatable, Sendable {
        package let line: Int
        package let text: String
    }
}
