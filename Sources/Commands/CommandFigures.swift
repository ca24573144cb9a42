/// What is counted of each command: calls, time, refusals, and how the time is distributed.
///
/// Time comes in ticks of whoever drives the engine, and only readers turn it into
/// microseconds, so that counting a call is a few additions.
@safe
package struct CommandFigures: ~Copyable {
    /// The figures of one command.
    @safe
    struct Row {
        var calls: Int64 = 0
        /// Of those, calls that replied with an error.
        var failed: Int64 = 0
        /// Requests that were refused before the command ran.
        var rejected: Int64 = 0
        var ticks: UInt64 = 0
        /// Made with the first call that is timed.
        var histogram: UnsafeMutablePointer<UInt64>?
    }

    private let rows: UnsafeMutablePointer<Row>
    let count: Int
    /// Whether the distribution is kept: `latency-tracking`.
    var keepsHistograms = true {
        didSet { if !keepsHistograms { removeHistograms() } }
    }

    init(count: Int) {
        self.count = count
        unsafe rows = .allocate(capacity: count)
        unsafe rows.initialize(repeating: Row(), count: count)
    }

    deinit {
        for index in 0..<count { unsafe rows[index].histogram?.deallocate() }
        unsafe rows.deallocate()
    }

    subscript(index: Int) -> Row {
        unsafeAddress {
            precondition(index >= 0 && index < count, "no command has this index")
            return unsafe UnsafePointer(rows + index)
        }
        unsafeMutableAddress {
            precondition(index >= 0 && index < count, "no command has this index")
            return unsafe rows + index
        }
    }

    /// Counts a call and the time that it took.
    ///
    /// With each request, and so without checks: an index comes from the command table, which
    /// has as many rows.
    @inline(__always)
    mutating func note(_ index: Int, ticks: UInt64) {
        let row = unsafe rows + index
        unsafe row.pointee.calls &+= 1
        unsafe row.pointee.ticks &+= ticks
        if let histogram = unsafe row.pointee.histogram {
            unsafe histogram[TickHistogram.bucket(of: ticks)] &+= 1
        } else if keepsHistograms {
            addHistogram(index, ticks)
        }
    }

    private mutating func addHistogram(_ index: Int, _ ticks: UInt64) {
        let histogram = UnsafeMutablePointer<UInt64>.allocate(capacity: TickHistogram.bucketCount)
        unsafe histogram.initialize(repeating: 0, count: TickHistogram.bucketCount)
        unsafe histogram[TickHistogram.bucket(of: ticks)] = 1
        unsafe self[index].histogram = unsafe histogram
    }

    /// The distribution of a command's time; nil if no call was timed.
    func histogram(_ index: Int) -> TickHistogram? {
        guard let counts = unsafe self[index].histogram else { return nil }
        return unsafe TickHistogram(
            Array(UnsafeBufferPointer(start: counts, count: TickHistogram.bucketCount))
        )
    }

    /// Starts to count again.
    mutating func reset() {
        removeHistograms()
        for index in 0..<count { self[index] = Row() }
    }

    private mutating func removeHistograms() {
        for index in 0..<count {
            unsafe self[index].histogram?.deallocate()
            unsafe self[index].histogram = nil
        }
    }
}

/// Counts of durations in ticks, in buckets an eighth of their value wide.
///
///     bucket = exponent * 8 + the three bits behind the highest one
package struct TickHistogram {
    static let bucketCount = 48 * 8
    private let counts: [UInt64]

    init(_ counts: [UInt64]) {
        self.counts = counts
    }

    /// The bucket of a duration; those beyond the last count as the longest.
    @inline(__always)
    static func bucket(of ticks: UInt64) -> Int {
        let wide = ticks | 8
        let exponent = 63 - wide.leadingZeroBitCount
        let bucket = (exponent - 3) * 8 + Int(truncatingIfNeeded: wide >> (exponent - 3)) - 8
        return min(bucket, bucketCount - 1)
    }

    /// The longest duration in a bucket.
    static func longest(in bucket: Int) -> UInt64 {
        let exponent = bucket / 8
        return (UInt64(bucket % 8 + 9) << UInt64(exponent)) - 1
    }

    var total: UInt64 { counts.reduce(0, +) }

    /// The duration, in ticks, that this share of all did not exceed.
    package func percentile(_ percent: Double) -> UInt64 {
        let rank = max(1, UInt64((Double(total) * min(percent, 100) / 100).rounded(.up)))
        var seen: UInt64 = 0
        for (bucket, count) in counts.enumerated() {
            seen += count
            if seen >= rank { return TickHistogram.longest(in: bucket) }
        }
        return 0
    }

    /// How many took up to 1, 2, 4 and so on microseconds, where that is more than the step before.
    ///
    /// Steps are powers of two of 1024 nanoseconds, as LATENCY HISTOGRAM has them, and so tell
    /// 33 for 32 and 1056 for 1024 microseconds.
    func steps(ticksPerMicrosecond: Double) -> [(microseconds: Int64, count: UInt64)] {
        var steps: [(microseconds: Int64, count: UInt64)] = []
        var step: Int64 = 1024
        var seen: UInt64 = 0
        for (bucket, count) in counts.enumerated() where count > 0 {
            let longest = Double(TickHistogram.longest(in: bucket))
            let nanoseconds = longest * 1000 / ticksPerMicrosecond
            while Double(step) < nanoseconds, step < 1 << 50 { step *= 2 }
            seen += count
            let microseconds = (step + step / 128 - 1) / 1000
            if steps.last?.microseconds == microseconds {
                steps[steps.count - 1].count = seen
            } else {
                steps.append((microseconds, seen))
            }
        }
        return steps
    }
}
