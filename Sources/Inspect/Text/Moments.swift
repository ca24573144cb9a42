/// Moments and intervals as people read and write them; all in UTC.
package enum Moments {
    private static let dayMilliseconds: Int64 = 86_400_000

    /// For example `2026-11-25 23:09:11`.
    package static func text(_ milliseconds: Int64) -> String {
        let (days, rest) = divide(milliseconds, by: dayMilliseconds)
        let (year, month, day) = date(of: days)
        let seconds = rest / 1000
        return "\(pad(year, 4))-\(pad(month, 2))-\(pad(day, 2)) "
            + "\(pad(seconds / 3600, 2)):\(pad(seconds / 60 % 60, 2)):\(pad(seconds % 60, 2))"
    }

    /// For example `3 d 4 h`.
    package static func duration(_ milliseconds: Int64) -> String {
        let seconds = milliseconds.magnitude / 1000
        let sign = milliseconds < 0 ? "-" : ""
        switch seconds {
        case ..<60: return "\(sign)\(seconds) s"
        case ..<3600: return "\(sign)\(seconds / 60) min \(seconds % 60) s"
        case ..<86_400: return "\(sign)\(seconds / 3600) h \(seconds % 3600 / 60) min"
        default: return "\(sign)\(seconds / 86_400) d \(seconds % 86_400 / 3600) h"
        }
    }

    /// Reads a moment: `90s`, `15min`, `12h`, `7d` or `2w` from `now` on, `-1d` before it,
    /// `2026-11-25`, `2026-11-25T23:09:11`, or milliseconds since 1970.
    package static func parse(_ text: String, now: Int64) -> Int64? {
        if let milliseconds = Int64(text) { return milliseconds }
        if let interval = parseDuration(text) {
            let (moment, overflow) = now.addingReportingOverflow(interval)
            return overflow ? nil : moment
        }
        return parseDate(text)
    }

    private static func parseDuration(_ text: String) -> Int64? {
        let body = text.drop { $0 == "-" || $0 == "+" }
        guard text.count - body.count <= 1 else { return nil }
        let digits = body.prefix { $0.isASCII && $0.isNumber }
        let units: [Substring: Int64] = [
            "ms": 1, "s": 1000, "min": 60_000, "h": 3_600_000, "d": dayMilliseconds,
            "w": 7 * dayMilliseconds,
        ]
        guard let number = Int64(digits), let unit = units[body.dropFirst(digits.count)] else {
            return nil
        }
        let (product, overflow) = number.multipliedReportingOverflow(by: unit)
        return overflow ? nil : text.hasPrefix("-") ? -product : product
    }

    private static func parseDate(_ text: String) -> Int64? {
        let parts = text.split(whereSeparator: { $0 == "T" || $0 == " " })
        guard let first = parts.first, parts.count <= 2 else { return nil }
        let date = first.split(separator: "-").compactMap { Int64($0) }
        guard date.count == 3, (1...12).contains(date[1]), (1...31).contains(date[2]),
            (0...9999).contains(date[0])
        else { return nil }
        var milliseconds = days(of: date[0], date[1], date[2]) * dayMilliseconds
        if parts.count == 2 {
            let time = parts[1].split { $0 == ":" || $0 == "Z" }
            let numbers = time.compactMap { Int64($0) }
            guard numbers.count == time.count, (2...3).contains(numbers.count),
                (0...23).contains(numbers[0]),
                numbers.dropFirst().allSatisfy({ (0...59).contains($0) })
            else { return nil }
            milliseconds += numbers[0] * 3_600_000 + numbers[1] * 60_000
            if numbers.count == 3 { milliseconds += numbers[2] * 1000 }
        }
        return milliseconds
    }

    // The calendar: days since 1970 and dates, by counting in years that begin in March, so
    // that the odd day comes last (Hinnant, "chrono-Compatible Low-Level Date Algorithms").

    private static func date(of days: Int64) -> (Int64, Int64, Int64) {
        let shifted = days + 719_468
        let (era, dayOfEra) = divide(shifted, by: 146_097)
        let yearOfEra =
            (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day)
    }

    private static func days(of year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        let shiftedYear = month <= 2 ? year - 1 : year
        let (era, yearOfEra) = divide(shiftedYear, by: 400)
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }

    private static func divide(_ value: Int64, by divisor: Int64) -> (Int64, Int64) {
        let quotient = value >= 0 ? value / divisor : (value - divisor + 1) / divisor
        return (quotient, value - quotient * divisor)
    }

    private static func pad(_ value: Int64, _ width: Int) -> String {
        let digits = String(value)
        return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
    }
}
