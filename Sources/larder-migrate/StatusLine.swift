import Glibc
import Migrate
import Platform

/// One line on standard error that tells how far something has come, and messages above it.
///
/// Shown on a terminal only; messages are always written.
final class StatusLine {
    private let isOn: Bool
    private let isTerminal = isatty(STDERR_FILENO) == 1
    private let start = SystemTime().monotonicTime
    private var isShown = false
    /// Bytes that were done before this run began.
    private var firstByteCount: Int?

    init(isOn: Bool) {
        self.isOn = isOn
    }

    /// Shows how far a load has come.
    func show(_ progress: LoadProgress) {
        guard isOn, isTerminal, progress.totalByteCount > 0 else { return }
        let first = firstByteCount ?? progress.byteCount
        firstByteCount = first
        let share = Double(progress.byteCount) / Double(progress.totalByteCount)
        let filled = Int(share * 30)
        let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: 30 - filled)
        let elapsed = SystemTime().monotonicTime - start
        let seconds =
            Double(elapsed.components.seconds) + Double(elapsed.components.attoseconds) / 1e18
        let rate = Double(progress.byteCount - first) / max(seconds, 0.001)
        var text =
            "\(bar) \(Int(share * 100)) %  \(progress.keyCount) keys  \(tenths(rate / 1e6)) MB/s"
        if rate > 0, seconds > 1 {
            let left = Double(progress.totalByteCount - progress.byteCount) / rate
            text += "  \(time(Int(left))) left"
        }
        draw(text)
    }

    /// Shows a text.
    func show(_ text: String) {
        guard isOn, isTerminal else { return }
        draw(text)
    }

    private func draw(_ text: String) {
        write("\r\u{1B}[K" + text)
        isShown = true
    }

    /// Says something.
    func say(_ message: String) {
        guard isOn else { return }
        clear()
        write("larder-migrate: \(message)\n")
    }

    /// Takes the line away.
    func clear() {
        guard isShown else { return }
        write("\r\u{1B}[K")
        isShown = false
    }

    /// Says why the program ends.
    static func complain(_ message: String) {
        write("larder-migrate: \(message)\n", to: STDERR_FILENO)
    }

    private func write(_ text: String) {
        Self.write(text, to: STDERR_FILENO)
    }

    private static func write(_ text: String, to descriptor: CInt) {
        let bytes = Array(text.utf8)
        _ = unsafe Glibc.write(descriptor, bytes, bytes.count)
    }

    private func tenths(_ value: Double) -> String {
        let tenths = Int((value * 10).rounded())
        return "\(tenths / 10).\(tenths % 10)"
    }

    private func time(_ seconds: Int) -> String {
        let rest = seconds % 60
        return seconds < 60 ? "\(seconds) s" : "\(seconds / 60) min \(rest) s"
    }
}
