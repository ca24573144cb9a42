import AppendLog
import Glibc
import Platform
import Testing

/// When a write may be answered, and when the disk has to be waited for.
struct LogProgressTests {
    private func moment(_ milliseconds: Int64) -> MonotonicTime {
        MonotonicTime(nanoseconds: milliseconds * 1_000_000)
    }

    private let failure = SystemError("fdatasync", "segment", code: EIO)

    @Test func `under always only what is durable is acknowledged`() {
        var progress = LogProgress(offset: 0, policy: .always)
        progress.appended(100, at: moment(0))
        progress.wrote(100, durable: 0, at: moment(1))
        #expect(progress.acknowledged == 0)
        #expect(progress.stagingLimit == nil)
        progress.wrote(100, durable: 100, at: moment(2))
        #expect(progress.acknowledged == 100)
    }

    @Test func `under everysec answers stop when the oldest byte is a second old`() {
        var progress = LogProgress(offset: 0, policy: .everysec)
        progress.appended(100, at: moment(0))
        progress.wrote(100, durable: 0, at: moment(50))
        #expect(progress.acknowledged == 100)
        #expect(progress.stagingLimit == moment(1000))
        progress.appended(200, at: moment(900))
        progress.wrote(200, durable: 0, at: moment(1001))
        #expect(progress.acknowledged == 100, "the first byte is older than a second")
        progress.synced(100, at: moment(1100))
        #expect(progress.acknowledged == 200, "what is left is younger")
        #expect(progress.stagingLimit == moment(1900))
        progress.synced(200, at: moment(1200))
        #expect(progress.stagingLimit == MonotonicTime(nanoseconds: .max))
    }

    @Test func `a sync is due half a second after the oldest byte came`() {
        var progress = LogProgress(offset: 0, policy: .everysec)
        #expect(progress.syncTime(at: moment(0)) == .never)
        progress.appended(100, at: moment(10))
        #expect(progress.syncTime(at: moment(20)) == .never, "nothing is written yet")
        progress.wrote(100, durable: 0, at: moment(60))
        #expect(progress.syncTime(at: moment(60)) == .at(moment(510)))
        #expect(progress.syncTime(at: moment(510)) == .now)
    }

    @Test func `after a failed sync nothing is acknowledged before a base is published`() {
        var progress = LogProgress(offset: 0, policy: .everysec)
        progress.appended(100, at: moment(0))
        progress.wrote(100, durable: 0, at: moment(50))
        progress.failed(failure, doubtEnd: 100)
        #expect(progress.condition == .failed(failure))
        #expect(progress.stagingLimit == nil)
        progress.appended(200, at: moment(60))
        progress.wrote(200, durable: 200, at: moment(70))
        #expect(progress.acknowledged == 100)
        #expect(progress.durable == 0)
        #expect(progress.settled == 0, "a start needs the stage until the base is there")
        progress.published(50, at: moment(80))
        #expect(progress.condition == .failed(failure), "it does not stand for all that is lost")
        progress.published(150, at: moment(90))
        #expect(progress.condition == .writable)
        #expect(progress.durable == 200)
        #expect(progress.acknowledged == 200)
    }

    @Test func `a log that begins beside data promises nothing before its base`() {
        var progress = LogProgress(offset: 40, policy: .no, isBeginning: true)
        progress.appended(100, at: moment(0))
        progress.wrote(100, durable: 100, at: moment(1))
        #expect(progress.durable == 40)
        #expect(progress.condition == .beginning)
        progress.published(60, at: moment(2))
        #expect(progress.condition == .writable)
        #expect(progress.durable == 100)
    }

    @Test func `a full disk is no failure, and ends`() {
        var progress = LogProgress(offset: 0, policy: .everysec)
        let full = SystemError("write", "segment", code: ENOSPC)
        progress.foundFull(full)
        #expect(progress.condition == .full(full))
        progress.foundRoom()
        #expect(progress.condition == .writable)
        progress.failed(failure, doubtEnd: 10)
        progress.foundRoom()
        #expect(progress.condition == .failed(failure), "room does not bring bytes back")
    }
}
