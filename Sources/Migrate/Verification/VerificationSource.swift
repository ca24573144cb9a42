import Bytes
import Inspect
import RDB
import RESP

/// One of the two data sets of a verification.
package enum VerificationSource: Sendable {
    /// Files that are one data set together.
    case files([String])
    /// A server, or a cluster.
    case server(ServerURL)
}

/// Everything that is read of one side.
struct VerificationReader: RecordConsumer, ~Copyable {
    private let side: Side
    private let partsOver: Int
    /// Which keys are compared, and where they are on the other side.
    private let selection: Selection
    /// Keys that are not compared.
    private(set) var leftOut = 0
    private let take: (VerificationEntry) throws(VerificationError) -> Void
    private let takeFunction: (ByteString) -> Void
    private var digest: ValueDigest

    /// Hands every key of `side` that `selection` has to `take`.
    ///
    /// What has expired at `now` is not there. Values of a server that take more than `partsOver` bytes are read in parts.
    init(
        _ side: Side,
        _ selection: Selection,
        now: Int64,
        partsOver: Int,
        functions takeFunction: @escaping (ByteString) -> Void,
        _ take: @escaping (VerificationEntry) throws(VerificationError) -> Void
    ) {
        self.side = side
        self.partsOver = partsOver
        self.selection = selection
        self.take = take
        self.takeFunction = takeFunction
        digest = ValueDigest(now: now)
    }

    /// Reads all of a source.
    mutating func read(_ source: VerificationSource) throws(VerificationError) {
        switch source {
        case .files(let paths):
            try VerificationError.catching { () throws(InspectError) in
                try Inspection(paths: paths).read(into: &self)
            }
        case .server(let url): try read(url)
        }
    }

    mutating func key(_ record: KeyRecord, _ reader: inout FileReader) throws(RDBError) {
        guard selection.contains(reader.key, in: reader.database, record.encoding.kind) else {
            leftOut += 1
            return
        }
        try reader.readValue(into: &digest)
        let key = ByteString(reader.key)
        let database = Int(clamping: reader.database)
        do throws(VerificationError) {
            try add(key, database, record.encoding, record.deadline)
        } catch {
            throw RDBError(.transferFailed, at: 0, "cannot go on", cause: error)
        }
    }

    mutating func record(_ record: Record, _ reader: inout FileReader) throws(RDBError) {
        if case .function(let source) = record { takeFunction(source) }
    }

    mutating func effects(_ requests: RawSpan, startsFile: Bool) throws(RDBError) {
        throw RDBError(
            .transferFailed,
            at: 0,
            "cannot be compared",
            cause: VerificationError.unsuitable(
                "the log has commands behind its base, and only a server can tell what they come "
                    + "to: start one on a copy of the log (--appendonly yes), and name its URL here"
            )
        )
    }

    private mutating func read(_ url: ServerURL) throws(VerificationError) {
        do throws(LiveFailure<VerificationError>) {
            let source = try LiveFailure<VerificationError>.server { () throws(ServerError) in
                let source = try LiveSource(at: url, partsOver: partsOver)
                for function in try source.functions() { takeFunction(function) }
                return source
            }
            try source.readAll { key throws(VerificationError) in try add(key) }
        } catch {
            switch error {
            case .server(let trouble): throw .server(trouble)
            case .other(let trouble): throw trouble
            }
        }
    }

    private mutating func add(_ live: LiveKey) throws(VerificationError) {
        let encoding: Encoding
        do throws(RDBError) {
            encoding = try live.value.read(into: &digest)
        } catch {
            if let own = error.cause as? ServerError { throw .server(own) }
            throw .unsuitable("key \"\(live.name)\" has a value that cannot be read: \(error)")
        }
        let number = UInt64(clamping: live.database)
        guard selection.contains(live.name.bytes, in: number, encoding.kind) else {
            leftOut += 1
            return
        }
        try add(live.name, live.database, encoding, live.deadline)
    }

    private func add(
        _ key: ByteString,
        _ database: Int,
        _ encoding: Encoding,
        _ deadline: Int64?
    ) throws(VerificationError) {
        guard !digest.isEmpty else { return }
        let origin = Place(UInt64(clamping: database), key)
        let number = selection.database(origin.database)
        let name = selection.newName(of: key.bytes)
        try take(
            VerificationEntry(
                database: Int(clamping: number),
                key: name ?? key,
                side: side,
                encoding: encoding,
                deadline: deadline,
                digest: digest.value,
                origin: name == nil && number == origin.database ? nil : origin
            )
        )
    }
}

extension VerificationError {
    /// Does what reads files, and tells the troubles of a verification from those of files.
    static func catching(
        _ body: () throws(InspectError) -> Void
    ) throws(VerificationError) {
        do throws(InspectError) {
            try body()
        } catch {
            if case .rdb(let trouble) = error.problem,
                let own = trouble.cause as? VerificationError
            {
                throw own
            }
            throw .file(error)
        }
    }
}

extension LiveSource {
    /// The libraries of functions; none where there are none to be had.
    func functions() throws(ServerError) -> [ByteString] {
        guard identity.target.holdsFunctions else { return [] }
        guard case .array(let libraries) = try askFirst(["FUNCTION", "LIST", "WITHCODE"]) else {
            return []
        }
        return libraries.compactMap { library in
            guard case .array(let parts) = library,
                let place = parts.firstIndex(of: .bulk("library_code")),
                place + 1 < parts.count, case .bulk(let code) = parts[place + 1]
            else { return nil }
            return code
        }
    }
}
