import Bytes
import Store

/// The walk that removes keys past their deadline although nobody asks for them.
///
/// It goes round all databases, bucket by bucket, and learns from the marks in a bucket which
/// keys have a deadline, so that no other key is touched. Its pace follows what it finds: when
/// many of the deadlines it meets are past, it hurries, when few are, it takes its time. The
/// share that it meets is twice the share that is past and still in memory on average, so
/// holding it under four percent holds that under two.
struct ExpiryWalk {
    /// Where the walk is.
    var database = 0
    var bucket = 0
    /// When it last advanced, in milliseconds since 1970.
    var lastAdvance: Int64 = 0
    /// Buckets to visit in a millisecond.
    private(set) var pace = 1.0
    private var met = 0
    private var expired = 0
    /// The share of deadlines that were past, of those met in the last window.
    private(set) var staleShare = 0.0

    /// The pace changes after this many deadlines, or buckets without any.
    private static let windowSize = 256
    /// A round takes no longer than this, even if it finds nothing.
    private static let longestRound = 100_000.0

    /// Takes note of a bucket.
    mutating func note(met: Int, expired: Int) {
        self.met += max(met, 1)
        self.expired += expired
    }

    /// Adapts the pace to what was met, in keyspaces of this many buckets together.
    mutating func adaptPace(bucketCount: Int) {
        let slowest = max(Double(bucketCount) / ExpiryWalk.longestRound, 0.1)
        if met >= ExpiryWalk.windowSize {
            staleShare = Double(expired) / Double(met)
            if expired * 25 > met { pace *= 2 } else if expired * 100 < met { pace /= 2 }
            met = 0
            expired = 0
        }
        pace = min(max(pace, slowest), 1_000_000)
    }

    /// Whether the walk falls behind: called again soon, it would find work.
    var isHurried: Bool { pace > 64 }
}

extension Engine {
    /// The share of keys with a deadline that are past it and still there, about.
    package var staleShare: Double { expiryWalk.staleShare / 2 }

    /// Milliseconds that keys with a deadline have left on average, told from a few of them.
    package func meanTimeToLive(in keyspace: Keyspace) -> Int64 {
        guard keyspace.deadlineCount > 0 else { return 0 }
        var sum: Int64 = 0
        var count: Int64 = 0
        keyspace.sample(32, havingDeadline: true) { entry in
            guard let deadline = entry.deadline, deadline > dataSet.now else { return }
            // A deadline may be as far away as numbers go.
            sum += min(deadline - dataSet.now, 1 << 50)
            count += 1
        }
        return count == 0 ? 0 : sum / count
    }

    /// Removes some keys whose deadline is past; to be called once a turn.
    ///
    /// Takes no longer than `budget` microseconds, and nothing at all more than once a
    /// millisecond. Returns whether it should be called again in a millisecond.
    @discardableResult
    package mutating func expireSome(budget: Int64) -> Bool {
        let now = dataSet.now
        guard now != expiryWalk.lastAdvance, settings.expiresActively,
            !settings.isImporting, !isPaused
        else {
            return false
        }
        let elapsed = min(max(now - expiryWalk.lastAdvance, 1), 100)
        expiryWalk.lastAdvance = now
        let end = host.microseconds + budget
        let fieldsBefore = statistics.expiredFields
        // Where more than one a millisecond goes, more will be due by then.
        let hasMoreFields =
            expireFields(until: end) || statistics.expiredFields - fieldsBefore > elapsed
        defer { flushTracking() }
        var buckets = 0
        for number in 0..<dataSet.databaseCount where dataSet[number].deadlineCount > 0 {
            buckets += dataSet[number].bucketCount
        }
        guard buckets > 0 else { return hasMoreFields }
        expiryWalk.adaptPace(bucketCount: buckets)
        let wanted = Int((expiryWalk.pace * Double(elapsed)).rounded(.up))
        advanceExpiry(min(wanted, buckets), until: end)
        return expiryWalk.isHurried || hasMoreFields
    }

    private mutating func advanceExpiry(_ count: Int, until end: Int64) {
        for step in 1...count {
            let keyspace = nextToExpire()
            expire(inBucket: expiryWalk.bucket, of: keyspace)
            expiryWalk.bucket += 1
            if step % 16 == 0, host.microseconds >= end {
                statistics.expiryCutShort += 1
                return
            }
        }
    }

    /// The keyspace that the walk is in; steps on to the next that has deadlines at its end.
    private mutating func nextToExpire() -> Keyspace {
        var keyspace = dataSet[expiryWalk.database]
        while expiryWalk.bucket >= keyspace.bucketCount || keyspace.deadlineCount == 0 {
            expiryWalk.bucket = 0
            expiryWalk.database = (expiryWalk.database + 1) % dataSet.databaseCount
            keyspace = dataSet[expiryWalk.database]
            if keyspace.deadlineCount > 0 { break }
            // All may have gone since they were counted.
            if expiryWalk.database == 0 { break }
        }
        return keyspace
    }

    private mutating func expire(inBucket index: Int, of keyspace: Keyspace) {
        var removed = 0
        var met = 0
        while index < keyspace.bucketCount {
            let visit = keyspace.visitDeadlines(inBucket: index)
            met = max(met, visit.count)
            guard let entry = visit.expired else { break }
            expire(entry)
            removed += 1
        }
        expiryWalk.note(met: met, expired: removed)
    }
}
