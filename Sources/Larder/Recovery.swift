import AppendLog
import Bytes
import Commands
import Platform
import RDB
import RESP
import Snapshots

/// Brings an empty engine to the state that a directory holds.
///
/// Where there is a log, it alone counts: its base and then its increments. Else the snapshot
/// file is read, if there is one.
package struct Recovery {
    package var storage: any Storage
    /// `dbfilename`.
    package var snapshotName = "dump.rdb"
    /// Where the log is; nil without `appendonly`.
    package var log: LogDirectory?
    /// Whether a log whose last write was cut is cut there: `aof-load-truncated`.
    package var cutsTornTail = true
    /// Whether what modules have in a file is carried along: `module-data`.
    package var keepsModules = false

    package init(storage: any Storage) {
        self.storage = storage
    }

    /// Why a directory could not be opened.
    package enum Failure: Error {
        case snapshot(file: String, RDBError)
        case log(LogError)
        case storage(SystemError)
        /// The log holds a request that this program does not know.
        case unknownRequest(offset: StreamOffset, text: String)
    }

    /// What was found.
    package struct Outcome {
        package var loadedKeys = 0
        package var expiredKeys = 0
        package var replayedRequests = 0
        /// Requests of the log that were answered with an error, and the first of those.
        package var refusedRequests = 0
        package var firstRefusal = ""
        /// The snapshot file that was read, if any.
        package var snapshotName: String?
        /// What the log's writer goes on from; nil if there was no log.
        package var log: RecoveredLog?
        package var auxiliary: [ByteString: ByteString] = [:]

        package init() {}
    }

    /// How far it has come.
    package struct Progress {
        package var file: String
        package var offset: Int
        package var byteCount: Int
        package var loadedKeys = 0
    }

    /// Loads everything; `report` is called now and then, and may let clients use the engine.
    package func run(
        _ engine: inout Engine,
        report: (inout Engine, Progress) -> Void = { _, _ in }
    ) throws(Failure) -> Outcome {
        var outcome = Outcome()
        if let log {
            var options = LogReader.Options()
            options.acceptsTornTail = cutsTornTail
            var found: LogReader?
            do throws(LogError) {
                found = try LogReader(log, options)
            } catch {
                throw .log(error)
            }
            if var reader = found.take() {
                try replay(&reader, into: &engine, &outcome, report)
                let recovered = reader.recovered
                outcome.log = recovered
                // A log that holds nothing yet may have been begun for a snapshot that was to
                // become its base, and a crash came between.
                guard recovered.manifest.base == nil, recovered.offset == 0 else {
                    return outcome
                }
            }
        }
        do throws(SystemError) {
            guard try storage.exists(snapshotName) else { return outcome }
        } catch {
            throw .storage(error)
        }
        outcome.snapshotName = snapshotName
        _ = try load(snapshotName, isLogBase: false, into: &engine, &outcome, report)
        return outcome
    }

    /// Reads an RDB file; returns where in the file it ends.
    private func load(
        _ name: String,
        isLogBase: Bool,
        into engine: inout Engine,
        _ outcome: inout Outcome,
        _ report: (inout Engine, Progress) -> Void
    ) throws(Failure) -> Int {
        let file: any StorageFile
        var progress = Progress(file: name, offset: 0, byteCount: 0)
        do throws(SystemError) {
            file = try storage.open(name, writable: false)
            progress.byteCount = try file.byteCount()
        } catch {
            throw .storage(error)
        }
        var options = SnapshotLoader.Options()
        options.dropsExpired = !isLogBase
        options.keepsModules = keepsModules
        do throws(RDBError) {
            var loader = try SnapshotLoader(file, into: engine.dataSet, options: options)
            while try loader.advance(500, pause: { report(&engine, progress) }) {
                // A log is replayed onto all of its base; keys of a snapshot may go as any others.
                if !isLogBase { engine.makeRoom() }
                progress.offset = loader.offset
                progress.loadedKeys = loader.summary.loadedKeys
                report(&engine, progress)
            }
            outcome.loadedKeys += loader.summary.loadedKeys
            outcome.expiredKeys += loader.summary.expiredKeys
            outcome.auxiliary = loader.summary.auxiliary
            engine.functionLibraries += loader.summary.functions
            engine.moduleData += loader.summary.moduleData
            return loader.offset
        } catch {
            throw .snapshot(file: name, error)
        }
    }

    private func replay(
        _ reader: inout LogReader,
        into engine: inout Engine,
        _ outcome: inout Outcome,
        _ report: (inout Engine, Progress) -> Void
    ) throws(Failure) {
        let session = engine.openTrustedSession()
        defer { engine.closeSession(session) }
        var replayer = Replayer(session)
        var progress = Progress(file: "append log", offset: 0, byteCount: 0)
        while true {
            let step: LogReader.Step
            do throws(LogError) {
                step = try reader.next()
            } catch {
                throw .log(error)
            }
            switch step {
            case .snapshot(let path):
                let end = try load(path, isLogBase: true, into: &engine, &outcome, report)
                do throws(LogError) {
                    try reader.snapshotEnded(at: end)
                } catch {
                    throw .log(error)
                }
            case .effects(let startsFile):
                if startsFile { replayer.selectFirstDatabase(&engine) }
                try replayer.apply(reader.effects, before: reader.position, to: &engine, &outcome)
                progress.offset += reader.effects.byteCount
                report(&engine, progress)
            case .end:
                return
            }
        }
    }
}

/// Executes the requests of a log.
private struct Replayer: ~Copyable {
    private let session: SessionID
    private var reply = ReplyWriter()

    init(_ session: SessionID) {
        self.session = session
    }

    mutating func selectFirstDatabase(_ engine: inout Engine) {
        engine.select(0, in: session)
    }

    mutating func apply(
        _ effects: RawSpan,
        before end: StreamOffset,
        to engine: inout Engine,
        _ outcome: inout Recovery.Outcome
    ) throws(Recovery.Failure) {
        let limits = RequestLimits(maximumBulkByteCount: .max)
        var parser = RequestParser()
        while (try? parser.parse(effects, within: limits)) ?? false {
            if parser.batchCount > 1 { engine.prefetchBatch(parser, in: effects, session) }
            _ = engine.execute(parser.request(in: effects), session: session, reply: &reply)
            outcome.replayedRequests += 1
            if reply.byteCount > 0, reply.bytes.byte(at: 0) == UInt8(ascii: "-") {
                let text = reply.bytes.text
                if text.hasPrefix("-ERR unknown command") {
                    let offset = end - effects.byteCount + parser.takeConsumed()
                    throw .unknownRequest(offset: offset, text: text)
                }
                outcome.refusedRequests += 1
                if outcome.firstRefusal.isEmpty {
                    outcome.firstRefusal = "\(parser.request(in: effects)[0].text): \(text)"
                }
            }
            reply.removeAll(keepingCapacityUpTo: 1 << 20)
        }
        let consumed = parser.takeConsumed()
        precondition(consumed == effects.byteCount, "the log reader gave out what is no request")
    }
}
