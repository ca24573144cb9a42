import ArgumentParser

/// A number of bytes, as the configuration of servers spells it: `100`, `64kb`, `8mb`, `1gb`.
struct ByteCount: ExpressibleByArgument, CustomStringConvertible {
    /// Bytes.
    let value: Int

    init(_ value: Int) {
        self.value = value
    }

    init?(argument: String) {
        let digits = argument.prefix { $0.isASCII && $0.isNumber }
        guard let number = Int(digits), number >= 0 else { return nil }
        let units = ["": 1, "b": 1, "k": 1000, "kb": 1024, "m": 1_000_000, "mb": 1 << 20]
            .merging(["g": 1_000_000_000, "gb": 1 << 30]) { one, _ in one }
        guard let unit = units[argument.dropFirst(digits.count).lowercased()] else { return nil }
        let (product, overflowed) = number.multipliedReportingOverflow(by: unit)
        guard !overflowed else { return nil }
        value = product
    }

    /// In the largest unit that leaves a whole number.
    var description: String {
        for (unit, name) in [(1 << 30, "gb"), (1 << 20, "mb"), (1024, "kb")]
        where value > 0 && value % unit == 0 {
            return "\(value / unit)\(name)"
        }
        return "\(value)"
    }
}
