import Bytes
import Inspect
import Platform
import RDB

/// One run of the migrator over files: what is read, what is written where, and how it ends.
package struct Migration {
    /// The files and logs that are read, in order, as one data set.
    package var inputs: [String]
    /// What the user decided.
    package var decisions: Decisions
    /// Told of each piece that was read.
    package var progress: Progress?

    private let time = SystemTime()

    /// A run over `inputs`; nothing is opened yet.
    package init(_ inputs: [String], _ decisions: Decisions) {
        self.inputs = inputs
        self.decisions = decisions
    }

    /// Says what a conversion to a file called `output` would do, and writes nothing.
    package func plan(output: String) throws(MigrationError) -> Report {
        let start = (time.wallTime.milliseconds, time.monotonicTime)
        var isLog = inputs.contains { Paths.isDirectory($0) }
        let conversion: Conversion
        do {
            conversion = try rehearse(isLog: isLog, output)
        } catch .commandsWithoutLog where !inputs.contains("-") {
            // A log in one file is known by what follows the snapshot.
            isLog = true
            conversion = try rehearse(isLog: isLog, output)
        }
        if let suspects = conversion.suspects { try find(suspects, isLog: isLog) }
        var report = report(of: conversion, start)
        if !inputs.contains("-"), !decisions.isSalvaging, !report.isUndecided {
            report.memory = try decisions.destination.memoryByteCount(of: inputs)
        }
        return report
    }

    /// A conversion whose output goes nowhere, and which stops at no decision.
    private func rehearse(
        isLog: Bool,
        _ output: String,
        lookingFor suspects: DuplicateKeys.Suspects? = nil
    ) throws(MigrationError) -> Conversion {
        let ledger = Ledger(isLenient: true, isStrict: false)
        let decisions = isLog ? try logDecisions() : decisions
        let conversion = try Conversion(decisions, ledger, lookingFor: suspects) { suffix in
            CountingSink(name: MigrationOutput.name(output, suffix))
        }
        if isLog {
            let commands = CountingSink(name: "\(output) commands")
            conversion.log = LogConversion(commands, decisions, ledger)
        }
        do {
            try readAll(into: conversion)
        } catch {
            // What cannot be read is in the ledger; the plan says so and ends there.
            guard ledger.hasUndecided(.unreadable) else { throw error }
        }
        try conversion.finish()
        return conversion
    }

    /// Goes over everything once more, and throws if one of the suspects is a key that is written
    /// twice.
    private func find(
        _ suspects: DuplicateKeys.Suspects,
        isLog: Bool
    ) throws(MigrationError) {
        guard !inputs.contains("-") else {
            throw .impossible(
                "a key would be written twice into a database, which no server loads; of a file, "
                    + "not a pipe, it would be said which"
            )
        }
        var again = self
        again.progress = nil
        _ = try again.rehearse(isLog: isLog, "", lookingFor: suspects)
    }

    /// Converts, and publishes the output, its report and what else goes beside it.
    ///
    /// An output that ends in a slash is a directory for a log, one that ends in `.aof` a log in one
    /// file.
    package func convert(to path: String) throws(MigrationError) -> Report {
        let start = (time.wallTime.milliseconds, time.monotonicTime)
        let output = try MigrationOutput(path)
        do {
            if output.form == .directory { try checkDirectoryIsRead() }
            let decisions = output.form == .dump ? decisions : try logDecisions()
            return try convert(decisions, to: output, start)
        } catch {
            output.abandon()
            throw error
        }
    }

    private func convert(
        _ decisions: Decisions,
        to output: MigrationOutput,
        _ start: (wall: Int64, monotonic: MonotonicTime)
    ) throws(MigrationError) -> Report {
        let losses = ReportFile(try output.besides("report.json"), decisions.selection)
        let ledger = Ledger(isLenient: false, isStrict: decisions.isStrict) {
            (change, place, detail, partCount) throws(MigrationError) in
            try losses.add(change, place, detail, partCount)
        }
        var exported: (any Destinable)?
        if decisions.modules.decides(.export) { exported = try output.besides("modules.jsonl") }
        let conversion = try Conversion(decisions, ledger, moduleExport: exported) {
            suffix throws(MigrationError) in
            try output.snapshot(suffix)
        }
        if output.form != .dump {
            conversion.addToPreamble(output.form == .directory ? "aof-base" : "aof-preamble", "1")
            conversion.log = LogConversion(try output.commands(), decisions, ledger)
        }
        try readAll(into: conversion)
        try conversion.finish()
        if let suspects = conversion.suspects { try find(suspects, isLog: output.form != .dump) }
        let report = report(of: conversion, start)
        try losses.finish(report)
        try output.write(report.page(.done), to: try output.besides("report.txt"))
        try output.publish()
        return report
    }

    private func readAll(into conversion: Conversion) throws(MigrationError) {
        for path in inputs {
            if decisions.isSalvaging {
                try conversion.salvage(path, progress: progress)
            } else {
                try conversion.read(path, progress: progress)
            }
        }
    }

    private func checkDirectoryIsRead() throws(MigrationError) {
        guard !decisions.destination.isFrom(redis: 700, valkey: 0) else { return }
        throw .usage(
            "\(decisions.destination.name) reads no directory of a log: give -o a name that ends in "
                + ".aof, for a log in one file"
        )
    }

    /// The decisions of a run whose output is a log.
    ///
    /// What has expired stays: a command further on may give it another deadline.
    private func logDecisions() throws(MigrationError) -> Decisions {
        guard decisions.selection.isIdentity, decisions.split == .none,
            !decisions.isDroppingExpired, inputs.count == 1
        else {
            throw .usage(
                "filters, new names and numbers, merging, splitting and --expired drop are for "
                    + "dumps: the commands of a log cannot be changed so"
            )
        }
        var decisions = decisions
        decisions.now = 0
        return decisions
    }

    private func report(
        of conversion: Conversion,
        _ start: (wall: Int64, monotonic: MonotonicTime)
    ) -> Report {
        let elapsed = (time.monotonicTime - start.monotonic).components
        let seconds = Double(elapsed.seconds) + Double(elapsed.attoseconds) / 1e18
        return Report(of: conversion, began: start.wall, seconds: seconds)
    }
}
