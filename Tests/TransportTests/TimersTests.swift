import Platform
import Testing
import Transport

/// What has to happen when.
struct TimersTests {
    private static func moment(_ milliseconds: Int64) -> MonotonicTime {
        MonotonicTime(nanoseconds: milliseconds * 1_000_000)
    }

    @Test func `the soonest comes first, each once`() {
        var timers = Timers()
        timers.set(Token(1), at: Self.moment(30))
        timers.set(Token(2), at: Self.moment(10))
        timers.set(Token(3), at: Self.moment(20))
        var order: [UInt64] = []
        while let token = timers.next(at: Self.moment(25)) { order.append(token.bits) }
        #expect(order == [2, 3])
        #expect(timers.next(at: Self.moment(30)) == Token(1))
        #expect(timers.next(at: Self.moment(99)) == nil)
    }

    @Test func `setting a token again moves it, and cancelling forgets it`() {
        var timers = Timers()
        timers.set(Token(1), at: Self.moment(10))
        timers.set(Token(1), at: Self.moment(50))
        timers.set(Token(2), at: Self.moment(20))
        timers.cancel(Token(2))
        #expect(timers.next(at: Self.moment(49)) == nil)
        #expect(timers.next(at: Self.moment(50)) == Token(1))
    }

    @Test func `the wait is rounded up, so that nobody wakes too early`() {
        var timers = Timers()
        #expect(timers.milliseconds(from: Self.moment(0)) == -1)
        timers.set(Token(1), at: MonotonicTime(nanoseconds: 1_000_001))
        #expect(timers.milliseconds(from: Self.moment(0)) == 2)
        #expect(timers.milliseconds(from: Self.moment(5)) == 0)
    }
}
