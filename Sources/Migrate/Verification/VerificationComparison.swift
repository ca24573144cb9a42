import Bytes
import RDB

/// What differs between two values that were taken apart.
package struct VerificationComparison {
    /// How far two deadlines may be from each other, in milliseconds.
    let tolerance: Int64
    /// What expires up to this moment may be there or not.
    let now: Int64
    /// What a conversion has declared.
    package var allowance: VerificationLosses.Allowance

    /// Compares as of `now`.
    package init(
        tolerance: Int64,
        now: Int64,
        allowance: VerificationLosses.Allowance = []
    ) {
        self.tolerance = tolerance
        self.now = now
        self.allowance = allowance
    }

    /// How many of the differences are told.
    private static let told = 3

    /// Whether two deadlines are as good as one.
    package func agrees(_ one: Int64?, _ other: Int64?) -> Bool {
        guard let one, let other else { return one == nil && other == nil }
        return abs(one &- other) <= tolerance
    }

    /// What differs, in words; nil if nothing does.
    package func difference(
        _ first: borrowing VerificationOutline,
        _ second: borrowing VerificationOutline
    ) -> String? {
        let ignoresCounters =
            first.encoding == .stream1 || second.encoding == .stream1
            || allowance.contains(.streamCounters)
        var found: [String] = []
        var count = 0
        func tell(_ text: @autoclosure () -> String) {
            count += 1
            if found.count < Self.told { found.append(text()) }
        }
        for (label, part) in first.parts {
            if part.isCounter && ignoresCounters { continue }
            guard let other = second.parts[label] else {
                let mayBeLost = part.deadline != nil && allowance.contains(.fields)
                if !isGone(part), !mayBeLost { tell("\(label.text) only in the first") }
                continue
            }
            if part.content != other.content {
                tell("\(label.text): \(part.content.text) | \(other.content.text)")
            } else if !allowance.contains(.fieldDeadlines),
                !agrees(part.deadline, other.deadline)
            {
                tell(
                    "\(label.text) expires: \(Self.text(part.deadline)) | \(Self.text(other.deadline))"
                )
            }
        }
        for (label, part) in second.parts where first.parts[label] == nil && !isGone(part) {
            if part.isCounter && ignoresCounters { continue }
            tell("\(label.text) only in the second")
        }
        guard count > 0 else { return nil }
        let more = count > found.count ? "; \(count - found.count) more" : ""
        return found.sorted().joined(separator: "; ") + more
    }

    private func isGone(_ part: VerificationOutline.Part) -> Bool {
        part.deadline.map { $0 <= now } ?? false
    }

    /// A deadline in words.
    static func text(_ deadline: Int64?) -> String { deadline.map { "\($0)" } ?? "never" }
}
