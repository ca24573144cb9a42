import AppendLog
import Bytes
import Platform
import RDB

/// What is in an append-only log: its files, and the commands in them.
///
///     let location = try LogLocation("appendonlydir")
///     let overview = try LogOverview(location, LogOverview.Options())
///
/// The log is only read, so it may be in use.
package struct LogOverview {
    /// The files with their frames, and what is wrong with them.
    package let survey: LogSurvey
    /// The commands since the base, up to the limit or the first damage.
    package private(set) var commands: CommandTally
    /// How far the stream was read.
    package private(set) var end: StreamOffset = 0
    /// What a writer that continues the log would find; nil if damage ended the reading.
    package private(set) var recovered: RecoveredLog?
    /// The damage that ended the reading.
    package private(set) var damage: LogDamage?

    /// What is looked at.
    package struct Options: Sendable {
        /// Where to stop.
        package var limit = LogReader.Limit.all
        /// How many of the last commands are kept.
        package var lastCount = 10
        /// What separates the parts of keys.
        package var separator = UInt8(ascii: ":")

        /// Looks at everything.
        package init() {}
    }

    /// Reads all of a log.
    package init(_ location: LogLocation, _ options: Options = Options()) throws(InspectError) {
        commands = CommandTally(keeping: options.lastCount, separator: options.separator)
        let survey: LogSurvey?
        do {
            survey = try LogSurvey(location.directory)
        } catch {
            throw InspectError(location.root, .log(error))
        }
        guard let survey else {
            throw InspectError(location.root, .missing("there is no log"))
        }
        self.survey = survey
        do throws(InspectError) {
            recovered = try read(location, options.limit)
        } catch {
            guard case .log(.damaged(let damage)) = error.problem else { throw error }
            self.damage = damage
        }
    }

    private mutating func read(
        _ location: LogLocation,
        _ limit: LogReader.Limit
    ) throws(InspectError) -> RecoveredLog? {
        do {
            var options = LogReader.Options()
            options.limit = limit
            guard var reader = try LogReader(location.directory, options) else { return nil }
            while true {
                switch try reader.next() {
                case .snapshot(let path):
                    let end = try Self.endOfSnapshot("\(location.root)/\(path)")
                    try reader.snapshotEnded(at: end)
                case .effects(let startsFile):
                    end = reader.position
                    let start = end - reader.effects.byteCount
                    commands.add(reader.effects, at: start, startsFile: startsFile)
                case .end:
                    end = max(end, reader.position)
                    return reader.recovered
                }
            }
        } catch {
            throw (error as? InspectError) ?? InspectError(location.root, logError: error)
        }
    }

    /// How many bytes of a file are the RDB it begins with.
    private static func endOfSnapshot(_ path: String) throws(InspectError) -> Int {
        let source: FileSource
        do {
            source = try FileSource(InputStream(path: path), progress: nil)
        } catch {
            throw InspectError(path, .system(error))
        }
        do throws(RDBError) {
            var options = FileReader.Options()
            options.isVerifyingChecksum = false
            options.largestWholeText = LongText.limit
            var reader = FileReader(source, options: options)
            while true {
                if case .end = try reader.next() { return reader.offset }
            }
        } catch {
            throw InspectError(path, error)
        }
    }

    /// Whether everything can be read to the end of the log.
    package var isSound: Bool {
        damage == nil && survey.firstProblem == nil && recovered?.tornTail == nil
    }
}

extension InspectError {
    /// What reading a log threw.
    fileprivate init(_ path: String, logError error: any Error) {
        switch error {
        case let error as LogError: self.init(path, .log(error))
        case let error as SystemError: self.init(path, .system(error))
        default: self.init(path, .unknown("\(error)"))
        }
    }
}
