import Store

/// CLIENT PAUSE: until when requests wait, and which.
struct Pause {
    /// Milliseconds since 1970.
    var end: Int64 = 0
    /// Whether only requests wait that change something.
    var isForWrites = false
}

extension Engine {
    /// Whether CLIENT PAUSE holds; ends it when its time is over.
    package var isPaused: Bool {
        mutating get {
            guard gates.contains(.paused) else { return false }
            if dataSet.now < pause.end { return true }
            endPause()
            return false
        }
    }

    /// What INFO tells of a pause: which requests wait, and how long; nil if there is none.
    package var pauseFigures: (isForWrites: Bool, milliseconds: Int64)? {
        guard gates.contains(.paused), pause.end > dataSet.now else { return nil }
        return (pause.isForWrites, pause.end - dataSet.now)
    }

    /// Lets requests wait until `end`; a pause that is longer or stricter stays so.
    mutating func beginPause(until end: Int64, forWrites: Bool) {
        let wasForAll = isPaused && !pause.isForWrites
        pause.isForWrites = forWrites && !wasForAll
        pause.end = gates.contains(.paused) ? max(pause.end, end) : end
        gates.insert(.paused)
    }

    mutating func endPause() {
        gates.remove(.paused)
    }

    /// Whether a command with these flags has to wait for the end of the pause.
    mutating func isPaused(_ flags: Command.Flags) -> Bool {
        guard isPaused else { return false }
        return !pause.isForWrites || !flags.isDisjoint(with: [.write, .mayReplicate])
    }
}
