import Bytes
import Glibc
import Inspect
import Platform
import RDB

/// Going on after damage.
extension Conversion {
    /// Reads what can be read of a file.
    ///
    /// The inspector finds the damage and makes a sound file of the rest, under a name of its own
    /// for a while; that is converted, and what is not in it is declared lost.
    func salvage(_ path: String, progress: Progress?) throws(MigrationError) {
        let folder = unsafe getenv("TMPDIR").map { unsafe String(cString: $0) } ?? "/tmp"
        let saved = "\(folder)/larder-migrate-\(getpid())-\(facts.files.count).rdb"
        defer { unsafe unlink(saved) }
        var inspection = Inspection(paths: [path])
        inspection.progress = progress
        let file: CheckReport.File?
        do {
            file = try CheckReport(inspection, salvagePath: saved).files.first
        } catch {
            throw MigrationError(error)
        }
        guard let fault = file?.fault else { return try read(path, progress: progress) }
        guard let salvage = file?.salvage else { throw .input(fault) }
        try note(salvage, fault)
        try read(saved, named: path, progress: progress)
        facts.noteDamaged(byteCount: (try? InputStream(path: path))?.byteCount)
    }

    private func note(
        _ salvage: SalvageReport,
        _ fault: InspectError
    ) throws(MigrationError) {
        for loss in salvage.losses {
            try ledger.note(
                Change(.damage, .lost, "left out"),
                detail: "bytes \(loss.range.lowerBound) to \(loss.range.upperBound): \(loss.error)"
            )
        }
        if salvage.duplicateCount > 0 {
            let change = Change(.damage, .lost, "kept the first of keys that came twice")
            try ledger.note(change, count: salvage.duplicateCount)
        }
        for key in salvage.repaired {
            let name = EscapedText.escape(key.bytes)
            try ledger.note(Change(.damage, .converted, "written anew"), detail: name)
        }
        if salvage.isCut || salvage.losses.isEmpty {
            try ledger.note(Change(.damage, .lost, "read as far as it goes"), detail: "\(fault)")
        }
    }
}
