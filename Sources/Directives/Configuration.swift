import Bytes

/// The configuration in force: a value for each directive.
///
/// A change is made on a copy, and the copy takes the place of the original once everything
/// that depends on it has followed: that is all the rollback CONFIG SET needs.
package struct Configuration: Sendable {
    private var values: [ByteString]
    /// The file it was read from, as an absolute path.
    package var path: String?
    /// Directives that were given, by file, argument or command.
    package private(set) var given: Set<String> = []

    private static let indices: [String: Int] = {
        var indices: [String: Int] = [:]
        for (index, directive) in Directive.all.enumerated() {
            for name in directive.names { indices[name] = index }
        }
        return indices
    }()

    /// Every directive at its default.
    package init() {
        values = Directive.all.map { $0.defaultValue }
    }

    /// The directive with this name, old or new, in any case.
    package static func directive(_ name: String) -> Directive? {
        indices[name.lowercased()].map { Directive.all[$0] }
    }

    /// The value as CONFIG GET says it; the name has to be known.
    package subscript(name: String) -> ByteString {
        values[Self.index(name)]
    }

    private static func index(_ name: String) -> Int {
        guard let index = indices[name] else {
            preconditionFailure("there is no directive \(name)")
        }
        return index
    }

    /// Gives `directive` the value that `arguments` say.
    ///
    /// `adding` is for directives that a file may repeat, each time with more of the value.
    package mutating func set(
        _ directive: Directive,
        to arguments: [ByteString],
        adding: Bool = false
    ) throws(RefusedValue) {
        let index = Self.index(directive.name)
        var value = try directive.value(from: arguments, current: values[index])
        if let reason = Directive.refusals[directive.name], value != directive.defaultValue {
            throw RefusedValue(reason)
        }
        if adding, values[index].byteCount > 0, value.byteCount > 0 {
            value = ByteString(values[index].array + [UInt8(ascii: " ")] + value.array)
        }
        values[index] = value
        given.insert(directive.name)
    }

    /// What CONFIG SET may change, and how.
    package struct Change: Sendable {
        /// The configuration that is to be.
        package let configuration: Configuration
        /// The directives whose values differ.
        package let changed: Set<String>
    }

    /// The configuration after CONFIG SET with these pairs; nothing is changed yet.
    package func change(
        _ pairs: [(name: ByteString, value: ByteString)]
    ) throws(ConfigurationError) -> Change {
        var copy = self
        var seen: Set<String> = []
        var directives: [(given: String, directive: Directive, value: ByteString)] = []
        for pair in pairs {
            let name = pair.name.bytes.text
            guard let directive = Self.directive(name) else { throw .unknown(name) }
            directives.append((name, directive, pair.value))
        }
        for (name, directive, value) in directives {
            guard seen.insert(directive.name).inserted else {
                throw .refused(name, "duplicate parameter")
            }
            guard !directive.traits.contains(.immutable) else {
                throw .refused(name, "can't set immutable config")
            }
            guard !directive.traits.contains(.protected) || allowsProtectedChanges else {
                throw .refused(name, "can't set protected config")
            }
            do throws(RefusedValue) {
                try copy.set(directive, to: [value])
            } catch {
                throw .refused(name, error.reason)
            }
        }
        let changed = seen.filter { copy[$0] != self[$0] }
        return Change(configuration: copy, changed: changed)
    }

    private var allowsProtectedChanges: Bool { self["enable-protected-configs"] != "no" }

    /// The names and values that CONFIG GET replies for these patterns.
    ///
    /// A name without a wildcard comes back in the spelling that was asked for.
    package func matching(_ patterns: [ByteString]) -> [(name: ByteString, value: ByteString)] {
        var found: [(name: ByteString, value: ByteString)] = []
        var seen: Set<String> = []
        for pattern in patterns {
            let text = pattern.bytes.text
            if let directive = Self.directive(text) {
                guard seen.insert(text.lowercased()).inserted else { continue }
                found.append((pattern, self[directive.name]))
                continue
            }
            let glob = GlobPattern(pattern.bytes, ignoringCase: true)
            for directive in Directive.listed {
                for name in directive.names where glob.matches(ByteString(name).bytes) {
                    guard seen.insert(name).inserted else { continue }
                    found.append((ByteString(name), self[directive.name]))
                }
            }
        }
        return found
    }
}

/// Why CONFIG SET changed nothing.
package enum ConfigurationError: Error, Equatable {
    case unknown(String)
    case refused(String, String)

    /// What the client is told, the error code included.
    package var text: String {
        switch self {
        case .unknown(let name):
            // Other servers print what they were given as far as a zero byte.
            "ERR Unknown option or number of arguments for CONFIG SET - '\(name.prefix { $0 != "\0" })'"
        case .refused(let name, let reason):
            "ERR CONFIG SET failed (possibly related to argument '\(name)') - \(reason)"
        }
    }
}

// The values as the daemon uses them.
extension Configuration {
    /// Whether a directive says `yes`.
    package func isOn(_ name: String) -> Bool {
        self[name] == "yes"
    }

    /// The number a directive says.
    package func integer(_ name: String) -> Int {
        guard let value = DecimalText.parseInteger(self[name].bytes) else {
            preconditionFailure("\(name) is not a number")
        }
        return Int(value)
    }

    /// The text a directive says, for paths and names.
    package func text(_ name: String) -> String {
        self[name].bytes.text
    }

    /// The words a directive says.
    package func words(_ name: String) -> [String] {
        text(name).split(separator: " ").map { String($0) }
    }

    /// Where to listen; an address may be empty, and then cannot be had.
    package var bindAddresses: [String] {
        let text = text("bind")
        guard !text.isEmpty else { return [] }
        return text.split(separator: " ", omittingEmptySubsequences: false).map { String($0) }
    }

    /// Makes `maxclients` what the system allows.
    package mutating func limitClients(to count: Int) {
        values[Self.index("maxclients")] = ByteString("\(count)")
    }

    /// The permissions of the Unix socket; 0 leaves what the process creates files with.
    package var socketPermissions: UInt32 { UInt32(text("unixsocketperm"), radix: 8) ?? 0 }
}
