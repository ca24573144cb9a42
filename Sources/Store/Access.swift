import Structures

extension AccessClock {
    private static let initialCounter: UInt32 = 5
    private static let logFactor: UInt32 = 10

    private var minutes: UInt32 { seconds / 60 & 0xFFFF }

    /// What a new key gets.
    var initial: UInt32 {
        countsAccesses ? minutes << 8 | AccessClock.initialCounter : seconds
    }

    /// What a key that had `access` has after one more use.
    ///
    /// LFU as Redis has it: a counter of 8 bits that rises with falling probability and loses
    /// one a minute, beside 16 bits of minutes.
    func updated(_ access: UInt32, _ random: inout Xorshift) -> UInt32 {
        guard countsAccesses else { return seconds }
        let counter = decayed(access)
        guard counter < 255 else { return minutes << 8 | counter }
        let base = counter > AccessClock.initialCounter ? counter - AccessClock.initialCounter : 0
        let odds = base * AccessClock.logFactor + 1
        let rises = random.next() % UInt64(odds) == 0
        return minutes << 8 | (rises ? counter + 1 : counter)
    }

    /// The counter that `access` holds, less what time took.
    func decayed(_ access: UInt32) -> UInt32 {
        let elapsed = (minutes &- access >> 8) & 0xFFFF
        let counter = access & 0xFF
        return counter > elapsed ? counter - elapsed : 0
    }

    /// Seconds since the use that `access` notes.
    func idle(_ access: UInt32) -> UInt32 {
        (seconds &- access) & 0xFF_FFFF
    }
}

extension Entry {
    private var clock: AccessClock { unsafe keyspace.environment.pointee.access }
    private var access: UInt32 { unsafe node.load(as: UInt32.self) >> 8 }

    /// Seconds since the key was last used; for policies that keep a time.
    package var idleSeconds: Int { Int(clock.idle(access)) }

    /// How often the key was used, on a logarithmic scale to 255; for policies that count.
    package var frequency: Int { Int(clock.decayed(access)) }
}

extension OpenEntry {
    /// Sets the idle time, as a loaded file gives it.
    package func setIdle(seconds: Int) {
        let clock = unsafe keyspace.environment.pointee.access
        guard !clock.countsAccesses else { return }
        setAccess(clock.seconds &- UInt32(truncatingIfNeeded: seconds))
    }

    /// Sets the frequency, as a loaded file gives it.
    package func setFrequency(_ frequency: UInt8) {
        let clock = unsafe keyspace.environment.pointee.access
        guard clock.countsAccesses else { return }
        setAccess(clock.initial & ~0xFF | UInt32(frequency))
    }

    /// Makes the key as one that was just added.
    func resetAccess() {
        setAccess(unsafe keyspace.environment.pointee.access.initial)
    }

    private func setAccess(_ access: UInt32) {
        let form = unsafe node.load(as: UInt32.self) & 0xFF
        unsafe node.storeBytes(of: form | access << 8, as: UInt32.self)
    }
}
