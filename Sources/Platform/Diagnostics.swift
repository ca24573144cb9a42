import Glibc
import Logging

/// The daemon's own messages: where they go, and which of them.
///
/// A line has the form that Redis and Valkey write, since people grep for it and supervisors
/// wait for it:
///
///     4711:M 22 Nov 2026 23:16:51.102 * Ready to accept connections tcp
///
/// process, role, local time, a sign for the level (`.` debug, `-` verbose, `*` notice,
/// `#` warning), message.
@safe
package final class Diagnostics: @unchecked Sendable {
    /// How much is said.
    package enum Level: Int, CaseIterable, Sendable {
        case debug
        case verbose
        case notice
        case warning
        case nothing

        /// The level with this name; `notice` if there is none.
        package init(_ name: String) {
            self = Level.allCases.first { "\($0)" == name } ?? .notice
        }
    }

    /// What the process is to the data it holds.
    package enum Role: String, Sendable {
        case primary = "M"
        case replica = "S"
    }

    private struct State {
        var level = Level.notice
        var role = Role.primary
        /// A file to append to; nil is standard output.
        var path: String?
    }

    private let state = Monitor(State())

    /// Says notices and warnings on standard output.
    package init() {}

    /// How much is said.
    package var level: Level {
        get { state.withLock { $0.level } }
        set { state.withLock { $0.level = newValue } }
    }

    /// What each line says of the process.
    package var role: Role {
        get { state.withLock { $0.role } }
        set { state.withLock { $0.role = newValue } }
    }

    /// The file that takes the lines; nil is standard output.
    package var path: String? {
        get { state.withLock { $0.path } }
        set { state.withLock { $0.path = newValue } }
    }

    /// Opens the file once, to find out at the start whether that can be done.
    package func checkPath() throws(SystemError) {
        guard let path else { return }
        let file = try retrying("open", path) {
            unsafe open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o644)
        }
        close(file)
    }

    /// A logger whose messages come here.
    package func logger(_ label: String) -> Logger {
        Logger(label: label) { _ in DiagnosticsHandler(diagnostics: self) }
    }

    fileprivate func write(_ message: String, at level: Level) {
        let (role, path) = state.withLock { ($0.role, $0.path) }
        let sign =
            switch level {
            case .debug: "."
            case .verbose: "-"
            case .notice: "*"
            case .warning, .nothing: "#"
            }
        let text = message.split(whereSeparator: \.isNewline).joined(separator: " ")
        let line = "\(getpid()):\(role.rawValue) \(Self.localTime()) \(sign) \(text)\n"
        append(line, to: path)
    }

    /// The file is opened for each line: a tool that rotates it need not tell the daemon.
    private func append(_ line: String, to path: String?) {
        var file = STDOUT_FILENO
        if let path {
            file = unsafe open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o644)
            guard file >= 0 else { return }
        }
        defer { if path != nil { close(file) } }
        var line = line
        line.withUTF8 { bytes in
            // A line that cannot be written is lost; there is nowhere left to say so.
            _ = unsafe Glibc.write(file, bytes.baseAddress, bytes.count)
        }
    }

    private static func localTime() -> String {
        var now = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &now)
        var local = unsafe tm()
        unsafe localtime_r(&now.tv_sec, &local)
        var text = [CChar](repeating: 0, count: 64)
        let count = unsafe strftime(&text, text.count, "%d %b %Y %H:%M:%S.", &local)
        let thousandths = String(1000 + now.tv_nsec / 1_000_000).dropFirst()
        return String(decoding: text[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
            + thousandths
    }
}

/// Passes what swift-log is told on to the daemon's own form of it.
private struct DiagnosticsHandler: LogHandler {
    let diagnostics: Diagnostics
    var metadata: Logger.Metadata = [:]

    /// Set by the configuration, for all loggers at once.
    var logLevel: Logger.Level {
        get {
            switch diagnostics.level {
            case .debug: .trace
            case .verbose: .info
            case .notice: .notice
            case .warning: .warning
            case .nothing: .critical
            }
        }
        set {}
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        guard diagnostics.level != .nothing else { return }
        let level: Diagnostics.Level =
            switch event.level {
            case .trace, .debug: .debug
            case .info: .verbose
            case .notice: .notice
            case .warning, .error, .critical: .warning
            }
        diagnostics.write(event.message.description, at: level)
    }
}
