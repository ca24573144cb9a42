import Bytes
import Inspect
import RDB
import RESP

/// The commands of a log on their way to another.
///
/// What the destination knows goes over as it is; what it would refuse, or take for something
/// else, is translated where that is exact, and else stops the run, named with its place.
package final class LogConversion {
    /// Where the commands go.
    package let file: any Destinable
    /// Commands read.
    package private(set) var readCount = 0
    /// Commands written.
    package private(set) var writtenCount = 0

    private let translator: CommandTranslator
    private let isDropping: Bool
    private let ledger: Ledger
    /// Commands that were left out.
    package private(set) var leftOutCount = 0
    /// The highest database that was selected.
    package private(set) var highestDatabase: UInt64 = 0
    private var database: UInt64 = 0 {
        didSet { highestDatabase = max(highestDatabase, database) }
    }
    private var fileNumber = 0
    private var offsetInFile = 0

    /// Commands that go to `file`.
    package init(_ file: any Destinable, _ decisions: Decisions, _ ledger: Ledger) {
        self.file = file
        self.ledger = ledger
        isDropping = decisions.isDroppingCommands
        // A log is read by no one but its destination, so its payloads can be the newest.
        let target = decisions.destination.deadlineTarget ?? decisions.destination.target
        translator = CommandTranslator(decisions, target)
    }

    /// Takes whole requests; `startsFile` says that database 0 is the selected one.
    func take(_ requests: RawSpan, startsFile: Bool) throws(MigrationError) {
        var output = ByteWriter()
        if startsFile {
            fileNumber += 1
            offsetInFile = 0
            if database != 0 { LoggedRequest(["SELECT", "0"]).append(to: &output) }
            database = 0
        }
        var parser = RequestParser()
        var offset = 0
        while offset < requests.byteCount {
            let rest = requests.part(from: offset, count: requests.byteCount - offset)
            let byteCount = try take(next: rest, &parser, &output)
            offset += byteCount
            offsetInFile += byteCount
            if output.count >= 64 << 10 { try flush(&output) }
        }
        try flush(&output)
    }

    private func flush(_ output: inout ByteWriter) throws(MigrationError) {
        do {
            try file.write(output.bytes)
        } catch {
            throw error as? MigrationError ?? .impossible("\(error)")
        }
        output.removeAll()
    }

    /// Takes the first request of `rest`; says how long it is.
    private func take(
        next rest: RawSpan,
        _ parser: inout RequestParser,
        _ output: inout ByteWriter
    ) throws(MigrationError) -> Int {
        let isWhole: Bool
        do {
            isWhole = try parser.parse(rest, within: .anything)
        } catch {
            throw .impossible("\(place): \(error.text.text)")
        }
        guard isWhole else { throw .impossible("\(place): a command that is not whole") }
        let request = LoggedRequest(parser.request(in: rest))
        let byteCount = parser.takeConsumed()
        readCount += 1
        if request.name == "SELECT", let number = UInt64(request.word(1)) { database = number }
        try write(request, rest.part(from: 0, count: byteCount), &output)
        return byteCount
    }

    private func write(
        _ request: LoggedRequest,
        _ bytes: RawSpan,
        _ output: inout ByteWriter
    ) throws(MigrationError) {
        switch translator.translate(request) {
        case .same:
            output.append(bytes)
            writtenCount += 1
        case .exact(let requests):
            append(requests, &output)
            try ledger.note(Change(.logCommands, .converted, "translated", request.name))
        case .lossy(let requests, let feature, let rule):
            append(requests, &output)
            try ledger.note(
                Change(feature, .lost, rule, request.name),
                at: request.subject.map { Place(database, $0) },
                detail: place
            )
        case .withoutValue(let rule):
            leftOutCount += 1
            try ledger.note(
                Change(.logCommands, .lost, rule, request.name),
                at: request.subject.map { Place(database, $0) },
                detail: place
            )
        case .impossible(let why):
            leftOutCount += 1
            try ledger.note(
                Change(.logCommands, isDropping ? .lost : .undecided, "drop", request.name),
                at: request.subject.map { Place(database, $0) },
                detail: "\(place): \(why)"
            )
        }
    }

    private func append(_ requests: [LoggedRequest], _ output: inout ByteWriter) {
        for request in requests { request.append(to: &output) }
        writtenCount += requests.count
    }

    private var place: String {
        "command \(readCount), byte \(offsetInFile) of the commands of part \(fileNumber)"
    }
}
