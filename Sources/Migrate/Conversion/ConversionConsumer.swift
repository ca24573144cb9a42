import Bytes
import Inspect
import RDB

/// What a pass over an input reports to when it is converted.
struct ConversionConsumer: RecordConsumer {
    let conversion: Conversion

    mutating func key(_ record: KeyRecord, _ reader: inout FileReader) throws(RDBError) {
        do throws(MigrationError) {
            try conversion.take(record, &reader)
        } catch {
            throw error.asPassed
        }
    }

    mutating func record(_ record: Record, _ reader: inout FileReader) throws(RDBError) {
        do throws(MigrationError) {
            try conversion.take(record, &reader)
        } catch {
            throw error.asPassed
        }
    }

    mutating func effects(_ requests: RawSpan, startsFile: Bool) throws(RDBError) {
        do throws(MigrationError) {
            guard let log = conversion.log else { throw .commandsWithoutLog }
            try conversion.finishOutputs()
            try log.take(requests, startsFile: startsFile)
        } catch {
            throw error.asPassed
        }
    }

    mutating func end(_ file: FileSummary) {
        conversion.endFile(file)
    }
}

extension MigrationError {
    /// This error on its way through a pass; what the reader said stays as it is.
    var asPassed: RDBError {
        if case .input(let error) = self, case .rdb(let inner) = error.problem { return inner }
        return passing
    }
}
