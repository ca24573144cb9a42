import ArgumentParser
import Inspect
import Platform

/// One character between the parts of keys.
struct Separator: ExpressibleByArgument {
    var byte = UInt8(ascii: ":")

    init() {}

    init?(argument: String) {
        guard let byte = argument.utf8.first, argument.utf8.count == 1 else { return nil }
        self.byte = byte
    }

    var defaultValueDescription: String { ":" }
}

/// A moment, absolute or from now on.
struct Moment: ExpressibleByArgument {
    var milliseconds: Int64

    init?(argument: String) {
        let now = SystemTime().wallTime.milliseconds
        guard let moment = Moments.parse(argument, now: now) else { return nil }
        milliseconds = moment
    }

    static func help(_ text: String) -> ArgumentHelp {
        ArgumentHelp(
            "\(text)",
            discussion: "90s, 15min, 12h, 7d or 2w from now on, -1d before now, 2026-11-25, "
                + "2026-11-25T23:09:11 (UTC), or milliseconds since 1970.",
            valueName: "moment"
        )
    }
}

/// A number of bytes, with a unit or without.
struct ByteAmount: ExpressibleByArgument {
    var byteCount: Int

    init?(argument: String) {
        guard let byteCount = Quantities.parseBytes(argument) else { return nil }
        self.byteCount = byteCount
    }
}
