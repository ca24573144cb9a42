import Platform

/// A line on the terminal's standard error that says how far the reading has come.
///
///     dump.rdb  42 %  [████████░░░░░░░░░░░░]  441 of 1049 MB  312 MB/s  2 s left
package final class ProgressBar {
    private let time = SystemTime()
    private let start: MonotonicTime
    private var shown: MonotonicTime
    private var isVisible = false

    /// How often the line is drawn anew, and how long nothing is shown at all.
    private static let interval = Duration.milliseconds(200)

    private init() {
        start = time.monotonicTime
        shown = start
    }

    /// A progress that is shown on standard error; nil if that is no terminal or `isQuiet`.
    package static func progress(isQuiet: Bool) -> (Progress, ProgressBar)? {
        guard !isQuiet, Terminal.isError else { return nil }
        let bar = ProgressBar()
        return (Progress { bar.show($0) }, bar)
    }

    /// Takes the line away again.
    package func clear() {
        if isVisible { Terminal.writeError("\r\u{1B}[K") }
        isVisible = false
    }

    private func show(_ progress: Progress) {
        let now = time.monotonicTime
        guard now - shown >= Self.interval else { return }
        shown = now
        isVisible = true
        let line = Self.line(progress.byteCount, of: progress.totalByteCount, in: now - start)
        Terminal.writeError("\r\(line)\u{1B}[K")
    }

    /// The line for `done` bytes of `total` read in `elapsed`.
    static func line(_ done: Int, of total: Int?, in elapsed: Duration) -> String {
        let seconds =
            Double(elapsed.components.seconds)
            + Double(elapsed.components.attoseconds) / 1e18
        let rate = seconds > 0 ? Double(done) / seconds : 0
        let speed = "\(Int(rate / 1e6)) MB/s"
        guard let total, total > 0 else { return "\(done / 1_000_000) MB  \(speed)" }
        let share = min(1, Double(done) / Double(total))
        let filled = Int(share * 20)
        let bar =
            String(repeating: "█", count: filled) + String(repeating: "░", count: 20 - filled)
        let left = rate > 0 ? Int(Double(total - done) / rate + 0.5) : 0
        return "\(Int(share * 100)) %  [\(bar)]  \(done / 1_000_000) of \(total / 1_000_000) MB"
            + "  \(speed)  \(duration(seconds: left)) left"
    }

    private static func duration(seconds: Int) -> String {
        if seconds < 60 { return "\(seconds) s" }
        if seconds < 3600 { return "\(seconds / 60) min \(seconds % 60) s" }
        return "\(seconds / 3600) h \(seconds % 3600 / 60) min"
    }
}
