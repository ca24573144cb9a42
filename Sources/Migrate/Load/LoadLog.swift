import Bytes
import Inspect
import RDB

/// The commands behind the base of a log, on their way into a server as they would be on their way
/// into the log of such a server: what it would refuse or take for something else is translated.
struct LoadLog {
    private let conversion: LogConversion
    private let transactions: LoadTransactions

    init(
        _ server: LoadedServer,
        _ traffic: LoadTraffic,
        _ tally: LoadTally,
        _ options: LoadOptions
    ) {
        transactions = LoadTransactions(traffic, tally, options)
        conversion = LogConversion(
            transactions,
            server.decisions(options),
            Ledger(isLenient: true, isStrict: false)
        )
    }

    /// Takes whole requests; `startsFile` says that database 0 is the selected one.
    func take(_ requests: RawSpan, startsFile: Bool) throws(LoadError) {
        do throws(MigrationError) {
            try conversion.take(requests, startsFile: startsFile)
        } catch {
            throw transactions.failure ?? .unsuitable("\(error)")
        }
    }

    /// Sees everything done; says how many commands the server took, and how many it was not given.
    func finish() throws(LoadError) -> (done: Int, leftOut: Int) {
        try transactions.finish()
        return (transactions.doneCount, conversion.leftOutCount)
    }

    /// Takes out of the server what it was told about the load.
    func removeNote() throws(LoadError) {
        try transactions.removeNote()
    }
}

/// What a log's commands would come to in a server, found out before anything is sent.
struct LoadLogSurvey: RecordConsumer {
    private let conversion: LogConversion
    private let ledger = Ledger(isLenient: true, isStrict: false)

    init(_ server: LoadedServer, _ options: LoadOptions) {
        conversion = LogConversion(CountingSink(name: ""), server.decisions(options), ledger)
    }

    /// The highest database that is selected.
    var highestDatabase: UInt64 { conversion.highestDatabase }

    /// What the server has no place for, with the first place of each; nil if there is nothing.
    var losses: String? {
        let changes = ledger.changes.filter { [.lost, .undecided].contains($0.effect) }
        guard !changes.isEmpty else { return nil }
        return changes.map { change in
            let tally = ledger[change]
            let place = tally.details.first.map { ", first \($0)" } ?? ""
            return "\(tally.count) of \(change.subject)\(place)"
        }
        .joined(separator: "; ")
    }

    mutating func key(_ record: KeyRecord, _ reader: inout FileReader) {}

    mutating func effects(_ requests: RawSpan, startsFile: Bool) throws(RDBError) {
        try stopping { () throws(LoadError) in
            do throws(MigrationError) {
                try conversion.take(requests, startsFile: startsFile)
            } catch {
                throw .unsuitable("\(error)")
            }
        }
    }
}
