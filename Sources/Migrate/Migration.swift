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
        let ledger = Ledger(isLenient: true, isStrict: false)
        let conversion = try Conversion(decisions, ledger) { suffix in
            CountingSink(name: Self.name(output, suffix))
        }
        do {
            try readAll(into: conversion)
        } catch {
            // What cannot be read is in the ledger; the plan says so and ends there.
            guard ledger.hasUndecided(.unreadable) else { throw error }
        }
        try conversion.finish()
        return report(of: conversion, start)
    }

    /// Converts, and publishes the output, its report and what else goes beside it.
    package func convert(to output: String) throws(MigrationError) -> Report {
        let start = (time.wallTime.milliseconds, time.monotonicTime)
        let reportFile = try Self.create("\(output).report.json")
        let losses = try ReportFile(reportFile)
        let ledger = Ledger(isLenient: false, isStrict: decisions.isStrict) {
            (change, place, detail, partCount) throws(MigrationError) in
            try losses.add(change, place, detail, partCount)
        }
        var exported: (any Destinable)?
        if decisions.modules.decides(.export) {
            exported = try Self.create("\(output).modules.jsonl")
        }
        let conversion = try Conversion(decisions, ledger, moduleExport: exported) {
            suffix throws(MigrationError) in
            try Self.create(Self.name(output, suffix))
        }
        try readAll(into: conversion)
        try conversion.finish()
        let report = report(of: conversion, start)
        try losses.finish(report)
        let page = try Self.create("\(output).report.txt")
        try Self.write(report.page(.done), to: page)
        var files = conversion.outputs.map(\.file)
        if let exported, exported.byteCount > 0 { files.append(exported) }
        try Self.publish(files + [reportFile, page])
        return report
    }

    private func readAll(into conversion: Conversion) throws(MigrationError) {
        for path in inputs { try conversion.read(path, progress: progress) }
    }

    private func report(
        of conversion: Conversion,
        _ start: (wall: Int64, monotonic: MonotonicTime)
    ) -> Report {
        let elapsed = (time.monotonicTime - start.monotonic).components
        let seconds = Double(elapsed.seconds) + Double(elapsed.attoseconds) / 1e18
        return Report(of: conversion, began: start.wall, seconds: seconds)
    }

    /// `dump.rdb` and `0-5460` make `dump.0-5460.rdb`.
    static func name(_ path: String, _ suffix: String) -> String {
        guard !suffix.isEmpty else { return path }
        let (_, file) = Paths.split(path)
        guard let dot = path.lastIndex(of: "."), file.dropFirst().contains(".") else {
            return "\(path).\(suffix)"
        }
        return "\(path[..<dot]).\(suffix)\(path[dot...])"
    }

    private static func create(_ path: String) throws(MigrationError) -> any Destinable {
        do {
            return try OutputFile(path: path)
        } catch {
            throw .system(error)
        }
    }

    private static func write(
        _ text: String,
        to file: any Destinable
    ) throws(MigrationError) {
        let bytes = ByteString(text)
        do {
            try file.write(bytes.bytes)
        } catch let error as MigrationError {
            throw error
        } catch {
            throw .impossible("\(error)")
        }
    }

    private static func publish(_ files: [any Destinable]) throws(MigrationError) {
        do throws(SystemError) {
            for file in files { try file.publish() }
        } catch {
            throw .system(error)
        }
    }
}
