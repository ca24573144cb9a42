import AppendLog
import Bytes
import Platform
import TestKit
import Testing

/// The whole way, on a real disk and with the real threads.
struct LogOnDiskTests {
    private let place = TemporaryDirectory()

    private func directory() throws -> LogDirectory {
        LogDirectory(storage: try DiskStorage(path: place.path))
    }

    @Test(arguments: SyncPolicy.allCases, LogCompression.allCases)
    func `what was appended is read again`(
        policy: SyncPolicy,
        compression: LogCompression
    ) throws {
        let directory = try directory()
        var settings = LogSettings()
        settings.syncPolicy = policy
        settings.compression = compression
        settings.segmentByteCount = 1000
        let log = try EffectLog(
            continuing: nil,
            in: directory,
            settings: settings,
            onProgress: {}
        )
        let lineage = log.lineage
        var expected: [UInt8] = []
        for index in 0..<100 {
            let request = Array("*2\r\n$3\r\nDEL\r\n$3\r\n\(100 + index)\r\n".utf8)
            expected += request
            var batch = ByteWriter()
            batch.append(request.bytes)
            #expect(log.append(&batch, at: SystemTime().monotonicTime) == expected.count)
        }
        log.close()
        #expect(log.durableOffset == expected.count)
        let now = SystemTime().monotonicTime
        #expect(log.acknowledgedOffset(at: now) == expected.count)

        let read = try readAll(directory)
        #expect(read.bytes == expected)
        #expect(read.recovered.offset == expected.count)
        #expect(read.recovered.wasClosed)
        #expect(read.recovered.lineage == lineage)

        let next = try EffectLog(continuing: read.recovered, in: directory, onProgress: {})
        #expect(next.lineage == lineage)
        #expect(next.endOffset == expected.count)
        #expect(next.close() == nil)
    }
}

/// Reads a log without snapshots.
func readAll(_ directory: LogDirectory) throws -> (bytes: [UInt8], recovered: RecoveredLog) {
    guard var reader = try LogReader(directory) else {
        throw LogError.missingFile(directory.manifestPath)
    }
    var bytes: [UInt8] = []
    while true {
        switch try reader.next() {
        case .effects:
            bytes += ByteString(reader.effects).array
        case .snapshot(let path):
            Issue.record("a snapshot in \(path)")
        case .end:
            return (bytes, reader.recovered)
        }
    }
}
