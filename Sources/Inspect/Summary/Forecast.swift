/// When keys expire, and how long nobody asked for them: counts and bytes by time.
package struct Forecast: Sendable {
    /// The moment that everything is counted from, in milliseconds since 1970.
    package let now: Int64
    /// Keys by the time until they expire.
    package private(set) var deadlines: [Band]
    /// Keys by the time since somebody asked for them, where the file says so.
    package private(set) var idle: [Band]
    /// Keys by how often they are asked for, where the file says so; a logarithm.
    package private(set) var frequencies: [Band]
    /// Keys that never expire.
    package private(set) var persistent = Amount()

    /// Keys and their bytes.
    package struct Amount: Equatable, Sendable {
        package var keyCount = 0
        package var byteCount = 0

        mutating func add(_ bytes: Int) {
            keyCount += 1
            byteCount += bytes
        }
    }

    /// Keys below an upper bound that the band before does not have.
    package struct Band: Equatable, Sendable {
        /// What the band is called.
        package let name: String
        /// The first value above the band; nil for the last.
        package let end: Int64?
        /// What is in it.
        package internal(set) var amount = Amount()
    }

    private static let hour: Int64 = 3_600_000
    private static let day = hour * 24

    /// Counts from `now` on.
    package init(now: Int64) {
        self.now = now
        deadlines = [
            Band(name: "expired already", end: 1),
            Band(name: "next minute", end: 60_001),
            Band(name: "next hour", end: Self.hour + 1),
            Band(name: "next day", end: Self.day + 1),
            Band(name: "next week", end: Self.day * 7 + 1),
            Band(name: "next 30 days", end: Self.day * 30 + 1),
            Band(name: "next year", end: Self.day * 365 + 1),
            Band(name: "later", end: nil),
        ]
        idle = [
            Band(name: "under a minute", end: 60),
            Band(name: "under an hour", end: 3600),
            Band(name: "under a day", end: 86_400),
            Band(name: "under a week", end: 86_400 * 7),
            Band(name: "under 30 days", end: 86_400 * 30),
            Band(name: "longer", end: nil),
        ]
        let ends: [Int64] = [1, 5, 10, 50, 100, 200]
        frequencies =
            ends.map { end in Band(name: "below \(end)", end: end) }
            + [Band(name: "200 and more", end: nil)]
    }

    /// Counts a key.
    package mutating func add(_ row: KeyRow) {
        if let deadline = row.deadline {
            Self.add(row.byteCount, deadline &- now, to: &deadlines)
        } else {
            persistent.add(row.byteCount)
        }
        if let seconds = row.idleSeconds {
            Self.add(row.byteCount, Int64(clamping: seconds), to: &idle)
        }
        if let frequency = row.frequency {
            Self.add(row.byteCount, Int64(frequency), to: &frequencies)
        }
    }

    private static func add(_ bytes: Int, _ value: Int64, to bands: inout [Band]) {
        for index in bands.indices {
            if let end = bands[index].end, value >= end { continue }
            bands[index].amount.add(bytes)
            return
        }
    }

    /// Keys whose deadline has passed.
    package var expired: Amount { deadlines[0].amount }

    /// What expires within the bands up to and with the one of that name.
    package func expiring(through name: String) -> Amount {
        var sum = Amount()
        for band in deadlines.dropFirst() {
            sum.keyCount += band.amount.keyCount
            sum.byteCount += band.amount.byteCount
            if band.name == name { break }
        }
        return sum
    }
}
